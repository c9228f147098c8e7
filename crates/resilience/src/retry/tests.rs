//! The retry layer against a scripted service, in paused time.

use super::*;
use crate::{
    Classify, Effect, Outcome,
    breaker::{BreakerConfig, BreakerLayer, BreakerOpen, Breakers, Trip},
    find_cause,
};
use proptest::prelude::*;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;
use tower::{BoxError, ServiceBuilder, ServiceExt};

/// The answer itself is the outcome of the attempt; the request is the effect.
#[derive(Clone, Debug)]
struct Literal;

impl Classify<Effect, Outcome, BoxError> for Literal {
    fn effect(&self, request: &Effect) -> Effect {
        *request
    }

    fn outcome(&self, result: Result<&Outcome, &BoxError>) -> Outcome {
        result.copied().unwrap_or(Outcome::Unsent)
    }
}

const THROTTLED: Outcome = Outcome::Throttled { retry_after: None };
const TRANSIENT: Outcome = Outcome::Transient { retry_after: None };

fn no_jitter() -> RetryConfig {
    RetryConfig { jitter: 0.0, ..RetryConfig::default() }
}

/// Sends one request to a service that always answers `outcome`; how often it was sent, and how long it took.
async fn sends(config: RetryConfig, effect: Effect, outcome: Outcome) -> (u32, Duration) {
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    let service = ServiceBuilder::new().layer(RetryLayer::new(config, Literal).unwrap()).service_fn(
        move |_: Effect| {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok::<_, BoxError>(outcome))
        },
    );
    let started = Instant::now();
    assert_eq!(service.oneshot(effect).await.unwrap(), outcome);
    (count.load(Ordering::Relaxed), started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn only_what_is_safe_is_sent_again() {
    use Effect::{Idempotent, Once, Read};
    for (effect, outcome, expected) in [
        (Read, Outcome::Unsent, 3),
        (Idempotent, Outcome::Unsent, 3),
        (Once, Outcome::Unsent, 3),
        (Read, THROTTLED, 3),
        (Idempotent, THROTTLED, 3),
        (Once, THROTTLED, 1),
        (Read, TRANSIENT, 3),
        (Idempotent, TRANSIENT, 3),
        (Once, TRANSIENT, 1),
        (Read, Outcome::Permanent, 1),
        (Idempotent, Outcome::Permanent, 1),
        (Once, Outcome::Permanent, 1),
        (Read, Outcome::Success, 1),
        (Idempotent, Outcome::Success, 1),
        (Once, Outcome::Success, 1),
    ] {
        let (count, _) = sends(no_jitter(), effect, outcome).await;
        assert_eq!(count, expected, "{effect:?} x {outcome:?}");
    }
    assert_eq!(Effect::default(), Once, "a request that says nothing is not repeated");
}

#[tokio::test(start_paused = true)]
async fn pauses_double_and_never_undercut_the_server() {
    let floor = |seconds| Outcome::Throttled { retry_after: Some(Duration::from_secs(seconds)) };
    for (outcome, expected) in [(TRANSIENT, 2 + 4), (floor(42), 42 + 42), (floor(3), 3 + 4)] {
        let (_, took) = sends(no_jitter(), Effect::Read, outcome).await;
        // The runtime's timer works in milliseconds and rounds up.
        assert_eq!(took.as_secs(), expected, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_attempt_means_no_retry() {
    let config = RetryConfig { max_attempts: 1, ..no_jitter() };
    assert_eq!(sends(config, Effect::Read, TRANSIENT).await.0, 1);
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_shared_by_all_requests_of_a_layer() {
    let config = RetryConfig {
        max_attempts: 2,
        budget: BudgetConfig { capacity: 10, per_success: 0.0, per_second: 0.0 },
        base_delay: Duration::from_millis(1),
        ..no_jitter()
    };
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    let service = ServiceBuilder::new().layer(RetryLayer::new(config, Literal).unwrap()).service_fn(
        move |_: Effect| {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok::<_, BoxError>(TRANSIENT))
        },
    );
    for _ in 0..100 {
        service.clone().oneshot(Effect::Read).await.unwrap();
    }
    assert_eq!(count.load(Ordering::Relaxed), 100 + 10);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_waited_out_once() {
    let trip = Trip::Consecutive { failures: 1 };
    let breakers = Breakers::new("test", BreakerConfig { trip, ..BreakerConfig::default() }).unwrap();
    let count = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&count);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(no_jitter(), Literal).unwrap())
        .layer(BreakerLayer::new(breakers, Literal))
        .service_fn(move |_: Effect| {
            counter.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Err::<Outcome, BoxError>("refused".into()))
        });

    let started = Instant::now();
    let error = service.oneshot(Effect::Once).await.unwrap_err();

    // 0 s: sent, opens. 2 s: open, wait it out. 60-62 s: probe fails, opens again. Then: open again, give up.
    assert!(find_cause::<BreakerOpen>(&*error).is_some(), "{error}");
    assert_eq!(count.load(Ordering::Relaxed), 2);
    assert!((60..70).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

/// Sends a request to a service whose attempts end in this order; the error it gives up with.
async fn gives_up_with(answers: [Result<Outcome, &'static str>; 3]) -> BoxError {
    let answers = Arc::new(std::sync::Mutex::new(answers.into_iter()));
    let service = ServiceBuilder::new().layer(RetryLayer::new(no_jitter(), Literal).unwrap()).service_fn(
        move |_: Effect| {
            let answer = answers.lock().unwrap().next().unwrap();
            std::future::ready(answer.map_err(BoxError::from))
        },
    );
    service.oneshot(Effect::Idempotent).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn the_last_error_does_not_hide_that_an_earlier_attempt_may_have_arrived() {
    for (earlier, maybe) in [(Err("refused"), false), (Ok(TRANSIENT), true), (Ok(THROTTLED), true)] {
        let error = gives_up_with([earlier, Err("refused"), Err("refused")]).await;
        let retried = find_cause::<Retried>(&*error).unwrap();
        assert_eq!(retried.attempts().count, 3);
        assert_eq!(retried.attempts().may_have_been_sent, maybe, "{earlier:?}");
        assert_eq!(std::error::Error::source(retried).unwrap().to_string(), "refused");
    }
}

/// Keeps the level and the message of every event.
#[derive(Clone, Default)]
struct Lines(Arc<std::sync::Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            if field.name() == "message" {
                line = format!("{line} {value:?}");
            }
        });
        self.0.lock().unwrap().push(line);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn each_retry_is_a_warning() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    sends(no_jitter(), Effect::Read, TRANSIENT).await;
    drop(guard);
    assert_eq!(
        *lines.0.lock().unwrap(),
        ["WARN Retrying request (attempt 2/3)", "WARN Retrying request (attempt 3/3)"]
    );
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let default = RetryConfig::default;
    let budget = |budget| RetryConfig { budget, ..default() };
    for (config, setting) in [
        (RetryConfig { max_attempts: 0, ..default() }, "max_attempts"),
        (RetryConfig { base_delay: Duration::from_secs(61), ..default() }, "base_delay"),
        (RetryConfig { jitter: f64::NAN, ..default() }, "jitter"),
        (RetryConfig { jitter: 1.1, ..default() }, "jitter"),
        (budget(BudgetConfig { capacity: 0, ..BudgetConfig::default() }), "budget.capacity"),
        (budget(BudgetConfig { per_success: -0.1, ..BudgetConfig::default() }), "budget.per_success"),
        (budget(BudgetConfig { per_second: f64::NAN, ..BudgetConfig::default() }), "budget.per_second"),
    ] {
        assert_eq!(RetryLayer::new(config, Literal).unwrap_err().setting(), setting);
    }
}

proptest! {
    #[test]
    fn a_pause_keeps_its_bounds(
        attempts in 1_u32..=u32::MAX,
        base in 0_u64..100_000,
        longer in 0_u64..100_000,
        floor in proptest::option::of(0_u64..1_000_000),
        jitter in 0.0..=1.0_f64,
        spread in 0.0..=1.0_f64,
    ) {
        let config = RetryConfig {
            base_delay: Duration::from_millis(base),
            max_delay: Duration::from_millis(base + longer),
            jitter,
            ..RetryConfig::default()
        };
        let floor = floor.map(Duration::from_millis);
        let pause = delay(attempts, &config, floor, spread);
        let least = config.base_delay.max(floor.unwrap_or_default());
        let most = config.max_delay.max(floor.unwrap_or_default()) + config.max_delay;
        prop_assert!(least <= pause && pause <= most, "{least:?} <= {pause:?} <= {most:?}");
        // Jitter upward only, and later attempts never sooner.
        prop_assert!(delay(attempts, &config, floor, 0.0) <= pause);
        prop_assert!(pause <= delay(attempts.saturating_add(1), &config, floor, spread));
    }
}

//! The retry layer against a scripted service, in paused time.

use super::{budget::Budget, *};
use crate::{
    Effect, Outcome,
    breaker::{BreakerConfig, BreakerLayer, BreakerOpen, Breakers, Trip},
    deadline::{AttemptTimeoutLayer, DeadlineLayer, Elapsed},
    find_cause, outcome_of,
    testing::{
        Act, Answer, Ask, Judge, Lines, Literal, READ, Script, THROTTLED, TRANSIENT, throttled, transient,
    },
};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

fn no_jitter() -> RetryConfig {
    RetryConfig { jitter: 0.0, ..RetryConfig::default() }
}

fn layer(config: RetryConfig) -> RetryLayer<Literal> {
    RetryLayer::new(config, Literal).unwrap()
}

/// Sends one request to a service that always answers `outcome`; how often it was sent, and how long it took.
async fn sends(config: RetryConfig, effect: Effect, outcome: Outcome) -> (usize, Duration) {
    let script = Script::answers([outcome]);
    let started = Instant::now();
    let answer = layer(config).layer(script.clone()).oneshot(Ask(effect, "")).await.unwrap();
    assert_eq!(answer.0, outcome);
    (script.count(), started.elapsed())
}

#[tokio::test(start_paused = true)]
async fn only_what_is_safe_is_sent_again() {
    use Effect::{Idempotent, Once, Read};
    let busy = Outcome::Busy { retry_after: None };
    for (outcome, expected) in [
        (Outcome::Unsent, [3, 3, 3]),
        (THROTTLED, [3, 3, 1]),
        (busy, [3, 3, 1]),
        (TRANSIENT, [3, 3, 1]),
        (Outcome::Permanent, [1, 1, 1]),
        (Outcome::Success, [1, 1, 1]),
    ] {
        for (effect, expected) in [Read, Idempotent, Once].into_iter().zip(expected) {
            let (count, _) = sends(no_jitter(), effect, outcome).await;
            assert_eq!(count, expected, "{effect:?} x {outcome:?}");
        }
    }
    assert_eq!(Effect::default(), Once, "a request that says nothing is not repeated");
}

#[tokio::test(start_paused = true)]
async fn pauses_double_and_never_undercut_the_server() {
    for (outcome, expected) in [(TRANSIENT, 2 + 4), (throttled(42), 42 + 42), (transient(3), 3 + 4)] {
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
async fn the_two_profiles_are_what_they_are_called() {
    for (config, attempts, at_least) in [(RetryConfig::guide(), 3, 2 + 4), (RetryConfig::robust(), 6, 15)] {
        let (count, took) = sends(config, Effect::Read, TRANSIENT).await;
        assert_eq!(count, attempts);
        assert!((at_least..=at_least * 5 / 4 + 1).contains(&took.as_secs()), "{took:?}");
    }
    assert_eq!(RetryConfig::default(), RetryConfig::guide());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_pauses() {
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let script = Script::answers([TRANSIENT]);
        let started = Instant::now();
        layer(RetryConfig::robust()).seeded(seed).layer(script.clone()).oneshot(READ).await.unwrap();
        runs.push(script.arrivals().iter().map(|at| *at - started).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
}

// ===== the deadline =====

fn within(seconds: u64, script: &Script) -> impl Service<Ask, Response = Answer, Error = BoxError> + use<> {
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(seconds)).unwrap())
        .layer(layer(no_jitter()))
        .layer(AttemptTimeoutLayer::new(30 * SECOND))
        .service(script.clone())
}

#[tokio::test(start_paused = true)]
async fn who_is_asked_to_wait_longer_than_the_deadline_says_so_at_once() {
    let script = Script::answers([throttled(42)]);
    let started = Instant::now();
    let answer = within(40, &script).oneshot(READ).await.unwrap();
    assert_eq!((script.count(), started.elapsed()), (1, Duration::ZERO), "no sleep for nothing");
    let attempts = answer.1.unwrap();
    assert_eq!((attempts.count, attempts.retry_after), (1, Some(42 * SECOND)));
    assert_eq!(attempts.to_string(), "1 attempt in 0.0ns; to be tried again in 42.0s");

    // A pause of the own choosing is no reason to come back at a certain time.
    let script = Script::answers([TRANSIENT]);
    let answer = within(4, &script).oneshot(READ).await.unwrap();
    let attempts = answer.1.unwrap();
    assert_eq!((attempts.count, attempts.retry_after), (2, None), "0 s, 2 s, and not 6 s");
}

#[tokio::test(start_paused = true)]
async fn who_may_have_asked_for_more_than_is_understood_is_not_asked_too_early() {
    for (wait, expected) in [(599, 3), (600, 1)] {
        assert_eq!(sends(no_jitter(), Effect::Read, throttled(wait)).await.0, expected, "{wait} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_that_leaves_a_second_for_the_attempt_is_enough() {
    // 0 s, 2 s and 6 s; the timers, which are late, need a little more than 6 s + 1 s.
    for (deadline, expected) in [(7, 2), (8, 3)] {
        let script = Script::answers([TRANSIENT]);
        within(deadline, &script).oneshot(READ).await.unwrap();
        assert_eq!(script.count(), expected, "{deadline} s");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_gets_what_is_left_and_the_error_tells_all() {
    let script = Script::new([Act::Answer(TRANSIENT), Act::Hang]);
    let started = Instant::now();
    let error = within(20, &script).oneshot(READ).await.unwrap_err();
    assert_eq!(started.elapsed().as_secs(), 20, "not the 30 s of an attempt");
    let retried = find_cause::<Retried>(&*error).expect("attempts are told even so").attempts();
    assert_eq!((retried.count, retried.may_have_been_sent), (2, true));
    assert_eq!(retried.elapsed.as_secs(), 20);
    assert!(find_cause::<Elapsed>(&*error).unwrap().is_ours());
    assert_eq!(error.to_string(), "gave up after 2 attempts in 20.0s");
}

// ===== what is told =====

/// Sends a request to a service whose attempts end in this order; the error it gives up with.
async fn gives_up_with(acts: [Act; 3]) -> BoxError {
    layer(no_jitter()).layer(Script::new(acts)).oneshot(READ).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn the_last_error_does_not_hide_that_an_earlier_attempt_may_have_arrived() {
    for (earlier, maybe) in [
        (Act::Refused, false),
        (Act::Error("reset"), true),
        (Act::Answer(TRANSIENT), true),
        (Act::Answer(THROTTLED), true),
    ] {
        let error = gives_up_with([earlier, Act::Refused, Act::Refused]).await;
        let retried = find_cause::<Retried>(&*error).unwrap();
        assert_eq!(retried.attempts().count, 3);
        assert_eq!(retried.attempts().elapsed.as_secs(), 6);
        assert_eq!(retried.attempts().may_have_been_sent, maybe, "{earlier:?}");
        assert_eq!(retried.to_string(), "gave up after 3 attempts in 6.0s");
        let told = if maybe { TRANSIENT } else { Outcome::Unsent };
        assert_eq!(outcome_of(&*error), told, "{earlier:?}");
        let cause = std::error::Error::source(retried).unwrap();
        assert_eq!(cause.to_string(), "no connection was established");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_carries_what_it_took_unless_it_is_a_success() {
    let answer = |acts: [Outcome; 3]| layer(no_jitter()).layer(Script::answers(acts)).oneshot(READ);
    let refused = answer([TRANSIENT, TRANSIENT, Outcome::Permanent]).await.unwrap();
    assert_eq!(refused.1.unwrap().count, 3);
    let failed = answer([TRANSIENT, TRANSIENT, TRANSIENT]).await.unwrap();
    assert_eq!((failed.1.unwrap().count, failed.1.unwrap().elapsed.as_secs()), (3, 6));
    let done = answer([TRANSIENT, TRANSIENT, Outcome::Success]).await.unwrap();
    assert_eq!(done.1, None);
}

#[tokio::test(start_paused = true)]
async fn a_single_attempt_keeps_its_error_as_it_is() {
    let config = RetryConfig { max_attempts: 1, ..no_jitter() };
    let error = layer(config).layer(Script::new([Act::Error("reset")])).oneshot(READ).await.unwrap_err();
    assert_eq!(error.to_string(), "reset");
}

#[tokio::test(start_paused = true)]
async fn an_error_tells_that_it_was_not_the_first_also_where_nothing_was_sent() {
    let config = RetryConfig { max_attempts: 2, ..no_jitter() };
    let error = layer(config).layer(Script::new([Act::Refused])).oneshot(READ).await.unwrap_err();
    let attempts = find_cause::<Retried>(&*error).expect("two attempts are worth telling").attempts();
    assert_eq!((attempts.count, attempts.may_have_been_sent, attempts.retry_after), (2, false, None));
}

#[tokio::test(start_paused = true)]
async fn an_error_that_asks_for_a_longer_wait_than_there_is_tells_when_to_come_back() {
    let script = Script::new([Act::Error("too many")]);
    let service = ServiceBuilder::new()
        .layer(DeadlineLayer::new(40 * SECOND).unwrap())
        .layer(RetryLayer::new(no_jitter(), Judge(throttled(60))).unwrap())
        .service(script.clone());
    let error = service.oneshot(READ).await.unwrap_err();
    let attempts = find_cause::<Retried>(&*error).expect("when to come back is worth telling").attempts();
    assert_eq!((attempts.count, attempts.retry_after), (1, Some(60 * SECOND)));
    assert_eq!((attempts.may_have_been_sent, script.count()), (false, 1));
}

// ===== an open breaker =====

fn one_failure() -> Breakers {
    let trip = Trip::Consecutive { failures: 1 };
    Breakers::new("test", BreakerConfig { trip, ..BreakerConfig::guide() }).unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_the_classifier_calls_permanent_waits_for_no_breaker() {
    let script = Script::new([Act::Error("reset")]);
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(no_jitter(), Judge(Outcome::Permanent)).unwrap())
        .layer(BreakerLayer::new(one_failure(), Literal))
        .service(script.clone());
    let started = Instant::now();
    service.clone().oneshot(READ).await.unwrap_err();
    let error = service.oneshot(READ).await.unwrap_err();
    assert!(find_cause::<BreakerOpen>(&*error).is_some(), "{error}");
    assert_eq!((script.count(), started.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_a_breaker_do_not_come_back_together() {
    let script = Script::new([Act::Error("reset"), Act::Answer(Outcome::Success)]);
    let breaker = BreakerLayer::new(one_failure(), Literal).layer(script);
    breaker.clone().oneshot(READ).await.unwrap_err();

    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let service = ServiceBuilder::new()
        .layer(layer(no_jitter()).seeded(7))
        .map_request(move |request| {
            log.lock().unwrap().push(Instant::now());
            request
        })
        .service(breaker);
    let started = Instant::now();
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let asked = asked.lock().unwrap();
    assert!(asked[..20].iter().all(|at| *at == started), "all of them found it open");
    let again: BTreeSet<_> = asked[20..40].iter().map(|at| (*at - started).as_millis()).collect();
    assert!(again.len() >= 15, "{again:?}");
    assert!(again.iter().all(|at| (60_000..=62_001).contains(at)), "{again:?}");
}

// ===== what is logged =====

#[tokio::test(start_paused = true)]
async fn each_retry_is_a_warning() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    sends(no_jitter(), Effect::Read, TRANSIENT).await;
    drop(guard);
    assert_eq!(lines.take(), ["WARN Retrying request (attempt 2/3)", "WARN Retrying request (attempt 3/3)"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_retried_any_more_says_why() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    within(2, &Script::answers([TRANSIENT])).oneshot(READ).await.unwrap();
    let empty = BudgetConfig { capacity: 1, per_success: 0.0, per_second: 0.0 };
    let policy = layer(RetryConfig { budget: empty, ..no_jitter() });
    policy.layer(Script::answers([TRANSIENT])).oneshot(READ).await.unwrap();
    policy.unbudgeted().layer(Script::answers([TRANSIENT])).oneshot(READ).await.unwrap();
    drop(guard);
    assert_eq!(
        lines.take(),
        [
            "WARN Not retrying request: the wait would be too long",
            "WARN Retrying request (attempt 2/3)",
            "WARN Not retrying request: too many requests are being retried",
            "WARN Retrying request beyond the retry budget",
            "WARN Retrying request (attempt 2/3)",
            "WARN Retrying request beyond the retry budget",
            "WARN Retrying request (attempt 3/3)",
        ]
    );
}

// ===== the budget =====

fn budget(capacity: u32, per_success: f64, per_second: f64) -> BudgetConfig {
    BudgetConfig { capacity, per_success, per_second }
}

#[tokio::test(start_paused = true)]
async fn the_same_seconds_are_earned_once() {
    let budget = Budget::new(budget(2, 0.0, 0.1));
    for _ in 0..2 {
        budget.withdraw().unwrap().spend();
    }
    tokio::time::advance(10 * SECOND).await;
    budget.withdraw().expect("ten seconds earned one").spend();
    assert!(budget.withdraw().is_none(), "and no second one");
    tokio::time::advance(5 * SECOND).await;
    budget.deposit();
    budget.deposit();
    assert!((budget.retries() - 0.5).abs() < 1e-9, "five seconds earned half of one");
}

#[tokio::test(start_paused = true)]
async fn the_budget_is_shared_by_all_requests_of_a_layer() {
    let config = RetryConfig {
        max_attempts: 2,
        base_delay: Duration::from_millis(1),
        budget: budget(10, 0.0, 0.0),
        ..no_jitter()
    };
    let script = Script::answers([TRANSIENT]);
    let service = layer(config).layer(script.clone());
    for _ in 0..100 {
        service.clone().oneshot(READ).await.unwrap();
    }
    assert_eq!(script.count(), 100 + 10);
}

#[tokio::test(start_paused = true)]
async fn successes_and_time_earn_retries_up_to_the_capacity() {
    let budget = Budget::new(budget(2, 0.5, 0.1));
    let held = [budget.withdraw().unwrap(), budget.withdraw().unwrap()];
    assert!(budget.withdraw().is_none());
    budget.deposit();
    assert!(budget.withdraw().is_none(), "half a retry is none");
    budget.deposit();
    budget.withdraw().unwrap().spend();
    tokio::time::advance(9 * SECOND).await;
    assert!(budget.withdraw().is_none());
    tokio::time::advance(SECOND).await;
    budget.withdraw().unwrap().spend();

    drop(held);
    assert!((budget.retries() - 2.0).abs() < 1e-9, "given back");
    budget.deposit();
    tokio::time::advance(1000 * SECOND).await;
    budget.deposit();
    assert!((budget.retries() - 2.0).abs() < 1e-9, "no more than the capacity");
}

#[test]
fn a_policy_shows_its_configuration() {
    let policy = RetryPolicy::new(RetryConfig::robust(), Literal).unwrap();
    assert!(format!("{policy:?}").starts_with("RetryPolicy { config: RetryConfig { max_attempts: 6, "));
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let default = RetryConfig::default;
    let budget =
        |capacity, success, second| RetryConfig { budget: budget(capacity, success, second), ..default() };
    for (config, setting) in [
        (RetryConfig { max_attempts: 0, ..default() }, "max_attempts"),
        (RetryConfig { base_delay: 61 * SECOND, ..default() }, "base_delay"),
        (RetryConfig { jitter: f64::NAN, ..default() }, "jitter"),
        (RetryConfig { jitter: 1.1, ..default() }, "jitter"),
        (budget(0, 0.5, 10.0), "budget.capacity"),
        (budget(1, -0.1, 10.0), "budget.per_success"),
        (budget(1, 1001.0, 10.0), "budget.per_success"),
        (budget(1, 0.5, f64::NAN), "budget.per_second"),
        (budget(1, 0.5, 1e7), "budget.per_second"),
    ] {
        assert_eq!(RetryLayer::new(config, Literal).unwrap_err().setting(), setting);
    }
}

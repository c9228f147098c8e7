//! The machine as data, and the layer in paused time.

use super::{
    state::{Event, Machine, State, Verdict},
    *,
};
use crate::{Classify, Effect, Outcome, find_cause};
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;
use tower::{BoxError, Service, ServiceExt};
use tower_test::mock;

/// The answer itself is the outcome.
#[derive(Clone, Debug)]
struct Literal;

impl Classify<(), Outcome, BoxError> for Literal {
    fn effect(&self, (): &()) -> Effect {
        Effect::Once
    }

    fn outcome(&self, result: Result<&Outcome, &BoxError>) -> Outcome {
        result.copied().unwrap_or(Outcome::Transient { retry_after: None })
    }
}

type Requests = mock::Handle<(), Outcome>;

fn service(config: BreakerConfig) -> (BreakerService<mock::Mock<(), Outcome>, Literal>, Requests, Breaker) {
    let (inner, handle) = mock::pair();
    let breaker = Breaker::new("test", config).unwrap();
    let layer = BreakerLayer::new(breaker.clone(), Literal);
    (tower::Layer::layer(&layer, inner), handle, breaker)
}

/// Sends a request and lets the service behind the breaker answer it, where it arrives.
async fn send(
    service: &mut BreakerService<mock::Mock<(), Outcome>, Literal>,
    requests: &mut Requests,
    answer: Outcome,
) -> Result<Outcome, BoxError> {
    requests.allow(1);
    let call = service.ready().await.unwrap().call(());
    let serve = async {
        if let Some(((), respond)) = requests.next_request().await {
            respond.send_response(answer);
        }
    };
    tokio::select! {
        biased;
        result = call => result,
        () = async { serve.await; std::future::pending().await } => unreachable!(),
    }
}

const DOWN: Outcome = Outcome::Transient { retry_after: None };

async fn opened(
    config: BreakerConfig,
) -> (BreakerService<mock::Mock<(), Outcome>, Literal>, Requests, Breaker) {
    let threshold = config.failure_threshold;
    let (mut service, mut requests, breaker) = service(config);
    for _ in 0..threshold {
        assert_eq!(breaker.status(), BreakerStatus::Closed);
        send(&mut service, &mut requests, DOWN).await.unwrap();
    }
    (service, requests, breaker)
}

#[tokio::test(start_paused = true)]
async fn opens_at_the_threshold_and_closes_after_good_probes() {
    let (mut service, mut requests, breaker) = opened(BreakerConfig::default()).await;
    let remaining = Duration::from_secs(60);
    assert_eq!(breaker.status(), BreakerStatus::Open { remaining });

    tokio::time::advance(Duration::from_secs(20)).await;
    let error = send(&mut service, &mut requests, Outcome::Success).await.unwrap_err();
    assert_eq!(find_cause::<BreakerOpen>(&*error).unwrap().retry_after(), Duration::from_secs(40));

    tokio::time::advance(Duration::from_secs(40)).await;
    send(&mut service, &mut requests, Outcome::Success).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen);
    send(&mut service, &mut requests, Outcome::Success).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::Closed);
}

#[tokio::test(start_paused = true)]
async fn only_a_failing_service_opens_it() {
    for (outcome, opens) in [
        (Outcome::Transient { retry_after: None }, true),
        (Outcome::Unsent, true),
        (Outcome::Permanent, false),
        (Outcome::Throttled { retry_after: None }, false),
        (Outcome::Success, false),
    ] {
        let (mut service, mut requests, breaker) = service(BreakerConfig::default());
        for _ in 0..5 {
            send(&mut service, &mut requests, outcome).await.unwrap();
        }
        assert_eq!(breaker.status() != BreakerStatus::Closed, opens, "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_ready_even_where_the_service_is_not() {
    let (mut service, mut requests, _) = opened(BreakerConfig::default()).await;
    requests.allow(0);
    let error = service.ready().await.unwrap().call(()).await.unwrap_err();
    assert!(find_cause::<BreakerOpen>(&*error).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_probe_gives_its_permit_back() {
    let (mut service, mut requests, breaker) = opened(BreakerConfig::default()).await;
    tokio::time::advance(Duration::from_secs(60)).await;

    let probes: Vec<_> = (0..3).map(|_| service.call(())).collect();
    let fourth = tokio::time::timeout(Duration::from_secs(1), service.call(())).await;
    let error = fourth.expect("three probes at most").unwrap_err();
    assert!(find_cause::<BreakerOpen>(&*error).is_some(), "{error}");

    drop(probes);
    send(&mut service, &mut requests, Outcome::Success).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen, "cancelled probes say nothing");
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_of_an_earlier_generation_has_no_say() {
    let (mut service, mut requests, breaker) = service(BreakerConfig::default());
    requests.allow(100);
    let late = tokio::spawn(service.call(()));
    let ((), late_answer) = requests.next_request().await.unwrap();

    for _ in 0..5 {
        send(&mut service, &mut requests, DOWN).await.unwrap();
    }
    tokio::time::advance(Duration::from_secs(60)).await;
    send(&mut service, &mut requests, Outcome::Success).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen);

    late_answer.send_response(DOWN);
    late.await.unwrap().unwrap();
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen);
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let default = BreakerConfig::default;
    for (config, setting) in [
        (BreakerConfig { failure_threshold: 0, ..default() }, "failure_threshold"),
        (BreakerConfig { open_for: Duration::ZERO, ..default() }, "open_for"),
        (BreakerConfig { open_for: Duration::MAX, ..default() }, "open_for"),
        (BreakerConfig { success_threshold: 0, ..default() }, "success_threshold"),
        (BreakerConfig { half_open_permits: 0, ..default() }, "half_open_permits"),
    ] {
        assert_eq!(Breaker::new("test", config).unwrap_err().setting(), setting);
    }
}

// ===== the machine =====

#[derive(Clone, Copy, Debug)]
enum Step {
    Ask,
    Settle { nth: usize, verdict: Verdict },
    Advance { seconds: u64 },
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![
        Just(Verdict::Alive),
        Just(Verdict::Failing),
        Just(Verdict::Failing),
        Just(Verdict::Silent),
    ];
    prop_oneof![
        3 => Just(Step::Ask),
        3 => (any::<usize>(), verdict).prop_map(|(nth, verdict)| Step::Settle { nth, verdict }),
        1 => (0_u64..90).prop_map(|seconds| Step::Advance { seconds }),
    ]
}

proptest! {
    /// Whatever the order of events: probes stay within the permits, the count of probes is exact, an open breaker
    /// admits nobody before its time, and each failure in half-open opens it at once.
    #[test]
    fn the_machine_keeps_its_promises(steps in proptest::collection::vec(step(), 0..200)) {
        let config = BreakerConfig::default();
        let mut now = Instant::now();
        let mut machine = Machine::new();
        let mut pending: Vec<u64> = Vec::new();
        for step in steps {
            match step {
                Step::Advance { seconds } => now += Duration::from_secs(seconds),
                Step::Ask => match machine.admission(&config, now) {
                    Ok(()) => {
                        machine = machine.on(Event::Admitted, &config, now);
                        pending.push(machine.generation);
                    }
                    Err(wait) => {
                        prop_assert!(wait > Duration::ZERO);
                        if let State::Open { until } = machine.state {
                            prop_assert_eq!(now + wait, until);
                        }
                    }
                },
                Step::Settle { nth, verdict } if !pending.is_empty() => {
                    let generation = pending.swap_remove(nth % pending.len());
                    let before = machine;
                    machine = machine.on(Event::Settled { generation, verdict }, &config, now);
                    let current = generation == before.generation;
                    prop_assert!(current || machine == before);
                    if current && verdict == Verdict::Failing
                        && matches!(before.state, State::HalfOpen { .. })
                    {
                        prop_assert_eq!(machine.state, State::Open { until: now + config.open_for });
                    }
                }
                Step::Settle { .. } => {}
            }
            match machine.state {
                State::Closed { failures } => prop_assert!(failures < config.failure_threshold),
                State::Open { until } => prop_assert!(until <= now + config.open_for),
                State::HalfOpen { in_flight, successes } => {
                    let probes = pending.iter().filter(|&&g| g == machine.generation).count();
                    prop_assert_eq!(in_flight as usize, probes);
                    prop_assert!(in_flight <= config.half_open_permits);
                    prop_assert!(successes < config.success_threshold);
                }
            }
        }
    }
}

//! The machine as data, and the layer in paused time.

use super::*;
use crate::{Class, Classify, Effect, Outcome, find_cause};
use std::time::Duration;
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
    let breakers = Breakers::new("test", config).unwrap();
    let breaker = breakers.get(&Class::default());
    let layer = BreakerLayer::new(breakers, Literal);
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
    let Trip::Consecutive { failures: threshold } = config.trip else { panic!("{config:?}") };
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
    let trip = |trip| BreakerConfig { trip, ..default() };
    for (config, setting) in [
        (trip(Trip::Consecutive { failures: 0 }), "trip.failures"),
        (trip(Trip::FailureRate { ratio: 0.0, window: 100, min_calls: 50 }), "trip.ratio"),
        (trip(Trip::FailureRate { ratio: 1.1, window: 100, min_calls: 50 }), "trip.ratio"),
        (trip(Trip::FailureRate { ratio: f64::NAN, window: 100, min_calls: 50 }), "trip.ratio"),
        (trip(Trip::FailureRate { ratio: 0.5, window: 129, min_calls: 50 }), "trip.window"),
        (trip(Trip::FailureRate { ratio: 0.5, window: 0, min_calls: 1 }), "trip.window"),
        (trip(Trip::FailureRate { ratio: 0.5, window: 100, min_calls: 101 }), "trip.min_calls"),
        (trip(Trip::FailureRate { ratio: 0.5, window: 100, min_calls: 0 }), "trip.min_calls"),
        (BreakerConfig { max_open_for: Duration::from_secs(59), ..default() }, "max_open_for"),
        (BreakerConfig { max_open_for: Duration::MAX, ..default() }, "max_open_for"),
        (BreakerConfig { probe_expiry: Duration::ZERO, ..default() }, "probe_expiry"),
        (BreakerConfig { probe_expiry: Duration::MAX, ..default() }, "probe_expiry"),
        (BreakerConfig { open_for: Duration::ZERO, ..default() }, "open_for"),
        (BreakerConfig { open_for: Duration::MAX, ..default() }, "open_for"),
        (BreakerConfig { success_threshold: 0, ..default() }, "success_threshold"),
        (BreakerConfig { half_open_permits: 0, ..default() }, "half_open_permits"),
    ] {
        assert_eq!(Breaker::new("test", config).unwrap_err().setting(), setting);
    }
}

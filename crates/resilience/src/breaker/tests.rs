//! The layer in paused time. What can go wrong in half-open is among the pitfalls.

use super::*;
use crate::{
    Class, find_cause,
    testing::{Act, Answer, Ask, Literal, READ, Script, TRANSIENT},
};
use std::time::Duration;
use tower::{BoxError, Layer, Service, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

fn guarded(config: BreakerConfig, script: &Script) -> (BreakerService<Script, Literal>, Breaker) {
    let breakers = Breakers::new("test", config).unwrap();
    let breaker = breakers.get(&Class::default());
    (BreakerLayer::new(breakers, Literal).layer(script.clone()), breaker)
}

async fn send(service: &BreakerService<Script, Literal>) -> Result<Answer, BoxError> {
    service.clone().oneshot(READ).await
}

#[tokio::test(start_paused = true)]
async fn opens_at_the_threshold_and_closes_after_good_probes() {
    let script = Script::answers([TRANSIENT]);
    let (service, breaker) = guarded(BreakerConfig::guide(), &script);
    for _ in 0..5 {
        assert_eq!(breaker.status(), BreakerStatus::Closed);
        send(&service).await.unwrap();
    }
    assert_eq!(breaker.status(), BreakerStatus::Open { remaining: 60 * SECOND });

    tokio::time::advance(20 * SECOND).await;
    let error = send(&service).await.unwrap_err();
    let open = find_cause::<BreakerOpen>(&*error).unwrap();
    assert_eq!((open.retry_after(), open.opening()), (40 * SECOND, 1));
    assert_eq!(error.to_string(), "circuit breaker is open for another 40.0s");
    assert_eq!(script.count(), 5);

    script.turn(Act::Answer(crate::Outcome::Success));
    tokio::time::advance(40 * SECOND).await;
    send(&service).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen);
    send(&service).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_says_what_was_seen() {
    for config in [BreakerConfig::guide(), BreakerConfig::robust()] {
        let script = Script::answers([TRANSIENT, TRANSIENT, crate::Outcome::Success]);
        let (service, breaker) = guarded(config, &script);
        for _ in 0..3 {
            send(&service).await.unwrap();
        }
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.recent_calls, snapshot.recent_failures), (3, 2));
        assert_eq!((&*snapshot.name, snapshot.openings), ("test", 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_is_ready_even_where_the_service_is_not() {
    let (inner, mut requests) = tower_test::mock::pair::<Ask, Answer>();
    requests.allow(0);
    let trip = Trip::Consecutive { failures: 1 };
    let breakers = Breakers::new("test", BreakerConfig { trip, ..BreakerConfig::guide() }).unwrap();
    let mut service = BreakerLayer::new(breakers, Literal).layer(inner);
    // ## closed: the inner service is waited for within the call, and a call that is dropped says nothing
    let call = service.ready().await.unwrap().call(READ);
    assert!(tokio::time::timeout(SECOND, call).await.is_err());
    // ## it fails, and the breaker opens
    requests.allow(1);
    let call = tokio::spawn(service.call(READ));
    let (_, respond) = requests.next_request().await.unwrap();
    respond.send_error("down");
    call.await.unwrap().unwrap_err();
    // ## open: an answer at once
    let error = service.ready().await.unwrap().call(READ).await.unwrap_err();
    assert!(find_cause::<BreakerOpen>(&*error).is_some());
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_of_an_earlier_generation_has_no_say() {
    let script = Script::new([Act::Late(100, TRANSIENT), Act::Answer(TRANSIENT)]);
    let (service, breaker) = guarded(BreakerConfig::guide(), &script);
    let late = tokio::spawn(service.clone().oneshot(READ));
    tokio::task::yield_now().await;
    for _ in 0..5 {
        send(&service).await.unwrap();
    }
    tokio::time::advance(60 * SECOND).await;
    script.turn(Act::Answer(crate::Outcome::Success));
    send(&service).await.unwrap();
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen);

    assert_eq!(late.await.unwrap().unwrap().0, TRANSIENT);
    assert_eq!(breaker.status(), BreakerStatus::HalfOpen);
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    let default = BreakerConfig::default;
    let trip = |trip| BreakerConfig { trip, ..default() };
    let rate = |ratio, window, min_calls| trip(Trip::FailureRate { ratio, window, min_calls });
    for (config, setting) in [
        (trip(Trip::Consecutive { failures: 0 }), "trip.failures"),
        (rate(0.0, 100, 50), "trip.ratio"),
        (rate(1.1, 100, 50), "trip.ratio"),
        (rate(f64::NAN, 100, 50), "trip.ratio"),
        (rate(0.5, 129, 50), "trip.window"),
        (rate(0.5, 0, 1), "trip.window"),
        (rate(0.5, 100, 101), "trip.min_calls"),
        (rate(0.5, 100, 0), "trip.min_calls"),
        (BreakerConfig { open_for: Duration::ZERO, ..default() }, "open_for"),
        (BreakerConfig { open_for: Duration::MAX, ..default() }, "open_for"),
        (BreakerConfig { max_open_for: 59 * SECOND, ..default() }, "max_open_for"),
        (BreakerConfig { max_open_for: Duration::MAX, ..default() }, "max_open_for"),
        (BreakerConfig { success_threshold: 0, ..default() }, "success_threshold"),
        (BreakerConfig { half_open_permits: 0, ..default() }, "half_open_permits"),
        (BreakerConfig { probe_expiry: Duration::ZERO, ..default() }, "probe_expiry"),
        (BreakerConfig { probe_expiry: Duration::MAX, ..default() }, "probe_expiry"),
    ] {
        assert_eq!(Breaker::new("test", config.clone()).unwrap_err().setting(), setting);
        assert_eq!(Breakers::new("test", config).unwrap_err().setting(), setting);
    }
    assert!(Breaker::new("test", BreakerConfig::robust()).is_ok());
}

//! The layer in paused time. What can go wrong in half-open is among the pitfalls.

use super::*;
use crate::{
    Class, Outcome,
    deadline::{AttemptTimeoutLayer, Deadline, TooLate},
    find_cause,
    gate::{GateConfig, GateLayer, Gates, Paused},
    testing::{Act, Answer, Ask, Judge, Lines, Literal, READ, Script, THROTTLED, TRANSIENT, throttled},
};
use std::time::Duration;
use tower::{BoxError, Layer, Service, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

fn guarded(config: BreakerConfig, script: &Script) -> (BreakerService<Script, Literal>, Breaker) {
    let breakers = Breakers::new("test", config).unwrap();
    let breaker = breakers.get(&Class::default());
    (BreakerLayer::new(breakers, Literal).layer(script.clone()), breaker)
}

/// Opens at the first failure.
fn one_failure() -> BreakerConfig {
    BreakerConfig { trip: Trip::Consecutive { failures: 1 }, ..BreakerConfig::guide() }
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
async fn a_refusal_speaks_for_the_service_where_the_service_itself_refused() {
    let busy = Outcome::Busy { retry_after: None };
    let silent = Some((0, 0));
    let alive = Some((1, 0));
    for (outcome, answer, error) in [
        (Outcome::Success, alive, alive),
        (busy, alive, alive),
        (Outcome::Permanent, alive, silent),
        (THROTTLED, silent, silent),
        (TRANSIENT, None, None),
        (Outcome::Unsent, None, None),
    ] {
        for (act, expected) in [(Act::Answer(outcome), answer), (Act::Error("of ours"), error)] {
            let breakers = Breakers::new("test", one_failure()).unwrap();
            let service = BreakerLayer::new(breakers.clone(), Judge(outcome)).layer(Script::new([act]));
            drop(service.oneshot(READ).await);
            let seen = breakers.snapshot().remove(0);
            let calls = (seen.openings == 0).then_some((seen.recent_calls, seen.recent_failures));
            assert_eq!(calls, expected, "{outcome:?} of {act:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_layers_beneath_refuse_says_nothing_of_the_service() {
    // Whatever the classifier makes of it.
    for outcome in [Outcome::Unsent, TRANSIENT, Outcome::Success] {
        let breakers = Breakers::new("test", one_failure()).unwrap();
        let outer = BreakerLayer::new(breakers.clone(), Judge(outcome));
        // ## a breaker
        let script = Script::new([Act::Error("reset")]);
        let (beneath, _) = guarded(one_failure(), &script);
        send(&beneath).await.unwrap_err();
        let error = outer.layer(beneath).oneshot(READ).await.unwrap_err();
        assert!(error.is::<BreakerOpen>(), "{error}");
        // ## a gate
        let gates = Gates::new("test", GateConfig::default()).unwrap();
        let beneath = GateLayer::new(gates, Literal).layer(Script::answers([throttled(60)]));
        beneath.clone().oneshot(READ).await.unwrap();
        let paused = Deadline::within(30 * SECOND).scope(outer.layer(beneath).oneshot(READ));
        let error = paused.await.unwrap_err();
        assert!(error.is::<Paused>(), "{error}");
        // ## the bound on an attempt
        let beneath = AttemptTimeoutLayer::new(30 * SECOND).layer(script);
        let late = Deadline::within(SECOND / 2).scope(outer.layer(beneath).oneshot(READ));
        let error = late.await.unwrap_err();
        assert!(error.is::<TooLate>(), "{error}");

        let seen = breakers.snapshot().remove(0);
        assert_eq!((seen.openings, seen.recent_calls), (0, 0), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn probes_that_did_not_end_are_logged() {
    let script = Script::new([Act::Answer(TRANSIENT), Act::Hang]);
    let (service, breaker) = guarded(one_failure(), &script);
    send(&service).await.unwrap();
    tokio::time::advance(60 * SECOND).await;
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let lost: Vec<_> = (0..3).map(|_| breaker.acquire().unwrap()).collect();
    assert_eq!(lines.take(), ["INFO Circuit breaker half-open: probing"]);
    tokio::time::advance(150 * SECOND).await;
    let fresh = breaker.acquire().unwrap();
    drop(guard);
    assert_eq!(lines.take(), ["WARN Circuit breaker half-open: its probes did not end, probing anew"]);
    drop((lost, fresh));
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
    let rate = |ratio, window, min_calls| trip(Trip::FailureRate { ratio, window, min_calls, failures: 10 });
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

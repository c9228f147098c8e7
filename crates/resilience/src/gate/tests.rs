//! The pace as data, and the layer in paused time.

use super::{state::Pace, *};
use crate::{
    Class, Effect, Outcome,
    deadline::{DeadlineLayer, TooLate},
    find_cause,
    testing::{Act, Ask, Lines, Literal, READ, Script, THROTTLED, TRANSIENT, throttled, transient},
};
use proptest::prelude::*;
use std::time::Duration;
use tokio::time::Instant;
use tower::{Layer, Service, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

fn at_most(max_concurrency: u32) -> GateConfig {
    GateConfig { max_concurrency, ..GateConfig::default() }
}

/// A gate before a service, and its handles.
fn gated(config: GateConfig, script: &Script) -> (GateService<Script, Literal>, Gates) {
    let gates = Gates::new("test", config).unwrap();
    (GateLayer::new(gates.clone(), Literal).layer(script.clone()), gates)
}

/// Sends so many requests at once; when each of them was sent, from now on.
async fn burst(service: &GateService<Script, Literal>, script: &Script, count: usize) -> Vec<u64> {
    let started = Instant::now();
    let before = script.count();
    let calls: Vec<_> = (0..count).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    for call in calls {
        drop(call.await.unwrap());
    }
    script.arrivals()[before..].iter().map(|at| (*at - started).as_millis() as u64).collect()
}

#[tokio::test(start_paused = true)]
async fn all_requests_wait_for_the_longest_pause_that_one_was_asked_for() {
    for (outcome, pause) in
        [(throttled(42), 42), (transient(7), 7), (THROTTLED, 1), (throttled(0), 0), (TRANSIENT, 0)]
    {
        let script = Script::answers([outcome]);
        let (service, gates) = gated(at_most(8), &script);
        service.clone().oneshot(READ).await.unwrap();
        assert_eq!(gates.snapshot()[0].pause, Duration::from_secs(pause), "{outcome:?}");
        script.turn(Act::Answer(Outcome::Success));
        assert_eq!(burst(&service, &script, 3).await, [pause * 1000; 3]);
    }
    // A shorter wish does not shorten a longer one.
    let script = Script::new([Act::Late(1, throttled(10)), Act::Late(1, throttled(2))]);
    let (service, gates) = gated(at_most(2), &script);
    burst(&service, &script, 2).await;
    assert_eq!(gates.snapshot()[0].pause, 10 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn what_concerns_one_thing_only_pauses_nobody() {
    let busy = Outcome::Busy { retry_after: Some(60 * SECOND) };
    for outcome in [busy, Outcome::Permanent, Outcome::Unsent] {
        let script = Script::answers([outcome]);
        let (service, gates) = gated(at_most(8), &script);
        service.oneshot(READ).await.unwrap();
        assert_eq!((gates.snapshot()[0].pause, gates.snapshot()[0].limit), (Duration::ZERO, 8));
    }
}

#[tokio::test(start_paused = true)]
async fn classes_have_gates_of_their_own() {
    let script = Script::answers([throttled(30), Outcome::Success]);
    let (service, gates) = gated(at_most(8), &script);
    service.clone().oneshot(Ask(Effect::Read, "operations")).await.unwrap();
    let started = Instant::now();
    service.oneshot(READ).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let snapshot = gates.snapshot();
    let pauses: Vec<_> = snapshot.iter().map(|it| (&*it.name, it.pause.as_secs(), it.limit)).collect();
    assert_eq!(pauses, [("test", 0, 8), ("test/operations", 30, 4)]);
}

#[tokio::test(start_paused = true)]
async fn no_more_pass_at_once_than_the_limit_says_and_in_order() {
    let script = Script::new([Act::Late(1, Outcome::Success)]);
    let (service, _) = gated(at_most(2), &script);
    assert_eq!(burst(&service, &script, 5).await, [0, 0, 1000, 1000, 2000]);
}

#[tokio::test(start_paused = true)]
async fn a_throttled_round_cuts_the_limit_once_and_successes_grow_it_again() {
    let script = Script::new([Act::Late(1, throttled(5))]);
    let (service, gates) = gated(at_most(8), &script);
    let limit = || gates.snapshot()[0].limit;
    burst(&service, &script, 8).await;
    assert_eq!(limit(), 4, "eight answers, one cut");
    // Those who come now wait, and are throttled in turn: four, two, one at a time.
    assert_eq!(burst(&service, &script, 8).await, [5000, 5000, 5000, 5000, 11000, 11000, 17000, 23000]);
    assert_eq!(limit(), 1, "one cut each round: 4, 2, 1");

    script.turn(Act::Late(1, Outcome::Success));
    let started = Instant::now();
    while limit() < 8 {
        burst(&service, &script, 8).await;
    }
    // One more for each round: 1 + 2 + ... + 7 successes and a few.
    assert!(script.count() < 70, "{}", script.count());
    assert!(started.elapsed() < 60 * SECOND);
    burst(&service, &script, 100).await;
    assert_eq!(limit(), 8, "never above the configured");
}

#[tokio::test(start_paused = true)]
async fn who_stands_in_line_when_a_long_pause_begins_is_told_of_it() {
    let script = Script::new([Act::Late(1, throttled(300))]);
    let (service, _) = gated(at_most(1), &script);
    let patient = [service.clone().oneshot(READ), service.clone().oneshot(READ)].map(tokio::spawn);
    tokio::task::yield_now().await;
    let hurried = DeadlineLayer::new(60 * SECOND).unwrap().layer(service);
    let error = hurried.oneshot(READ).await.unwrap_err();
    let wait = error.downcast_ref::<Paused>().expect("why nobody moved").retry_after();
    assert_eq!(wait.as_secs(), 300 - 58, "{error}");
    drop(patient);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_an_answer_all_the_same() {
    let script = Script::answers([THROTTLED, THROTTLED, Outcome::Permanent]);
    let (service, gates) = gated(at_most(2), &script);
    burst(&service, &script, 1).await;
    assert_eq!(gates.snapshot()[0].limit, 1);
    burst(&service, &script, 3).await;
    assert_eq!(gates.snapshot()[0].limit, 2);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_queue_or_the_attempt_leaves_a_place() {
    let script = Script::new([Act::Hang]);
    let (service, _) = gated(at_most(1), &script);
    let holder = tokio::spawn(service.clone().oneshot(READ));
    tokio::task::yield_now().await;
    let queued = tokio::spawn(service.clone().oneshot(READ));
    let patient = tokio::spawn(service.clone().oneshot(READ));
    tokio::task::yield_now().await;
    assert_eq!(script.count(), 1);
    queued.abort();
    script.turn(Act::Answer(Outcome::Success));
    holder.abort();
    patient.await.unwrap().unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_outlasts_the_deadline_is_an_answer_at_once() {
    let script = Script::answers([throttled(42), Outcome::Success]);
    let (service, _) = gated(at_most(8), &script);
    service.clone().oneshot(READ).await.unwrap();
    let started = Instant::now();
    let hurried = DeadlineLayer::new(40 * SECOND).unwrap().layer(service.clone());
    let error = hurried.oneshot(READ).await.unwrap_err();
    assert_eq!((script.count(), started.elapsed()), (1, Duration::ZERO));
    assert_eq!(find_cause::<Paused>(&*error).unwrap().retry_after(), 42 * SECOND);
    assert_eq!(error.to_string(), "not sent: the service asked to be left alone for another 42.0s");
    assert_eq!(crate::outcome_of(&*error), Outcome::Unsent);
    // The place was not lost.
    DeadlineLayer::new(44 * SECOND).unwrap().layer(service).oneshot(READ).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 42);
}

#[tokio::test(start_paused = true)]
async fn each_pause_is_logged_once() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let script = Script::new([
        Act::Late(1, throttled(10)),
        Act::Late(2, throttled(10)),
        Act::Late(2, throttled(3)),
        Act::Answer(Outcome::Success),
    ]);
    let (service, _) = gated(at_most(3), &script);
    burst(&service, &script, 3).await;
    burst(&service, &script, 1).await;
    assert_eq!(lines.take(), ["WARN Throttled: pausing all requests"]);
    // One that is far longer is another.
    let script = Script::new([Act::Late(1, throttled(10)), Act::Late(2, throttled(60))]);
    let (service, _) = gated(at_most(2), &script);
    burst(&service, &script, 2).await;
    drop(guard);
    assert_eq!(lines.take(), ["WARN Throttled: pausing all requests"; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_gate_is_ready_when_the_service_is_not() {
    let (inner, mut requests) = tower_test::mock::pair::<Ask, crate::testing::Answer>();
    requests.allow(0);
    let mut service = GateLayer::new(Gates::new("test", at_most(1)).unwrap(), Literal).layer(inner);
    let call = service.ready().await.unwrap().call(READ);
    let waited = tokio::time::timeout(SECOND, call).await;
    assert!(waited.is_err(), "the inner service is waited for within the call");
}

#[test]
fn configurations_that_cannot_work_are_refused() {
    for max in [0, 10_001] {
        assert_eq!(Gates::new("test", at_most(max)).unwrap_err().setting(), "max_concurrency");
    }
    let endless = GateConfig { pause: Duration::MAX, ..GateConfig::default() };
    assert_eq!(Gates::new("test", endless).unwrap_err().setting(), "pause");
    let gates = Gates::new("", at_most(1)).unwrap();
    assert_eq!(gates.get(&Class::Borrowed("x")).snapshot().name, "x");
}

proptest! {
    /// However it went: the limit stays between one and the configured one, a pause never ends earlier than anybody was asked
    /// to wait, and one round of throttled requests cuts once.
    #[test]
    fn the_pace_keeps_its_promises(
        max in 1_u32..=64,
        steps in proptest::collection::vec((0_u64..5, 0_u64..10, proptest::option::of(0_u64..60), any::<bool>()), 0..200),
    ) {
        let config = at_most(max);
        let mut now = Instant::now();
        let mut pace = Pace::new(&config);
        let mut until = now;
        prop_assert_eq!(pace.limit(), max);
        for (wait, ago, retry_after, success) in steps {
            now += Duration::from_secs(wait);
            let before = pace;
            if success {
                pace = pace.succeeded(&config);
                prop_assert!((before.limit()..=before.limit() + 1).contains(&pace.limit()));
            } else {
                let retry_after = retry_after.map(Duration::from_secs);
                let passed = now - Duration::from_secs(ago);
                pace = pace.throttled(passed, retry_after, &config, now);
                until = until.max(now + retry_after.unwrap_or(config.pause));
                let again = pace.throttled(passed, retry_after, &config, now);
                prop_assert_eq!(again.limit(), pace.limit());
                prop_assert!(pace.limit() >= before.limit() / 2);
            }
            prop_assert_eq!(pace.pause(now), until.saturating_duration_since(now));
            prop_assert!((1..=max).contains(&pace.limit()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_gets_no_place_in_time_leaves_the_queue_with_an_error_that_says_so() {
    let script = Script::new([Act::Hang]);
    let (service, _) = gated(at_most(1), &script);
    let under_way = tokio::spawn(service.clone().oneshot(READ));
    tokio::task::yield_now().await;

    let started = Instant::now();
    let hurried = DeadlineLayer::new(20 * SECOND).unwrap().layer(service.clone());
    let error = hurried.oneshot(READ).await.unwrap_err();
    // A second, which an attempt would need, is left. The runtime's timer rounds up to a millisecond.
    let remaining = error.downcast_ref::<TooLate>().expect("nothing was sent").remaining();
    assert!(error.to_string().ends_with(", after 19.0s in line behind other requests"), "{error}");
    assert!((SECOND - SECOND / 100..=SECOND).contains(&remaining), "{remaining:?}");
    assert_eq!((started.elapsed().as_secs(), script.count()), (19, 1));

    // ## the place is not for who has gone
    under_way.abort();
    script.turn(Act::Answer(Outcome::Success));
    let next = tokio::time::timeout(SECOND, service.oneshot(READ)).await;
    next.expect("the place is free").unwrap();
}

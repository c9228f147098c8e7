//! What retries, breakers, gates and deadlines have been seen to get wrong elsewhere: a test for each that the layers of this
//! crate can show. Those that need HTTP or a transport are tested, under the same names, where those are.

use crate::{
    Effect, Outcome,
    breaker::{BreakerConfig, BreakerLayer, BreakerOpen, BreakerStatus, Breakers, Trip},
    deadline::{AttemptTimeoutLayer, DeadlineLayer},
    find_cause,
    gate::{GateConfig, GateLayer, Gates},
    retry::{BudgetConfig, Retried, RetryConfig, RetryLayer},
    testing::{Act, Answer, Ask, Lines, Literal, READ, Script, THROTTLED, TRANSIENT, throttled},
};
use std::{pin::pin, time::Duration};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);
const CREATE: Ask = Ask(Effect::Once, "");

fn retry() -> RetryConfig {
    RetryConfig { jitter: 0.0, ..RetryConfig::guide() }
}

fn breakers(failures: u32) -> Breakers {
    let trip = Trip::Consecutive { failures };
    Breakers::new("test", BreakerConfig { trip, ..BreakerConfig::guide() }).unwrap()
}

fn gates() -> Gates {
    Gates::new("test", GateConfig::default()).unwrap()
}

/// The whole stack, in the order that the crate's documentation shows.
fn stack(
    config: RetryConfig,
    breakers: &Breakers,
    gates: &Gates,
    script: &Script,
) -> impl Service<Ask, Response = Answer, Error = BoxError, Future: Send> + Clone + Send + use<> {
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(600 * SECOND).unwrap())
        .layer(RetryLayer::new(config, Literal).unwrap())
        .layer(BreakerLayer::new(breakers.clone(), Literal))
        .layer(GateLayer::new(gates.clone(), Literal))
        .layer(AttemptTimeoutLayer::new(30 * SECOND))
        .service(script.clone())
}

#[tokio::test(start_paused = true)]
async fn pitfall_01_what_creates_is_not_sent_again_after_it_may_have_been_sent() {
    for act in [Act::Error("reset"), Act::Hang, Act::Answer(TRANSIENT), Act::Answer(throttled(1))] {
        let script = Script::new([act]);
        let result = stack(retry(), &breakers(5), &gates(), &script).oneshot(CREATE).await;
        assert_eq!(script.count(), 1, "{act:?}: {result:?}");
    }
    // Provably never sent: no harm in another try.
    let script = Script::new([Act::Refused, Act::Answer(Outcome::Success)]);
    stack(retry(), &breakers(5), &gates(), &script).oneshot(CREATE).await.unwrap();
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn pitfall_02_no_layer_sends_what_the_counter_does_not_see() {
    for max_attempts in 1..=6 {
        let script = Script::answers([TRANSIENT]);
        let config = RetryConfig { max_attempts, ..retry() };
        let answer = stack(config, &breakers(100), &gates(), &script).oneshot(READ).await.unwrap();
        assert_eq!(script.count(), max_attempts as usize);
        assert_eq!(answer.1.unwrap().count, max_attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_03_the_layers_beneath_hand_every_answer_up_as_it_is() {
    for outcome in [TRANSIENT, throttled(9), Outcome::Permanent, Outcome::Busy { retry_after: None }] {
        let script = Script::answers([outcome]);
        let beneath = ServiceBuilder::new()
            .layer(BreakerLayer::new(breakers(5), Literal))
            .layer(GateLayer::new(gates(), Literal))
            .layer(AttemptTimeoutLayer::new(30 * SECOND))
            .service(script.clone());
        assert_eq!(beneath.oneshot(READ).await.unwrap(), Answer(outcome, None));
        assert_eq!(script.count(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_04_an_open_breaker_is_waited_out_once_and_not_hammered() {
    let script = Script::new([Act::Error("reset")]);
    let started = Instant::now();
    let error = stack(retry(), &breakers(1), &gates(), &script).oneshot(READ).await.unwrap_err();
    // 0 s: sent, opens. 2 s: open until 60 s. 60-62 s: the probe fails, opens again. Then: open anew, give up.
    assert!(find_cause::<BreakerOpen>(&*error).is_some(), "{error}");
    assert_eq!(find_cause::<Retried>(&*error).unwrap().attempts().count, 2, "waiting is no attempt");
    assert_eq!(script.count(), 2);
    assert!((60..70).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn pitfall_04_who_finds_the_probes_taken_waits_for_what_they_show() {
    let breakers = breakers(1);
    let script = Script::new([Act::Error("reset")]);
    let service = stack(retry(), &breakers, &gates(), &script);
    let calls: Vec<_> = (0..20).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    tokio::time::sleep(30 * SECOND).await;
    script.turn(Act::Late(5, Outcome::Success));
    for call in calls {
        call.await.unwrap().expect("there were probes to wait for, and they succeeded");
    }
    assert_eq!(breakers.snapshot()[0].status, BreakerStatus::Closed);
}

#[tokio::test(start_paused = true)]
async fn pitfall_04_nobody_waits_for_a_breaker_beyond_the_deadline() {
    let breakers = breakers(1);
    let script = Script::new([Act::Error("reset")]);
    let service = stack(retry(), &breakers, &gates(), &script);
    let hurried = DeadlineLayer::new(30 * SECOND).unwrap().layer(service);
    let started = Instant::now();
    let error = hurried.oneshot(READ).await.unwrap_err();
    assert_eq!((script.count(), started.elapsed().as_secs()), (1, 2));
    assert_eq!(find_cause::<BreakerOpen>(&*error).unwrap().retry_after().as_secs(), 58);
}

#[tokio::test(start_paused = true)]
async fn pitfall_05_a_breaker_inside_the_retry_sees_what_a_breaker_outside_does_not() {
    // Each request fails twice and then succeeds.
    let acts = || (0..10).flat_map(|_| [TRANSIENT, TRANSIENT, Outcome::Success]);
    for (inside, failures_seen) in [(true, 2), (false, 0)] {
        let breakers = breakers(2);
        let script = Script::answers(acts());
        let retry = RetryLayer::new(retry(), Literal).unwrap();
        let breaker = BreakerLayer::new(breakers.clone(), Literal);
        if inside {
            let stack = ServiceBuilder::new().layer(retry).layer(breaker).service(script.clone());
            stack.oneshot(READ).await.unwrap();
        } else {
            let stack = ServiceBuilder::new().layer(breaker).layer(retry).service(script.clone());
            stack.oneshot(READ).await.unwrap();
        }
        assert_eq!(breakers.snapshot()[0].openings, u64::from(failures_seen == 2), "inside: {inside}");
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_06_only_a_failing_service_is_a_failure() {
    let busy = Outcome::Busy { retry_after: None };
    for (act, opens) in [
        (Act::Error("reset"), true),
        (Act::Refused, true),
        (Act::Hang, true),
        (Act::Answer(TRANSIENT), true),
        (Act::Answer(Outcome::Permanent), false),
        (Act::Answer(throttled(0)), false),
        (Act::Answer(busy), false),
        (Act::Answer(Outcome::Success), false),
    ] {
        let breakers = breakers(5);
        let script = Script::new([act]);
        let service = stack(RetryConfig { max_attempts: 1, ..retry() }, &breakers, &gates(), &script);
        for _ in 0..5 {
            drop(service.clone().oneshot(READ).await);
        }
        assert_eq!(breakers.snapshot()[0].openings == 1, opens, "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_06_what_we_end_ourselves_says_nothing_of_the_service() {
    let breakers = breakers(1);
    let script = Script::new([Act::Hang]);
    let service = stack(retry(), &breakers, &gates(), &script);
    // ## cancelled by the caller
    drop(tokio::time::timeout(SECOND, service.clone().oneshot(READ)).await);
    // ## out of the call's own time, which was less than an attempt is given
    let hurried = DeadlineLayer::new(20 * SECOND).unwrap().layer(service.clone());
    hurried.oneshot(READ).await.unwrap_err();
    // ## held back by the gate
    script.turn(Act::Answer(throttled(60)));
    let single = stack(RetryConfig { max_attempts: 1, ..retry() }, &breakers, &gates(), &script);
    single.clone().oneshot(READ).await.unwrap();
    let hurried = DeadlineLayer::new(20 * SECOND).unwrap().layer(single);
    hurried.oneshot(READ).await.unwrap_err();
    assert_eq!(script.count(), 3);
    let snapshot = &breakers.snapshot()[0];
    assert_eq!((snapshot.openings, snapshot.recent_failures), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn pitfall_07_no_more_probes_pass_at_once_than_there_are_permits() {
    let breakers = breakers(1);
    let script = Script::new([Act::Error("reset")]);
    let service = BreakerLayer::new(breakers.clone(), Literal).layer(script.clone());
    service.clone().oneshot(READ).await.unwrap_err();
    tokio::time::advance(60 * SECOND).await;
    script.turn(Act::Hang);
    let before = script.count();
    let calls: Vec<_> = (0..100).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    tokio::time::sleep(SECOND).await;
    assert_eq!(script.count() - before, 3);
    // ## the same count again once the first have been dropped
    calls.iter().for_each(|call| call.abort());
    let again: Vec<_> = (0..100).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    tokio::time::sleep(SECOND).await;
    assert_eq!(script.count() - before, 6);
    again.iter().for_each(|call| call.abort());
}

#[tokio::test(start_paused = true)]
async fn pitfall_08_the_service_is_made_ready_before_each_attempt() {
    // The script panics when it is called without having been made ready.
    let script = Script::answers([TRANSIENT, THROTTLED, TRANSIENT, TRANSIENT, Outcome::Success]);
    let config = RetryConfig { max_attempts: 6, ..retry() };
    stack(config, &breakers(100), &gates(), &script).oneshot(READ).await.unwrap();
    assert_eq!(script.count(), 5);
}

#[test]
fn pitfall_09_no_request_loses_its_retries_for_want_of_a_copy() {
    // That a request which cannot be copied does not compile is shown in the crate's documentation.
    let mut policy = crate::retry::RetryPolicy::new(retry(), Literal).unwrap();
    for request in [READ, CREATE] {
        let copy = tower::retry::Policy::<Ask, Answer, BoxError>::clone_request(&mut policy, &request);
        assert_eq!(copy, Some(request));
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_10_an_answer_that_does_not_end_is_a_failure_of_its_attempt() {
    let breakers = breakers(5);
    let script = Script::new([Act::Hang, Act::Answer(Outcome::Success)]);
    let started = Instant::now();
    stack(retry(), &breakers, &gates(), &script).oneshot(READ).await.unwrap();
    assert_eq!((script.count(), started.elapsed().as_secs()), (2, 30 + 2));
}

#[tokio::test(start_paused = true)]
async fn pitfall_13_every_wait_is_of_the_clock_that_tests_can_stop() {
    let real = std::time::Instant::now();
    let breakers = breakers(2);
    let script =
        Script::new([Act::Hang, Act::Hang, Act::Answer(throttled(42)), Act::Answer(Outcome::Success)]);
    let config = RetryConfig { max_attempts: 6, ..retry() };
    let started = Instant::now();
    stack(config, &breakers, &gates(), &script).oneshot(READ).await.unwrap();
    // Attempt 30, backoff 2, attempt 30, open 60 and up to 2, a pause of 42 at least.
    assert!(started.elapsed() >= 164 * SECOND, "{:?}", started.elapsed());
    assert!(real.elapsed() < 20 * SECOND);
}

/// A call is dropped after any number of polls, and everything that it held is there again.
#[tokio::test(start_paused = true)]
async fn pitfall_15_whatever_a_dropped_call_held_is_given_back() {
    let config = RetryConfig {
        max_attempts: 10,
        budget: BudgetConfig { capacity: 3, per_success: 0.0, per_second: 0.0 },
        ..retry()
    };
    let gate = GateConfig { max_concurrency: 2, ..GateConfig::default() };
    for polls in 0..40 {
        let breakers = breakers(2);
        let gates = Gates::new("test", gate.clone()).unwrap();
        let script = Script::new([Act::Late(1, TRANSIENT), Act::Late(1, Outcome::Success)]);
        let service = stack(config.clone(), &breakers, &gates, &script);
        {
            let mut call = pin!(service.clone().oneshot(READ));
            for _ in 0..polls {
                let step = tokio::time::timeout(SECOND / 4, &mut call);
                if step.await.is_ok() {
                    break;
                }
            }
        }
        // ## the gate has both places
        let arrived = script.count();
        script.turn(Act::Late(5, Outcome::Success));
        let two = [service.clone().oneshot(READ), service.clone().oneshot(READ)].map(tokio::spawn);
        tokio::time::sleep(SECOND).await;
        assert_eq!(script.count() - arrived, 2, "after {polls} polls");
        for call in two {
            call.await.unwrap().unwrap();
        }
        // ## the breaker's probes are all there
        script.turn(Act::Answer(TRANSIENT));
        let single = BreakerLayer::new(breakers.clone(), Literal).layer(script.clone());
        for _ in 0..2 {
            single.clone().oneshot(READ).await.unwrap();
        }
        assert!(matches!(breakers.snapshot()[0].status, BreakerStatus::Open { .. }));
    }
}

#[tokio::test(start_paused = true)]
async fn pitfall_15_a_retry_that_was_not_sent_is_not_taken_from_the_budget() {
    let budget = BudgetConfig { capacity: 1, per_success: 0.0, per_second: 0.0 };
    let layer = RetryLayer::new(RetryConfig { budget, ..retry() }, Literal).unwrap();
    let script = Script::answers([TRANSIENT]);
    for _ in 0..5 {
        // Dropped within the pause before the retry.
        let call = layer.layer(script.clone()).oneshot(READ);
        assert!(tokio::time::timeout(SECOND, call).await.is_err());
    }
    assert_eq!(script.count(), 5);
    layer.layer(script.clone()).oneshot(READ).await.unwrap();
    assert_eq!(script.count(), 5 + 2, "the one retry was still there");
}

/// Sends so many requests of which one attempt in five fails; how many of them fail in the end.
async fn failing(config: RetryConfig, requests: u32) -> (u32, usize) {
    let acts = (0_u32..).map(|n| if n % 5 == 0 { TRANSIENT } else { Outcome::Success });
    let script = Script::answers(acts.take(2 * requests as usize));
    let layer = RetryLayer::new(config, Literal).unwrap();
    let mut failed = 0;
    for _ in 0..requests {
        let answer = layer.layer(script.clone()).oneshot(READ).await.unwrap();
        failed += u32::from(answer.0 != Outcome::Success);
    }
    (failed, script.count())
}

#[tokio::test(start_paused = true)]
async fn pitfall_16_faults_on_a_fifth_of_the_attempts_do_not_starve_the_budget() {
    // Without the help of time: it hardly passes between requests.
    let enough = BudgetConfig { per_second: 0.0, ..BudgetConfig::default() };
    let quick = RetryConfig { base_delay: Duration::ZERO, max_delay: Duration::ZERO, ..retry() };
    let (failed, sent) = failing(RetryConfig { budget: enough.clone(), ..quick.clone() }, 10_000).await;
    assert_eq!(failed, 0);
    assert_eq!(sent, 12_500, "a quarter more");
    // The usual fifth would.
    let fifth = BudgetConfig { per_success: 0.2, ..enough };
    let (failed, _) = failing(RetryConfig { budget: fifth, ..quick }, 10_000).await;
    assert!(failed > 300, "{failed}");
}

#[tokio::test(start_paused = true)]
async fn pitfall_17_clients_that_failed_together_do_not_return_together() {
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..50 {
        let script = Script::answers([TRANSIENT]);
        let layer = RetryLayer::new(RetryConfig::guide(), Literal).unwrap().seeded(seed);
        let started = Instant::now();
        layer.layer(script.clone()).oneshot(READ).await.unwrap();
        seen.insert((script.arrivals()[1] - started).as_millis());
    }
    assert!(seen.len() > 35, "{} moments of 50", seen.len());
    assert!(seen.iter().all(|pause| (2000..=2501).contains(pause)), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn pitfall_17_of_many_workers_few_discover_that_they_are_throttled() {
    let script = Script::answers([throttled(30)]);
    let gates = Gates::new("test", GateConfig { max_concurrency: 4, ..GateConfig::default() }).unwrap();
    let service = stack(RetryConfig { max_attempts: 1, ..retry() }, &breakers(5), &gates, &script);
    let calls: Vec<_> = (0..32).map(|_| tokio::spawn(service.clone().oneshot(READ))).collect();
    tokio::time::sleep(SECOND).await;
    assert!(script.count() <= 4, "{} of 32", script.count());
    drop(calls);
}

#[tokio::test(start_paused = true)]
async fn pitfall_18_trouble_of_one_class_is_not_another_ones() {
    let (breakers, gates) = (breakers(5), gates());
    let script = Script::answers([TRANSIENT]);
    let service = stack(RetryConfig { max_attempts: 1, ..retry() }, &breakers, &gates, &script);
    for _ in 0..5 {
        service.clone().oneshot(Ask(Effect::Read, "operations")).await.unwrap();
    }
    let started = Instant::now();
    service.clone().oneshot(READ).await.unwrap();
    assert_eq!(started.elapsed(), Duration::ZERO);
    let snapshot = breakers.snapshot();
    let openings: Vec<_> = snapshot.iter().map(|it| (&*it.name, it.openings)).collect();
    assert_eq!(openings, [("test", 0), ("test/operations", 1)]);
    // ## an operator closes them
    breakers.reset();
    assert!(breakers.snapshot().iter().all(|it| it.status == BreakerStatus::Closed));
    service.oneshot(Ask(Effect::Read, "operations")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_transitions_of_a_breaker_are_logged() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let script = Script::answers([TRANSIENT, TRANSIENT, Outcome::Success]);
    let service = BreakerLayer::new(breakers(1), Literal).layer(script);
    for _ in 0..4 {
        service.clone().oneshot(READ).await.unwrap();
        tokio::time::advance(60 * SECOND).await;
    }
    drop(guard);
    assert_eq!(
        lines.take(),
        [
            "ERROR Circuit breaker opened",
            "INFO Circuit breaker half-open: probing",
            "ERROR Circuit breaker opened",
            "INFO Circuit breaker half-open: probing",
            "INFO Circuit breaker closed",
        ]
    );
}

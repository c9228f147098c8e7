//! What is sent, how often, and after which wait.

use super::*;

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

/// What a service answers that did its work, and then asked another one.
#[derive(Debug, thiserror::Error)]
#[error("done, but could not tell the archive")]
struct Elsewhere(#[source] BoxError);

#[tokio::test(start_paused = true)]
async fn pitfall_01_what_was_not_sent_elsewhere_may_have_been_sent_here() {
    let other = breakers(1);
    drop(
        BreakerLayer::new(other.clone(), Literal)
            .layer(Script::new([Act::Error("down")]))
            .oneshot(READ)
            .await,
    );
    let open = BreakerLayer::new(other, Literal).layer(Script::answers([]));
    for deep in [BoxError::from(Unsent::new("refused")), open.oneshot(READ).await.unwrap_err()] {
        let deep = Arc::new(Mutex::new(Some(deep)));
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        let service = ServiceBuilder::new().layer(RetryLayer::new(retry(), Literal).unwrap()).service_fn(
            move |_: Ask| {
                counter.fetch_add(1, Relaxed);
                let error = Elsewhere(deep.lock().unwrap().take().unwrap());
                async { Err::<Answer, _>(BoxError::from(error)) }
            },
        );
        let error = service.oneshot(CREATE).await.unwrap_err();
        assert!(error.is::<Elsewhere>() || find_cause::<Elsewhere>(&*error).is_some(), "{error}");
        assert_eq!(sent.load(Relaxed), 1);
    }
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
            .layer(GateLayer::new(gates(), Literal))
            .layer(BreakerLayer::new(breakers(5), Literal))
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
async fn pitfall_04_what_a_layer_beneath_refuses_is_no_attempt_and_not_tried_again() {
    let gates = gates();
    let script = Script::answers([throttled(60)]);
    let config = RetryConfig { max_attempts: 1, ..retry() };
    stack(config, &breakers(5), &gates, &script).oneshot(READ).await.unwrap();
    // ## the gate is shut for longer than the call has
    let service = stack(retry(), &breakers(5), &gates, &script);
    let hurried = DeadlineLayer::new(30 * SECOND).unwrap().layer(service);
    let error = hurried.oneshot(READ).await.unwrap_err();
    assert_eq!(error.downcast_ref::<Paused>().map(Paused::retry_after), Some(60 * SECOND), "{error}");
    // ## too little time is left for an attempt
    let late = ServiceBuilder::new()
        .layer(RetryLayer::new(retry(), Literal).unwrap())
        .layer(AttemptTimeoutLayer::new(30 * SECOND))
        .service(script.clone());
    let error = Deadline::within(SECOND / 2).scope(late.oneshot(READ)).await.unwrap_err();
    assert!(error.is::<TooLate>(), "{error}");
    assert_eq!(script.count(), 1);
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

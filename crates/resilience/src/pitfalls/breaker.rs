//! What opens a breaker, and what passes while it is half-open.

use super::*;

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

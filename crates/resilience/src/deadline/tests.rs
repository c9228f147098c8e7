//! Deadlines in paused time.

use super::*;
use crate::{
    find_cause,
    testing::{Act, Answer, READ, Script},
};
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);

async fn attempt(takes: Duration) -> Result<(), BoxError> {
    ServiceBuilder::new()
        .layer(AttemptTimeoutLayer::new(30 * SECOND))
        .service_fn(move |()| async move {
            tokio::time::sleep(takes).await;
            Ok(())
        })
        .oneshot(())
        .await
}

#[tokio::test(start_paused = true)]
async fn a_slow_attempt_ends_in_time_and_a_quick_one_passes() {
    attempt(29 * SECOND).await.unwrap();

    let started = Instant::now();
    let error = attempt(31 * SECOND).await.unwrap_err();
    assert_eq!(started.elapsed(), 30 * SECOND);
    let elapsed = find_cause::<Elapsed>(&*error).unwrap();
    assert_eq!((elapsed.after(), elapsed.is_ours()), (30 * SECOND, false));
    assert_eq!(error.to_string(), "no answer within 30.0s");
}

/// Asks a service behind a deadline and an attempt timeout of 30 s.
fn within(
    deadline: Duration,
    script: &Script,
) -> impl Service<(), Response = Answer, Error = BoxError> + use<> {
    let attempt = AttemptTimeoutLayer::new(30 * SECOND).layer(script.clone());
    DeadlineLayer::new(deadline).unwrap().layer(attempt).map_request(|()| READ)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_gets_no_more_than_what_the_call_has_left() {
    for (deadline, after, ours) in [(20, 20, true), (30, 30, false), (40, 30, false)] {
        let started = Instant::now();
        let error = within(deadline * SECOND, &Script::new([Act::Hang])).oneshot(()).await.unwrap_err();
        assert_eq!(started.elapsed(), after * SECOND);
        assert_eq!(find_cause::<Elapsed>(&*error).unwrap().is_ours(), ours, "{deadline} s");
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_begins_with_less_than_a_second_left() {
    for (left, sent) in [(999, 0), (1000, 1), (0, 0)] {
        let script = Script::answers([crate::Outcome::Success]);
        let deadline = Deadline::within(Duration::from_millis(left));
        let attempt = AttemptTimeoutLayer::new(30 * SECOND).layer(script.clone()).oneshot(READ);
        let result = deadline.scope(attempt).await;
        assert_eq!(script.count(), sent, "{left} ms");
        let refused = result.err().map(|error| find_cause::<TooLate>(&*error).unwrap().remaining());
        assert_eq!(refused, (sent == 0).then_some(Duration::from_millis(left)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_ends_whatever_lies_beneath() {
    let service = DeadlineLayer::new(5 * SECOND).unwrap().layer(tower::service_fn(|()| async {
        tokio::time::sleep(60 * SECOND).await;
        Ok::<_, BoxError>(())
    }));
    let started = Instant::now();
    let error = service.oneshot(()).await.unwrap_err();
    assert_eq!(started.elapsed(), 5 * SECOND);
    let elapsed = find_cause::<Elapsed>(&*error).unwrap();
    assert_eq!((elapsed.after(), elapsed.is_ours()), (5 * SECOND, true));
}

#[tokio::test(start_paused = true)]
async fn the_earlier_of_two_deadlines_holds_and_ends_with_its_call() {
    let remaining = || Deadline::current().map(Deadline::remaining);
    let probe = || tower::service_fn(move |()| std::future::ready(Ok::<_, BoxError>(remaining())));
    let layer = |seconds| DeadlineLayer::new(Duration::from_secs(seconds)).unwrap();
    for (outer, inner) in [(60, 5), (5, 60)] {
        let nested = ServiceBuilder::new().layer(layer(outer)).layer(layer(inner)).service(probe());
        assert_eq!(nested.oneshot(()).await.unwrap(), Some(5 * SECOND));
    }
    assert_eq!(remaining(), None);
    // Seen in the call itself, too, not only in its future.
    assert_eq!(layer(9).layer(probe()).oneshot(()).await.unwrap(), Some(9 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_handed_the_deadline_has_it() {
    let deadline = Deadline::within(7 * SECOND);
    let handed = tokio::spawn(deadline.scope(async { Deadline::current().map(Deadline::remaining) }));
    assert_eq!(handed.await.unwrap(), Some(7 * SECOND));
    let not = tokio::spawn(async { Deadline::current() });
    assert_eq!(not.await.unwrap(), None);
}

#[test]
fn a_deadline_that_lets_no_attempt_begin_is_refused() {
    for (after, fine) in [(Duration::ZERO, false), (LEAST, false), (LEAST * 2, true), (Duration::MAX, true)] {
        assert_eq!(DeadlineLayer::new(after).is_ok(), fine, "{after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_as_long_as_can_be_is_none() {
    let script = Script::new([Act::Late(29, crate::Outcome::Success)]);
    within(Duration::MAX, &script).oneshot(()).await.unwrap();
    assert!(Deadline::within(Duration::MAX).allows(24 * 60 * 60 * SECOND));
}

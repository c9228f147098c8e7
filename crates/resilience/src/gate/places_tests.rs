//! The places of a gate when they are given back, cut and handed on; polled by hand, so that each step is where it is.

use super::{
    GateConfig,
    handle::{Gate, Pass},
};
use crate::{Outcome, deadline::Deadline};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};
use tower::BoxError;

const THROTTLED: Outcome = Outcome::Throttled { retry_after: None };

type Entering = Pin<Box<dyn Future<Output = Result<Pass, BoxError>>>>;

fn gate(max_concurrency: u32) -> Gate {
    Gate::new(String::new(), GateConfig { max_concurrency, pause: Duration::ZERO })
}

fn entering(gate: &Gate) -> Entering {
    let gate = gate.clone();
    Box::pin(async move { gate.enter().await })
}

fn poll(entering: &mut Entering) -> Option<Pass> {
    match entering.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(pass) => Some(pass.unwrap()),
        Poll::Pending => None,
    }
}

/// As many as get in.
fn fill(gate: &Gate) -> Vec<Pass> {
    std::iter::from_fn(|| poll(&mut entering(gate))).collect()
}

#[test]
fn as_many_pass_as_the_limit_says_after_every_cut_and_growth() {
    let gate = gate(5);
    for (outcome, limit) in [
        (THROTTLED, 2),
        (Outcome::Success, 2),
        (Outcome::Success, 3),
        (Outcome::Permanent, 3),
        (THROTTLED, 1),
        (THROTTLED, 1),
        (Outcome::Success, 2),
    ] {
        let mut passes = fill(&gate);
        passes.pop().unwrap().settle(outcome);
        assert_eq!(gate.snapshot().limit, limit, "{outcome:?}");
        drop(passes);
        assert_eq!(fill(&gate).len(), limit as usize, "{outcome:?}");
    }
}

#[test]
fn places_taken_beyond_the_limit_vanish_as_they_are_given_back() {
    let gate = gate(4);
    let mut passes = fill(&gate);
    passes.pop().unwrap().settle(THROTTLED);
    // Three are under way and two may be.
    assert!(fill(&gate).is_empty());
    passes.pop();
    assert!(fill(&gate).is_empty(), "two are under way");
    passes.pop();
    assert_eq!(fill(&gate).len(), 1);
    passes.pop();
    assert_eq!(fill(&gate).len(), 2);
}

#[test]
fn growth_forgives_what_is_owed_before_it_makes_places() {
    let gate = gate(3);
    let mut passes = fill(&gate);
    // Cut to 1 1/2, while two are under way; then a success makes it 2.
    passes.pop().unwrap().settle(THROTTLED);
    passes.pop().unwrap().settle(Outcome::Success);
    assert_eq!(gate.snapshot().limit, 2);
    passes.extend(fill(&gate));
    assert_eq!(passes.len(), 2);
    drop(passes);
    assert_eq!(fill(&gate).len(), 2);

    let gate = self::gate(7);
    let mut passes = fill(&gate);
    // 3 1/2 with three owed, 3.8 with two, and then 4.
    for outcome in [THROTTLED, Outcome::Success, Outcome::Success] {
        passes.pop().unwrap().settle(outcome);
    }
    assert_eq!((gate.snapshot().limit, passes.len(), fill(&gate).len()), (4, 4, 0));
    drop(passes);
    assert_eq!(fill(&gate).len(), 4);
}

#[test]
fn a_cut_takes_free_places_first() {
    let gate = gate(8);
    poll(&mut entering(&gate)).unwrap().settle(THROTTLED);
    assert_eq!(fill(&gate).len(), 4);
}

#[test]
fn who_leaves_with_a_place_just_handed_to_it_pays_what_is_owed() {
    let gate = gate(3);
    let mut passes = fill(&gate);
    let mut waiting = [entering(&gate), entering(&gate)];
    assert!(waiting.iter_mut().all(|waiting| poll(waiting).is_none()));
    // Two places go to those who wait, who do not know it yet; then the limit is cut to one.
    passes.truncate(1);
    passes.pop().unwrap().settle(THROTTLED);
    drop(waiting);
    assert_eq!(fill(&gate).len(), 1);
}

#[test]
fn who_finds_a_free_place_need_not_queue_for_it() {
    let gate = gate(2);
    let mut passes: Vec<Pass> = std::iter::from_fn(|| gate.try_enter().unwrap()).collect();
    assert_eq!(passes.len(), 2, "as many as the limit says, and no more");
    // ## a place that is given back goes to those who wait for it
    let mut waiting = entering(&gate);
    assert!(poll(&mut waiting).is_none());
    passes.pop();
    assert!(gate.try_enter().unwrap().is_none(), "nobody is overtaken");
    drop(poll(&mut waiting).unwrap());
    assert!(gate.try_enter().unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn nobody_passes_during_a_pause() {
    let pause = Duration::from_secs(5);
    let gate = Gate::new(String::new(), GateConfig { max_concurrency: 2, pause });
    gate.try_enter().unwrap().unwrap().settle(THROTTLED);
    assert!(gate.try_enter().unwrap().is_none(), "it has to be waited for");
    let hurried = Deadline::within(pause).scope(async { gate.try_enter().map(drop) });
    assert_eq!(hurried.await.unwrap_err().retry_after(), pause, "and cannot be");
    tokio::time::advance(pause).await;
    assert!(gate.try_enter().unwrap().is_some());
}

//! The gate among three threads, in every interleaving. A wake-up that is lost is a deadlock, which loom reports.
//!
//! Pauses are zero, so that the clock decides nothing. The semaphore is one that loom knows (`sync/semaphore.rs`).

use super::{
    GateConfig,
    handle::{Gate, Pass},
};
use crate::{Outcome, sync::together};
use ::loom::{future::block_on, thread::yield_now};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

const THROTTLED: Outcome = Outcome::Throttled { retry_after: None };

fn gate(max_concurrency: u32) -> Gate {
    Gate::new(String::new(), GateConfig { max_concurrency, pause: Duration::ZERO })
}

/// As the layer does.
fn enter(gate: &Gate) -> Pass {
    gate.try_enter().unwrap().unwrap_or_else(|| block_on(gate.enter()).unwrap())
}

/// With nobody under way: as many places as the limit says, and nothing owed.
fn adds_up(gate: &Gate, limit: u32) {
    assert_eq!(gate.accounts(), (limit, limit as usize, 0), "limit, free places, owed");
}

/// Explores a model in which several may wait for each other, with at most three preemptions on each way: without the
/// bound each takes more than a minute. A thread that waits, or has ended, yields without being counted.
fn explore(model: impl Fn() + Send + Sync + 'static) {
    let mut builder = ::loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(model);
}

/// Polls `gate.enter()` once, and leaves the queue.
fn give_up(gate: &Gate) {
    let mut waiting = pin!(gate.enter());
    block_on(std::future::poll_fn(|cx| {
        let _ = waiting.as_mut().poll(cx).map(drop);
        Poll::Ready(())
    }));
}

#[test]
fn places_in_use_never_exceed_the_limit() {
    for limit in 1..=2 {
        explore(move || {
            let gate = gate(limit);
            let under_way = Arc::new(AtomicU32::new(0));
            let request = || {
                let (gate, under_way) = (gate.clone(), Arc::clone(&under_way));
                move || {
                    let pass = enter(&gate);
                    assert!(under_way.fetch_add(1, SeqCst) < limit, "more than {limit}");
                    yield_now();
                    under_way.fetch_sub(1, SeqCst);
                    drop(pass);
                }
            };
            together(request(), request(), request());
            adds_up(&gate, limit);
        });
    }
}

#[test]
fn one_who_leaves_the_queue_takes_no_place_along() {
    explore(|| {
        let gate = gate(1);
        let pass = enter(&gate);
        let (leaving, waiting) = (gate.clone(), gate.clone());
        together(move || drop(pass), move || give_up(&leaving), move || drop(enter(&waiting)));
        adds_up(&gate, 1);
    });
}

#[test]
fn a_cut_and_those_who_end_add_up() {
    ::loom::model(|| {
        let gate = gate(3);
        let (a, b, c) = (enter(&gate), enter(&gate), enter(&gate));
        together(move || a.settle(THROTTLED), move || b.settle(Outcome::Unsent), move || drop(c));
        adds_up(&gate, 1);
    });
}

#[test]
fn cuts_and_growth_add_up() {
    ::loom::model(|| {
        let gate = gate(3);
        let (a, b, c) = (enter(&gate), enter(&gate), enter(&gate));
        together(move || a.settle(THROTTLED), move || b.settle(Outcome::Success), move || drop(c));
        let (limit, ..) = gate.accounts();
        // Cut to 1.5; a success afterwards makes it 2.2.
        assert!((1..=2).contains(&limit), "{limit}");
        adds_up(&gate, limit);
    });
}

#[test]
fn a_cut_does_not_forget_who_waits() {
    ::loom::model(|| {
        let gate = gate(2);
        let (a, b) = (enter(&gate), enter(&gate));
        let waiting = gate.clone();
        together(move || a.settle(THROTTLED), move || drop(b), move || drop(enter(&waiting)));
        adds_up(&gate, 1);
    });
}

#[test]
fn growth_wakes_who_waits() {
    explore(|| {
        let gate = gate(2);
        enter(&gate).settle(THROTTLED);
        let pass = enter(&gate);
        let (first, second) = (gate.clone(), gate.clone());
        together(
            move || pass.settle(Outcome::Success),
            move || drop(enter(&first)),
            move || drop(enter(&second)),
        );
        adds_up(&gate, 2);
    });
}

#[test]
fn those_who_leave_with_a_place_handed_to_them_during_a_cut_leave_nothing_owed() {
    ::loom::model(|| {
        let gate = gate(3);
        let (a, b, c) = (enter(&gate), enter(&gate), enter(&gate));
        let waiting = || {
            let gate = gate.clone();
            let mut waiting = Box::pin(async move { gate.enter().await });
            assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
            waiting
        };
        let (first, second) = (waiting(), waiting());
        drop((b, c));
        together(move || drop(first), move || drop(second), move || a.settle(THROTTLED));
        adds_up(&gate, 1);
    });
}

//! The breaker among three threads, in every interleaving.
//!
//! Times are zero or an hour, so that the clock decides nothing.

use super::{
    Breaker, BreakerConfig, BreakerStatus, Trip,
    state::Verdict::{self, Alive, Failing, Silent},
};
use crate::sync::together;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Opens at the first failure, and lets probes through at once.
fn config() -> BreakerConfig {
    BreakerConfig {
        trip: Trip::Consecutive { failures: 1 },
        open_for: Duration::ZERO,
        max_open_for: Duration::ZERO,
        success_threshold: u32::MAX,
        half_open_permits: 2,
        probe_expiry: HOUR,
    }
}

fn opened(config: BreakerConfig) -> Breaker {
    let breaker = Breaker::valid(String::new(), config);
    breaker.acquire().unwrap().settle(Failing);
    assert!(matches!(breaker.status(), BreakerStatus::Open { .. }));
    breaker
}

/// A probe that ends so, where one is let through.
fn probe(breaker: &Breaker, verdict: Verdict) {
    if let Ok(permit) = breaker.acquire() {
        permit.settle(verdict);
    }
}

/// How many probes can be under way now.
fn places(breaker: &Breaker) -> usize {
    let mut permits = Vec::new();
    while let Ok(permit) = breaker.acquire() {
        permits.push(permit);
    }
    permits.len()
}

#[test]
fn probes_under_way_never_exceed_the_permits() {
    ::loom::model(|| {
        let breaker = opened(config());
        let under_way = Arc::new(AtomicU32::new(0));
        let probe = |verdict| {
            let (breaker, under_way) = (breaker.clone(), Arc::clone(&under_way));
            move || {
                let Ok(permit) = breaker.acquire() else { return };
                assert!(under_way.fetch_add(1, SeqCst) < 2, "a third probe");
                ::loom::thread::yield_now();
                under_way.fetch_sub(1, SeqCst);
                permit.settle(verdict);
            }
        };
        together(probe(Alive), probe(Silent), probe(Silent));
        assert_eq!(places(&breaker), 2);
    });
}

#[test]
fn a_dropped_permit_is_returned() {
    ::loom::model(|| {
        let breaker = opened(config());
        let probe = || {
            let breaker = breaker.clone();
            move || drop(breaker.acquire())
        };
        together(probe(), probe(), probe());
        assert_eq!(breaker.status(), BreakerStatus::HalfOpen);
        assert_eq!(places(&breaker), 2);
    });
}

#[test]
fn a_late_result_has_no_say() {
    ::loom::model(|| {
        let breaker = Breaker::valid(String::new(), BreakerConfig { success_threshold: 1, ..config() });
        let late = breaker.acquire().unwrap();
        breaker.acquire().unwrap().settle(Failing);
        let (first, second) = (breaker.clone(), breaker.clone());
        together(move || late.settle(Failing), move || probe(&first, Alive), move || probe(&second, Alive));
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.status, snapshot.openings), (BreakerStatus::Closed, 1));
        assert_eq!(snapshot.recent_failures, 0);
    });
}

#[test]
fn a_reset_is_not_undone_by_probes_from_before_it() {
    ::loom::model(|| {
        let breaker = opened(config());
        let (first, second) = (breaker.acquire().unwrap(), breaker.acquire().unwrap());
        together(
            move || first.settle(Failing),
            move || second.settle(Failing),
            || {
                breaker.reset();
                // Nobody has begun anything since, so nothing can have opened it again.
                assert_eq!(breaker.status(), BreakerStatus::Closed);
            },
        );
        assert_eq!(breaker.status(), BreakerStatus::Closed);
        // One more than before where a failing probe came before the reset; the other one is late then.
        assert!((1..=2).contains(&breaker.snapshot().openings));
    });
}

#[test]
fn a_reset_loses_no_permit() {
    ::loom::model(|| {
        let breaker = opened(config());
        let (first, second) = (breaker.clone(), breaker.clone());
        together(move || probe(&first, Failing), move || probe(&second, Silent), || breaker.reset());
        if breaker.status() == BreakerStatus::Closed {
            probe(&breaker, Failing);
        }
        assert_eq!(places(&breaker), 2);
    });
}

#[test]
fn a_probe_that_expired_has_no_say_about_the_one_after_it() {
    ::loom::model(|| {
        let expire_at_once = BreakerConfig { probe_expiry: Duration::ZERO, half_open_permits: 1, ..config() };
        let breaker = opened(expire_at_once);
        let lost = breaker.acquire().unwrap();
        // Drives the lost one out.
        let current = breaker.acquire().unwrap();
        let snapshots = breaker.clone();
        together(
            move || lost.settle(Failing),
            move || current.settle(Alive),
            move || assert_eq!(snapshots.status(), BreakerStatus::HalfOpen),
        );
        assert_eq!((breaker.status(), breaker.snapshot().openings), (BreakerStatus::HalfOpen, 1));
    });
}

//! Undos that fail: waited for as one, tried once more at the end, told of when they are left.

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Interrupt, Plan, Policy, Verdict};
use tokio::time::Instant;

use crate::shelf::{Change, Fault, Shelf};
use crate::{fault_at, put, quiet, records, transaction};

/// `count` things, taken back because the last change is refused.
async fn taken_back(count: usize, faults: &[Fault], concurrency: usize) -> (Shelf, MemoryStore, Verdict) {
    let mut plan = Plan::default();
    for index in 0..count {
        plan.push(put(&format!("thing {index}"), false), []);
    }
    plan.push(Change::Publish, []);
    let shelf = Shelf::default();
    fault_at(&shelf, count, Fault::Unsent);
    shelf.undo_faults.lock().unwrap().extend(faults);
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let policy = Policy { concurrency, ..Policy::default() };
    let begun = transaction(&shelf, &store, plan, (policy, &interrupt), quiet()).await;
    let verdict = begun.run().await.unwrap();
    (shelf, store, verdict)
}

#[tokio::test(start_paused = true)]
async fn r20_a_service_that_is_away_is_waited_for_once_by_all_who_wait_at_the_same_time() {
    let started = Instant::now();
    let (shelf, _, verdict) = taken_back(20, &[Fault::Busy; 1000], 8).await;
    assert!(matches!(verdict, Verdict::Left { .. }), "{verdict:?}");
    // The pauses of eight undos at the same time, 2 s to 60 s; the other twelve and the last pass try once.
    assert_eq!(started.elapsed().as_secs(), 2 + 4 + 8 + 16 + 32 + 60 + 10);
    assert_eq!(shelf.removals.lock().unwrap().len(), 8 * 7 + 12 + 20);
}

#[tokio::test(start_paused = true)]
async fn r20_once_it_is_back_all_are_taken_back() {
    // Each of the eight tries six times in vain.
    let (shelf, _, verdict) = taken_back(20, &[Fault::Busy; 48], 8).await;
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(shelf.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_failed_is_tried_once_more_after_all_others() {
    for concurrency in [1, 8] {
        let (shelf, store, verdict) = taken_back(3, &[Fault::Refused], concurrency).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{concurrency}: {verdict:?}");
        let removals = shelf.removals.lock().unwrap().clone();
        let things = ["put thing 2", "put thing 1", "put thing 0", "put thing 2"];
        assert_eq!(removals, things, "{concurrency}");
        assert!(records(&store).iter().any(|said| said == "undo_outcome 3 failed"));
    }
}

#[tokio::test(start_paused = true)]
async fn r22_an_undo_that_fails_twice_is_left_and_told() {
    let faults = [Fault::Refused, Fault::None, Fault::None, Fault::Refused];
    let (shelf, store, verdict) = taken_back(3, &faults, 8).await;
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
    let told: Vec<_> = remaining.iter().map(|left| (left.change.as_str(), left.reason.as_str())).collect();
    assert_eq!(told, [("put thing 2", "refused")]);
    assert_eq!(shelf.names(), ["thing 2"]);
    assert!(!records(&store).iter().any(|said| said.starts_with("end")), "it can be taken up again");
}

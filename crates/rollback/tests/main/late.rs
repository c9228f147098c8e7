//! What was sent, and not answered, and lands later than anybody looked for it.

use std::time::Duration;

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Plan, Verdict};
use tokio::time::Instant;

use crate::shelf::{Change, Fault, Shelf};
use crate::{put, records, recover, run, shelf, write};

/// How long what was not answered may still land.
const IN_FLIGHT: Duration = Duration::from_secs(60);
/// How long is waited between two looks, and before an undo is tried once more.
const PAUSE: Duration = Duration::from_secs(10);

/// A shelf where the coming requests meet these faults.
fn slow_shelf(faults: impl IntoIterator<Item = Fault>) -> Shelf {
    let shelf = shelf();
    *shelf.in_flight.lock().unwrap() = IN_FLIGHT;
    shelf.faults.lock().unwrap().extend(faults);
    shelf
}

/// Lets what was not answered land after a while, where nothing stands in its place by then. Whether it did.
async fn land(shelf: &Shelf, after: Duration) -> bool {
    tokio::time::sleep(after).await;
    let late = shelf.coming.lock().unwrap().take().unwrap();
    let is_free = !shelf.names().contains(&late.name);
    if is_free {
        shelf.put(&late.name, &late.text, late.marker);
    }
    is_free
}

fn two() -> Plan<Change> {
    let mut plan = Plan::default();
    plan.push(put("thing", false), []);
    plan.push(put("other", false), []);
    plan
}

#[tokio::test(start_paused = true)]
async fn r7_what_was_not_answered_is_looked_for_as_long_as_it_may_land() {
    let faults = [Fault::UnansweredOnce, Fault::Pending];
    let cases =
        faults.map(|fault| [(1, true), (25, true), (59, true), (100, false)].map(|case| (fault, case)));
    for (fault, (seconds, nothing_left)) in cases.into_iter().flatten() {
        let shelf = slow_shelf([fault]);
        let before = shelf.inventory();
        let landing = land(&shelf, Duration::from_secs(seconds));
        let (verdict, landed) = tokio::join!(run(&shelf, MemoryStore::default(), two()), landing);
        // What lands while the way forward looks for it is taken for made.
        let verdict = verdict.unwrap();
        assert!(landed, "{seconds}");
        if seconds == 1 {
            assert!(matches!(verdict, Verdict::Committed), "{seconds}: {verdict:?}");
            continue;
        }
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{seconds}: {verdict:?}");
        // What takes longer than it may is not waited for, or nothing would ever end.
        assert_eq!(shelf.inventory() == before, nothing_left, "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn r7_what_was_answered_is_not_waited_for() {
    let shelf = slow_shelf([Fault::Refused]);
    let begun = Instant::now();
    let verdict = run(&shelf, MemoryStore::default(), two()).await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert!(begun.elapsed() < IN_FLIGHT / 2, "{:?}", begun.elapsed());
}

/// The first sending of `thing` is not answered, the second works, and `other` is refused.
const RESENT: [Fault; 3] = [Fault::Unanswered, Fault::None, Fault::Refused];

#[tokio::test(start_paused = true)]
async fn r7_what_a_second_sending_made_keeps_the_place_of_the_first_as_long_as_that_may_land() {
    for seconds in [30, 59] {
        let shelf = slow_shelf(RESENT);
        let before = shelf.inventory();
        let landing = land(&shelf, Duration::from_secs(seconds));
        let (verdict, landed) = tokio::join!(run(&shelf, MemoryStore::default(), two()), landing);
        let verdict = verdict.unwrap();
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{seconds}: {verdict:?}");
        assert!(!landed, "{seconds}: its place was free");
        assert_eq!(shelf.inventory(), before, "{seconds}");
    }
}

#[tokio::test(start_paused = true)]
async fn r7_a_later_process_knows_of_a_sending_that_was_not_answered() {
    let (shelf, store) = (slow_shelf(RESENT), MemoryStore::default());
    let before = shelf.inventory();
    // It dies when the second sending has made the thing, and what comes after it is intended.
    drop(run(&shelf, store.clone().with_room_for(4), two()).await.unwrap_err());
    assert_eq!(records(&store)[1..], ["intent 1", "intent 1", "outcome 1 done"]);
    let back = async {
        let transaction = recover(&shelf, store.load().unwrap()).await.unwrap();
        transaction.roll_back("an operator asked for it").await.unwrap()
    };
    let (verdict, landed) = tokio::join!(back, land(&shelf, Duration::from_secs(30)));
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert!(!landed, "its place was free");
    assert_eq!(shelf.inventory(), before);
}

#[tokio::test(start_paused = true)]
async fn r7_what_cannot_be_undone_and_was_not_answered_is_looked_for_before_the_way_is_chosen() {
    let mut plan = two();
    plan.push(Change::Publish, []);
    let shelf = slow_shelf([Fault::None, Fault::None, Fault::UnansweredOnce]);
    // The way forward does not see it yet.
    *shelf.hidden_looks.lock().unwrap() = 2;
    let verdict = run(&shelf, MemoryStore::default(), plan).await.unwrap();
    assert!(matches!(verdict, Verdict::Committed), "{verdict:?}");
    assert_eq!(*shelf.published.lock().unwrap(), 1);
}

/// What stood there is overwritten, and what comes after it is refused.
fn overwritten() -> (Shelf, Plan<Change>) {
    let mut plan = Plan::default();
    plan.push(write("old", "new text"), []);
    plan.push(put("other", false), []);
    (slow_shelf([Fault::None, Fault::Refused]), plan)
}

/// How long a later process takes to the end, which is `ended`.
async fn ends(shelf: &Shelf, store: &MemoryStore, ended: &str) -> Duration {
    let begun = Instant::now();
    let verdict = recover(shelf, store.load().unwrap()).await.unwrap().run().await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    let said = records(store);
    assert_eq!(said[said.len() - 2..], [format!("undo_outcome 1 {ended}"), "end rolled_back".to_owned()]);
    begun.elapsed()
}

#[tokio::test(start_paused = true)]
async fn r7_a_later_process_knows_of_an_undo_that_may_be_on_its_way() {
    let ((shelf, plan), store) = (overwritten(), MemoryStore::default());
    // It dies when the undo is sent: what became of it cannot be written any more.
    drop(run(&shelf, store.clone().with_room_for(7), plan).await.unwrap_err());
    assert_eq!(records(&store)[5..], ["roll_back 2", "undo_intent 1"]);
    assert_eq!(ends(&shelf, &store, "already_gone").await, IN_FLIGHT);
}

/// It dies when it is written that the undo has failed.
async fn failed_at(fault: Fault) -> (Shelf, MemoryStore) {
    let ((shelf, plan), store) = (overwritten(), MemoryStore::default());
    shelf.undo_faults.lock().unwrap().push_back(fault);
    drop(run(&shelf, store.clone().with_room_for(8), plan).await.unwrap_err());
    assert_eq!(records(&store)[6..], ["undo_intent 1", "undo_outcome 1 failed"]);
    (shelf, store)
}

/// Whether the last record says that something may still be carried out.
fn is_unanswered(store: &MemoryStore) -> bool {
    let bytes = store.bytes();
    std::str::from_utf8(&bytes).unwrap().lines().last().unwrap().contains(r#""unanswered":true"#)
}

#[tokio::test(start_paused = true)]
async fn r7_an_undo_that_may_still_be_carried_out_is_not_over() {
    for (fault, takes) in
        [(Fault::UnansweredOnce, IN_FLIGHT), (Fault::Pending, IN_FLIGHT), (Fault::Lost, PAUSE)]
    {
        let ((shelf, plan), store) = (overwritten(), MemoryStore::default());
        shelf.undo_faults.lock().unwrap().push_back(fault);
        let begun = Instant::now();
        let verdict = run(&shelf, store.clone(), plan).await.unwrap();
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{fault:?}: {verdict:?}");
        let said = records(&store);
        assert_eq!(said[said.len() - 2..], ["undo_outcome 1 already_gone", "end rolled_back"], "{fault:?}");
        // The way forward has looked twice for what was refused.
        assert_eq!(begun.elapsed(), PAUSE + takes, "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r7_a_later_process_knows_of_an_undo_that_failed_without_an_answer() {
    for fault in [Fault::UnansweredOnce, Fault::Pending] {
        let (shelf, store) = failed_at(fault).await;
        assert!(is_unanswered(&store), "{fault:?}");
        assert_eq!(ends(&shelf, &store, "already_gone").await, IN_FLIGHT, "{fault:?}");
    }
    // One that was answered is over.
    let (shelf, store) = failed_at(Fault::Refused).await;
    assert!(!is_unanswered(&store));
    assert_eq!(ends(&shelf, &store, "reversed").await, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn r7_who_fails_after_it_passes_on_what_may_be_on_its_way_and_no_longer_than_that() {
    for (silence, passed_on) in [(Duration::ZERO, true), (IN_FLIGHT * 2, false)] {
        let (shelf, store) = failed_at(Fault::UnansweredOnce).await;
        // The second process sees nothing. What stops it may stop it for long.
        *shelf.blind.lock().unwrap() = true;
        let second = recover(&shelf, store.load().unwrap()).await.unwrap();
        tokio::time::sleep(silence).await;
        let verdict = second.run().await.unwrap();
        assert!(matches!(verdict, Verdict::Left { .. }), "{verdict:?}");
        assert_eq!(is_unanswered(&store), passed_on);
        *shelf.blind.lock().unwrap() = false;
        let expected = if passed_on { IN_FLIGHT } else { Duration::ZERO };
        assert_eq!(ends(&shelf, &store, "already_gone").await, expected);
    }
}

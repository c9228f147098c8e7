//! The engine's rules, by the numbers of the saga rules they answer to, against a target that lies and loses answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[cfg(feature = "object-store")]
mod cloud;
mod concurrent;
mod cuts;
mod found;
mod interrupt;
mod journal;
mod late;
mod lease;
#[cfg(feature = "object-store")]
mod lease_objects;
#[cfg(feature = "object-store")]
mod objects;
mod operator;
mod plain;
#[cfg(feature = "object-store")]
mod purge;
mod put_off;
#[cfg(all(feature = "object-store", feature = "seal"))]
mod sealed;
mod shelf;
mod undo;
mod words;

use selvedge_rollback::journal::{Loaded, MemoryStore, Store};
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Direction, Error, Event, Interrupt, Observer, Plan, Policy, StepId, Transaction, Verdict,
};
use shelf::{Change, Fault, Shelf, Thing};

const FAULTS: [Fault; 7] = [
    Fault::Unsent,
    Fault::Refused,
    Fault::Busy,
    Fault::PutOff,
    Fault::Lost,
    Fault::LostBusy,
    Fault::LostPutOff,
];

/// In the order of the plan, so that a test can say which request comes when.
fn one_at_a_time() -> Policy {
    Policy { concurrency: 1, ..Policy::default() }
}

fn put(name: &str, slow: bool) -> Change {
    Change::Put { name: name.to_owned(), slow }
}

fn write(name: &str, text: &str) -> Change {
    Change::Write { name: name.to_owned(), text: text.to_owned() }
}

/// A box, two things in it, one of them slow, and a text overwritten.
fn plan() -> Plan<Change> {
    let mut plan = Plan::default();
    let boxed = plan.push(put("box", false), []);
    plan.push(put("quick", false), [boxed]);
    plan.push(put("slow", true), [boxed]);
    plan.push(write("old", "new text"), []);
    plan
}

fn published() -> Plan<Change> {
    let mut plan = plan();
    plan.push(Change::Publish, []);
    plan
}

fn shelf() -> Shelf {
    let shelf = Shelf::default();
    shelf.put("old", "old text", None);
    shelf
}

fn begin(plan: Plan<Change>) -> Begin<Change> {
    Begin::new(plan, "test", "test 1", "shelf").unwrap()
}

fn quiet() -> impl Observer<Change> {
    |_: &Event<'_, Change>| {}
}

/// The transaction, on the point of beginning its first step.
async fn transaction<'a, O: Observer<Change>>(
    shelf: &'a Shelf,
    store: &MemoryStore,
    plan: Plan<Change>,
    (policy, interrupt): (Policy, &Interrupt),
    observer: O,
) -> Transaction<'a, Shelf, MemoryStore, O> {
    let interrupt = interrupt.clone();
    Transaction::begin(shelf, store.clone(), begin(plan), policy, interrupt, observer).await.unwrap()
}

/// What the records say, in short: `intent 1`, `outcome 1 done`.
fn records(store: &MemoryStore) -> Vec<String> {
    let bytes = store.bytes();
    let lines = std::str::from_utf8(&bytes).unwrap().lines();
    let said = lines.map(|line| {
        let body = &serde_json::from_str::<serde_json::Value>(line).unwrap()["body"];
        let words = ["type", "step", "result", "state"].map(|key| match &body[key] {
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Number(number) => number.to_string(),
            _ => String::new(),
        });
        words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
    });
    said.collect()
}

async fn run(shelf: &Shelf, store: MemoryStore, plan: Plan<Change>) -> Result<Verdict, Error> {
    Transaction::begin(shelf, store, begin(plan), one_at_a_time(), Interrupt::default(), quiet())
        .await?
        .run()
        .await
}

/// Takes a transaction up as a later process would.
async fn recover<S: Store>(
    shelf: &Shelf,
    loaded: Loaded<Shelf, S>,
) -> Result<Transaction<'_, Shelf, S, impl Observer<Change>>, Error> {
    Transaction::recover(shelf, loaded, "test 2", one_at_a_time(), Interrupt::default(), quiet()).await
}

/// What the shelf holds once `plan` is made: no marker is left.
fn made() -> Vec<Thing> {
    let thing = |name: &str, text: &str| Thing { name: name.to_owned(), text: text.to_owned(), marker: None };
    vec![thing("box", ""), thing("old", "new text"), thing("quick", ""), thing("slow", "")]
}

fn fault_at(shelf: &Shelf, step: usize, fault: Fault) {
    let mut faults = shelf.faults.lock().unwrap();
    faults.extend(std::iter::repeat_n(Fault::None, step));
    faults.extend([fault; 5]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_is_made_and_its_markers_are_taken_off() {
    let shelf = shelf();
    let verdict = run(&shelf, MemoryStore::default(), published()).await.unwrap();
    assert!(matches!(verdict, Verdict::Committed), "{verdict:?}");
    assert_eq!(shelf.inventory(), made());
    assert_eq!(*shelf.published.lock().unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn r10_r12_every_failure_of_every_step_leaves_the_world_as_it_was_or_made() {
    for (step, fault) in (0..5).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let shelf = shelf();
        let before = shelf.inventory();
        fault_at(&shelf, step, fault);
        let verdict = run(&shelf, MemoryStore::default(), published()).await.unwrap();
        // An answer that was lost after the effect is no failure: what was made is found and adopted.
        if matches!(fault, Fault::Lost | Fault::LostBusy | Fault::LostPutOff) {
            assert!(matches!(verdict, Verdict::Committed), "{step} {fault:?} {verdict:?}");
            assert_eq!(shelf.inventory(), made(), "{step} {fault:?}");
            assert_eq!(*shelf.published.lock().unwrap(), 1, "{step} {fault:?}");
        } else {
            assert!(matches!(verdict, Verdict::RolledBack { .. }), "{step} {fault:?} {verdict:?}");
            assert_eq!(shelf.inventory(), before, "{step} {fault:?}");
            assert_eq!(*shelf.published.lock().unwrap(), 0, "{step} {fault:?}");
        }
    }
}

/// The journal refuses the n-th line, as if the process had died there; a second process takes the transaction up.
async fn crash_at_each_record(second: impl AsyncFn(&Shelf, &MemoryStore, &str)) {
    for fault in [Fault::None, Fault::Refused] {
        for room in 0.. {
            let shelf = shelf();
            shelf.faults.lock().unwrap().extend([Fault::None, Fault::None, Fault::None, fault]);
            let store = MemoryStore::default();
            let what = format!("crash after {room} records, {fault:?}");
            match run(&shelf, store.clone().with_room_for(room), published()).await {
                Ok(_) => break,
                Err(Error::Journal(_)) if room == 0 => {
                    assert_eq!(shelf.sent.lock().unwrap().len(), 0)
                }
                Err(Error::Journal(_)) => second(&shelf, &store, &what).await,
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r1_r2_r18_a_crash_at_any_record_is_resumed_in_the_journalled_direction() {
    crash_at_each_record(async |shelf, store, what| {
        let loaded = store.load().unwrap();
        let verdict = recover(shelf, loaded).await.unwrap().run().await.unwrap();
        match verdict {
            Verdict::Committed => assert_eq!(shelf.inventory(), made(), "{what}"),
            Verdict::RolledBack { .. } => {
                assert_eq!(shelf.names(), ["old"], "{what}");
                assert_eq!(shelf.inventory()[0].text, "old text", "{what}");
            }
            Verdict::Left { .. } => panic!("{what}: {verdict:?}"),
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_record_is_rolled_back_unless_it_is_past_the_pivot() {
    crash_at_each_record(async |shelf, store, what| {
        let loaded = store.load().unwrap();
        let transaction = recover(shelf, loaded).await.unwrap();
        match transaction.roll_back("operator").await {
            Ok(Verdict::RolledBack { .. }) => {
                assert_eq!(shelf.names(), ["old"], "{what}");
                assert_eq!(shelf.inventory()[0].text, "old text", "{what}");
                assert_eq!(*shelf.published.lock().unwrap(), 0, "{what}");
            }
            // Nobody can tell whether it was published: the way back is closed, and said to be.
            Err(Error::PastPivot(step)) => assert_eq!(step, StepId::new(5), "{what}"),
            Err(Error::Ended) => assert_eq!(shelf.names().len(), 4, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_second_crash_during_recovery_changes_nothing() {
    crash_at_each_record(async |shelf, store, what| {
        for room in 0..40 {
            let loaded = store.clone().with_room_for(room).load().unwrap();
            let Ok(again) = recover(shelf, loaded).await else { continue };
            if again.run().await.is_ok() {
                break;
            }
        }
        let loaded = store.load::<Shelf>().unwrap();
        match loaded.state.direction() {
            Direction::Committed => {
                assert_eq!(shelf.names(), ["box", "old", "quick", "slow"], "{what}")
            }
            Direction::RolledBack => assert_eq!(shelf.names(), ["old"], "{what}"),
            other => panic!("{what}: {other:?}"),
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn r22_a_failed_undo_is_reported_and_can_be_taken_up_again() {
    let shelf = shelf();
    fault_at(&shelf, 3, Fault::Refused);
    // The first undo is of the slow thing, in the box; after that of the quick one it is tried once more.
    shelf.undo_faults.lock().unwrap().extend([Fault::Refused, Fault::None, Fault::Refused]);
    let store = MemoryStore::default();
    let verdict = run(&shelf, store.clone(), plan()).await.unwrap();
    let Verdict::Left { cause, remaining, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!((cause.step, cause.reason.as_str()), (Some(StepId::new(4)), "refused"));
    let what: Vec<_> = remaining.iter().map(|left| left.change.as_str()).collect();
    assert_eq!(what, ["put box", "put slow"], "what holds something that is left is not taken away");
    assert_eq!(shelf.names(), ["box", "old", "slow"]);

    let loaded = store.load().unwrap();
    let verdict = recover(&shelf, loaded).await.unwrap().run().await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn an_undo_that_asks_for_patience_is_tried_again() {
    let shelf = shelf();
    fault_at(&shelf, 3, Fault::Refused);
    shelf.undo_faults.lock().unwrap().extend([Fault::Busy, Fault::LostBusy]);
    let verdict = run(&shelf, MemoryStore::default(), plan()).await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn a_service_that_does_not_come_back_is_waited_for_once() {
    let shelf = shelf();
    fault_at(&shelf, 4, Fault::Refused);
    shelf.undo_faults.lock().unwrap().extend([Fault::Busy; 12]);
    let started = tokio::time::Instant::now();
    let verdict = run(&shelf, MemoryStore::default(), published()).await.unwrap();
    assert!(matches!(verdict, Verdict::Left { .. }), "{verdict:?}");
    // The reads about the failed change, 10 s apart, the pauses of one undo, from 2 s up to 60 s, and one before the last try.
    assert_eq!(started.elapsed().as_secs(), 10 + 2 + 4 + 8 + 16 + 32 + 60 + 10);
}

#[tokio::test(start_paused = true)]
async fn r10_what_somebody_else_made_is_neither_adopted_nor_removed() {
    let shelf = shelf();
    shelf.put("quick", "theirs", None);
    fault_at(&shelf, 1, Fault::Refused);
    let verdict = run(&shelf, MemoryStore::default(), plan()).await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(shelf.names(), ["old", "quick"]);
}

#[tokio::test(start_paused = true)]
async fn r14_what_was_edited_since_is_kept_and_named() {
    let mut plan = Plan::default();
    plan.push(write("old", "new text"), []);
    plan.push(put("late", false), []);
    let shelf = shelf();
    fault_at(&shelf, 1, Fault::Refused);
    let observer = |event: &Event<'_, Change>| {
        if let Event::Failed { .. } = event {
            shelf.things.lock().unwrap().get_mut(&1).unwrap().text = "edited by hand".to_owned();
        }
    };
    let interrupt = Interrupt::default();
    let begun =
        Transaction::begin(&shelf, MemoryStore::default(), begin(plan), one_at_a_time(), interrupt, observer);
    let verdict = begun.await.unwrap().run().await.unwrap();
    let Verdict::Left { remaining, direction, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(direction, Direction::RolledBackPartial, "nothing is left to be tried again");
    assert_eq!(remaining[0].reason, "old says `edited by hand`");
    assert_eq!(shelf.inventory()[0].text, "edited by hand");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_back_stays_in_doubt_and_is_named() {
    let shelf = shelf();
    fault_at(&shelf, 1, Fault::Lost);
    *shelf.blind.lock().unwrap() = true;
    let store = MemoryStore::default();
    let verdict = run(&shelf, store.clone(), plan()).await.unwrap();
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(remaining[1].change, "put quick");
    assert_eq!(remaining[1].reason, "it is not known whether it was made");
    *shelf.blind.lock().unwrap() = false;
    let again = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn a_look_that_asks_for_another_try_leaves_nothing_in_doubt() {
    for looks in 0..one_at_a_time().undo_attempts {
        let shelf = shelf();
        fault_at(&shelf, 1, Fault::Lost);
        *shelf.busy_looks.lock().unwrap() = looks;
        let verdict = run(&shelf, MemoryStore::default(), plan()).await.unwrap();
        assert!(matches!(verdict, Verdict::Committed), "{looks}: {verdict:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_rolls_back_after_the_call_in_flight() {
    let shelf = shelf();
    let interrupt = Interrupt::default();
    let raise = interrupt.clone();
    let observer = move |event: &Event<'_, Change>| {
        if matches!(event, Event::Done { step, .. } if step.id == StepId::new(2)) {
            raise.raise();
        }
    };
    let store = MemoryStore::default();
    let begun =
        Transaction::begin(&shelf, store.clone(), begin(plan()), one_at_a_time(), interrupt, observer);
    let verdict = begun.await.unwrap().run().await.unwrap();
    let Verdict::RolledBack { cause, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!((cause.step, cause.reason.as_str()), (None, "interrupted"));
    assert_eq!(shelf.names(), ["old"]);
    assert_eq!(shelf.sent.lock().unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_plan_with_an_irreversible_change_before_a_reversible_one_is_refused() {
    let mut plan = Plan::default();
    plan.push(Change::Publish, []);
    plan.push(put("late", false), []);
    let shelf = shelf();
    let error = run(&shelf, MemoryStore::default(), plan).await.unwrap_err();
    assert!(matches!(error, Error::Disordered(step) if step == StepId::new(2)), "{error}");
}

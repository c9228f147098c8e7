//! Independent changes at the same time, both ways, and the order among those that are not independent.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

use selvedge_rollback::journal::{MemoryStore, Store};
use selvedge_rollback::{Event, Interrupt, Plan, Policy, StepId, Transaction, Verdict};
use tokio::time::Instant;

use crate::shelf::{Change, Fault, Pace, Shelf};
use crate::{
    begin, fault_at, made, one_at_a_time, plan, published, put, quiet, records, shelf, transaction, write,
};

const TIME: Duration = Duration::from_millis(200);

fn slowed(shelf: Shelf) -> Shelf {
    *shelf.pace.lock().unwrap() = Pace::Writes(TIME);
    shelf
}

/// `count` things that have nothing to do with one another.
fn independent(count: usize) -> Plan<Change> {
    let mut plan = Plan::default();
    for index in 0..count {
        plan.push(put(&format!("thing {index}"), false), []);
    }
    plan
}

#[tokio::test(start_paused = true)]
async fn forty_independent_changes_take_the_time_of_five() {
    for (concurrency, rounds) in [(1, 40), (3, 14), (8, 5), (100, 1)] {
        let shelf = slowed(Shelf::default());
        let policy = Policy { concurrency, ..Policy::default() };
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        let begun = transaction(&shelf, &store, independent(40), (policy, &interrupt), quiet()).await;
        let started = Instant::now();
        assert!(matches!(begun.run().await.unwrap(), Verdict::Committed));
        assert_eq!(started.elapsed(), TIME * rounds, "{concurrency}");
        assert_eq!(shelf.most_at_a_time(), concurrency.min(40));
    }
}

#[tokio::test(start_paused = true)]
async fn forty_independent_changes_are_taken_back_in_the_time_of_five() {
    let shelf = slowed(Shelf::default());
    let mut plan = independent(40);
    plan.push(Change::Publish, []);
    fault_at(&shelf, 40, Fault::Refused);
    let begun = Instant::now();
    let decided = Mutex::new(None);
    let observer = |event: &Event<'_, Change>| {
        if let Event::RollingBack { .. } = event {
            *decided.lock().unwrap() = Some(begun.elapsed());
        }
    };
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let ready = transaction(&shelf, &store, plan, (Policy::default(), &interrupt), observer).await;
    assert!(matches!(ready.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(begun.elapsed() - decided.lock().unwrap().unwrap(), TIME * 5);
    assert_eq!(shelf.names(), [""; 0]);
    assert_eq!(shelf.most_at_a_time(), 8);
}

#[tokio::test(start_paused = true)]
async fn r2_one_at_a_time_the_records_stand_in_the_order_of_the_plan() {
    let shelf = shelf();
    fault_at(&shelf, 4, Fault::Refused);
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let begun = transaction(&shelf, &store, published(), (one_at_a_time(), &interrupt), quiet()).await;
    assert!(matches!(begun.run().await.unwrap(), Verdict::RolledBack { .. }));
    let forward = "begin|intent 1|outcome 1 done|intent 2|outcome 2 done|intent 3|accepted 3|outcome 3 done|\
                   intent 4|outcome 4 done|unmarked 1|unmarked 2|unmarked 3|intent 5|outcome 5 not_done|roll_back 5";
    let back = "undo_intent 4|undo_outcome 4 reversed|undo_intent 3|undo_outcome 3 reversed|undo_intent 2|\
                undo_outcome 2 reversed|undo_intent 1|undo_outcome 1 reversed|end rolled_back";
    assert_eq!(records(&store).join("|"), format!("{forward}|{back}"));
}

/// A journal whose records take their time to become durable.
pub(crate) struct Slow(pub(crate) MemoryStore);

impl Store for Slow {
    async fn append(&mut self, line: Vec<u8>) -> std::io::Result<()> {
        tokio::time::sleep(Duration::from_millis(70)).await;
        self.0.append(line).await
    }
}

fn sendable<F: Send>(future: F) -> F {
    future
}

#[tokio::test(start_paused = true)]
async fn r1_nothing_is_sent_or_taken_back_before_that_intent_is_durable() {
    for seed in 0..20 {
        let shelf = shelf();
        let before = shelf.inventory();
        *shelf.pace.lock().unwrap() = Pace::Seeded(seed);
        let store = MemoryStore::default();
        *shelf.journal.lock().unwrap() = Some(store.clone());
        let mut plan = wide();
        plan.push(Change::Publish, []);
        fault_at(&shelf, 10, Fault::Refused);
        let (policy, interrupt) = (Policy::default(), Interrupt::default());
        let begun = Transaction::begin(&shelf, Slow(store), begin(plan), policy, interrupt, quiet()).await;
        let verdict = sendable(begun.unwrap().run()).await.unwrap();
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{seed}: {verdict:?}");
        assert_eq!(shelf.inventory(), before);
    }
}

/// Watches that nothing is begun before what it waits for, nor taken back before what builds on it.
#[derive(Default)]
struct Watch {
    done: Mutex<BTreeSet<StepId>>,
    going_back: Mutex<BTreeSet<StepId>>,
}

impl Watch {
    fn on(&self, event: &Event<'_, Change>, plan: &Plan<Change>) {
        match event {
            Event::Started(step) => {
                let done = self.done.lock().unwrap();
                assert!(step.waits_for().all(|id| done.contains(&id)), "{} too early", step.change);
            }
            Event::Done { step, .. } => drop(self.done.lock().unwrap().insert(step.id)),
            Event::Undoing(step) => {
                let done = self.done.lock().unwrap();
                let later = plan.steps().iter().filter(|later| later.waits_for().any(|id| id == step.id));
                let left: Vec<_> = later.filter(|later| done.contains(&later.id)).collect();
                assert!(left.is_empty(), "{} is taken away under {left:?}", step.change);
                self.going_back.lock().unwrap().insert(step.id);
            }
            Event::Undone { step, .. } => drop(self.done.lock().unwrap().remove(&step.id)),
            _ => {}
        }
    }
}

/// Two boxes with three things each, one in the other, and two texts.
pub(crate) fn wide() -> Plan<Change> {
    let mut plan = Plan::default();
    let outer = plan.push(put("outer", false), []);
    let inner = plan.push(put("inner", true), [outer]);
    for (name, parent) in [("a", outer), ("b", outer), ("c", outer), ("d", inner), ("e", inner), ("f", inner)]
    {
        plan.push(put(name, name < "c"), [parent]);
    }
    plan.push(write("old", "new text"), []);
    let follows = [inner];
    plan.push_following(put("last", false), [outer], follows);
    plan
}

#[tokio::test(start_paused = true)]
async fn whatever_the_times_a_change_waits_for_what_it_builds_on_and_is_taken_back_before_it() {
    for seed in 0..200 {
        for refused in [None, Some(seed as usize % 10)] {
            let shelf = shelf();
            let before = shelf.inventory();
            *shelf.pace.lock().unwrap() = Pace::Seeded(seed);
            if let Some(at) = refused {
                shelf
                    .faults
                    .lock()
                    .unwrap()
                    .extend(std::iter::repeat_n(Fault::None, at).chain([Fault::Refused]));
            }
            let (watch, plan) = (Watch::default(), wide());
            let observer = |event: &Event<'_, Change>| watch.on(event, &plan);
            let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
            let begun =
                transaction(&shelf, &store, plan.clone(), (Policy::default(), &interrupt), observer).await;
            match begun.run().await.unwrap() {
                Verdict::Committed => assert_eq!(shelf.names().len(), 10, "{seed} {refused:?}"),
                Verdict::RolledBack { .. } => assert_eq!(shelf.inventory(), before, "{seed} {refused:?}"),
                Verdict::Left { remaining, .. } => panic!("{seed} {refused:?}: {remaining:?}"),
            }
            assert!(shelf.most_at_a_time() > 1);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r18_when_a_change_fails_none_is_begun_and_those_under_way_are_settled() {
    let shelf = slowed(Shelf::default());
    // The third of the first eight; the others come to their end after it.
    shelf.faults.lock().unwrap().extend([Fault::None, Fault::None, Fault::Refused]);
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let begun = transaction(&shelf, &store, independent(20), (Policy::default(), &interrupt), quiet()).await;
    let Verdict::RolledBack { cause, .. } = begun.run().await.unwrap() else { panic!("not rolled back") };
    assert_eq!((cause.step, cause.reason.as_str()), (Some(StepId::new(3)), "refused"));
    // Its failure is certain after two looks, 10 s apart; meanwhile the others go on.
    let begun_by_then = shelf.sent.lock().unwrap().len();
    assert_eq!(begun_by_then, 20, "nobody knew yet");
    assert_eq!(shelf.names(), [""; 0]);

    // One that proves at once that nothing was sent.
    let shelf = Shelf::default();
    *shelf.pace.lock().unwrap() = Pace::Seeded(1);
    shelf.faults.lock().unwrap().extend([Fault::None, Fault::None, Fault::Unsent]);
    let store = MemoryStore::default();
    let begun = transaction(&shelf, &store, independent(20), (Policy::default(), &interrupt), quiet()).await;
    assert!(matches!(begun.run().await.unwrap(), Verdict::RolledBack { .. }));
    let said = records(&store);
    let decided = said.iter().position(|said| said.starts_with("roll_back")).unwrap();
    assert!(said[decided..].iter().all(|said| !said.starts_with("intent")), "{said:?}");
    let settled = said[decided..].iter().filter(|said| said.starts_with("outcome")).count();
    assert!(settled > 0, "the decision is written while others are under way: {said:?}");
    assert_eq!(shelf.names(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn what_merely_comes_after_does_not_hold_what_it_comes_after() {
    let mut plan = Plan::default();
    let first = plan.push(put("first", false), []);
    plan.push_following(put("second", false), [], [first]);
    plan.push(Change::Publish, []);
    for concurrency in [1, 8] {
        let shelf = Shelf::default();
        fault_at(&shelf, 2, Fault::Refused);
        // The second is not taken back, in either pass; the first is all the same.
        shelf.undo_faults.lock().unwrap().extend([Fault::Refused, Fault::None, Fault::Refused]);
        let policy = Policy { concurrency, ..Policy::default() };
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        let begun = transaction(&shelf, &store, plan.clone(), (policy, &interrupt), quiet()).await;
        let Verdict::Left { remaining, .. } = begun.run().await.unwrap() else { panic!("{concurrency}") };
        assert_eq!(remaining.len(), 1, "{remaining:?}");
        assert_eq!(shelf.names(), ["second"]);
        assert_eq!(*shelf.removals.lock().unwrap(), ["put second", "put first", "put second"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_step_is_told_of_what_it_builds_on_and_of_nothing_else() {
    let shelf = shelf();
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let begun = transaction(&shelf, &store, plan(), (Policy::default(), &interrupt), quiet()).await;
    assert!(matches!(begun.run().await.unwrap(), Verdict::Committed));
    assert_eq!(shelf.inventory(), made());
    let step = StepId::new;
    let mut told = shelf.told.lock().unwrap().clone();
    told.sort();
    let expected = [(1, vec![]), (2, vec![step(1)]), (3, vec![step(1)]), (4, vec![])];
    assert_eq!(told, expected.map(|(number, receipts)| (step(number), receipts)));
}

#[tokio::test(start_paused = true)]
async fn what_was_passed_over_does_not_hold_what_it_comes_after() {
    let mut plan = Plan::default();
    let first = plan.push(put("first", false), []);
    let second = plan.push_following(put("second", false), [], [first]);
    plan.push(put("third", false), [second]);
    plan.push(Change::Publish, []);
    for concurrency in [1, 8] {
        let shelf = Shelf::default();
        fault_at(&shelf, 3, Fault::Refused);
        // The third cannot be taken away, so the second is not tried; the first is.
        shelf.undo_faults.lock().unwrap().extend([Fault::Refused, Fault::None, Fault::Refused]);
        let policy = Policy { concurrency, ..Policy::default() };
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        let begun = transaction(&shelf, &store, plan.clone(), (policy, &interrupt), quiet()).await;
        assert!(matches!(begun.run().await.unwrap(), Verdict::Left { .. }));
        assert_eq!(shelf.names(), ["second", "third"], "{concurrency}");
    }
}

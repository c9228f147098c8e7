//! The engine's rules, by the numbers of the saga rules they answer to, against a target that lies and loses answers.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod shelf;

use std::collections::BTreeMap;

use selvedge_rollback::journal::{Journals, MemoryStore};
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Direction, Error, Event, Interrupt, Observer, Plan, Policy, StepId, StepState, Transaction,
    TransactionId, Verdict, plain,
};
use shelf::{Change, Fault, Shelf, Thing};

const FAULTS: [Fault; 5] = [Fault::Unsent, Fault::Refused, Fault::Busy, Fault::Lost, Fault::LostBusy];

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
    Begin {
        id: TransactionId::generate(),
        tool: "test".to_owned(),
        subject: "shelf".to_owned(),
        context: BTreeMap::new(),
        plan_digest: plan.digest().unwrap(),
        plan,
    }
}

fn quiet() -> impl Observer<Change> {
    |_: &Event<'_, Change>| {}
}

async fn run(shelf: &Shelf, store: MemoryStore, plan: Plan<Change>) -> Result<Verdict, Error> {
    Transaction::begin(shelf, store, begin(plan), Policy::default(), Interrupt::default(), quiet())
        .await?
        .run()
        .await
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
        if matches!(fault, Fault::Lost | Fault::LostBusy) {
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
        let verdict = Transaction::recover(shelf, loaded, Policy::default(), Interrupt::default(), quiet())
            .run()
            .await
            .unwrap();
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
        let transaction =
            Transaction::recover(shelf, loaded, Policy::default(), Interrupt::default(), quiet());
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
            let again = Transaction::recover(shelf, loaded, Policy::default(), Interrupt::default(), quiet());
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
    // The first undo is of the slow thing, in the box.
    shelf.undo_faults.lock().unwrap().extend([Fault::Refused]);
    let store = MemoryStore::default();
    let verdict = run(&shelf, store.clone(), plan()).await.unwrap();
    let Verdict::Left { cause, remaining, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!((cause.step, cause.reason.as_str()), (Some(StepId::new(4)), "refused"));
    let what: Vec<_> = remaining.iter().map(|left| left.change.as_str()).collect();
    assert_eq!(what, ["put box", "put slow"], "what holds something that is left is not taken away");
    assert_eq!(shelf.names(), ["box", "old", "slow"]);

    let loaded = store.load().unwrap();
    let verdict = Transaction::recover(&shelf, loaded, Policy::default(), Interrupt::default(), quiet())
        .run()
        .await
        .unwrap();
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
    let begun = Transaction::begin(
        &shelf,
        MemoryStore::default(),
        begin(plan),
        Policy::default(),
        interrupt,
        observer,
    );
    let verdict = begun.await.unwrap().run().await.unwrap();
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
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
    let again =
        Transaction::recover(&shelf, store.load().unwrap(), Policy::default(), Interrupt::default(), quiet());
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(shelf.names(), ["old"]);
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
        Transaction::begin(&shelf, store.clone(), begin(plan()), Policy::default(), interrupt, observer);
    let verdict = begun.await.unwrap().run().await.unwrap();
    let Verdict::RolledBack { cause } = verdict else { panic!("{verdict:?}") };
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

#[tokio::test(start_paused = true)]
async fn without_a_transaction_nothing_is_read_back_and_what_was_made_stays() {
    let shelf = shelf();
    fault_at(&shelf, 2, Fault::Lost);
    let policy = Policy { resends: 0, ..Policy::default() };
    let unfinished = plain::run(&shelf, &plan(), &policy, &Interrupt::default(), &quiet()).await.unwrap_err();
    assert_eq!(unfinished.made, [StepId::new(1), StepId::new(2)]);
    assert_eq!(unfinished.in_doubt, Some(StepId::new(3)));
    assert_eq!(shelf.names(), ["box", "old", "quick", "slow"]);
    assert!(shelf.inventory().iter().all(|thing| thing.marker.is_none()));
}

#[tokio::test(start_paused = true)]
async fn without_a_transaction_a_lost_answer_makes_one_thing_not_two() {
    for fault in [Fault::LostBusy, Fault::Busy] {
        let shelf = shelf();
        shelf.faults.lock().unwrap().extend([Fault::None, fault]);
        plain::run(&shelf, &plan(), &Policy::default(), &Interrupt::default(), &quiet()).await.unwrap();
        assert_eq!(shelf.names(), ["box", "old", "quick", "slow"], "{fault:?}");
    }
}

/// The journal of a finished transaction.
async fn finished() -> Vec<u8> {
    let (shelf, store) = (shelf(), MemoryStore::default());
    fault_at(&shelf, 3, Fault::Refused);
    assert!(matches!(run(&shelf, store.clone(), plan()).await.unwrap(), Verdict::RolledBack { .. }));
    store.bytes()
}

#[tokio::test(start_paused = true)]
async fn r3_a_journal_cut_at_any_byte_is_read_up_to_its_last_whole_record() {
    let bytes = finished().await;
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    for cut in 0..bytes.len() {
        let loaded = MemoryStore::from(bytes[..cut].to_vec()).load::<Shelf>();
        assert_eq!(loaded.is_ok(), cut > first, "cut at {cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn r3_a_journal_with_any_byte_changed_is_refused() {
    let bytes = finished().await;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x01;
        let loaded = MemoryStore::from(changed).load::<Shelf>();
        // The last newline is where a torn write would end, so there the record before is the last.
        assert!(loaded.is_err() || at + 1 == bytes.len(), "byte {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn r3_a_journal_that_lacks_a_record_is_refused() {
    let bytes = finished().await;
    let lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for dropped in 0..lines.len() - 1 {
        let mut lines = lines.clone();
        lines.remove(dropped);
        assert!(MemoryStore::from(lines.concat()).load::<Shelf>().is_err(), "record {dropped}");
    }
}

#[tokio::test(start_paused = true)]
async fn r4_files_are_private_locked_and_found_by_the_beginning_of_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::new(folder.path().join("deep/er"));
    assert!(journals.list::<Shelf>().unwrap().is_empty());
    let shelf = shelf();
    let start = begin(plan());
    let id = start.id;
    let store = journals.create(id).unwrap();
    assert!(journals.create(id).is_err(), "a journal is created once");
    let begun = Transaction::begin(&shelf, store, start, Policy::default(), Interrupt::default(), quiet());
    let transaction = begun.await.unwrap();
    assert!(journals.list::<Shelf>().unwrap()[0].running);
    assert!(journals.open::<Shelf>(id).is_err(), "a running transaction is not taken up");
    drop(transaction.run().await.unwrap());

    let text = id.to_string();
    assert_eq!(journals.find(&text[..30]).unwrap(), id);
    assert!(journals.find("").is_err());
    assert!(journals.find("ffff").is_err());
    let loaded = journals.open::<Shelf>(id).unwrap();
    assert_eq!(loaded.state.direction(), Direction::Committed);
    assert!(loaded.state.steps().all(|(_, state)| *state == StepState::Done));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&journals.path(id)), 0o600);
        assert_eq!(mode(journals.path(id).parent().unwrap()), 0o700);
    }
}

#[tokio::test(start_paused = true)]
async fn r4_a_torn_tail_is_cut_off_before_the_next_record_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::new(folder.path());
    let shelf = shelf();
    fault_at(&shelf, 3, Fault::Refused);
    let memory = MemoryStore::default();
    let start = begin(plan());
    let id = start.id;
    let begun =
        Transaction::begin(&shelf, memory.clone(), start, Policy::default(), Interrupt::default(), quiet());
    drop(begun.await.unwrap().run().await.unwrap());
    let bytes = memory.bytes();
    drop(journals.create(id).unwrap());
    std::fs::write(journals.path(id), &bytes[..bytes.len() - 7]).unwrap();
    let loaded = journals.open::<Shelf>(id).unwrap();
    assert_eq!(loaded.state.direction(), Direction::Back, "the end record was torn");
    let again = Transaction::recover(&shelf, loaded, Policy::default(), Interrupt::default(), quiet());
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(journals.peek::<Shelf>(id).unwrap().direction(), Direction::RolledBack);
}

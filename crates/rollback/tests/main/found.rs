//! What a look finds, and what that proves: rules that the simulation found broken, each with the seed's story told again.

use std::sync::Mutex;
use std::time::Duration;

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Event, Interrupt, Plan, Policy, StepState, Transaction, Verdict};
use tokio::time::Instant;

use crate::shelf::{Change, Fault, Shelf};
use crate::{begin, plan, put, recover, run, shelf, write};

#[tokio::test(start_paused = true)]
async fn r13_what_may_still_land_is_never_called_gone() {
    let shelf = shelf();
    *shelf.late.lock().unwrap() = true;
    let store = MemoryStore::default();
    let verdict = run(&shelf, store.clone(), plan()).await.unwrap();
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
    let what: Vec<_> = remaining.iter().map(|left| left.change.as_str()).collect();
    assert_eq!(what, ["put box", "put slow"]);

    let late = shelf.coming.lock().unwrap().take().unwrap();
    shelf.put(&late.name, &late.text, late.marker);
    let again = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn r10_another_thing_of_the_name_does_not_end_the_doubt_about_what_may_still_land() {
    let shelf = shelf();
    *shelf.late.lock().unwrap() = true;
    shelf.put("slow", "theirs", None);
    let store = MemoryStore::default();
    let verdict = run(&shelf, store.clone(), plan()).await.unwrap();
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(remaining[1].reason, "it is not known whether it was made");

    let late = shelf.coming.lock().unwrap().take().unwrap();
    shelf.put(&late.name, &late.text, late.marker);
    let again = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(shelf.names(), ["old", "slow"]);
}

#[tokio::test(start_paused = true)]
async fn r10_another_thing_of_the_name_is_read_as_often_as_nothing() {
    let shelf = shelf();
    shelf.put("box", "theirs", None);
    shelf.faults.lock().unwrap().push_back(Fault::Refused);
    let verdict = run(&shelf, MemoryStore::default(), plan()).await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(*shelf.looks.lock().unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn r18_a_crash_between_a_foreign_thing_and_the_decision_is_rolled_back_on_resuming() {
    let mut plan = Plan::default();
    plan.push(put("first", false), []);
    plan.push(put("taken", false), []);
    plan.push(put("last", false), []);
    let shelf = shelf();
    shelf.put("taken", "theirs", None);
    shelf.faults.lock().unwrap().extend([Fault::None, Fault::Refused]);
    let store = MemoryStore::default();
    // Begin, two records of the first step, two of the second.
    run(&shelf, store.clone().with_room_for(5), plan).await.unwrap_err();
    let loaded = store.load::<crate::Shelf>().unwrap();
    assert_eq!(loaded.state.steps().nth(1).unwrap().1, &StepState::Foreign);
    let verdict = recover(&shelf, loaded).await.unwrap().run().await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(shelf.names(), ["old", "taken"]);
}

#[tokio::test(start_paused = true)]
async fn r10_what_was_put_off_once_is_looked_for_even_where_the_second_sending_never_left() {
    let shelf = shelf();
    shelf.faults.lock().unwrap().extend([Fault::LostPutOff, Fault::Unsent]);
    *shelf.hidden_looks.lock().unwrap() = 1;
    let verdict = run(&shelf, MemoryStore::default(), plan()).await.unwrap();
    assert!(matches!(verdict, Verdict::Committed), "{verdict:?}");
    assert_eq!(shelf.names(), ["box", "old", "quick", "slow"]);
}

#[tokio::test(start_paused = true)]
async fn r20_a_wait_that_an_interrupt_ended_still_holds_for_the_rollback() {
    let shelf = shelf();
    shelf.faults.lock().unwrap().push_back(Fault::Lost);
    *shelf.busy_looks.lock().unwrap() = 1;
    *shelf.busy_for.lock().unwrap() = Duration::from_secs(300);
    let interrupt = Interrupt::default();
    let started = Instant::now();
    let decided = Mutex::new(None);
    let raise = |event: &Event<'_, Change>| match event {
        Event::ReadingAgain { .. } => interrupt.raise(),
        Event::RollingBack { .. } => *decided.lock().unwrap() = Some(started.elapsed()),
        _ => {}
    };
    let (store, policy) = (MemoryStore::default(), Policy::default());
    let begun = Transaction::begin(&shelf, store, begin(plan()), policy, interrupt.clone(), raise).await;
    let verdict = begun.unwrap().run().await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(decided.lock().unwrap().unwrap().as_secs(), 0, "the decision does not wait");
    assert_eq!(started.elapsed().as_secs(), 300);
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn r14_an_edit_of_what_may_have_been_written_is_not_overwritten_by_a_second_sending() {
    let mut plan = Plan::default();
    plan.push(write("old", "new text"), []);
    for crash in [false, true] {
        let shelf = shelf();
        shelf.faults.lock().unwrap().push_back(Fault::LostBusy);
        let edit = |event: &Event<'_, Change>| {
            if let Event::InDoubt { .. } = event {
                shelf.things.lock().unwrap().get_mut(&1).unwrap().text = "edited by hand".to_owned();
            }
        };
        let store = MemoryStore::default();
        // Begin and intent, and then no room for the outcome.
        let room = store.clone().with_room_for(if crash { 2 } else { 9 });
        let (policy, interrupt) = (Policy::default(), Interrupt::default());
        let begun = Transaction::begin(&shelf, room, begin(plan.clone()), policy, interrupt, edit).await;
        let verdict = match begun.unwrap().run().await {
            Ok(verdict) => verdict,
            Err(_) => recover(&shelf, store.load().unwrap()).await.unwrap().run().await.unwrap(),
        };
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
        assert_eq!(shelf.inventory()[0].text, "edited by hand", "crash: {crash}");
        assert_eq!(shelf.sent.lock().unwrap().len(), 1);
    }
}

/// What lands so many seconds after its process died, and the transaction was taken up. So many sendings before it were accepted
/// and failed, and a look takes so many seconds to be answered.
async fn lands_after(seconds: u64, forward: bool, failing: u32, look: u64) -> (Shelf, Verdict) {
    let (shelf, store) = (shelf(), MemoryStore::default());
    *shelf.late.lock().unwrap() = true;
    *shelf.failing.lock().unwrap() = failing;
    let mut plan = Plan::default();
    plan.push(put("thing", true), []);
    // Its last intent is durable, and that it was accepted is not.
    let room = store.clone().with_room_for(2 + 2 * failing as usize);
    drop(run(&shelf, room, plan).await.unwrap_err());
    let sendings = std::iter::repeat_n(["intent 1", "accepted 1"], 1 + failing as usize).flatten();
    assert!(crate::records(&store).iter().skip(1).eq(sendings.take(1 + 2 * failing as usize)));
    *shelf.late.lock().unwrap() = false;
    *shelf.look_takes.lock().unwrap() = Duration::from_secs(look);
    *shelf.in_flight.lock().unwrap() = Duration::from_secs(60);
    let verdict = {
        let transaction = recover(&shelf, store.load().unwrap()).await.unwrap();
        let ending = async {
            match forward {
                true => transaction.run().await,
                false => transaction.roll_back("an operator asked for it").await,
            }
        };
        let landing = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            let late = shelf.coming.lock().unwrap().take().unwrap();
            shelf.put(&late.name, &late.text, late.marker);
        };
        tokio::join!(ending, landing).0.unwrap()
    };
    (shelf, verdict)
}

#[tokio::test(start_paused = true)]
async fn r7_what_a_dead_process_sent_is_looked_for_as_long_as_it_may_land() {
    let before = shelf().inventory();
    // Of two looks that take 30 s, the second is answered when the time is over, and was taken before.
    for (seconds, failing, look) in [(1, 0, 0), (30, 0, 0), (59, 0, 0), (30, 1, 0), (59, 2, 0), (59, 0, 30)] {
        let (shelf, verdict) = lands_after(seconds, false, failing, look).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{seconds}: {verdict:?}");
        assert_eq!(shelf.inventory(), before, "{seconds}");
        let (shelf, verdict) = lands_after(seconds, true, failing, look).await;
        assert!(matches!(verdict, Verdict::Committed), "{seconds}: {verdict:?}");
        assert_eq!(shelf.names().iter().filter(|name| *name == "thing").count(), 1, "{seconds}: made once");
    }
    // What takes longer than it may is not waited for, or nothing would ever end.
    let (shelf, verdict) = lands_after(100, false, 0, 0).await;
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_ne!(shelf.inventory(), before);
}

//! What only an operator may decide, and what the journal then says.

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Direction, Error, Event, Interrupt, Policy, Step, StepId, StepState, Verdict, View};

use crate::shelf::{Change, Fault, Shelf};
use crate::{fault_at, made, plan, published, records, recover, run, shelf, transaction};

/// The journals of a transaction at each of its records but the last: it is open.
async fn open_ones(fault: Fault) -> Vec<(Shelf, MemoryStore)> {
    let mut found = Vec::new();
    for room in 1.. {
        let (shelf, store) = (shelf(), MemoryStore::default());
        fault_at(&shelf, 3, fault);
        let ended = run(&shelf, store.clone().with_room_for(room), plan()).await.is_ok();
        if ended || store.load::<Shelf>().unwrap().state.direction().has_ended() {
            break;
        }
        found.push((shelf, store));
    }
    found
}

async fn abandon(store: &MemoryStore, reason: &str) -> Result<View<Shelf>, Error> {
    store.load::<Shelf>().unwrap().abandon("an operator's process", reason).await
}

#[tokio::test(start_paused = true)]
async fn r23_whatever_is_open_can_be_abandoned_and_nothing_is_touched() {
    for fault in [Fault::None, Fault::Refused] {
        for (shelf, store) in open_ones(fault).await {
            let requests = || (shelf.sent.lock().unwrap().len(), shelf.removals.lock().unwrap().len());
            let (before, sent) = (shelf.inventory(), requests());
            let view = abandon(&store, "the workspace is gone").await.unwrap();
            let remaining = view.read(|state| {
                let reason = state.reason().map(|(_, reason)| reason.to_owned());
                assert_eq!(reason.as_deref(), Some("the workspace is gone"));
                assert_eq!(state.direction(), Direction::Abandoned);
                state.remaining()
            });
            assert_eq!((shelf.inventory(), requests()), (before, sent));
            let said = records(&store);
            assert!(said.ends_with(&["taken_up".to_owned(), "abandoned".to_owned()]), "{said:?}");
            let made = shelf.names().len() - 1;
            assert!(remaining.len() >= made, "each is named: {remaining:?}");

            // It has ended, and stays so.
            let state = store.load::<Shelf>().unwrap().state;
            assert_eq!((state.direction(), state.remaining()), (Direction::Abandoned, remaining));
            let ended = async || recover(&shelf, store.load().unwrap()).await.unwrap();
            assert!(matches!(ended().await.roll_back("x").await, Err(Error::Ended)));
            assert!(matches!(abandon(&store, "x").await, Err(Error::Ended)));
            assert!(matches!(ended().await.run().await, Ok(Verdict::Left { .. })));
            assert_eq!(requests(), sent);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r18_r23_what_has_ended_is_not_abandoned() {
    for (fault, names) in [(Fault::None, made().len()), (Fault::Refused, 1)] {
        let (shelf, store) = (shelf(), MemoryStore::default());
        fault_at(&shelf, 3, fault);
        drop(run(&shelf, store.clone(), plan()).await.unwrap());
        let before = store.bytes();
        assert!(matches!(abandon(&store, "x").await, Err(Error::Ended)));
        assert_eq!(store.bytes(), before);
        assert_eq!(shelf.names().len(), names);
    }
}

#[tokio::test(start_paused = true)]
async fn r23_a_step_that_cannot_be_taken_back_is_left_and_the_rest_is_brought_to_its_end() {
    let (shelf, store) = (shelf(), MemoryStore::default());
    fault_at(&shelf, 3, Fault::Refused);
    // The slow thing, in the box, in both passes.
    shelf.undo_faults.lock().unwrap().extend([Fault::Refused, Fault::None, Fault::Refused]);
    let verdict = run(&shelf, store.clone(), plan()).await.unwrap();
    assert!(matches!(verdict, Verdict::Left { direction: Direction::Back, .. }), "{verdict:?}");

    let mut again = recover(&shelf, store.load().unwrap()).await.unwrap();
    for not_stuck in [1, 2, 4, 5] {
        let step = StepId::new(not_stuck);
        let refused = again.skip(step, "x").await;
        assert!(matches!(refused, Err(Error::NotSkippable(id)) if id == step), "{not_stuck}: {refused:?}");
    }
    again.skip(StepId::new(3), "it is in use").await.unwrap();
    let Verdict::Left { direction, remaining, .. } = again.run().await.unwrap() else { panic!("not left") };
    assert_eq!(direction, Direction::RolledBackPartial);
    let told: Vec<_> = remaining.iter().map(|left| (left.change.as_str(), left.reason.as_str())).collect();
    let kept = ("put box", "something that builds on it was kept");
    assert_eq!(told, [kept, ("put slow", "left by an operator: it is in use")]);
    assert_eq!(shelf.names(), ["box", "old", "slow"]);

    let said = records(&store).split_off(records(&store).len() - 4);
    let end = ["undo_outcome 3 skipped", "undo_intent 1", "undo_outcome 1 kept", "end rolled_back_partial"];
    assert_eq!(said, end);
    let state = store.load::<Shelf>().unwrap().state;
    let skipped = StepState::Skipped { reason: "it is in use".to_owned() };
    assert_eq!(state.step(StepId::new(3)), Some(&skipped));
}

#[tokio::test(start_paused = true)]
async fn r23_a_step_of_which_nothing_can_be_found_out_can_be_left_but_only_on_the_way_back() {
    let (shelf, store) = (shelf(), MemoryStore::default());
    fault_at(&shelf, 1, Fault::Lost);
    *shelf.blind.lock().unwrap() = true;
    let died = run(&shelf, store.clone().with_room_for(4), plan()).await;
    assert!(died.is_err(), "{died:?}");
    let step = StepId::new(2);
    let mut forward = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(forward.skip(step, "x").await, Err(Error::NotSkippable(_))));
    let verdict = forward.roll_back("operator").await.unwrap();
    assert!(matches!(verdict, Verdict::Left { direction: Direction::Back, .. }), "{verdict:?}");

    let mut back = recover(&shelf, store.load().unwrap()).await.unwrap();
    back.skip(step, "looked at by hand").await.unwrap();
    let Verdict::Left { direction, .. } = back.run().await.unwrap() else { panic!("not left") };
    assert_eq!(direction, Direction::RolledBackPartial);
    let mut ended = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(ended.skip(step, "x").await, Err(Error::Ended)));
}

#[tokio::test(start_paused = true)]
async fn r18_a_pivot_in_doubt_closes_the_way_back_until_it_is_known() {
    let (shelf, store) = (shelf(), MemoryStore::default());
    fault_at(&shelf, 4, Fault::Lost);
    let observer = |event: &Event<'_, Change>| {
        if let Event::Started(Step { change: Change::Publish, .. }) = event {
            *shelf.blind.lock().unwrap() = true;
        }
    };
    let interrupt = Interrupt::default();
    let begun = transaction(&shelf, &store, published(), (Policy::default(), &interrupt), observer).await;
    // It fails, but whether it was made is not known.
    shelf.faults.lock().unwrap().truncate(5);
    let verdict = begun.run().await.unwrap();
    assert!(matches!(verdict, Verdict::Left { direction: Direction::Forward, .. }), "{verdict:?}");
    assert!(!records(&store).iter().any(|said| said.starts_with("roll_back")));
    *shelf.blind.lock().unwrap() = false;
    let again = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::Committed));
    assert_eq!(shelf.inventory(), made());
}

#[tokio::test(start_paused = true)]
async fn r18_once_committed_there_is_no_way_back() {
    let (shelf, store) = (shelf(), MemoryStore::default());
    drop(run(&shelf, store.clone(), published()).await.unwrap());
    let again = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(again.roll_back("x").await, Err(Error::Ended)));
    assert_eq!(shelf.inventory(), made());
}

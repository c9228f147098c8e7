//! A concurrent run that dies at any record, or at any time, is brought to its end by another process: all of it or nothing.

use std::time::Duration;

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Direction, Error, Interrupt, Policy, Transaction, Verdict};

use crate::concurrent::wide;
use crate::shelf::{Change, Fault, Pace, Shelf};
use crate::{begin, quiet, shelf, transaction};

const SEEDS: u64 = 6;

/// What dies, and what comes after it.
#[derive(Clone, Copy, Debug)]
struct Case {
    seed: u64,
    /// Which request is refused.
    refused: Option<usize>,
    /// Whether the second process is told to roll back.
    back: bool,
}

fn cases() -> impl Iterator<Item = Case> {
    (0..SEEDS).flat_map(|seed| {
        let refused = [None, Some(usize::try_from(seed).unwrap() % 11)];
        refused.into_iter().flat_map(move |refused| [false, true].map(|back| Case { seed, refused, back }))
    })
}

impl Case {
    fn shelf(self) -> Shelf {
        let shelf = shelf();
        *shelf.pace.lock().unwrap() = Pace::Seeded(self.seed);
        if let Some(at) = self.refused {
            shelf.faults.lock().unwrap().extend(std::iter::repeat_n(Fault::None, at).chain([Fault::Refused]));
        }
        shelf
    }

    /// Takes the transaction up and brings it to its end, in an order of its own.
    async fn recover(self, shelf: &Shelf, store: &MemoryStore, what: &str) {
        *shelf.pace.lock().unwrap() = Pace::Seeded(self.seed + 1000);
        shelf.faults.lock().unwrap().clear();
        let (policy, interrupt) = (Policy::default(), Interrupt::default());
        let loaded = store.load::<Shelf>().unwrap();
        let was = loaded.state.direction();
        let again = Transaction::recover(shelf, loaded, "test 2", policy, interrupt, quiet()).await.unwrap();
        let ended = if self.back { again.roll_back("operator").await } else { again.run().await };
        match ended {
            Ok(Verdict::Committed) => assert!(!self.back && self.all(shelf), "{what}"),
            Ok(Verdict::RolledBack { .. }) => assert!(self.nothing(shelf), "{what}: {:?}", shelf.inventory()),
            Err(Error::Ended) if was == Direction::Committed => assert!(self.all(shelf), "{what}"),
            Err(Error::Ended) => assert!(self.nothing(shelf), "{what}: {:?}", shelf.inventory()),
            Err(Error::PastPivot(_)) => assert!(self.back, "{what}"),
            other => panic!("{what}: {other:?}"),
        }
        // What must be true of the journal as a whole: it can be read, and it has ended.
        if !matches!(ended_of(store), Direction::Forward) || !self.back {
            assert!(ended_of(store).has_ended(), "{what}");
        }
    }

    fn all(self, shelf: &Shelf) -> bool {
        let names = ["a", "b", "c", "d", "e", "f", "inner", "last", "old", "outer"];
        shelf.names() == names && *shelf.published.lock().unwrap() == 1
    }

    fn nothing(self, shelf: &Shelf) -> bool {
        let things = shelf.inventory();
        things.len() == 1 && things[0].text == "old text" && *shelf.published.lock().unwrap() == 0
    }
}

fn ended_of(store: &MemoryStore) -> Direction {
    store.load::<Shelf>().unwrap().state.direction()
}

fn wide_and_published() -> selvedge_rollback::Plan<Change> {
    let mut plan = wide();
    plan.push(Change::Publish, []);
    plan
}

#[tokio::test(start_paused = true)]
async fn r1_r2_r18_a_concurrent_run_that_dies_at_any_record_is_brought_to_its_end() {
    let mut deaths = 0;
    for case in cases() {
        for room in 1.. {
            let shelf = case.shelf();
            let store = MemoryStore::default();
            let (policy, interrupt) = (Policy::default(), Interrupt::default());
            let full = store.clone().with_room_for(room);
            let begin = begin(wide_and_published());
            let begun = Transaction::begin(&shelf, full, begin, policy, interrupt, quiet()).await.unwrap();
            if begun.run().await.is_ok() {
                break;
            }
            deaths += 1;
            case.recover(&shelf, &store, &format!("{case:?} died after {room} records")).await;
        }
    }
    assert!(deaths > 500, "{deaths}");
}

#[tokio::test(start_paused = true)]
async fn r1_r2_r18_a_concurrent_run_that_dies_at_any_time_is_brought_to_its_end() {
    for case in cases() {
        // Finely while things are made; later it mostly waits.
        for millis in (0..1500).step_by(29).chain((1500..).step_by(997)) {
            let shelf = case.shelf();
            let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
            let plan = wide_and_published();
            let begun = transaction(&shelf, &store, plan, (Policy::default(), &interrupt), quiet()).await;
            // The answers on their way are lost, whether or not the requests had their effect.
            if tokio::time::timeout(Duration::from_millis(millis), begun.run()).await.is_ok() {
                break;
            }
            case.recover(&shelf, &store, &format!("{case:?} died after {millis} ms")).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r1_r18_a_recovery_that_dies_at_any_time_is_brought_to_its_end() {
    for case in cases().filter(|case| case.seed < 3) {
        for millis in (0..2000).step_by(190) {
            let shelf = case.shelf();
            let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
            let plan = wide_and_published();
            let begun = transaction(&shelf, &store, plan, (Policy::default(), &interrupt), quiet()).await;
            drop(tokio::time::timeout(Duration::from_millis(millis), begun.run()).await);
            for again in (0..3000).step_by(170) {
                let loaded = store.load::<Shelf>().unwrap();
                let (policy, interrupt) = (Policy::default(), Interrupt::default());
                let taken =
                    Transaction::recover(&shelf, loaded, "test 2", policy, interrupt, quiet()).await.unwrap();
                if tokio::time::timeout(Duration::from_millis(again), taken.run()).await.is_ok() {
                    break;
                }
            }
            case.recover(&shelf, &store, &format!("{case:?} died after {millis} ms and again")).await;
        }
    }
}

//! What the other side says it has not taken up: looked for before it is sent again, and given up only when it stays absent.

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Event, Interrupt, Transaction, Verdict};

use crate::shelf::{Change, Fault};
use crate::{begin, one_at_a_time, plan, published, run, shelf};

#[tokio::test(start_paused = true)]
async fn r10_what_was_put_off_is_looked_for_once_before_it_is_sent_again_and_twice_before_it_is_given_up() {
    let cases: [(&[Fault], u32, u64); 4] = [
        // Looked for once a time; the pauses are those between the sendings.
        (&[Fault::PutOff; 2], 2, 2 + 4),
        // As many sendings as there are; the last is followed by two looks, 10 s apart.
        (&[Fault::PutOff; 3], 4, 2 + 4 + 10),
        // Nothing is known of what is merely in doubt: two looks each time, and the pauses pass meanwhile.
        (&[Fault::Busy; 2], 4, 10 + 10),
        (&[Fault::LostPutOff], 1, 2),
    ];
    for (faults, looks, seconds) in cases {
        let shelf = shelf();
        shelf.faults.lock().unwrap().extend(faults);
        let started = tokio::time::Instant::now();
        let verdict = run(&shelf, MemoryStore::default(), published()).await.unwrap();
        assert_eq!(matches!(verdict, Verdict::Committed), faults.len() < 3, "{faults:?} {verdict:?}");
        assert_eq!(*shelf.looks.lock().unwrap(), looks, "{faults:?}");
        assert_eq!(started.elapsed().as_secs(), seconds, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r10_what_was_put_off_and_then_interrupted_is_looked_for_twice() {
    let shelf = shelf();
    let before = shelf.inventory();
    shelf.faults.lock().unwrap().push_back(Fault::PutOff);
    let interrupt = Interrupt::default();
    let raise = |event: &Event<'_, Change>| {
        if let Event::Resending { .. } = event {
            interrupt.raise();
        }
    };
    let store = MemoryStore::default();
    let begun =
        Transaction::begin(&shelf, store, begin(plan()), one_at_a_time(), interrupt.clone(), raise).await;
    let verdict = begun.unwrap().run().await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(*shelf.looks.lock().unwrap(), 2);
    assert_eq!(shelf.inventory(), before);
}

#[tokio::test(start_paused = true)]
async fn r19_an_interrupt_ends_the_waits_of_reading_back() {
    // Between two looks, and before a look that could not be had.
    for busy_looks in [0, 5] {
        let shelf = shelf();
        let before = shelf.inventory();
        shelf.faults.lock().unwrap().push_back(Fault::Busy);
        *shelf.busy_looks.lock().unwrap() = busy_looks;
        let interrupt = Interrupt::default();
        let decided = std::sync::Mutex::new(None);
        let started = tokio::time::Instant::now();
        let raise = |event: &Event<'_, Change>| match event {
            Event::InDoubt { .. } => interrupt.raise(),
            Event::RollingBack { .. } => *decided.lock().unwrap() = Some(started.elapsed()),
            _ => {}
        };
        let store = MemoryStore::default();
        let policy = one_at_a_time();
        let begun = Transaction::begin(&shelf, store, begin(plan()), policy, interrupt.clone(), raise).await;
        let verdict = begun.unwrap().run().await.unwrap();
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
        assert_eq!(shelf.inventory(), before);
        assert_eq!(decided.lock().unwrap().unwrap().as_secs(), 0, "the decision does not wait");
    }
}

//! What asks a transaction to stop: at once written down, the rest orderly; or at once stopped.

use std::sync::Mutex;
use std::time::Duration;

use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Error, Event, Interrupt, Plan, Policy, Step, StepId, Transaction, Verdict};
use tokio::time::{Instant, sleep};

use crate::concurrent::{Slow, wide};
use crate::shelf::{Change, Fault, Pace};
use crate::{begin, fault_at, plan, published, put, quiet, records, recover, shelf, transaction};

const SECOND: Duration = Duration::from_secs(1);

fn decided(store: &MemoryStore) -> bool {
    records(store).iter().any(|said| said == "roll_back")
}

#[tokio::test(start_paused = true)]
async fn r19_the_decision_is_written_within_a_second_whatever_is_under_way() {
    // At each second of a run in which each write takes half a minute.
    for seconds in 0..180 {
        let shelf = shelf();
        let before = shelf.inventory();
        *shelf.pace.lock().unwrap() = Pace::Writes(30 * SECOND);
        *shelf.work.lock().unwrap() = 60 * SECOND;
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        let begun = transaction(&shelf, &store, plan(), (Policy::default(), &interrupt), quiet()).await;
        let ask = async {
            sleep(seconds * SECOND).await;
            interrupt.raise();
            sleep(SECOND / 2).await;
            let ended = records(&store).iter().any(|said| said.starts_with("end"));
            assert!(ended || decided(&store), "{seconds} s: {:?}", records(&store));
            records(&store).len()
        };
        let (verdict, said) = tokio::join!(begun.run(), ask);
        let later = &records(&store)[said..];
        assert!(later.iter().all(|said| !said.starts_with("intent")), "{seconds} s: {later:?}");
        match verdict.unwrap() {
            Verdict::Committed => assert!(seconds >= 120, "{seconds} s"),
            Verdict::RolledBack { cause, .. } => {
                assert_eq!((cause.step, cause.reason.as_str()), (None, "interrupted"));
                assert_eq!(shelf.inventory(), before, "{seconds} s");
            }
            left @ Verdict::Left { .. } => panic!("{seconds} s: {left:?}"),
        }
        assert_eq!(*shelf.too_early.lock().unwrap(), [0; 0], "{seconds} s: removed while it was being made");
    }
}

#[tokio::test(start_paused = true)]
async fn r19_the_wait_for_an_operation_is_cut_short_and_its_end_awaited_on_the_way_back() {
    let shelf = shelf();
    *shelf.work.lock().unwrap() = 300 * SECOND;
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let started = Instant::now();
    let (halted, undoing) = (Mutex::new(None), Mutex::new(None));
    let observer = |event: &Event<'_, Change>| match event {
        Event::Halted(Step { id, .. }) => *halted.lock().unwrap() = Some((*id, started.elapsed())),
        Event::Undoing(step) if step.id == StepId::new(3) => {
            *undoing.lock().unwrap() = Some(started.elapsed());
        }
        _ => {}
    };
    let begun = transaction(&shelf, &store, plan(), (Policy::default(), &interrupt), observer).await;
    let ask = async {
        sleep(5 * SECOND).await;
        interrupt.raise();
    };
    let (verdict, ()) = tokio::join!(begun.run(), ask);
    assert!(matches!(verdict.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(*halted.lock().unwrap(), Some((StepId::new(3), 5 * SECOND)));
    assert_eq!(*undoing.lock().unwrap(), Some(300 * SECOND));
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn r13_an_operation_that_does_not_end_is_waited_for_as_long_as_the_policy_says() {
    let shelf = shelf();
    *shelf.late.lock().unwrap() = true;
    *shelf.silent.lock().unwrap() = true;
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let policy = Policy { settle_deadline: 100 * SECOND, ..Policy::default() };
    let started = Instant::now();
    let begun = transaction(&shelf, &store, plan(), (policy, &interrupt), quiet()).await;
    let ask = async {
        sleep(5 * SECOND).await;
        interrupt.raise();
    };
    let (verdict, ()) = tokio::join!(begun.run(), ask);
    let Verdict::Left { remaining, .. } = verdict.unwrap() else { panic!("not left") };
    let what: Vec<_> = remaining.iter().map(|left| left.change.as_str()).collect();
    assert_eq!(what, ["put box", "put slow"], "what may still land is not called gone");
    // Two looks, 10 s apart, after the wait.
    assert_eq!(started.elapsed(), (5 + 100 + 10) * SECOND);
}

#[tokio::test(start_paused = true)]
async fn r19_past_the_pivot_an_interrupt_is_noted_and_the_transaction_goes_on() {
    for fault in [Fault::None, Fault::Busy, Fault::PutOff, Fault::LostBusy] {
        for at in [0, 9, 12, 30] {
            let shelf = shelf();
            fault_at(&shelf, 4, fault);
            shelf.faults.lock().unwrap().truncate(5);
            *shelf.pace.lock().unwrap() = Pace::Writes(SECOND);
            let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
            let observer = |event: &Event<'_, Change>| {
                if let Event::Started(Step { change: Change::Publish, .. }) = event {
                    let interrupt = interrupt.clone();
                    // Its request is under way from here on.
                    tokio::spawn(async move {
                        sleep(Duration::from_millis(100) + at * SECOND).await;
                        interrupt.raise();
                    });
                }
            };
            let ready =
                transaction(&shelf, &store, published(), (Policy::default(), &interrupt), observer).await;
            let verdict = ready.run().await.unwrap();
            assert!(matches!(verdict, Verdict::Committed), "{fault:?} {at} s: {verdict:?}");
            assert_eq!(*shelf.published.lock().unwrap(), 1, "{fault:?} {at} s");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r19_before_the_pivot_is_sent_there_is_a_way_back() {
    // While the markers are taken off, and while it is read what undoes the pivot.
    for millis in 0..10 {
        let shelf = shelf();
        let before = shelf.inventory();
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        let observer = |event: &Event<'_, Change>| {
            if let Event::Done { step, .. } = event
                && step.id == StepId::new(4)
            {
                *shelf.pace.lock().unwrap() = Pace::Seeded(millis);
                let interrupt = interrupt.clone();
                tokio::spawn(async move {
                    sleep(Duration::from_millis(millis)).await;
                    interrupt.raise();
                });
            }
        };
        let begun = transaction(&shelf, &store, published(), (Policy::default(), &interrupt), observer).await;
        let verdict = begun.run().await.unwrap();
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{millis} ms: {verdict:?}");
        assert_eq!(shelf.inventory(), before);
    }
}

#[tokio::test(start_paused = true)]
async fn r19_the_second_interrupt_stops_at_once_and_the_journal_says_how_to_go_on() {
    for seconds in [0, 5, 29, 31, 45, 89, 91, 100, 140] {
        let shelf = shelf();
        let before = shelf.inventory();
        *shelf.pace.lock().unwrap() = Pace::Writes(30 * SECOND);
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        fault_at(&shelf, 4, Fault::Unsent);
        let begun = transaction(&shelf, &store, published(), (Policy::default(), &interrupt), quiet()).await;
        let started = Instant::now();
        let ask = async {
            sleep(seconds * SECOND).await;
            interrupt.raise();
            sleep(SECOND / 10).await;
            interrupt.abort();
        };
        let (ended, ()) = tokio::join!(begun.run(), ask);
        assert!(matches!(ended, Err(Error::Aborted)), "{seconds} s: {ended:?}");
        assert_eq!(started.elapsed(), seconds * SECOND + SECOND / 10);
        let again = recover(&shelf, store.load().unwrap()).await.unwrap();
        assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }), "{seconds} s");
        assert_eq!(shelf.inventory(), before, "{seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn r20_a_rollback_ends_when_its_own_time_is_over() {
    let shelf = shelf();
    let mut plan = Plan::default();
    for index in 0..40 {
        plan.push(put(&format!("thing {index}"), false), []);
    }
    plan.push(Change::Publish, []);
    fault_at(&shelf, 40, Fault::Unsent);
    *shelf.pace.lock().unwrap() = Pace::Writes(10 * SECOND);
    let policy = Policy { rollback_deadline: 25 * SECOND, ..Policy::default() };
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let begun = transaction(&shelf, &store, plan, (policy, &interrupt), quiet()).await;
    let Verdict::Left { remaining, .. } = begun.run().await.unwrap() else { panic!("not left") };
    // Three rounds of eight were begun in time, and what was begun was brought to its end.
    assert_eq!(remaining.len(), 40 - 24);
    let reason = "its undo was not begun: the 25 s of the rollback were over";
    assert!(remaining.iter().all(|left| left.reason == reason), "{remaining:?}");
    let again = recover(&shelf, store.load().unwrap()).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
}

#[tokio::test(start_paused = true)]
async fn r18_a_failure_too_ends_the_wait_for_what_is_worked_on() {
    let shelf = shelf();
    *shelf.work.lock().unwrap() = 300 * SECOND;
    // The text cannot be written; the slow thing is accepted by then.
    shelf.faults.lock().unwrap().extend([Fault::None, Fault::None, Fault::None, Fault::Refused]);
    let mut plan = Plan::default();
    let boxed = plan.push(put("box", false), []);
    plan.push(put("slow", true), [boxed]);
    plan.push(put("quick", false), [boxed]);
    plan.push(put("never", false), [boxed]);
    let halted = Mutex::new(Vec::new());
    let observer = |event: &Event<'_, Change>| {
        if let Event::Halted(step) = event {
            halted.lock().unwrap().push(step.id);
        }
    };
    let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
    let begun = transaction(&shelf, &store, plan, (Policy::default(), &interrupt), observer).await;
    let Verdict::RolledBack { cause, .. } = begun.run().await.unwrap() else { panic!("not rolled back") };
    assert_eq!(cause.step, Some(StepId::new(4)));
    assert_eq!(*halted.lock().unwrap(), [StepId::new(2)]);
    assert_eq!(*shelf.too_early.lock().unwrap(), [0; 0]);
    assert_eq!(shelf.names(), ["old"]);
}

#[tokio::test(start_paused = true)]
async fn r18_r19_no_intent_is_written_after_the_decision() {
    for millis in (0..2000).step_by(7) {
        let shelf = shelf();
        let before = shelf.inventory();
        *shelf.pace.lock().unwrap() = Pace::Seeded(millis);
        let (store, interrupt) = (MemoryStore::default(), Interrupt::default());
        let (slow, begin) = (Slow(store.clone()), begin(wide()));
        let begun = Transaction::begin(&shelf, slow, begin, Policy::default(), interrupt.clone(), quiet());
        let begun = begun.await.unwrap();
        let ask = async {
            sleep(Duration::from_millis(millis)).await;
            interrupt.raise();
            shelf.sent.lock().unwrap().len()
        };
        let (verdict, sent) = tokio::join!(begun.run(), ask);
        let said = records(&store);
        let later = shelf.sent.lock().unwrap().len() - sent;
        assert!(later <= 1, "{millis}: only that whose intent was being written: {later}");
        match verdict.unwrap() {
            Verdict::RolledBack { .. } => {
                let decided = said.iter().position(|said| said == "roll_back").unwrap();
                assert!(said[decided..].iter().all(|said| !said.starts_with("intent")), "{millis}: {said:?}");
                assert_eq!(shelf.inventory(), before, "{millis}");
            }
            other => assert!(matches!(other, Verdict::Committed), "{millis}: {other:?}"),
        }
    }
}

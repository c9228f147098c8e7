//! Leases in a folder, and the fence that asks them.

use std::time::Duration;

use selvedge_rollback::journal::{JournalError, MemoryStore};
use selvedge_rollback::lease::{Fence, Holder, LeaseError, Leases};
use selvedge_rollback::{Error, Event, Interrupt, Policy, Transaction, TransactionId, Verdict};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;

use crate::shelf::Fault;
use crate::{begin, fault_at, plan, quiet, shelf};

pub(crate) fn holder(host: &str) -> Holder {
    let transaction = TransactionId::generate();
    Holder { host: host.to_owned(), pid: 7, transaction, since: OffsetDateTime::now_utc() }
}

#[tokio::test(start_paused = true)]
async fn r8_a_folder_has_one_lease_per_subject_and_says_whose_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let leases = Leases::folder(folder.path().join("locks"));
    assert_eq!(leases.list().await.unwrap(), []);
    assert_eq!(leases.show("a/b c").await.unwrap(), None);
    let one = leases.claim("a/b c", holder("one"), Duration::ZERO).await.unwrap();
    let other = leases.claim("d", holder("other"), Duration::ZERO).await.unwrap();
    assert!(one.holds() && other.holds());

    let refused = leases.claim("a/b c", holder("two"), Duration::ZERO).await.unwrap_err().to_string();
    assert!(
        refused.starts_with("`a/b c` is held by process 7 on one for 0 s, with transaction "),
        "{refused}"
    );
    let hosts = |held: Vec<selvedge_rollback::lease::Held>| {
        held.into_iter().map(|held| (held.subject, held.holder.unwrap().host)).collect::<Vec<_>>()
    };
    let both = [("a/b c".to_owned(), "one".to_owned()), ("d".to_owned(), "other".to_owned())];
    assert_eq!(hosts(leases.list().await.unwrap()), both);

    let fence = one.fence();
    one.release().await;
    assert!(!fence.holds(), "a lease that was given back is nobody's");
    assert_eq!(leases.show("a/b c").await.unwrap(), None);
    assert!(leases.claim("a/b c", holder("two"), Duration::ZERO).await.unwrap().holds());
    drop(other);
    assert_eq!(leases.list().await.unwrap(), []);
}

#[test]
fn r8_a_folders_lease_is_one_threads_at_a_time_however_often_it_changes_hands() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let leases = Leases::folder(folder.path());
    let (holders, claimed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let compete = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            for _ in 0..2000 {
                let Ok(lease) = leases.claim("a", holder("one"), Duration::ZERO).await else { continue };
                assert!(lease.holds(), "it was somebody else's, and is removed");
                assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two have it");
                claimed.fetch_add(1, Ordering::SeqCst);
                std::thread::yield_now();
                holders.fetch_sub(1, Ordering::SeqCst);
                lease.release().await;
            }
        });
    };
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(compete);
        }
    });
    assert!(claimed.load(Ordering::SeqCst) > 4);
}

#[test]
fn r8_of_any_claimants_in_a_folder_one_wins() {
    use std::sync::Barrier;
    let folder = tempfile::tempdir().unwrap();
    let mut lost = 0;
    for race in 0..1000_usize {
        let leases = Leases::folder(folder.path());
        let claimants = 2 + race % 7;
        // Of nothing, of what was given back, and of what a process that is gone has left.
        let subject = if race % 3 == 0 { race.to_string() } else { "a".to_owned() };
        if race % 3 == 2 {
            let hash = Sha256::digest(&subject).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
            std::fs::write(folder.path().join(format!("{hash}.lock")), "left").unwrap();
        }
        let start = Barrier::new(claimants);
        let claim = &|claimant: usize| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            runtime.unwrap().block_on(async {
                start.wait();
                leases.claim(&subject, holder(&claimant.to_string()), Duration::ZERO).await
            })
        };
        let ended: Vec<_> = std::thread::scope(|scope| {
            let claims: Vec<_> =
                (0..claimants).map(|claimant| scope.spawn(move || claim(claimant))).collect();
            claims.into_iter().map(|claim| claim.join().unwrap()).collect()
        });
        let winners: Vec<_> = ended.iter().flatten().collect();
        assert_eq!(winners.len(), 1, "race {race} of {claimants}");
        assert!(winners[0].holds());
        lost += ended.iter().filter(|ended| matches!(ended, Err(LeaseError::Held(_)))).count();
    }
    // Two of them in the first race, eight in the seventh.
    assert_eq!(lost, (0..1000).map(|race| 1 + race % 7).sum::<usize>());
}

#[tokio::test(start_paused = true)]
async fn r8_a_lease_in_a_folder_can_be_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let leases = Leases::folder(folder.path());
    let one = leases.claim("a", holder("one"), Duration::ZERO).await.unwrap();
    let later = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        one.release().await;
    };
    let (claimed, ()) = tokio::join!(leases.claim("a", holder("two"), Duration::from_secs(10)), later);
    assert!(claimed.unwrap().holds());
}

#[cfg(unix)]
#[tokio::test(start_paused = true)]
async fn r23_a_broken_lease_is_free_and_its_owner_stops_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let leases = Leases::folder(folder.path());
    assert_eq!(leases.break_("a").await.unwrap(), None);
    let one = leases.claim("a", holder("one"), Duration::ZERO).await.unwrap();
    let broken = leases.break_("a").await.unwrap().unwrap();
    assert_eq!(broken.holder.unwrap().host, "one");
    assert!(!one.holds());
    let two = leases.claim("a", holder("two"), Duration::ZERO).await.unwrap();
    // What the first gives back is not the second's.
    one.release().await;
    assert!(two.holds());
    assert_eq!(leases.list().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn r6_without_its_lease_a_transaction_sends_nothing_more_forth_or_back() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    // The fence closes after so many questions: one before an intent is written, one after.
    for open in 0..15 {
        let shelf = shelf();
        fault_at(&shelf, 3, Fault::Refused);
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        let fence = Fence::new(move || count.fetch_add(1, Ordering::Relaxed) < open);
        let (store, start) = (MemoryStore::default(), begin(plan()));
        let (policy, interrupt) = (Policy { concurrency: 1, ..Policy::default() }, Interrupt::default());
        let begun = Transaction::begin(&shelf, store.clone(), start, policy, interrupt, quiet()).await;
        let ended = begun.unwrap().fenced(fence).run().await;
        let sent = shelf.sent.lock().unwrap().len();
        match ended {
            Ok(Verdict::RolledBack { .. }) => assert_eq!(open, 14, "four changes and three undos"),
            Err(Error::Journal(JournalError::Fenced)) => {
                let calls = open / 2;
                assert_eq!(sent, calls.min(4));
                assert_eq!(shelf.names().len(), [1, 2, 3, 4, 4, 3, 2][calls], "closed after {open}");
                assert_eq!(asked.load(Ordering::Relaxed), open + 1, "it is asked, and that is the end");
            }
            other => panic!("{open}: {other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r6_without_its_lease_a_transaction_tries_no_undo_once_more() {
    let shelf = shelf();
    fault_at(&shelf, 1, Fault::Refused);
    shelf.undo_faults.lock().unwrap().push_back(Fault::Busy);
    let started = tokio::time::Instant::now();
    // The first undo comes after 10 s, between the two looks at what was refused; its repetition 2 s later.
    let fence = Fence::new(move || started.elapsed() < Duration::from_secs(11));
    let (store, policy) = (MemoryStore::default(), Policy { concurrency: 1, ..Policy::default() });
    let begun = Transaction::begin(&shelf, store, begin(plan()), policy, Interrupt::default(), quiet()).await;
    let error = begun.unwrap().fenced(fence).run().await.unwrap_err();
    assert!(matches!(error, Error::Journal(JournalError::Fenced)), "{error}");
    assert_eq!(started.elapsed().as_secs(), 12);
    assert_eq!(shelf.removals.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn r6_without_its_lease_a_transaction_takes_no_marker_off() {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, Ordering};
    // Lost with the last outcome: what is committed stays so, what is still to be published is not.
    for publishes in [false, true] {
        let shelf = shelf();
        let lost = std::sync::Arc::new(AtomicBool::new(false));
        let (lose, asked, told) = (lost.clone(), lost.clone(), Mutex::new(0));
        let watch = |event: &Event<'_, crate::shelf::Change>| match event {
            Event::Done { step, .. } if step.id.number() == 4 => lose.store(true, Ordering::Relaxed),
            Event::StillMarked { .. } => *told.lock().unwrap() += 1,
            _ => {}
        };
        let fence = Fence::new(move || !asked.load(Ordering::Relaxed));
        let (store, policy) = (MemoryStore::default(), Policy { concurrency: 1, ..Policy::default() });
        let start = begin(if publishes { crate::published() } else { plan() });
        let begun = Transaction::begin(&shelf, store, start, policy, Interrupt::default(), watch).await;
        match begun.unwrap().fenced(fence).run().await {
            Ok(Verdict::Committed) => assert_eq!((publishes, *told.lock().unwrap()), (false, 3)),
            Err(Error::Journal(JournalError::Fenced)) => {
                assert_eq!((publishes, *shelf.published.lock().unwrap()), (true, 0));
            }
            other => panic!("{other:?}"),
        }
        let marked = shelf.inventory().into_iter().filter(|thing| thing.marker.is_some()).count();
        assert_eq!(marked, 3, "publishes: {publishes}");
    }
}

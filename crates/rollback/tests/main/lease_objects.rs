//! Leases in an object store, in virtual time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use object_store::ObjectStore as _;
use selvedge_rollback::journal::JournalError;
use selvedge_rollback::lease::{Lease, LeaseError};
use selvedge_rollback::{Error, Interrupt, Policy, Transaction, Verdict};
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::cloud::{Cloud, Trouble};
use crate::lease::holder;
use crate::shelf::Shelf;
use crate::{begin, plan, quiet, recover, shelf};

const NO: Duration = Duration::ZERO;
const LONG: Duration = Duration::from_secs(600);

fn stall(cloud: &Cloud, stalled: bool) {
    *cloud.stalled.lock().unwrap() = stalled;
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn r6_r7_of_any_claimants_one_wins() {
    let mut races = 0;
    for race in 0..1000_usize {
        let cloud = Arc::new(Cloud::default());
        let claimants = 2 + race % 7;
        // Of nothing, of what was given back, and of what has expired.
        let wait = match race % 3 {
            0 => NO,
            1 => {
                cloud.leases().claim("a", holder("first"), NO).await.unwrap().release().await;
                NO
            }
            _ => {
                let gone = cloud.another();
                let lease = gone.leases().claim("a", holder("first"), NO).await.unwrap();
                stall(&gone, true);
                drop(lease);
                Duration::from_secs(61)
            }
        };
        let mut claims = tokio::task::JoinSet::new();
        for claimant in 0..claimants {
            let own = cloud.another();
            *own.turns.lock().unwrap() = 1 + (race / 7 + claimant) % 3;
            // Some lose their answer.
            if claimant % 3 == race % 3 {
                own.troubles.lock().unwrap().push_back(Trouble::Lost);
            }
            claims.spawn(async move {
                tokio::task::yield_now().await;
                own.leases().claim("a", holder(&claimant.to_string()), wait).await
            });
        }
        let ended = claims.join_all().await;
        let winners: Vec<&Lease> = ended.iter().flatten().collect();
        assert_eq!(winners.len(), 1, "race {race} of {claimants}");
        assert!(winners[0].holds());
        let losers = ended.iter().filter(|ended| matches!(ended, Err(LeaseError::Held(_))));
        assert_eq!(losers.count(), claimants - 1, "race {race}");
        races += 1;
    }
    assert_eq!(races, 1000);
}

#[tokio::test(start_paused = true)]
async fn r6_a_lease_that_is_renewed_lasts_and_one_that_is_given_back_is_free() {
    let cloud = Arc::new(Cloud::default());
    let lease = cloud.leases().claim("a", holder("one"), NO).await.unwrap();
    let other = cloud.another().leases();
    let refused = other.claim("a", holder("two"), LONG).await.unwrap_err();
    let LeaseError::Held(held) = refused else { panic!("{refused}") };
    assert_eq!((held.subject.as_str(), held.holder.unwrap().host.as_str()), ("a", "one"));
    assert!(lease.holds(), "ten minutes later");
    assert_eq!(other.show("a").await.unwrap().unwrap().expires_in.unwrap().as_secs(), 60);

    let fence = lease.fence();
    lease.release().await;
    assert!(!fence.holds());
    assert_eq!(other.show("a").await.unwrap(), None);
    assert_eq!(other.list().await.unwrap(), []);
    let two = other.claim("a", holder("two"), NO).await.unwrap();
    // Dropped is given back as well.
    drop(two);
    seconds(1).await;
    assert!(other.claim("a", holder("three"), NO).await.unwrap().holds());
}

#[tokio::test(start_paused = true)]
async fn r22_how_long_an_owner_has_been_silent_is_told_by_the_stores_own_clock_and_decides_nothing() {
    let cloud = Arc::new(Cloud::default());
    let lease = cloud.leases().claim("a", holder("one"), NO).await.unwrap();
    let overdue = async |by: &Arc<Cloud>| {
        let (shown, listed) = (by.leases().show("a").await.unwrap(), by.leases().list().await.unwrap());
        assert_eq!(shown.as_ref(), listed.first());
        shown.unwrap().overdue().map(|silent| silent.as_secs())
    };
    assert_eq!(overdue(&cloud).await, None, "the store does not say what time it is");
    let other = cloud.another();
    // The store's own times are compared with one another, whatever this machine's clock says.
    let put = cloud.memory.list(None).next().await.unwrap().unwrap().last_modified.timestamp();
    for (seconds, silent) in [(-5, None), (0, None), (60, None), (61, Some(61)), (3600, Some(3600))] {
        *other.time.lock().unwrap() = Some(OffsetDateTime::from_unix_timestamp(put + seconds).unwrap());
        assert_eq!(overdue(&other).await, silent, "after {seconds} s");
    }
    // It is held all the same: the owner renews it, and a claimant sees that.
    let refused = other.leases().claim("a", holder("two"), Duration::from_secs(90)).await;
    assert!(matches!(refused, Err(LeaseError::Held(_))), "{refused:?}");
    assert!(lease.holds());
}

#[tokio::test(start_paused = true)]
async fn r6_a_stopped_owner_stops_itself_before_another_can_have_the_lease() {
    let cloud = Arc::new(Cloud::default());
    let lease = cloud.leases().claim("a", holder("one"), NO).await.unwrap();
    stall(&cloud, true);
    let started = Instant::now();
    let claim = async {
        let claimed = cloud.another().leases().claim("a", holder("two"), LONG).await.unwrap();
        (claimed, started.elapsed())
    };
    let watch = async {
        while lease.holds() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        started.elapsed()
    };
    let ((two, claimed), stopped) = tokio::join!(claim, watch);
    assert!(two.holds() && !lease.holds());
    // The last request that it began has 30 s, and there are 5 s to spare.
    assert_eq!(stopped.as_secs(), 25);
    assert_eq!(claimed.as_secs(), 60, "not before the whole ttl, and not much later");
    // It wakes up, and finds out.
    stall(&cloud, false);
    seconds(120).await;
    assert!(two.holds() && !lease.holds());
    drop(lease);
    seconds(60).await;
    assert!(two.holds(), "what is another's is not given back");
}

#[tokio::test(start_paused = true)]
async fn r19_a_lease_that_is_abandoned_runs_out_by_itself() {
    let cloud = Arc::new(Cloud::default());
    let (one, other) = (cloud.leases(), cloud.another().leases());
    one.claim("a", holder("one"), NO).await.unwrap().abandon();
    seconds(1).await;
    assert!(other.claim("a", holder("two"), NO).await.is_err());
    let started = Instant::now();
    assert!(other.claim("a", holder("two"), other.expiry()).await.unwrap().holds());
    assert_eq!(started.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn r6_a_renewal_that_fails_in_passing_is_made_up_for() {
    let cloud = Arc::new(Cloud::default());
    let lease = cloud.leases().claim("a", holder("one"), NO).await.unwrap();
    for trouble in [Trouble::Fails, Trouble::Lost] {
        cloud.troubles.lock().unwrap().extend([trouble; 4]);
        seconds(300).await;
        assert!(cloud.troubles.lock().unwrap().is_empty(), "there were renewals");
        assert!(lease.holds(), "{trouble:?}");
    }
    let refused = cloud.another().leases().claim("a", holder("two"), LONG).await;
    assert!(refused.is_err() && lease.holds());
}

#[tokio::test(start_paused = true)]
async fn r23_a_broken_lease_is_free_and_its_owner_notices_at_its_next_renewal() {
    let cloud = Arc::new(Cloud::default());
    let one = cloud.leases().claim("a", holder("one"), NO).await.unwrap();
    let other = cloud.another().leases();
    assert_eq!(other.break_("b").await.unwrap(), None);
    assert_eq!(other.break_("a").await.unwrap().unwrap().holder.unwrap().host, "one");
    assert_eq!(other.break_("a").await.unwrap(), None);
    seconds(20).await;
    assert!(!one.holds());
    assert_eq!(other.list().await.unwrap(), [], "its owner does not take it back");
    let two = other.claim("a", holder("two"), NO).await.unwrap();
    drop(one);
    seconds(60).await;
    assert!(two.holds());
}

#[tokio::test(start_paused = true)]
async fn r6_r7_an_owner_that_wakes_up_after_a_takeover_sends_nothing_more() {
    // Stopped while it writes any record that a further change follows.
    for puts in 1..9 {
        let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
        let lease = cloud.leases().claim("a", holder("one"), NO).await.unwrap();
        let start = begin(plan());
        let id = start.id;
        let journal = cloud.another().trouble_after(puts, Trouble::Held);
        let store = journal.journals().create(id).await.unwrap();
        let (policy, interrupt) = (Policy { concurrency: 1, ..Policy::default() }, Interrupt::default());
        let begun = Transaction::begin(&shelf, store, start, policy, interrupt, quiet()).await.unwrap();
        let mut old = Box::pin(begun.fenced(lease.fence()).run());
        tokio::select! {
            ended = &mut old => panic!("{puts}: {ended:?}"),
            () = journal.held.notified() => {}
        }
        // It is stopped; another waits for its lease, and takes its transaction up without having written yet.
        stall(&cloud, true);
        let two = cloud.another().leases().claim("a", holder("two"), LONG).await.unwrap();
        let loaded = cloud.another().journals().open::<Shelf>(id).await.unwrap();
        let sent = shelf.sent.lock().unwrap().len();
        stall(&cloud, false);
        journal.go.notify_one();
        // The record under way may come in before the other's first; no change follows it.
        let error = old.await.unwrap_err();
        assert!(matches!(error, Error::Journal(JournalError::Fenced)), "{puts}: {error}");
        assert_eq!(shelf.sent.lock().unwrap().len(), sent, "{puts}");
        let late = recover(&shelf, loaded).await.map(drop).unwrap_err();
        assert!(matches!(late, Error::Journal(JournalError::Superseded { .. })), "{late}");
        let loaded = cloud.another().journals().open::<Shelf>(id).await.unwrap();
        let verdict = recover(&shelf, loaded).await.unwrap().fenced(two.fence()).run().await.unwrap();
        assert!(matches!(verdict, Verdict::Committed), "{verdict:?}");
    }
}

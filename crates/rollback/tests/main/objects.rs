//! Journals in an object store: one object per record, created once; a second writer finds another's and stops.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use selvedge_rollback::journal::{JournalError, Journals};
use selvedge_rollback::{
    Direction, Error, Interrupt, Policy, Store as _, Transaction, TransactionId, Verdict,
};

use crate::cloud::{Cloud, Trouble};
use crate::shelf::{Change, Fault, Shelf};
use crate::{begin, fault_at, made, plan, published, quiet, recover, shelf};

/// Runs a transaction with its journal in `journals`.
async fn run(
    shelf: &Shelf,
    journals: &Journals,
    plan: selvedge_rollback::Plan<Change>,
) -> (TransactionId, Result<Verdict, Error>) {
    let start = begin(plan);
    let id = start.id;
    let store = journals.create(id).await.unwrap();
    let begun = Transaction::begin(shelf, store, start, Policy::default(), Interrupt::default(), quiet());
    (id, async { begun.await?.run().await }.await)
}

async fn names(cloud: &Cloud) -> Vec<Path> {
    let mut names: Vec<_> =
        cloud.memory.list(None).map_ok(|object| object.location).try_collect().await.unwrap();
    names.sort();
    names
}

/// How many intents are in the journal.
async fn intents(cloud: &Cloud) -> usize {
    let mut count = 0;
    for name in names(cloud).await {
        let bytes = cloud.memory.get(&name).await.unwrap().bytes().await.unwrap();
        let record: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        count += usize::from(record["body"]["type"] == "intent");
    }
    count
}

#[tokio::test(start_paused = true)]
async fn r5_a_journal_is_one_object_per_record_and_read_from_anywhere() {
    let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
    let (id, verdict) = run(&shelf, &cloud.journals(), published()).await;
    assert!(matches!(verdict.unwrap(), Verdict::Committed));
    for (seq, name) in names(&cloud).await.iter().enumerate() {
        assert_eq!(name.as_ref(), format!("some/where/tx/{id}/{seq:08}.json"));
    }

    let elsewhere = cloud.another().journals();
    let text = id.to_string();
    assert_eq!(elsewhere.find(&text[..30]).await.unwrap(), id);
    assert!(elsewhere.find("ffff").await.is_err());
    assert_eq!(elsewhere.peek::<Shelf>(id).await.unwrap().direction(), Direction::Committed);
    let listed = elsewhere.list::<Shelf>().await.unwrap();
    assert_eq!(listed.iter().map(|found| found.id).collect::<Vec<_>>(), [id]);
    let missing = elsewhere.peek::<Shelf>(TransactionId::generate()).await;
    assert!(matches!(missing, Err(JournalError::NotFound(_))));
}

#[tokio::test(start_paused = true)]
async fn r5_a_put_that_fails_or_loses_its_answer_is_tried_again_and_writes_one_record() {
    let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
    let journals = cloud.journals();
    let (_, verdict) = run(&shelf, &journals, plan()).await;
    assert!(matches!(verdict.unwrap(), Verdict::Committed));
    let plain = names(&cloud).await.len();
    for trouble in [Trouble::Lost, Trouble::Fails] {
        let (shelf, cloud) = (crate::shelf(), Arc::new(Cloud::default()));
        let every = std::iter::repeat_n([trouble, Trouble::None], 50).flatten();
        cloud.troubles.lock().unwrap().extend(every);
        let (id, verdict) = run(&shelf, &cloud.journals(), plan()).await;
        assert!(matches!(verdict.unwrap(), Verdict::Committed), "{trouble:?}");
        assert_eq!(shelf.inventory(), made());
        assert_eq!(names(&cloud).await.len(), plain, "{trouble:?}");
        assert_eq!(cloud.journals().peek::<Shelf>(id).await.unwrap().direction(), Direction::Committed);
    }
}

#[tokio::test(start_paused = true)]
async fn r3_a_journal_that_lacks_an_object_or_has_one_changed_is_refused() {
    let count = {
        let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
        run(&shelf, &cloud.journals(), plan()).await.1.map(drop).unwrap();
        names(&cloud).await.len()
    };
    for at in 0..count {
        for change in [false, true] {
            let (shelf, cloud) = (crate::shelf(), Arc::new(Cloud::default()));
            let (id, verdict) = run(&shelf, &cloud.journals(), plan()).await;
            assert!(matches!(verdict.unwrap(), Verdict::Committed));
            let name = names(&cloud).await.remove(at);
            if change {
                let mut bytes = cloud.memory.get(&name).await.unwrap().bytes().await.unwrap().to_vec();
                bytes.pop();
                cloud.memory.put(&name, bytes.into()).await.unwrap();
            } else if at + 1 == count {
                // Without its last record it is the journal of a transaction that has not come so far.
                continue;
            } else {
                cloud.memory.delete(&name).await.unwrap();
            }
            let read = cloud.journals().open::<Shelf>(id).await;
            let Err(JournalError::Corrupt { source, .. }) = read else { panic!("{name} {change}") };
            let why = if change { "it is not one line" } else { "where it was due there is" };
            assert!(source.to_string().starts_with(&format!("record {at}: {why}")), "{source}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r1_no_call_is_made_whose_intent_is_not_durable() {
    for puts in 0.. {
        let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()).trouble_after(puts, Trouble::Gone));
        let (_, verdict) = run(&shelf, &cloud.journals(), published()).await;
        let intents = intents(&cloud).await;
        assert_eq!(shelf.sent.lock().unwrap().len(), intents, "gone after {puts} puts");
        match verdict {
            Ok(verdict) => {
                assert!(matches!(verdict, Verdict::Committed) && puts > 15, "{puts} {verdict:?}");
                break;
            }
            Err(Error::Journal(JournalError::Append { .. })) => {}
            Err(error) => panic!("{puts}: {error}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_has_happened_and_cannot_be_recorded_is_kept_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    for (puts, tells) in [(1, false), (2, true)] {
        let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()).trouble_after(puts, Trouble::Gone));
        let journals = cloud.journals().spill_to(folder.path().join("spill"));
        let (id, verdict) = run(&shelf, &journals, plan()).await;
        let error = verdict.unwrap_err();
        let path = folder.path().join("spill").join(format!("{id}.jsonl"));
        assert_eq!(path.exists(), tells, "{error}");
        assert_eq!(error.to_string().contains(&path.display().to_string()), tells, "{error}");
        if tells {
            let record: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
            assert_eq!((record["seq"].as_u64(), &record["body"]["type"]), (Some(2), &"outcome".into()));
            assert_eq!(record["body"]["receipt"]["id"], 2);
        }
    }
    // Where there is no place for it either, both errors are told.
    std::fs::write(folder.path().join("file"), "").unwrap();
    let cloud = Arc::new(Cloud::default()).trouble_after(2, Trouble::Gone);
    let journals = cloud.journals().spill_to(folder.path().join("file"));
    let error = run(&shelf(), &journals, plan()).await.1.unwrap_err().to_string();
    assert!(error.contains("could not write record 2") && error.contains("nor to a file"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn r7_who_wakes_up_after_a_takeover_sends_nothing_more() {
    for fault in [Fault::None, Fault::Refused] {
        for puts in 1.. {
            let shelf = shelf();
            fault_at(&shelf, 3, fault);
            let cloud = Arc::new(Cloud::default()).trouble_after(puts, Trouble::Held);
            let start = begin(plan());
            let id = start.id;
            let store = cloud.journals().create(id).await.unwrap();
            let (policy, interrupt) = (Policy::default(), Interrupt::default());
            let old = async {
                Transaction::begin(&shelf, store, start, policy, interrupt, quiet()).await?.run().await
            };
            let mut old = Box::pin(old);
            // The old process is stopped while it writes a record.
            let ended = tokio::select! {
                ended = &mut old => Some(ended),
                () = cloud.held.notified() => None,
            };
            if let Some(ended) = ended {
                assert!(ended.is_ok() && puts > 10, "{puts}: {ended:?}");
                break;
            }
            let loaded = cloud.another().journals().open::<Shelf>(id).await.unwrap();
            if loaded.state.direction().has_ended() {
                assert!(puts > 10, "{puts}");
                break;
            }
            let new = recover(&shelf, loaded).await.unwrap();
            let sent = shelf.sent.lock().unwrap().len();
            cloud.go.notify_one();
            let error = old.await.unwrap_err();
            assert!(matches!(error, Error::Journal(JournalError::Superseded { .. })), "{puts}: {error}");
            assert_eq!(shelf.sent.lock().unwrap().len(), sent, "{puts}");
            match (new.run().await.unwrap(), fault) {
                (Verdict::Committed, _) => assert_eq!(shelf.inventory(), made(), "{puts}"),
                (Verdict::RolledBack { .. }, Fault::Refused) => assert_eq!(shelf.names(), ["old"], "{puts}"),
                (verdict, _) => panic!("{puts}: {verdict:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r7_of_two_that_take_a_transaction_up_one_does() {
    let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()).trouble_after(4, Trouble::Gone));
    let (id, verdict) = run(&shelf, &cloud.journals(), plan()).await;
    assert!(verdict.is_err());
    let one = cloud.another().journals().open::<Shelf>(id).await.unwrap();
    let other = cloud.another().journals().open::<Shelf>(id).await.unwrap();
    let (one, other) = tokio::join!(recover(&shelf, one), recover(&shelf, other));
    assert_eq!([one.is_ok(), other.is_ok()].iter().filter(|won| **won).count(), 1);
    let error = [one.err(), other.err()].into_iter().flatten().next().unwrap();
    assert!(matches!(error, Error::Journal(JournalError::Superseded { .. })), "{error}");
}

#[tokio::test(start_paused = true)]
async fn many_journals_are_read_at_the_same_time_and_listed_in_their_order() {
    let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
    let mut ids = Vec::new();
    for _ in 0..16 {
        ids.push(run(&shelf, &cloud.journals(), published()).await.0);
    }
    *cloud.latency.lock().unwrap() = Duration::from_millis(100);
    let journals = cloud.journals();
    let started = tokio::time::Instant::now();
    let listed = journals.list::<Shelf>().await.unwrap();
    let took = started.elapsed();
    assert_eq!(listed.iter().map(|found| found.id).collect::<Vec<_>>(), ids);
    assert!(listed.iter().all(|found| found.state.is_ok()));

    let started = tokio::time::Instant::now();
    assert!(journals.summary::<Shelf>(ids[0]).await.state.is_ok());
    let one = started.elapsed();
    assert!(one >= Duration::from_millis(100), "{one:?}");
    // Their names are asked for, and then eight are read at a time.
    assert_eq!(took, one * 3, "{took:?} for 16 journals, {one:?} for one");
}

#[tokio::test(start_paused = true)]
async fn r7_who_waits_to_send_again_while_another_takes_over_does_not() {
    // What is in doubt is looked for twice, 10 s apart; what was put off once, 2 s later.
    for fault in [Fault::Busy, Fault::PutOff] {
        let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
        shelf.faults.lock().unwrap().push_back(fault);
        let start = begin(plan());
        let id = start.id;
        let store = cloud.journals().create(id).await.unwrap();
        let policy = Policy { concurrency: 1, ..Policy::default() };
        let begun = Transaction::begin(&shelf, store, start, policy, Interrupt::default(), quiet()).await;
        let taken = async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            let loaded = cloud.another().journals().open::<Shelf>(id).await.unwrap();
            recover(&shelf, loaded).await.unwrap()
        };
        let (old, new) = tokio::join!(begun.unwrap().run(), taken);
        let error = old.unwrap_err();
        assert!(matches!(error, Error::Journal(JournalError::Superseded { .. })), "{fault:?}: {error}");
        assert_eq!(shelf.sent.lock().unwrap().len(), 1, "{fault:?}");
        assert!(matches!(new.run().await.unwrap(), Verdict::Committed), "{fault:?}");
        assert_eq!(shelf.inventory(), made(), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r4_no_line_follows_one_that_failed_or_was_given_up_though_the_store_is_back() {
    for trouble in [Trouble::Fails, Trouble::Held] {
        let cloud = Arc::new(Cloud::default()).trouble_after(1, trouble);
        // Each of the three tries fails.
        cloud.troubles.lock().unwrap().extend([trouble; 2]);
        let mut store = cloud.journals().create(TransactionId::generate()).await.unwrap();
        store.append(b"1\n".to_vec()).await.unwrap();
        let second = tokio::time::timeout(std::time::Duration::from_secs(60), store.append(b"2\n".to_vec()));
        assert!(!matches!(second.await, Ok(Ok(()))), "{trouble:?}");
        cloud.troubles.lock().unwrap().clear();
        let error = store.append(b"3\n".to_vec()).await.unwrap_err().to_string();
        assert_eq!(error, "an earlier write to the journal failed", "{trouble:?}");
        assert_eq!(names(&cloud).await.len(), 1, "{trouble:?}");
    }
}

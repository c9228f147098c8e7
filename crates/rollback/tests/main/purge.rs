//! Journals are removed once their transactions have ended, whole or not at all.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use object_store::ObjectStore as _;
use selvedge_rollback::journal::{Ended, JournalError, Journals};
use selvedge_rollback::{Direction, Interrupt, Transaction, TransactionId, Verdict};

use crate::cloud::{Cloud, Trouble};
use crate::shelf::{Fault, Shelf};
use crate::{begin, fault_at, one_at_a_time, plan, quiet, shelf};

/// A transaction that ended, or was cut off; the shelf decides.
async fn run_in(journals: &Journals, shelf: &Shelf) -> TransactionId {
    let start = begin(plan());
    let id = start.id;
    let store = journals.create(id).await.unwrap();
    let begun = Transaction::begin(shelf, store, start, one_at_a_time(), Interrupt::default(), quiet());
    drop(async { begun.await?.run().await }.await);
    id
}

async fn ended(journals: &Journals) -> Vec<Ended> {
    journals.list::<Shelf>().await.unwrap().iter().filter_map(|found| found.ended()).collect()
}

async fn objects(cloud: &Cloud) -> usize {
    cloud.memory.list(None).try_collect::<Vec<_>>().await.unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn r23_a_journal_is_removed_once_its_transaction_has_ended_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::folder(folder.path());
    let committed = run_in(&journals, &shelf()).await;
    let rolled_back = shelf();
    fault_at(&rolled_back, 3, Fault::Refused);
    let rolled_back = run_in(&journals, &rolled_back).await;
    // Open, and in the hands of a process.
    let shelf = shelf();
    let start = begin(plan());
    let running = start.id;
    let store = journals.create(running).await.unwrap();
    let begun = Transaction::begin(&shelf, store, start, one_at_a_time(), Interrupt::default(), quiet());
    let begun = begun.await.unwrap();
    // Damaged.
    let damaged = TransactionId::generate();
    std::fs::write(journals.place(damaged), "{}\n").unwrap();

    let spilled = folder.path().join("spill").join(format!("{committed}.jsonl"));
    std::fs::create_dir(spilled.parent().unwrap()).unwrap();
    std::fs::write(&spilled, "{}\n").unwrap();

    let found = ended(&journals).await;
    let told: Vec<_> = found.iter().map(|ended| (ended.id(), ended.direction())).collect();
    assert_eq!(told, [(committed, Direction::Committed), (rolled_back, Direction::RolledBack)]);
    assert!(found.iter().all(|ended| ended.age() < Duration::from_secs(600)));
    for one in &found {
        journals.remove(one).await.unwrap();
        // Once more, as by a second process.
        journals.remove(one).await.unwrap();
        let missing = journals.peek::<Shelf>(one.id()).await;
        assert!(matches!(missing, Err(JournalError::NotFound(_))));
    }
    assert!(!spilled.exists());
    assert_eq!(journals.list::<Shelf>().await.unwrap().len(), 2);
    assert!(matches!(begun.run().await.unwrap(), Verdict::Committed));

    // One that is open for being finished, such as for taking markers off, is in use.
    let again = ended(&journals).await;
    let open = journals.open::<Shelf>(running).await.unwrap();
    let refused = journals.remove(&again[0]).await;
    assert!(matches!(refused, Err(JournalError::Running { .. })), "{refused:?}");
    drop(open);
    journals.remove(&again[0]).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn r23_a_removal_that_is_cut_off_leaves_a_whole_journal_or_none() {
    for deletes in 0.. {
        let cloud = Arc::new(Cloud::default());
        run_in(&cloud.journals(), &shelf()).await;
        let other = run_in(&cloud.journals(), &shelf()).await;
        let each = objects(&cloud).await / 2;
        let one = ended(&cloud.journals()).await.remove(0);
        *cloud.deletes.lock().unwrap() = Some(deletes);
        let removed = cloud.journals().remove(&one).await;
        assert_eq!(removed.is_ok(), deletes > each, "{deletes}: {removed:?}");

        let elsewhere = cloud.another();
        let missing = elsewhere.journals().open::<Shelf>(one.id()).await;
        assert!(matches!(missing, Err(JournalError::NotFound(_))), "{deletes}");
        let listed = elsewhere.journals().list::<Shelf>().await.unwrap();
        assert_eq!(listed.iter().map(|found| found.id).collect::<Vec<_>>(), [other], "{deletes}");
        let unfinished = elsewhere.journals().finish_removals().await.unwrap();
        assert_eq!(unfinished, usize::from(removed.is_err()), "{deletes}");
        assert_eq!(objects(&cloud).await, each, "{deletes}");
        if removed.is_ok() {
            break;
        }
    }
    // Where it cannot even be begun the journal is as it was.
    let cloud = Arc::new(Cloud::default());
    let id = run_in(&cloud.journals(), &shelf()).await;
    let one = ended(&cloud.journals()).await.remove(0);
    let gone = cloud.another().trouble_after(0, Trouble::Gone);
    assert!(matches!(gone.journals().remove(&one).await, Err(JournalError::Remove { .. })));
    assert_eq!(cloud.journals().peek::<Shelf>(id).await.unwrap().direction(), Direction::Committed);
    // And where the answer is lost it is tried again.
    let lossy = cloud.another().trouble_after(0, Trouble::Lost);
    lossy.journals().remove(&one).await.unwrap();
    assert_eq!(objects(&cloud).await, 0);
}

#[tokio::test(start_paused = true)]
async fn r23_who_reads_while_a_journal_is_removed_finds_it_whole_or_not_at_all() {
    for turns in 0..40 {
        let cloud = Arc::new(Cloud::default());
        let id = run_in(&cloud.journals(), &shelf()).await;
        let one = ended(&cloud.journals()).await.remove(0);
        let reader = cloud.another();
        *reader.turns.lock().unwrap() = turns;
        let (journals, removing) = (reader.journals(), cloud.journals());
        let (read, removed) = tokio::join!(journals.peek::<Shelf>(id), removing.remove(&one));
        removed.unwrap();
        match read {
            Ok(state) => assert_eq!(state.direction(), Direction::Committed, "{turns}"),
            Err(JournalError::NotFound(_)) => {}
            Err(error) => panic!("{turns}: {error:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn of_what_has_ended_lately_the_last_record_alone_is_read() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), Arc::<Cloud>::default());
    let (hour, now) = (Duration::from_secs(3600), Duration::ZERO);
    for journals in [Journals::folder(folder.path()), cloud.journals()] {
        // Its last record takes a marker off.
        let committed = run_in(&journals, &shelf()).await;
        let failing = shelf();
        fault_at(&failing, 3, Fault::Refused);
        let rolled_back = run_in(&journals, &failing).await;
        // The taking back fails, and so it is open.
        let stuck = shelf();
        fault_at(&stuck, 3, Fault::Refused);
        stuck.undo_faults.lock().unwrap().extend([Fault::Refused; 20]);
        let open = run_in(&journals, &stuck).await;

        *cloud.gets.lock().unwrap() = 0;
        let ids = async |kept| -> Vec<_> {
            let found = journals.list_unless_ended::<Shelf>(kept).await.unwrap();
            found.iter().map(|found| found.id).collect()
        };
        assert_eq!(ids(hour).await, [open]);
        assert_eq!(ids(now).await, [committed, rolled_back, open]);
        let told: Vec<_> = journals.list::<Shelf>().await.unwrap().iter().map(|found| found.id).collect();
        assert_eq!(told, [committed, rolled_back, open]);
    }
    // Three last records and all of the open one; three last records and everything; and everything.
    let all = objects(&cloud).await;
    let gets = *cloud.gets.lock().unwrap();
    let of_open = gets - 2 * 3 - 2 * all;
    assert!(of_open > 0 && of_open < all / 2, "{gets} objects were read, of {all}");
}

#[tokio::test(start_paused = true)]
async fn r3_a_journal_under_the_name_of_another_transaction_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::folder(folder.path());
    let id = run_in(&journals, &shelf()).await;
    let other = TransactionId::generate();
    std::fs::copy(journals.place(id), journals.place(other)).unwrap();
    let error = journals.peek::<Shelf>(other).await.err().unwrap();
    assert!(matches!(&error, JournalError::Corrupt { .. }), "{error}");
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(why, format!("record 0: it begins transaction {id}: the journal was moved or copied"));
    assert!(journals.peek::<Shelf>(id).await.is_ok());
}

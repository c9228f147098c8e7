//! The journal: read at any cut, refused with any byte changed, private, locked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use selvedge_rollback::journal::{JournalError, Journals, MemoryStore};
use selvedge_rollback::{
    Direction, Error, Interrupt, Policy, StepState, Store as _, Transaction, TransactionId, Verdict,
};

use crate::shelf::{Fault, Shelf};
use crate::{begin, fault_at, plan, quiet, recover, run, shelf};

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
    let journals = Journals::folder(folder.path().join("deep/er"));
    assert!(journals.list::<Shelf>().await.unwrap().is_empty());
    let shelf = shelf();
    let start = begin(plan());
    let id = start.id;
    let store = journals.create(id).await.unwrap();
    assert!(journals.create(id).await.is_err(), "a journal is created once");
    let begun = Transaction::begin(&shelf, store, start, Policy::default(), Interrupt::default(), quiet());
    let transaction = begun.await.unwrap();
    assert!(journals.list::<Shelf>().await.unwrap()[0].running);
    assert!(journals.open::<Shelf>(id).await.is_err(), "a running transaction is not taken up");
    drop(transaction.run().await.unwrap());

    let text = id.to_string();
    assert_eq!(journals.find(&text[..30]).await.unwrap(), id);
    assert!(journals.find("").await.is_err());
    assert!(journals.find("ffff").await.is_err());
    let loaded = journals.open::<Shelf>(id).await.unwrap();
    assert_eq!(loaded.state.direction(), Direction::Committed);
    assert!(loaded.state.steps().all(|(_, state)| *state == StepState::Done));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
        let path = std::path::PathBuf::from(journals.place(id));
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_a_journal_does_not_keep_another_from_taking_it_up() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::folder(folder.path());
    let (shelf, start) = (shelf(), begin(plan()));
    let id = start.id;
    let store = journals.create(id).await.unwrap();
    let begun = Transaction::begin(&shelf, store, start, Policy::default(), Interrupt::default(), quiet());
    drop(begun.await.unwrap());
    let done = Arc::new(AtomicBool::new(false));
    let looking = [0; 4].map(|_| {
        let (elsewhere, done) = (journals.clone(), Arc::clone(&done));
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                assert!(elsewhere.summary::<Shelf>(id).await.state.is_ok());
            }
        })
    });
    for turn in 0..2_000 {
        let opened = journals.open::<Shelf>(id).await;
        assert!(opened.is_ok(), "turn {turn}: {:?}", opened.err());
    }
    done.store(true, Ordering::Relaxed);
    for looking in looking {
        looking.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn r4_a_journal_that_was_made_and_never_begun_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::folder(folder.path());
    let id = begin(plan()).id;
    drop(journals.create(id).await.unwrap());
    for bytes in ["", "{\"v\":1,\"seq\":0,"] {
        std::fs::write(journals.place(id), bytes).unwrap();
        assert!(journals.list::<Shelf>().await.unwrap().is_empty(), "{bytes:?}");
        let error = journals.open::<Shelf>(id).await.err().unwrap();
        assert!(matches!(error, JournalError::NotFound(_)), "{bytes:?}: {error}");
    }
    // No process leaves this by dying.
    for bytes in ["\0\0\0\0", "{\"v\":1}{\"v\":1}", "nothing of the kind"] {
        std::fs::write(journals.place(id), bytes).unwrap();
        let listed = journals.list::<Shelf>().await.unwrap();
        assert!(matches!(listed[0].state, Err(JournalError::Corrupt { .. })), "{bytes:?}");
        let error = journals.open::<Shelf>(id).await.err().unwrap();
        assert!(matches!(error, JournalError::Corrupt { .. }), "{bytes:?}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn r4_a_torn_tail_is_cut_off_before_the_next_record_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::folder(folder.path());
    let shelf = shelf();
    fault_at(&shelf, 3, Fault::Refused);
    let memory = MemoryStore::default();
    let start = begin(plan());
    let id = start.id;
    let begun =
        Transaction::begin(&shelf, memory.clone(), start, Policy::default(), Interrupt::default(), quiet());
    drop(begun.await.unwrap().run().await.unwrap());
    let bytes = memory.bytes();
    drop(journals.create(id).await.unwrap());
    std::fs::write(journals.place(id), &bytes[..bytes.len() - 7]).unwrap();
    let loaded = journals.open::<Shelf>(id).await.unwrap();
    assert_eq!(loaded.state.direction(), Direction::Back, "the end record was torn");
    let again = recover(&shelf, loaded).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(journals.peek::<Shelf>(id).await.unwrap().direction(), Direction::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn r3_who_takes_a_transaction_up_writes_in_an_epoch_of_its_own() {
    let (shelf, store) = (shelf(), MemoryStore::default());
    assert!(run(&shelf, store.clone().with_room_for(5), plan()).await.is_err());
    for _ in 0..2 {
        drop(recover(&shelf, store.load().unwrap()).await.unwrap());
    }
    drop(recover(&shelf, store.load().unwrap()).await.unwrap().run().await.unwrap());
    let text = String::from_utf8(store.bytes()).unwrap();
    let epochs: Vec<_> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["epoch"].as_u64().unwrap())
        .collect();
    assert_eq!(epochs[..8], [1, 1, 1, 1, 1, 2, 3, 4]);
    assert!(epochs[8..].iter().all(|epoch| *epoch == 4), "{epochs:?}");
}

/// What another process adds to a file of which this one lost its lock, as may happen on a network file system.
async fn go_on_elsewhere(shelf: &Shelf, path: &str) {
    let store = MemoryStore::from(std::fs::read(path).unwrap());
    drop(recover(shelf, store.load().unwrap()).await.unwrap());
    std::fs::write(path, store.bytes()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn r7_a_journal_that_another_has_gone_on_with_takes_no_further_line() {
    for changes in 0..4_usize {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::folder(folder.path());
        let shelf = shelf();
        let start = begin(plan());
        let path = journals.place(start.id);
        let store = journals.create(start.id).await.unwrap();
        let done = std::sync::atomic::AtomicUsize::new(0);
        let taken = |event: &selvedge_rollback::Event<'_, crate::shelf::Change>| {
            let selvedge_rollback::Event::Started(_) = event else { return };
            if done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == changes {
                futures_util::FutureExt::now_or_never(go_on_elsewhere(&shelf, &path)).unwrap();
            }
        };
        let (policy, interrupt) = (Policy { concurrency: 1, ..Policy::default() }, Interrupt::default());
        let begun = Transaction::begin(&shelf, store, start, policy, interrupt, taken).await.unwrap();
        let error = begun.run().await.unwrap_err();
        let superseded = matches!(error, Error::Journal(JournalError::Superseded { .. }));
        assert!(superseded, "{changes}: {error}");
        assert_eq!(shelf.sent.lock().unwrap().len(), changes);
    }
}

#[tokio::test]
async fn r4_no_line_follows_one_that_failed_though_the_file_is_as_long_as_it_would_be() {
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::folder(folder.path());
    let id = TransactionId::generate();
    let mut store = journals.create(id).await.unwrap();
    store.append(b"1\n".to_vec()).await.unwrap();
    std::fs::write(journals.place(id), "1\nx\n").unwrap();
    store.append(b"2\n".to_vec()).await.unwrap_err();
    let error = store.append(b"3\n".to_vec()).await.unwrap_err().to_string();
    assert_eq!(error, "an earlier write to the journal failed");
    assert_eq!(std::fs::read(journals.place(id)).unwrap(), b"1\nx\n");
}

proptest::proptest! {
    #[test]
    fn r3_whatever_the_bytes_are_reading_them_ends_in_a_state_or_a_reason(
        bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..2000),
        text in r#"(\{"v":1,"seq":0,"body":\{"type":"begin"\},"chain":"[0-9a-f]{64}"\}\n){0,3}.{0,80}"#,
    ) {
        for bytes in [bytes, text.into_bytes()] {
            proptest::prop_assert!(MemoryStore::from(bytes).load::<Shelf>().is_err());
        }
    }
}

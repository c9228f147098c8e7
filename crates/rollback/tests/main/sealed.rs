//! Journals that are sealed with a key: nothing of a plan can be read in them, and nothing but the whole of one is acted on.

use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt as _;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use selvedge_rollback::journal::{JournalError, Journals, MemoryStore, SealKey};
use selvedge_rollback::{Direction, Error, Interrupt, Plan, StepState, Transaction, TransactionId, Verdict};

use crate::cloud::{Cloud, Trouble};
use crate::shelf::{Change, Fault, Shelf};
use crate::{begin, fault_at, one_at_a_time, plan, put, quiet, recover, run, shelf, write};

/// What a definition may hold.
const CANARY: &str = "canary-of-a-definition";
const KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
const OTHER: &str = "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=";

fn key() -> SealKey {
    SealKey::from_base64(KEY).unwrap()
}

fn secret_plan() -> Plan<Change> {
    let mut plan = Plan::default();
    let boxed = plan.push(put("canary-of-a-definition", true), []);
    plan.push(put("inner", false), [boxed]);
    plan.push(write("old", CANARY), []);
    plan
}

/// Runs a transaction with its journal in `journals`, one change at a time.
async fn run_in(
    journals: &Journals,
    shelf: &Shelf,
    plan: Plan<Change>,
) -> (TransactionId, Result<Verdict, Error>) {
    let start = begin(plan);
    let id = start.id;
    let store = journals.create(id).await.unwrap();
    let begun = Transaction::begin(shelf, store, start, one_at_a_time(), Interrupt::default(), quiet());
    (id, async { begun.await?.run().await }.await)
}

/// Everything in a folder, and whether the canary is in it.
fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes_below(&path) } else { std::fs::read(path).unwrap() });
    }
    all
}

fn holds_canary(bytes: &[u8]) -> bool {
    bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes())
}

async fn bytes_in(cloud: &Cloud) -> Vec<u8> {
    let mut all = Vec::new();
    for object in cloud.memory.list(None).try_collect::<Vec<_>>().await.unwrap() {
        all.extend(cloud.memory.get(&object.location).await.unwrap().bytes().await.unwrap());
    }
    all
}

#[tokio::test(start_paused = true)]
async fn s5_with_a_key_nothing_of_a_plan_can_be_read_in_a_folder_a_store_or_what_is_spilled() {
    for sealed in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let seal = |journals: Journals| if sealed { journals.sealed_with(key()) } else { journals };
        let journals = seal(Journals::folder(folder.path()));
        drop(run_in(&journals, &shelf(), secret_plan()).await.1.unwrap());
        assert_eq!(holds_canary(&bytes_below(folder.path())), !sealed, "folder");

        let cloud = Arc::new(Cloud::default());
        drop(run_in(&seal(cloud.journals()), &shelf(), secret_plan()).await.1.unwrap());
        assert_eq!(holds_canary(&bytes_in(&cloud).await), !sealed, "object store");

        // The outcome of the second step cannot be written: it names what was made.
        let spill = tempfile::tempdir().unwrap();
        let cloud = Arc::new(Cloud::default()).trouble_after(2, Trouble::Gone);
        let journals = seal(cloud.journals()).spill_to(spill.path());
        let (id, ended) = run_in(&journals, &shelf(), secret_plan()).await;
        ended.unwrap_err();
        let spilled = bytes_below(spill.path());
        let tells = |word: &str| spilled.windows(word.len()).any(|window| window == word.as_bytes());
        assert!(!spilled.is_empty());
        assert_eq!((tells("accepted"), tells("sealed")), (!sealed, sealed), "spill");
        let lines = journals.export_spilled(id).await.unwrap();
        let line: serde_json::Value = serde_json::from_slice(lines[0].as_ref().unwrap()).unwrap();
        assert_eq!((&line["body"]["type"], lines.len()), (&"accepted".into(), 1));
    }
}

#[tokio::test(start_paused = true)]
async fn r3_what_can_be_read_of_a_damaged_journal_is_exported_line_by_line() {
    let cloud = Arc::new(Cloud::default());
    let journals = cloud.journals().sealed_with(key());
    let (id, ended) = run_in(&journals, &shelf(), plan()).await;
    drop(ended.unwrap());
    let whole = journals.export(id).await.unwrap();
    for (seq, line) in whole.iter().enumerate() {
        let record: serde_json::Value = serde_json::from_slice(line.as_ref().unwrap()).unwrap();
        assert_eq!(record["seq"], seq);
    }
    let name = |file: &str| object_store::path::Path::from(format!("some/where/tx/{id}/{file}"));
    cloud.memory.delete(&name("00000002.json")).await.unwrap();
    cloud.memory.delete(&name("00000003.json")).await.unwrap();
    cloud.memory.put(&name("00000005.json"), "{}\n".into()).await.unwrap();
    cloud.memory.put(&name("99999999.json"), "x".into()).await.unwrap();
    cloud.memory.put(&name("notes.txt"), "x".into()).await.unwrap();
    let lines = journals.export(id).await.unwrap();
    let told: Vec<_> = lines.iter().filter_map(|line| Some(line.as_ref().err()?.to_string())).collect();
    let n = whole.len();
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(told[0], "record 2: it is missing, and so is all up to record 4");
    assert!(told[1].starts_with("record 5: it is not sealed"), "{told:?}");
    assert_eq!(told[2], format!("record {n}: it is missing, and so is all up to record 99999999"));
    assert!(told[3].starts_with("record 99999999: it is not sealed"), "{told:?}");
    assert!(told[4].contains("notes.txt` is none"), "{told:?}");
    let read: Vec<_> = lines.iter().filter_map(|line| line.as_ref().ok()).collect();
    let kept = [&whole[..2], &whole[4..5], &whole[6..]].into_iter().flatten();
    let expected: Vec<_> = kept.filter_map(|line| line.as_ref().ok()).collect();
    assert_eq!(read, expected);
}

#[tokio::test(start_paused = true)]
async fn s5_who_has_the_key_goes_on_elsewhere_and_who_has_not_does_nothing() {
    for back in [false, true] {
        for puts in 1..14 {
            let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()).trouble_after(puts, Trouble::Gone));
            let (id, ended) = run_in(&cloud.journals().sealed_with(key()), &shelf, secret_plan()).await;
            if ended.is_ok() {
                continue;
            }
            let sent = shelf.sent.lock().unwrap().len();
            let other = SealKey::from_base64(OTHER).unwrap();
            for (journals, expected) in [
                (cloud.another().journals(), "and no key is set"),
                (cloud.another().journals().sealed_with(other), "and the one that is set is "),
            ] {
                let error = journals.open::<Shelf>(id).await.err().unwrap();
                let JournalError::Corrupt { source, .. } = error else { panic!("{error}") };
                let text = source.to_string();
                assert!(
                    text.starts_with("record 0: it is sealed with the key ") && text.contains(expected),
                    "{text}"
                );
            }
            assert_eq!(shelf.sent.lock().unwrap().len(), sent);

            let elsewhere = cloud.another().journals().sealed_with(key());
            let loaded = elsewhere.open::<Shelf>(id).await.unwrap();
            if loaded.state.direction().has_ended() {
                assert!(puts > 8, "{puts}");
                continue;
            }
            let again = recover(&shelf, loaded).await.unwrap();
            if back {
                assert!(
                    matches!(again.roll_back("operator").await, Ok(Verdict::RolledBack { .. })),
                    "{puts}"
                );
                assert_eq!(shelf.inventory()[0].text, "old text");
                assert_eq!(shelf.names(), ["old"], "{puts}");
            } else {
                assert!(matches!(again.run().await, Ok(Verdict::Committed)), "{puts}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn s5_what_is_not_sealed_is_not_believed_where_a_key_is_set() {
    let folder = tempfile::tempdir().unwrap();
    let (id, ended) = run_in(&Journals::folder(folder.path()), &shelf(), plan()).await;
    drop(ended.unwrap());
    let sealed = Journals::folder(folder.path()).sealed_with(key());
    let error = sealed.peek::<Shelf>(id).await.err().unwrap();
    let JournalError::Corrupt { source, .. } = error else { panic!("{error}") };
    assert!(source.to_string().starts_with("record 0: it is not sealed"), "{source}");
    assert!(sealed.list::<Shelf>().await.unwrap()[0].state.is_err());
}

#[tokio::test(start_paused = true)]
async fn s5_r5_a_sealed_put_that_loses_its_answer_is_one_record() {
    for trouble in [Trouble::Lost, Trouble::Fails] {
        let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
        let every = std::iter::repeat_n([trouble, Trouble::None], 50).flatten();
        cloud.troubles.lock().unwrap().extend(every);
        let journals = cloud.journals().sealed_with(key());
        let (id, verdict) = run_in(&journals, &shelf, plan()).await;
        assert!(matches!(verdict.unwrap(), Verdict::Committed), "{trouble:?}");
        assert_eq!(journals.peek::<Shelf>(id).await.unwrap().direction(), Direction::Committed);
    }
}

/// How far the steps have come after so many whole records of [`refused`].
fn states(plain: &[u8], records: usize) -> (Direction, Vec<StepState>) {
    let lines: Vec<_> = plain.split_inclusive(|byte| *byte == b'\n').take(records).collect();
    let loaded = MemoryStore::from(lines.concat()).load::<Shelf>().unwrap();
    told(&loaded.state)
}

fn told(state: &selvedge_rollback::State<Shelf>) -> (Direction, Vec<StepState>) {
    (state.direction(), state.steps().map(|(_, state)| state.clone()).collect())
}

/// The same transaction with a journal in memory and in a sealed folder.
async fn refused(folder: &Path) -> (Vec<u8>, Journals, TransactionId) {
    let (first, second, store) = (shelf(), shelf(), MemoryStore::default());
    fault_at(&first, 3, Fault::Refused);
    fault_at(&second, 3, Fault::Refused);
    assert!(matches!(run(&first, store.clone(), plan()).await, Ok(Verdict::RolledBack { .. })));
    let journals = Journals::folder(folder).sealed_with(key());
    let (id, ended) = run_in(&journals, &second, plan()).await;
    assert!(matches!(ended, Ok(Verdict::RolledBack { .. })));
    (store.bytes(), journals, id)
}

#[tokio::test(start_paused = true)]
async fn s5_r3_a_sealed_journal_cut_at_any_byte_is_read_up_to_its_last_whole_record() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, journals, id) = refused(folder.path()).await;
    let path = journals.place(id);
    let bytes = std::fs::read(&path).unwrap();
    for cut in 0..bytes.len() {
        std::fs::write(&path, &bytes[..cut]).unwrap();
        let records = bytes[..cut].iter().filter(|byte| **byte == b'\n').count();
        match journals.peek::<Shelf>(id).await {
            Ok(state) => assert_eq!(told(&state), states(&plain, records), "cut at {cut}"),
            Err(JournalError::NotFound(_)) => assert_eq!(records, 0, "cut at {cut}"),
            Err(error) => panic!("cut at {cut}: {error}"),
        }
    }
    // What was torn is cut off, and the next record is written in its place.
    std::fs::write(&path, &bytes[..bytes.len() - 7]).unwrap();
    let shelf = shelf();
    let again = recover(&shelf, journals.open(id).await.unwrap()).await.unwrap();
    assert!(matches!(again.run().await.unwrap(), Verdict::RolledBack { .. }));
    assert_eq!(journals.peek::<Shelf>(id).await.unwrap().direction(), Direction::RolledBack);
}

#[tokio::test(start_paused = true)]
async fn s5_r3_a_sealed_journal_with_any_byte_changed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (plain, journals, id) = refused(folder.path()).await;
    let path = journals.place(id);
    let bytes = std::fs::read(&path).unwrap();
    let records = plain.iter().filter(|byte| **byte == b'\n').count();
    for at in 0..bytes.len() {
        // Another letter, a line break, a byte that no text has.
        for changed in [bytes[at] ^ 1, b'\n', 0xff] {
            if changed == bytes[at] || (changed != bytes[at] ^ 1 && at % 7 != 0) {
                continue;
            }
            let mut damaged = bytes.clone();
            damaged[at] = changed;
            std::fs::write(&path, damaged).unwrap();
            match journals.open::<Shelf>(id).await {
                Err(JournalError::Corrupt { .. }) => {}
                // Without its line break the last record is one that was never finished.
                Ok(loaded) if at + 1 == bytes.len() => {
                    assert_eq!(told(&loaded.state), states(&plain, records - 1))
                }
                Ok(_) => panic!("byte {at} changed to {changed}"),
                Err(error) => panic!("byte {at} changed to {changed}: {error}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn s5_r3_a_sealed_record_in_another_place_or_journal_is_refused() {
    let (shelf, cloud) = (shelf(), Arc::new(Cloud::default()));
    let journals = cloud.journals().sealed_with(key());
    let (id, ended) = run_in(&journals, &shelf, plan()).await;
    drop(ended.unwrap());
    let (other, ended) = run_in(&journals, &crate::shelf(), plan()).await;
    drop(ended.unwrap());
    let name = |id: TransactionId, seq: u64| {
        object_store::path::Path::from(format!("some/where/tx/{id}/{seq:08}.json"))
    };
    for (from, seq) in [(other, 0), (other, 5), (id, 4)] {
        let cloud = {
            let copy = Arc::new(Cloud::default());
            for object in cloud.memory.list(None).try_collect::<Vec<_>>().await.unwrap() {
                let bytes = cloud.memory.get(&object.location).await.unwrap().bytes().await.unwrap();
                copy.memory.put(&object.location, bytes.into()).await.unwrap();
            }
            copy
        };
        let bytes = cloud.memory.get(&name(from, seq)).await.unwrap().bytes().await.unwrap();
        let to = if from == id { seq + 1 } else { seq };
        cloud.memory.put(&name(id, to), bytes.into()).await.unwrap();
        let error = cloud.journals().sealed_with(key()).peek::<Shelf>(id).await.err().unwrap();
        let JournalError::Corrupt { source, .. } = error else { panic!("{error}") };
        assert!(source.to_string().contains("or belongs to another place or journal"), "{source}");
    }
}

//! Journals in an object store: one immutable object per record.
//!
//! The fence here is the name: record 7 of a transaction is the object `<prefix>/tx/<id>/00000007.json`, which can be created
//! once. Of two processes that write one the second finds another's bytes in the place of its own, and stops.

use std::io;
use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};

use super::{Corrupt, JournalError, Superseded};
use crate::TransactionId;
use crate::objects::{Tries, may_pass};

/// The part of an object's path that all journals have.
const FOLDER: &str = "tx";
/// What stands beside the records of a journal that is being removed. With it they are none.
const REMOVED: &str = "removed";
/// How many records are read at once.
const AT_ONCE: usize = 16;
/// How many numbers a sequence can have: eight digits.
const LIMIT: u64 = 100_000_000;

/// A place for journals in an object store.
#[derive(Clone, Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    tries: Tries,
}

impl Objects {
    pub(super) fn new(store: Arc<dyn ObjectStore>, prefix: Path, tries: Tries) -> Self {
        Self { store, prefix: prefix.join(FOLDER), tries }
    }

    fn dir(&self, id: TransactionId) -> Path {
        self.prefix.clone().join(id.to_string())
    }

    pub(super) fn place(&self, id: TransactionId) -> String {
        format!("{}/{}", self.store, self.dir(id))
    }

    /// What writes the records of a transaction. Nothing is asked: the first put decides.
    pub(super) fn writer(&self, id: TransactionId) -> ObjectsStore {
        let Self { store, tries, .. } = self;
        ObjectsStore { store: Arc::clone(store), dir: self.dir(id), tries: *tries }
    }

    /// What there is of a journal, in order. One that is being removed is none.
    async fn parts(&self, id: TransactionId) -> Result<Vec<Path>, JournalError> {
        let dir = self.dir(id);
        let mut names = self.names(&dir).await.map_err(|error| self.unread(id, error))?;
        if names.is_empty() || names.contains(&dir.join(REMOVED)) {
            return Err(JournalError::NotFound(id.to_string()));
        }
        names.sort();
        Ok(names)
    }

    /// The records of a transaction in order.
    pub(super) async fn read(&self, id: TransactionId) -> Result<Vec<u8>, JournalError> {
        let (dir, names) = (self.dir(id), self.parts(id).await?);
        for (seq, name) in (0..).zip(&names) {
            if *name != record(&dir, seq) {
                return Err(self.corrupt(id, seq, format!("where it was due there is `{name}`")));
            }
        }
        let read = |name: Path| async move { self.store.get(&name).await?.bytes().await };
        let mut records = futures_util::stream::iter(names.iter().cloned().map(read)).buffered(AT_ONCE);
        let (mut bytes, mut seq) = (Vec::new(), 0);
        loop {
            let record = match records.try_next().await {
                Ok(Some(record)) => record,
                Ok(None) => break,
                // Listed a moment ago: it is being removed, or the place is broken.
                Err(error @ object_store::Error::NotFound { .. }) => {
                    self.parts(id).await?;
                    return Err(self.unread(id, error));
                }
                Err(error) => return Err(self.unread(id, error)),
            };
            if record.iter().position(|byte| *byte == b'\n').is_none_or(|end| end + 1 != record.len()) {
                return Err(self.corrupt(id, seq, "it is not one line".to_owned()));
            }
            bytes.extend_from_slice(&record);
            seq += 1;
        }
        Ok(bytes)
    }

    /// The last record of a journal, and its number.
    pub(super) async fn last(&self, id: TransactionId) -> Option<(u64, Vec<u8>)> {
        let (dir, names) = (self.dir(id), self.parts(id).await.ok()?);
        let seq = u64::try_from(names.len()).ok()?.checked_sub(1)?;
        let last = names.last().filter(|name| **name == record(&dir, seq))?;
        let bytes = self.store.get(last).await.ok()?.bytes().await.ok()?;
        Some((seq, bytes.to_vec()))
    }

    /// What is there of each record, with its number.
    pub(super) async fn read_each(
        &self,
        id: TransactionId,
    ) -> Result<Vec<(u64, Result<Vec<u8>, Corrupt>)>, JournalError> {
        let failed = |error| self.unread(id, error);
        let (dir, mut found, mut due) = (self.dir(id), Vec::new(), 0);
        for name in self.parts(id).await? {
            let number = name.filename().and_then(|name| name.strip_suffix(".json")?.parse().ok());
            let Some(number) = number.filter(|number| name == record(&dir, *number)) else {
                found.push((due, Err(Corrupt::new(due, format!("`{name}` is none")))));
                continue;
            };
            if number > due {
                let why = format!("it is missing, and so is all up to record {number}");
                found.push((due, Err(Corrupt::new(due, why))));
            }
            let read = self.store.get(&name).await.map_err(failed)?.bytes().await.map_err(failed)?;
            found.push((number, Ok(read.to_vec())));
            due = number + 1;
        }
        Ok(found)
    }

    async fn names(&self, below: &Path) -> object_store::Result<Vec<Path>> {
        self.store.list(Some(below)).map_ok(|object| object.location).try_collect().await
    }

    /// Removes a journal: first it is said that there is none, and that is taken back last. At no time does a part of it look like the
    /// journal of a transaction that has not ended.
    pub(super) async fn remove(&self, id: TransactionId) -> io::Result<()> {
        let dir = self.dir(id);
        let removed = dir.clone().join(REMOVED);
        self.tries(async || {
            // Where it was put before, that will do.
            let put = self.store.put_opts(&removed, PutPayload::from_static(b"{}\n"), PutMode::Create.into());
            match put.await {
                Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
                put => put.map(drop),
            }
        })
        .await?;
        self.erase(&dir, &removed).await
    }

    /// Deletes everything below `dir`, and `removed` last.
    async fn erase(&self, dir: &Path, removed: &Path) -> io::Result<()> {
        loop {
            // Once more, until nothing comes: a process that was stopped may have added a record meanwhile.
            let mut names = self.tries(async || self.names(dir).await).await?;
            names.retain(|name| name != removed);
            if names.is_empty() {
                return self.tries(async || self.delete(removed).await).await;
            }
            let delete = |name: Path| async move { self.tries(async || self.delete(&name).await).await };
            futures_util::stream::iter(names.into_iter().map(delete))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
        }
    }

    async fn delete(&self, name: &Path) -> object_store::Result<()> {
        match self.store.delete(name).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            deleted => deleted,
        }
    }

    /// Goes on with every removal that was cut off.
    pub(super) async fn finish_removals(&self) -> Result<usize, JournalError> {
        let place = || format!("{}/{}", self.store, self.prefix);
        let names = self.names(&self.prefix).await;
        let names = names.map_err(|error| JournalError::Read { place: place(), source: error.into() })?;
        let removed: Vec<_> = names.iter().filter(|name| name.filename() == Some(REMOVED)).collect();
        for removed in &removed {
            let dir: Path = removed.parts().take(removed.parts_count() - 1).collect();
            let erased = self.erase(&dir, removed).await;
            erased.map_err(|source| JournalError::Remove { place: place(), source })?;
        }
        Ok(removed.len())
    }

    /// Tries what may be tried again.
    async fn tries<R>(&self, work: impl AsyncFn() -> object_store::Result<R>) -> io::Result<R> {
        let mut attempt = 1;
        loop {
            match work().await {
                Err(error) if attempt < self.tries.attempts && may_pass(&error) => {
                    tokio::time::sleep(self.tries.delay(attempt)).await;
                    attempt += 1;
                }
                done => return done.map_err(Into::into),
            }
        }
    }

    fn unread(&self, id: TransactionId, error: object_store::Error) -> JournalError {
        JournalError::Read { place: self.place(id), source: error.into() }
    }

    fn corrupt(&self, id: TransactionId, seq: u64, why: String) -> JournalError {
        JournalError::Corrupt { place: self.place(id), source: Corrupt::new(seq, why) }
    }

    /// The transactions that have a journal here.
    pub(super) async fn ids(&self) -> Result<Vec<TransactionId>, JournalError> {
        let listed = self.store.list_with_delimiter(Some(&self.prefix)).await.map_err(|error| {
            JournalError::Read { place: format!("{}/{}", self.store, self.prefix), source: error.into() }
        })?;
        let folders = listed.common_prefixes.iter();
        Ok(folders.filter_map(|folder| folder.filename()?.parse().ok()).collect())
    }
}

/// Where a record is.
fn record(dir: &Path, seq: u64) -> Path {
    dir.clone().join(format!("{seq:08}.json"))
}

/// Writes the records of one transaction.
pub(super) struct ObjectsStore {
    store: Arc<dyn ObjectStore>,
    dir: Path,
    tries: Tries,
}

/// What became of one put.
enum Put {
    Written,
    /// Whether it was written is not known.
    InDoubt(object_store::Error),
}

impl ObjectsStore {
    /// Puts record `seq`.
    pub(super) async fn append(&self, seq: u64, line: Vec<u8>) -> io::Result<()> {
        if seq >= LIMIT {
            return Err(io::Error::other("the journal is full"));
        }
        let (name, line) = (record(&self.dir, seq), PutPayload::from(line));
        let mut attempt = 1;
        while let Put::InDoubt(error) = self.put(&name, &line).await? {
            if attempt >= self.tries.attempts || !may_pass(&error) {
                return Err(error.into());
            }
            tokio::time::sleep(self.tries.delay(attempt)).await;
            attempt += 1;
        }
        Ok(())
    }

    /// Puts a record once. Whatever the answer, what is there then decides: a put whose answer was lost is not a failure, and
    /// can be repeated.
    async fn put(&self, name: &Path, line: &PutPayload) -> io::Result<Put> {
        let mode =
            if cfg!(selvedge_bug = "writes-over-records") { PutMode::Overwrite } else { PutMode::Create };
        let put = self.store.put_opts(name, line.clone(), mode.into()).await;
        let Err(error) = put else {
            return Ok(Put::Written);
        };
        let found = match self.store.get(name).await {
            Ok(found) => found.bytes().await,
            Err(unread) => Err(unread),
        };
        match found {
            Ok(bytes) if bytes == bytes::Bytes::from(line.clone()) => Ok(Put::Written),
            Ok(_) => Err(Superseded.into()),
            Err(_) => Ok(Put::InDoubt(error)),
        }
    }
}

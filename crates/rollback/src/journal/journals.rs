//! The place where journals are: a local folder, or an object store.

use std::io;
use std::path::PathBuf;

use futures_util::StreamExt as _;
use time::OffsetDateTime;

use super::envelope::{self, Spot};
use super::folder::{FileStore, Folder, append_to};
#[cfg(feature = "object-store")]
use super::objects::{Objects, ObjectsStore};
use super::seal::SealKey;
use super::{Corrupt, JournalError, Loaded, Read, Store, after_failure, read_opened};
use crate::{State, Target, TransactionId, events};

/// How many journals are read at once, where all are listed.
pub(super) const AT_ONCE: usize = 8;

/// The place where journals are. Clones are handles of one place.
#[derive(Clone, Debug)]
pub struct Journals {
    pub(super) place: Place,
    spill: Option<PathBuf>,
    /// What lines are sealed with, and have to be sealed with.
    pub(super) key: Option<SealKey>,
}

#[derive(Clone, Debug)]
pub(super) enum Place {
    Folder(Folder),
    #[cfg(feature = "object-store")]
    Objects(Objects),
}

/// One journal, as [`Journals::list`] found it.
pub struct Summary<T: Target> {
    /// The transaction, from the journal's name.
    pub id: TransactionId,
    /// Whether a process has it open, as far as the place can tell: an object store cannot, and its [lease](crate::lease) has to
    /// be asked.
    pub running: bool,
    /// When its last record was written, by the clock of the machine that wrote it. `None` where it cannot be acted on.
    pub last: Option<OffsetDateTime>,
    /// What it says, or why it cannot be acted on.
    pub state: Result<State<T>, JournalError>,
}

impl Journals {
    /// The journals in a folder, which need not exist yet. What cannot be written there is spilled to its folder `spill`.
    pub fn folder(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        let spill = Some(dir.join("spill"));
        Self { place: Place::Folder(Folder::new(dir)), spill, key: None }
    }

    /// The journals in an object store, below `prefix`. The store must know creating puts
    /// ([`PutMode::Create`](object_store::PutMode::Create)), and its own retries should be off: `tries` are the retries.
    #[cfg(feature = "object-store")]
    pub fn objects(
        store: std::sync::Arc<dyn object_store::ObjectStore>,
        prefix: object_store::path::Path,
        tries: crate::objects::Tries,
    ) -> Self {
        Self { place: Place::Objects(Objects::new(store, prefix, tries)), spill: None, key: None }
    }

    /// Sets the local folder for records of what has happened that cannot be written to the journal. They are for an operator's
    /// eyes; nothing reads them back.
    #[must_use]
    pub fn spill_to(mut self, dir: impl Into<PathBuf>) -> Self {
        self.spill = Some(dir.into());
        self
    }

    /// Seals every record that is written, and takes none that is not sealed with this key.
    #[cfg(feature = "seal")]
    #[must_use]
    pub fn sealed_with(mut self, key: SealKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Where a transaction's journal is, for people.
    #[must_use]
    pub fn place(&self, id: TransactionId) -> String {
        match &self.place {
            Place::Folder(folder) => folder.place(id),
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.place(id),
        }
    }

    /// Creates the journal of a new transaction; in a folder readable by its owner only, and the folder where it is missing. An
    /// object store is first asked when the first record is written.
    ///
    /// # Errors
    ///
    /// When it cannot be created durably, or is there already.
    pub async fn create(&self, id: TransactionId) -> Result<JournalStore, JournalError> {
        let backend = match &self.place {
            Place::Folder(folder) => {
                let failed = |source| JournalError::Create { place: self.place(id), source };
                let folder = folder.clone();
                let created = tokio::task::spawn_blocking(move || folder.create(id)).await;
                Backend::File(created.map_err(io::Error::other).flatten().map_err(failed)?)
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => Backend::Objects(objects.writer(id)),
        };
        Ok(self.store(id, backend, 0))
    }

    /// Opens the journal of a transaction for going on with it.
    ///
    /// In a folder, a last record that was never finished is cut off: nothing was done on the strength of it.
    ///
    /// # Errors
    ///
    /// When it is not there, is in use by a running process, cannot be read, or is damaged.
    pub async fn open<T: Target>(&self, id: TransactionId) -> Result<Loaded<T, JournalStore>, JournalError> {
        match &self.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                let (mut file, bytes) = self.blocking(id, move || folder.open(id)).await?;
                let read = self.parse::<T>(id, &bytes)?;
                if read.torn > 0 {
                    events::torn_tail(&self.place(id), read.torn);
                    file.cut(read.torn)
                        .map_err(|source| JournalError::Read { place: self.place(id), source })?;
                }
                let store = self.store(id, Backend::File(file), read.seq);
                Ok(read.into_loaded(store))
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => {
                let read = self.parse::<T>(id, &objects.read(id).await?)?;
                let store = self.store(id, Backend::Objects(objects.writer(id)), read.seq);
                Ok(read.into_loaded(store))
            }
        }
    }

    /// Reads a journal without opening it for writing.
    ///
    /// # Errors
    ///
    /// When it is not there, cannot be read, or is damaged.
    pub async fn peek<T: Target>(&self, id: TransactionId) -> Result<State<T>, JournalError> {
        Ok(self.read::<T>(id).await?.state)
    }

    async fn read<T: Target>(&self, id: TransactionId) -> Result<Read<T>, JournalError> {
        let bytes = match &self.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                self.blocking(id, move || folder.read(id)).await?
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.read(id).await?,
        };
        self.parse::<T>(id, &bytes)
    }

    /// Every journal there, oldest first.
    ///
    /// # Errors
    ///
    /// When the place cannot be read. A journal that cannot be read is listed with the reason.
    pub async fn list<T: Target>(&self) -> Result<Vec<Summary<T>>, JournalError> {
        Ok(self.summaries(self.ids().await?).await)
    }

    pub(super) async fn summaries<T: Target>(&self, ids: Vec<TransactionId>) -> Vec<Summary<T>> {
        let summaries = ids.into_iter().map(|id| self.summary(id));
        let found = futures_util::stream::iter(summaries).buffered(AT_ONCE);
        // What has no record was made, and its process died before it could begin; or it is being removed.
        let begun = |found: &Summary<T>| !matches!(found.state, Err(JournalError::NotFound(_)));
        found.filter(|found| std::future::ready(begun(found))).collect().await
    }

    /// One journal, as [`Journals::list`] finds it.
    pub async fn summary<T: Target>(&self, id: TransactionId) -> Summary<T> {
        let running = match &self.place {
            Place::Folder(folder) => folder.is_open(id),
            #[cfg(feature = "object-store")]
            Place::Objects(_) => false,
        };
        match self.read::<T>(id).await {
            Ok(Read { at, state, .. }) => Summary { id, running, last: Some(at), state: Ok(state) },
            Err(error) => Summary { id, running, last: None, state: Err(error) },
        }
    }

    /// The one transaction whose id begins with `prefix`.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one.
    pub async fn find(&self, prefix: &str) -> Result<TransactionId, JournalError> {
        let mut matching = self.ids().await?.into_iter().filter(|id| id.to_string().starts_with(prefix));
        match (matching.next(), matching.next()) {
            (Some(id), None) if !prefix.is_empty() => Ok(id),
            (Some(_), _) => Err(JournalError::Ambiguous(prefix.to_owned())),
            (None, _) => Err(JournalError::NotFound(prefix.to_owned())),
        }
    }

    /// The transactions that have a journal here, oldest first, whatever is in it.
    ///
    /// # Errors
    ///
    /// When the place cannot be read.
    pub async fn ids(&self) -> Result<Vec<TransactionId>, JournalError> {
        let mut ids = match &self.place {
            Place::Folder(folder) => folder.ids()?,
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.ids().await?,
        };
        ids.sort();
        Ok(ids)
    }

    fn parse<T: Target>(&self, id: TransactionId, bytes: &[u8]) -> Result<Read<T>, JournalError> {
        // Without a whole record nothing was ever begun.
        if is_beginning(bytes) {
            if !bytes.is_empty() {
                events::no_record(&self.place(id));
            }
            return Err(JournalError::NotFound(id.to_string()));
        }
        let corrupt = |source| JournalError::Corrupt { place: self.place(id), source };
        let read = read_opened::<T>(bytes, |seq, line| {
            envelope::open(self.key.as_ref(), Spot::record(id, seq), seq, line)
        })
        .map_err(corrupt)?;
        let named = read.state.begin().id;
        if named != id {
            return Err(corrupt(Corrupt::new(
                0,
                format!("it begins transaction {named}: the journal was moved or copied"),
            )));
        }
        Ok(read)
    }

    fn store(&self, id: TransactionId, backend: Backend, next: u64) -> JournalStore {
        JournalStore { id, next, key: self.key.clone(), backend, spill: self.spilled(id), failed: false }
    }

    /// The file for what of a journal cannot be written.
    pub(super) fn spilled(&self, id: TransactionId) -> Option<PathBuf> {
        self.spill.as_ref().map(|dir| dir.join(format!("{id}.jsonl")))
    }

    /// Reads files where that does not hold up what else the process does.
    pub(super) async fn blocking<R: Send + 'static>(
        &self,
        id: TransactionId,
        work: impl FnOnce() -> Result<R, JournalError> + Send + 'static,
    ) -> Result<R, JournalError> {
        let failed = |error| JournalError::Read { place: self.place(id), source: io::Error::other(error) };
        tokio::task::spawn_blocking(work).await.map_err(failed).flatten()
    }
}

/// Whether this is what a process leaves that dies while it writes the first record: nothing, or the beginning of one line.
fn is_beginning(bytes: &[u8]) -> bool {
    let unfinished = |error: serde_json::Error| error.is_eof();
    !bytes.contains(&b'\n')
        && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).err().is_none_or(unfinished)
}

/// The journal of one transaction, in whichever place.
pub struct JournalStore {
    id: TransactionId,
    /// The number of the next record.
    next: u64,
    key: Option<SealKey>,
    backend: Backend,
    /// The file for what could not be written.
    spill: Option<PathBuf>,
    /// An append failed, or was dropped halfway.
    failed: bool,
}

enum Backend {
    File(FileStore),
    #[cfg(feature = "object-store")]
    Objects(ObjectsStore),
}

impl Store for JournalStore {
    async fn append(&mut self, line: Vec<u8>) -> io::Result<()> {
        // After a failed write or fsync the kernel may have dropped the pages, and of a put nobody knows whether it came: a later
        // success would prove nothing.
        if std::mem::replace(&mut self.failed, true) {
            return Err(after_failure());
        }
        // Once, however often it is put: the bytes tell ours from another's.
        let line = envelope::close(self.key.as_ref(), Spot::record(self.id, self.next), line)?;
        match &mut self.backend {
            Backend::File(file) => file.append(line).await?,
            #[cfg(feature = "object-store")]
            Backend::Objects(objects) => objects.append(self.next, line).await?,
        }
        self.failed = false;
        self.next += 1;
        Ok(())
    }

    async fn spill(&mut self, line: Vec<u8>) -> Option<io::Result<PathBuf>> {
        let path = self.spill.clone()?;
        let (key, spot) = (self.key.clone(), Spot::spill(self.id));
        let spilled = tokio::task::spawn_blocking(move || {
            let line = envelope::close(key.as_ref(), spot, line)?;
            append_to(&path, &line).map(|()| path)
        })
        .await;
        Some(spilled.map_err(io::Error::other).flatten())
    }
}

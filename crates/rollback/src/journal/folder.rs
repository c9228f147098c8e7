//! Journals in a local folder: one file per transaction, fsync per record.
//!
//! The fence here is the lock: the process that owns a journal holds an exclusive lock of the operating system on its file until
//! it drops it or dies, and nobody takes a transaction up without that lock. A process that is stopped and goes on later still
//! has it. Where a lock can get lost all the same, as on some network file systems, each append first looks whether the file is as
//! long as this process left it: what another has added ends the writing here.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{JournalError, Superseded};
use crate::TransactionId;
use crate::disk::{create_dir, files, open_private, remove, sync_dir};

/// A folder of journals.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

const EXTENSION: &str = "jsonl";
/// That long a lock is not taken for that of a process that works on the journal.
const GLANCE: Duration = Duration::from_millis(100);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(2);

impl Folder {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    pub(super) fn path(&self, id: TransactionId) -> PathBuf {
        self.0.join(format!("{id}.{EXTENSION}"))
    }

    pub(super) fn place(&self, id: TransactionId) -> String {
        self.path(id).display().to_string()
    }

    pub(super) fn create(&self, id: TransactionId) -> io::Result<FileStore> {
        create_dir(&self.0)?;
        let path = self.path(id);
        let file = open_private(OpenOptions::new().append(true).create_new(true), &path)?;
        lock(&file)?;
        file.sync_all()?;
        sync_dir(&self.0)?;
        Ok(FileStore::new(file, 0))
    }

    /// Locks a journal and reads it.
    pub(super) fn open(&self, id: TransactionId) -> Result<(FileStore, Vec<u8>), JournalError> {
        let path = self.path(id);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|error| self.unreadable(id, error))?;
        match lock(&file) {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(JournalError::Running { place: self.place(id) });
            }
            Err(fs::TryLockError::Error(error)) => return Err(self.unreadable(id, error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| self.unreadable(id, error))?;
        let length = bytes.len() as u64;
        Ok((FileStore::new(file, length), bytes))
    }

    /// Removes a journal that no process has open.
    pub(super) fn remove(&self, id: TransactionId) -> Result<(), JournalError> {
        let failed = |source| JournalError::Remove { place: self.place(id), source };
        let file = match File::open(self.path(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file.map_err(failed)?,
        };
        match lock(&file) {
            Ok(()) => remove(&self.path(id)).map_err(failed),
            Err(fs::TryLockError::WouldBlock) => Err(JournalError::Running { place: self.place(id) }),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    pub(super) fn read(&self, id: TransactionId) -> Result<Vec<u8>, JournalError> {
        fs::read(self.path(id)).map_err(|error| self.unreadable(id, error))
    }

    /// The last whole line of a journal, and its number.
    pub(super) fn last(&self, id: TransactionId) -> Option<(u64, Vec<u8>)> {
        let bytes = fs::read(self.path(id)).ok()?;
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| line.ends_with(b"\n"));
        (0..).zip(lines).last().map(|(seq, line)| (seq, line.to_vec()))
    }

    /// Whether a process has it open.
    pub(super) fn is_open(&self, id: TransactionId) -> bool {
        File::open(self.path(id))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
    }

    /// The transactions that have a journal here.
    pub(super) fn ids(&self) -> Result<Vec<TransactionId>, JournalError> {
        let failed = |source| JournalError::Read { place: self.0.display().to_string(), source };
        let paths = files(&self.0, EXTENSION).map_err(failed)?;
        Ok(paths.iter().filter_map(|path| path.file_stem()?.to_str()?.parse().ok()).collect())
    }

    fn unreadable(&self, id: TransactionId, error: io::Error) -> JournalError {
        match error.kind() {
            io::ErrorKind::NotFound => JournalError::NotFound(id.to_string()),
            _ => JournalError::Read { place: self.place(id), source: error },
        }
    }
}

/// Locks a journal, unless a process has it. Who merely looks whether one has it holds a lock of its own for a moment.
fn lock(file: &File) -> Result<(), fs::TryLockError> {
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Err(fs::TryLockError::WouldBlock) if started.elapsed() < GLANCE => std::thread::sleep(LOOK),
            locked => return locked,
        }
    }
}

/// The journal file of one transaction, locked while it is open.
pub(super) struct FileStore {
    file: Arc<File>,
    /// How long this process left it.
    length: u64,
}

impl FileStore {
    fn new(file: File, length: u64) -> Self {
        Self { file: Arc::new(file), length }
    }

    /// Cuts off a last record that was never finished.
    pub(super) fn cut(&mut self, torn: usize) -> io::Result<()> {
        self.length -= torn as u64;
        self.file.set_len(self.length)?;
        self.file.sync_all()
    }

    pub(super) async fn append(&mut self, line: Vec<u8>) -> io::Result<()> {
        let (file, length) = (Arc::clone(&self.file), self.length);
        self.length += line.len() as u64;
        tokio::task::spawn_blocking(move || {
            if file.metadata()?.len() != length {
                return Err(Superseded.into());
            }
            (&*file).seek(SeekFrom::Start(length))?;
            (&*file).write_all(&line)?;
            file.sync_data()
        })
        .await
        .map_err(io::Error::other)?
    }
}

/// Adds lines to a file that its owner alone can read, and makes them durable.
pub(super) fn append_to(path: &Path, line: &[u8]) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        create_dir(dir)?;
    }
    let mut file = open_private(OpenOptions::new().append(true).create(true), path)?;
    file.write_all(line)?;
    file.sync_all()?;
    path.parent().map_or(Ok(()), sync_dir)
}

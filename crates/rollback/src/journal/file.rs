//! Journals in a local folder: one file per transaction, fsync per record.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{JournalError, Loaded, Store, read};
use crate::{State, Target, TransactionId, events};

/// A folder of journals.
#[derive(Clone, Debug)]
pub struct Journals {
    dir: PathBuf,
}

/// One journal of the folder, as [`Journals::list`] found it.
pub struct Summary<T: Target> {
    /// The transaction, from the file's name.
    pub id: TransactionId,
    /// Whether a process has it open.
    pub running: bool,
    /// What it says, or why it cannot be acted on.
    pub state: Result<State<T>, JournalError>,
}

const EXTENSION: &str = "jsonl";

impl Journals {
    /// The journals in `dir`, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// Where a transaction's journal is.
    #[must_use]
    pub fn path(&self, id: TransactionId) -> PathBuf {
        self.dir.join(format!("{id}.{EXTENSION}"))
    }

    /// Creates the journal of a new transaction, readable by its owner only, and the folder where it is missing.
    ///
    /// # Errors
    ///
    /// When the file cannot be created durably, or is there already.
    pub fn create(&self, id: TransactionId) -> io::Result<FileStore> {
        create_dir(&self.dir)?;
        let path = self.path(id);
        let mut options = OpenOptions::new();
        options.append(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        file.try_lock()?;
        file.sync_all()?;
        sync_dir(&self.dir)?;
        Ok(FileStore { file: Arc::new(file), failed: false })
    }

    /// Opens the journal of a transaction for going on with it.
    ///
    /// A last record that was never finished is cut off: nothing was done on the strength of it.
    ///
    /// # Errors
    ///
    /// When it is not there, is in use by a running process, cannot be read, or is damaged.
    pub fn open<T: Target>(&self, id: TransactionId) -> Result<Loaded<T, FileStore>, JournalError> {
        let path = self.path(id);
        let failed = |source| JournalError::Read { path: path.clone(), source };
        let mut file = match OpenOptions::new().read(true).write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::NotFound(id.to_string()));
            }
            Err(error) => return Err(failed(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => return Err(JournalError::Running { path }),
            Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let read =
            read::<T>(&bytes).map_err(|source| JournalError::Corrupt { path: path.clone(), source })?;
        if read.torn > 0 {
            events::torn_tail(&path, read.torn);
            file.set_len((bytes.len() - read.torn) as u64).map_err(failed)?;
            file.sync_all().map_err(failed)?;
        }
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        Ok(read.into_loaded(FileStore { file: Arc::new(file), failed: false }))
    }

    /// Reads a journal without opening it for writing.
    ///
    /// # Errors
    ///
    /// When it is not there, cannot be read, or is damaged.
    pub fn peek<T: Target>(&self, id: TransactionId) -> Result<State<T>, JournalError> {
        let path = self.path(id);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(JournalError::NotFound(id.to_string()));
            }
            Err(source) => return Err(JournalError::Read { path, source }),
        };
        match read::<T>(&bytes) {
            Ok(read) => Ok(read.state),
            Err(source) => Err(JournalError::Corrupt { path, source }),
        }
    }

    /// Every journal in the folder, oldest first.
    ///
    /// # Errors
    ///
    /// When the folder cannot be read. A journal that cannot be read is listed with the reason.
    pub fn list<T: Target>(&self) -> Result<Vec<Summary<T>>, JournalError> {
        let mut found = Vec::new();
        for id in self.ids()? {
            let running = File::open(self.path(id))
                .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)));
            found.push(Summary { id, running, state: self.peek(id) });
        }
        Ok(found)
    }

    /// The one transaction whose id begins with `prefix`.
    ///
    /// # Errors
    ///
    /// When there is none, or more than one.
    pub fn find(&self, prefix: &str) -> Result<TransactionId, JournalError> {
        let mut matching = self.ids()?.into_iter().filter(|id| id.to_string().starts_with(prefix));
        match (matching.next(), matching.next()) {
            (Some(id), None) if !prefix.is_empty() => Ok(id),
            (Some(_), _) => Err(JournalError::Ambiguous(prefix.to_owned())),
            (None, _) => Err(JournalError::NotFound(prefix.to_owned())),
        }
    }

    fn ids(&self) -> Result<Vec<TransactionId>, JournalError> {
        let failed = |source| JournalError::Read { path: self.dir.clone(), source };
        let entries = match fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == EXTENSION)
                && let Some(id) = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok())
            {
                ids.push(id);
            }
        }
        ids.sort();
        Ok(ids)
    }
}

/// The journal file of one transaction, locked while it is open.
pub struct FileStore {
    file: Arc<File>,
    failed: bool,
}

impl Store for FileStore {
    async fn append(&mut self, line: Vec<u8>) -> io::Result<()> {
        // After a failed write or fsync the kernel may have dropped the pages: a later success would prove nothing.
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("an earlier write to the journal failed"));
        }
        let file = Arc::clone(&self.file);
        tokio::task::spawn_blocking(move || {
            (&*file).write_all(&line)?;
            file.sync_data()
        })
        .await
        .map_err(io::Error::other)??;
        self.failed = false;
        Ok(())
    }
}

/// Creates a folder and its missing parents, each durably.
fn create_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<_> =
        dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists()).collect();
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    missing.iter().filter_map(|dir| dir.parent()).try_for_each(sync_dir)
}

/// Makes the names in a folder durable. Windows does so by itself and has no call for it.
fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) {
        let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        File::open(dir)?.sync_all()?;
    }
    Ok(())
}

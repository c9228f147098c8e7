//! Leases in a local folder: a locked file per subject.
//!
//! The operating system gives the lock back when its process ends, however it ends. The file says who has it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Held, Holder, LeaseError, name};
use crate::disk::{create_dir, files, open_private};

/// A folder of leases.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

/// What the file of a lease says.
#[derive(Serialize, Deserialize)]
struct Said {
    subject: String,
    holder: Holder,
}

const EXTENSION: &str = "lock";
/// How often a lock is looked at while it is waited for.
const LOOK: Duration = Duration::from_millis(20);
/// Who merely looks at a lease has it locked for a moment. That long a lock is not taken for a holder's.
const GLANCE: Duration = Duration::from_millis(100);

impl Folder {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self(dir)
    }

    fn path(&self, subject: &str) -> PathBuf {
        self.0.join(format!("{}.{EXTENSION}", name(subject)))
    }

    pub(super) async fn claim(
        &self,
        subject: &str,
        holder: Holder,
        wait: Duration,
    ) -> Result<Lock, LeaseError> {
        let path = self.path(subject);
        let said = Said { subject: subject.to_owned(), holder };
        let started = Instant::now();
        loop {
            match self.try_claim(&path, &said).map_err(|source| failed(&path, source))? {
                Some(lock) => return Ok(lock),
                None if started.elapsed() < wait.max(GLANCE) => tokio::time::sleep(LOOK).await,
                None => {
                    let holder = read(&path).map(|said| said.holder);
                    return Err(held(subject.to_owned(), holder).into());
                }
            }
        }
    }

    fn try_claim(&self, path: &Path, said: &Said) -> io::Result<Option<Lock>> {
        create_dir(&self.0)?;
        let mut options = OpenOptions::new();
        let mut file = open_private(options.read(true).write(true).create(true).truncate(false), path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // What was locked may have been removed since it was opened: then it is nobody's lease any more.
        if !is_at(&file, path) {
            return Ok(None);
        }
        file.set_len(0)?;
        file.write_all(&serde_json::to_vec(said).map_err(io::Error::other)?)?;
        file.sync_all()?;
        Ok(Some(Lock { file, path: path.to_owned() }))
    }

    pub(super) async fn show(&self, subject: &str) -> Result<Option<Held>, LeaseError> {
        let path = self.path(subject);
        let is_held = is_locked(&path).map_err(|source| failed(&path, source))?;
        Ok(is_held.then(|| {
            let holder = read(&path).map(|said| said.holder);
            held(subject.to_owned(), holder)
        }))
    }

    pub(super) async fn list(&self) -> Result<Vec<Held>, LeaseError> {
        let unreadable = |source| failed(&self.0, source);
        let mut all = Vec::new();
        for path in files(&self.0, EXTENSION).map_err(unreadable)? {
            if is_locked(&path).map_err(unreadable)?
                && let Some(Said { subject, holder }) = read(&path)
            {
                all.push(held(subject, Some(holder)));
            }
        }
        Ok(all)
    }

    /// Removes the file: the lock on it is nobody's lease any more, and its owner sees that before its next change.
    pub(super) async fn break_(&self, subject: &str) -> Result<Option<Held>, LeaseError> {
        let held = self.show(subject).await?;
        if held.is_some() {
            let path = self.path(subject);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&path, error)),
                _ => {}
            }
        }
        Ok(held)
    }
}

/// It ends with its process.
fn held(subject: String, holder: Option<Holder>) -> Held {
    Held { subject, holder, expires_in: None, silent: None }
}

/// A locked file. It is removed and unlocked when dropped.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
}

impl Lock {
    pub(super) fn holds(&self) -> bool {
        is_at(&self.file, &self.path)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is locked nobody else has it. One that cannot be removed is free all the same.
        if self.holds() {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Whether `file` is the one at `path`, and not one that was there.
fn is_at(file: &File, path: &Path) -> bool {
    let (Ok(open), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        (open.dev(), open.ino()) == (there.dev(), there.ino())
    }
    // Elsewhere a file that is open cannot be removed and made anew.
    #[cfg(not(unix))]
    {
        open.is_file() && there.is_file()
    }
}

fn is_locked(path: &Path) -> io::Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// What the file says. A holder that has just locked it may not have written yet.
fn read(path: &Path) -> Option<Said> {
    let mut text = String::new();
    File::open(path).ok()?.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

fn failed(path: &Path, source: io::Error) -> LeaseError {
    LeaseError::Place { place: path.display().to_string(), source }
}

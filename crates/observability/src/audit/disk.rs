//! Files that only their owner reads and that survive a crash, and the lock between processes.
//!
//! A small copy of what the journal of transactions does: that crate knows nothing of this one, nor this one of that.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long another process may hold the lock: it writes a line or two.
pub(super) const AT_MOST: Duration = Duration::from_secs(2);
/// How often it is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(2);

/// The folder of `path`.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a folder and its missing parents, for its owner's eyes only. One that is there stays as it is.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    let missing: Vec<_> =
        dir.ancestors().take_while(|dir| !dir.as_os_str().is_empty() && !dir.exists()).collect();
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)?;
    missing.iter().map(|dir| folder(dir)).try_for_each(sync_dir)
}

/// Opens a file to read and to add to; one that this makes is for its owner's eyes only.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes the names in a folder durable. Windows does so by itself and has no call for it.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

/// Gives a file another name, durably.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_dir(folder(to))
}

/// What processes lock that write to, or read, the trail at `path`. A file of its own: the trail itself changes its name.
fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    name.into()
}

/// Locks the trail at `path` until the file is dropped, and waits for that as long as `at_most`. Fails with
/// [`io::ErrorKind::TimedOut`] where another process has it for longer.
pub(super) fn lock(path: &Path, at_most: Duration) -> io::Result<File> {
    let file = open(&lock_path(path))?;
    wait(at_most, || file.try_lock())?;
    Ok(file)
}

/// The same for who only reads. `None` where nobody has written yet, or the lock cannot be had: a copy elsewhere is read without.
pub(super) fn lock_shared(path: &Path) -> Option<File> {
    let file = File::open(lock_path(path)).ok()?;
    wait(AT_MOST, || file.try_lock_shared()).ok()?;
    Some(file)
}

fn wait(at_most: Duration, try_lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    let started = Instant::now();
    loop {
        match try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if started.elapsed() < at_most => std::thread::sleep(LOOK),
            Err(TryLockError::WouldBlock) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process keeps it locked"));
            }
        }
    }
}

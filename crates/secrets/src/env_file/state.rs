//! Who can read a file of secrets, and how old it is.

use std::{fs, io, path::Path, time::Duration};

/// What is known of a file of secrets besides what is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileState {
    /// Its mode's permission bits, such as `0o600`; `None` where files have none.
    pub mode: Option<u32>,
    /// Whether it belongs to another user than who runs this; `None` where that is unknown.
    pub is_foreign: Option<bool>,
    /// How long ago it was last changed, by the wall clock; `None` where that is unknown or ahead.
    pub age: Option<Duration>,
}

impl FileState {
    /// The state of `path`; `None` where there is no such file.
    ///
    /// # Errors
    ///
    /// When it cannot be told.
    pub fn of(path: &Path) -> io::Result<Option<Self>> {
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let age = metadata.modified().ok().and_then(|at| at.elapsed().ok());
        Ok(Some(Self { mode: mode(&metadata), is_foreign: is_foreign(&metadata), age }))
    }

    /// Whether the file's mode lets group or others read or change it. Unknown counts as no.
    #[must_use]
    pub fn is_open_to_others(&self) -> bool {
        self.mode.is_some_and(|mode| mode & 0o077 != 0)
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn mode(metadata: &fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(metadata.permissions().mode() & 0o7777)
}

/// Linux shows a process as a folder that belongs to who runs it; elsewhere there is no safe way to ask.
#[cfg(unix)]
fn is_foreign(metadata: &fs::Metadata) -> Option<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let own = fs::metadata("/proc/self").ok()?;
    Some(own.uid() != metadata.uid())
}

#[cfg(not(unix))]
fn is_foreign(_: &fs::Metadata) -> Option<bool> {
    None
}

#[cfg(not(unix))]
fn mode(_: &fs::Metadata) -> Option<u32> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::{os::unix::fs::PermissionsExt as _, time::SystemTime};

    #[test]
    fn mode_and_age() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        assert_eq!(FileState::of(&path).unwrap(), None);
        fs::write(&path, "A=1").unwrap();
        let day = Duration::from_secs(86_400);
        fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - day).unwrap();
        for (mode, open) in [(0o600, false), (0o400, false), (0o640, true), (0o606, true), (0o610, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let state = FileState::of(&path).unwrap().unwrap();
            assert_eq!(state.mode, Some(mode));
            assert_eq!(state.is_open_to_others(), open, "{mode:o}");
            assert!(state.age.unwrap() >= day);
            assert_ne!(state.is_foreign, Some(true));
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_of_another_user_is_foreign() {
        use std::os::unix::fs::{MetadataExt as _, chown};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "A=1").unwrap();
        let foreign = |path: &Path| FileState::of(path).unwrap().unwrap().is_foreign;
        assert_eq!(foreign(&path), Some(false));
        // Only root may give a file away; who is not finds one that is root's.
        let own = fs::metadata(&path).unwrap().uid();
        let other = match chown(&path, Some(own + 1), None) {
            Ok(()) => path,
            Err(_) => Path::new("/etc/passwd").to_owned(),
        };
        assert_eq!(foreign(&other), Some(true));
    }
}

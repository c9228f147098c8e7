//! Reading a configuration file that may well not be there.

use std::{fs, io, path::Path};

use anyhow::{Context as _, bail};

/// A configuration file is written by hand; anything larger is a mistake, and not worth reading into memory.
const MAX_BYTES: u64 = 1024 * 1024;

/// The text of `path` without its byte order mark, or `None` where there is no such file.
///
/// # Errors
/// It is not a regular file (a FIFO would hang the run), is unreadable, larger than 1 MiB or not UTF-8.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<String>> {
    let tried = || format!("read {}", path.display());
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(tried),
    };
    if metadata.is_dir() {
        bail!("{} is a directory, not a file", path.display());
    }
    if !metadata.is_file() {
        bail!("{} is not a regular file", path.display());
    }
    if metadata.len() > MAX_BYTES {
        bail!("{} is larger than {} KiB", path.display(), MAX_BYTES / 1024);
    }
    let text = String::from_utf8(fs::read(path).with_context(tried)?)
        .map_err(|error| error.utf8_error()) // the owned error would keep the bytes, which may be secret
        .with_context(|| format!("read {} as UTF-8", path.display()))?;
    Ok(Some(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }))
}

/// Whether the file's mode lets group or others read it. Unknown counts as no.
#[cfg(unix)]
pub(super) fn is_readable_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o044 != 0)
}

/// Where there is no file mode, access is not ours to judge.
#[cfg(not(unix))]
pub(super) fn is_readable_by_others(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_small_regular_utf8_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("bom"), "\u{feff}a = 1").unwrap();
        fs::write(path("latin1"), b"caf\xe9").unwrap();
        fs::write(path("large"), vec![b' '; MAX_BYTES as usize + 1]).unwrap();

        assert_eq!(read(&path("absent")).unwrap(), None);
        assert_eq!(read(&path("bom")).unwrap().as_deref(), Some("a = 1"));
        for (name, problem) in [
            ("folder", "is a directory, not a file"),
            ("latin1", "as UTF-8"),
            ("large", "is larger than 1024 KiB"),
        ] {
            let error = read(&path(name)).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_and_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        assert!(read(&path).unwrap_err().to_string().ends_with("is not a regular file"));
    }
}

//! Reading a configuration file that may well not be there.

use std::path::Path;

use secrecy::ExposeSecret as _;
use selvedge_secrets::env_file;

/// The text of `path` without its byte order mark, or `None` where there is no such file. It is read as one of secrets: some may have strayed
/// into it.
///
/// # Errors
/// It is not a regular file (a FIFO would hang the run), is unreadable, larger than 1 MiB or not UTF-8.
pub(super) fn read(path: &Path) -> anyhow::Result<Option<String>> {
    let Some(text) = env_file::text(path)? else {
        return Ok(None);
    };
    let text = text.expose_secret();
    Ok(Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_small_regular_utf8_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("bom"), "\u{feff}a = 1").unwrap();
        fs::write(path("latin1"), b"caf\xe9").unwrap();

        assert_eq!(read(&path("absent")).unwrap(), None);
        assert_eq!(read(&path("bom")).unwrap().as_deref(), Some("a = 1"));
        for (name, problem) in [("folder", "is a directory, not a file"), ("latin1", "line 1: not UTF-8")] {
            let error = read(&path(name)).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }
}

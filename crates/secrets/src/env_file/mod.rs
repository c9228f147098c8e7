//! `.env`: variables in a file, in the syntax of dotenv.

mod parse;
mod state;

pub use parse::{entries, parse};
pub use state::FileState;

use crate::{
    ErrorKind, Secret, SecretError, SecretName, SecretProperties, SecretStore, Source,
    error::{Place, Tried},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Read as _},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

/// The file is written by hand; anything larger is a mistake, and not worth reading into memory.
const MAX_BYTES: u64 = 1024 * 1024;

/// A variable of the file.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its value.
    pub value: SecretString,
    /// The line at which it begins, counted from 1.
    pub line: usize,
    /// The variables, of the environment or of lines above, that its value is made of: `${NAME}`.
    pub refers_to: Vec<String>,
}

/// One place that sets a variable.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The variable's name, as written.
    pub name: String,
    /// Its value.
    pub value: SecretString,
    /// From its first to its last line, counted from 1. No line has two entries.
    pub lines: RangeInclusive<usize>,
    /// As [`Variable::refers_to`].
    pub refers_to: Vec<String>,
}

/// The file cannot be read or makes no sense. The error names the line and never quotes it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct EnvFileError(Problem);

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("read {}", path.display())]
    Io {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is a directory, not a file", path.display())]
    Directory { path: PathBuf },
    #[error("{} is not a regular file", path.display())]
    Special { path: PathBuf },
    #[error("{} is larger than {} KiB", path.display(), MAX_BYTES / 1024)]
    TooLarge { path: PathBuf },
    #[error("{}: line {line}: not UTF-8", path.display())]
    NotUtf8 { path: PathBuf, line: usize },
    #[error("parse {}", path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: Box<EnvFileError>,
    },
    #[error(
        "line {line}: expected `NAME=value`; a value with spaces, quotes or backslashes needs 'single quotes'"
    )]
    Syntax { line: usize },
    #[error(
        "line {line}: a `$` that does not begin `${{NAME}}`; put the value in 'single quotes' to keep it"
    )]
    Dollar { line: usize },
    #[error("line {line}: a carriage return within the line; end lines with LF or CR LF")]
    Return { line: usize },
}

/// The variables of `path`; empty where there is no such file.
///
/// # Errors
///
/// It is not a regular file (a FIFO would hang the run), is unreadable, larger than 1 MiB or not UTF-8, or a line is
/// not `NAME=value`: see [`parse()`].
pub fn read(path: &Path) -> Result<BTreeMap<String, Variable>, EnvFileError> {
    let Some(text) = text(path)? else {
        return Ok(BTreeMap::new());
    };
    let text = text.expose_secret();
    parse(text.strip_prefix('\u{feff}').unwrap_or(text))
        .map_err(|source| EnvFileError(Problem::Parse { path: path.to_owned(), source: source.into() }))
}

/// The whole text of `path`, a byte order mark included; `None` where there is no such file.
///
/// # Errors
///
/// As [`read`], but for what the lines say.
pub fn text(path: &Path) -> Result<Option<SecretString>, EnvFileError> {
    let problem = |problem: fn(PathBuf) -> Problem| EnvFileError(problem(path.to_owned()));
    let failed = |source| EnvFileError(Problem::Io { path: path.to_owned(), source });
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if metadata.is_dir() {
        return Err(problem(|path| Problem::Directory { path }));
    }
    if !metadata.is_file() {
        return Err(problem(|path| Problem::Special { path }));
    }
    if metadata.len() > MAX_BYTES {
        return Err(problem(|path| Problem::TooLarge { path }));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
    let file = fs::File::open(path).map_err(failed)?;
    // It may have grown meanwhile.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(problem(|path| Problem::TooLarge { path }));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text.into())),
        // The error itself keeps the bytes, which may be secret.
        Err(error) => {
            let before = error.as_bytes().iter().take(error.utf8_error().valid_up_to());
            let line = before.filter(|byte| **byte == b'\n').count() + 1;
            Err(EnvFileError(Problem::NotUtf8 { path: path.to_owned(), line }))
        }
    }
}

/// A `.env` file as a store, as it was when it was read.
pub struct EnvFile {
    path: PathBuf,
    variables: BTreeMap<String, Variable>,
}

impl EnvFile {
    /// The file at `path`, which held these variables when it was read.
    #[must_use]
    pub fn of(path: impl Into<PathBuf>, variables: BTreeMap<String, Variable>) -> Self {
        Self { path: path.into(), variables }
    }

    /// Reads the file; one that is not there holds nothing.
    ///
    /// # Errors
    ///
    /// As [`read`].
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, EnvFileError> {
        let path = path.into();
        Ok(Self::of(&path, read(&path)?))
    }

    /// Who can read the file, and how old it is; `None` where there is none.
    ///
    /// # Errors
    ///
    /// When that cannot be told.
    pub fn state(&self) -> io::Result<Option<FileState>> {
        FileState::of(&self.path)
    }

    fn place(&self) -> Place {
        Place::Other(self.path.display().to_string())
    }
}

#[async_trait::async_trait]
impl SecretStore for EnvFile {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let found = name.spellings().into_iter().find_map(|variable| {
            let found = self.variables.get(&variable)?;
            (!found.value.expose_secret().is_empty()).then_some((variable, found))
        });
        let Some((variable, Variable { value, line, .. })) = found else {
            return Err(SecretError::new(Tried::Get, Some(name), self.place(), ErrorKind::NotFound));
        };
        let source = Source::EnvFile { variable, path: self.path.clone(), line: *line };
        Ok(Secret::new(value.clone(), source))
    }

    async fn set(&self, name: &SecretName, _: SecretString) -> Result<Source, SecretError> {
        Err(SecretError::new(Tried::Set, Some(name), self.place(), ErrorKind::ReadOnly))
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        let set = self.variables.iter().filter(|(_, it)| !it.value.expose_secret().is_empty());
        Ok(set
            .map(|(name, Variable { line, .. })| {
                let source = Source::EnvFile { variable: name.clone(), path: self.path.clone(), line: *line };
                SecretProperties::new(name, source)
            })
            .collect())
    }

    fn refresh(&self) {}
}

impl fmt::Debug for EnvFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvFile").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    #[tokio::test]
    async fn a_file_is_a_store_that_knows_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "\u{feff}# secrets\r\nexport GITHUB_TOKEN='a b'  # note\r\nEMPTY=\r\n").unwrap();
        let file = EnvFile::read(&path).unwrap();
        let secret = file.get(&"github-token".parse().unwrap()).await.unwrap();
        assert_eq!(secret.value.expose_secret(), "a b");
        assert_eq!(secret.source.to_string(), format!("GITHUB_TOKEN in {}, line 2", path.display()));
        let error = file.get(&"EMPTY".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::NotFound);
        assert_eq!(file.list().await.unwrap().len(), 1);
        assert!(!format!("{file:?}").contains("a b"));

        let absent = EnvFile::read(folder.path().join("absent")).unwrap();
        assert!(absent.list().await.unwrap().is_empty());
        assert_eq!(absent.state().unwrap(), None);
    }

    #[test]
    fn only_a_small_regular_utf8_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("folder")).unwrap();
        fs::write(path("latin1"), b"A=TOPSECRET caf\xe9").unwrap();
        fs::write(path("large"), vec![b' '; MAX_BYTES as usize + 1]).unwrap();
        fs::write(path("broken"), "A=1\nTOPSECRET").unwrap();
        for (name, problem) in [
            ("folder", "is a directory, not a file"),
            ("latin1", "line 1: not UTF-8"),
            ("large", "is larger than 1024 KiB"),
            ("broken", "broken"),
        ] {
            let error = read(&path(name)).unwrap_err();
            assert!(error.to_string().ends_with(problem), "{error}");
            assert!(!format!("{error:?}").contains("TOPSECRET"), "{error:?}");
        }
        let error = read(&path("broken")).unwrap_err();
        assert!(error.source().unwrap().to_string().starts_with("line 2: expected"));
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

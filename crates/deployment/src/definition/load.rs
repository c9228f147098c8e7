//! Reading a definition from disk: one file, or a folder as Fabric's Git integration lays it out.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Component, Path, PathBuf};

use super::{Definition, Part, normal};

/// Files a definition may have.
pub const MAX_PARTS: usize = 1000;
/// Bytes all files of a definition may have together.
pub const MAX_BYTES: u64 = 64 << 20;
/// Folders below the definition's own; more is a loop of links or a mistake.
const MAX_DEPTH: usize = 16;

/// The single files that are a whole definition: type, extension, path of the part, format.
///
/// <https://learn.microsoft.com/rest/api/fabric/articles/item-management/definitions/item-definition-overview>
const SINGLE_FILES: [(&str, &str, &str, Option<&str>); 14] = [
    ("Notebook", "ipynb", "notebook-content.ipynb", Some("ipynb")),
    ("Notebook", "py", "notebook-content.py", None),
    ("Notebook", "sql", "notebook-content.sql", None),
    ("Notebook", "scala", "notebook-content.scala", None),
    ("Notebook", "r", "notebook-content.r", None),
    ("CopyJob", "json", "copyjob-content.json", None),
    ("DataPipeline", "json", "pipeline-content.json", None),
    ("GraphQLApi", "json", "graphql-definition.json", None),
    ("KQLDashboard", "json", "RealTimeDashboard.json", None),
    ("KQLQueryset", "json", "RealTimeQueryset.json", None),
    ("MirroredDatabase", "json", "mirroring.json", None),
    ("MountedDataFactory", "json", "mountedDataFactory-content.json", None),
    ("Reflex", "json", "ReflexEntities.json", None),
    ("SparkJobDefinition", "json", "SparkJobDefinitionV1.json", Some("SparkJobDefinitionV1")),
];

/// A definition could not be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read the definition {}: {kind}", path.display())]
#[non_exhaustive]
pub struct DefinitionError {
    /// The file or folder in question.
    pub path: PathBuf,
    /// Why.
    pub kind: DefinitionErrorKind,
}

/// Why a definition could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionErrorKind {
    /// The file system said no.
    #[error("{0}")]
    Io(io::Error),
    /// An absolute path, or one with `..`.
    #[error("the path must be relative and without `..`")]
    NotBelow,
    /// It resolves, through a link, to something outside the project.
    #[error("it leads out of the project")]
    Outside,
    /// It is a symbolic link, or stands behind one.
    #[error("it is a symbolic link, and those are not followed")]
    Link,
    /// It is a pipe, a device, a socket.
    #[error("it is neither a file nor a folder")]
    NotAFile,
    /// One file is not a definition of this type.
    #[error("a {kind} cannot be defined by a single {extension:?} file")]
    NotASingleFile {
        /// The type of the item.
        kind: String,
        /// The extension of the file.
        extension: String,
    },
    /// The file ought to be JSON.
    #[error("it is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// A folder without files.
    #[error("there is no file in it")]
    Empty,
    /// A name that is not UTF-8, or cannot be part of a path in a definition, or differs from another by case only.
    #[error("{0}")]
    Name(&'static str),
    /// More than [`MAX_PARTS`] files, [`MAX_BYTES`] bytes, or too many folders within folders.
    #[error("it is too large: at most {MAX_PARTS} files, {} MiB and {MAX_DEPTH} levels", MAX_BYTES >> 20)]
    TooLarge,
}

/// Reads the definition of an item of type `kind` from `path`, which is relative to `base`.
///
/// A file becomes the part that its extension stands for. A folder is taken as Fabric's Git integration writes it:
/// each file a part, hidden ones (`.platform`, `.pbi/`) left out. What is read lies under `root` after all links.
///
/// # Errors
/// When it cannot be read, is too large, or leads outside `root`.
pub fn load(kind: &str, path: &Path, base: &Path, root: &Path) -> Result<Definition, DefinitionError> {
    let fail = |kind| DefinitionError { path: path.to_owned(), kind };
    if path.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(fail(DefinitionErrorKind::NotBelow));
    }
    let mut reader = Reader {
        root: fs::canonicalize(root).map_err(|error| fail(DefinitionErrorKind::Io(error)))?,
        start: base.to_owned(),
        parts: Vec::new(),
        folded: HashSet::new(),
        left: MAX_BYTES,
    };
    let start = reader.resolve(&base.join(path))?;
    if start.is_dir() {
        reader.folder(&start, "", 0)?;
        if reader.parts.is_empty() {
            return Err(fail(DefinitionErrorKind::Empty));
        }
        let format = folder_format(kind, &reader.parts);
        return Ok(Definition::new(format.map(str::to_owned), reader.parts));
    }
    let extension = path.extension().and_then(|ext| ext.to_str()).unwrap_or_default().to_lowercase();
    let Some((_, _, part, format)) =
        SINGLE_FILES.iter().find(|(of, ext, ..)| *of == kind && *ext == extension)
    else {
        return Err(fail(DefinitionErrorKind::NotASingleFile { kind: kind.to_owned(), extension }));
    };
    let bytes = reader.file(&start)?;
    if normal::is_json(part) {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        serde_json::from_slice::<serde::de::IgnoredAny>(text)
            .map_err(|error| fail(DefinitionErrorKind::NotJson(error)))?;
    }
    Ok(Definition::new(format.map(str::to_owned), vec![Part { path: (*part).to_owned(), bytes }]))
}

/// The format to name where a folder's files leave a choice.
fn folder_format(kind: &str, parts: &[Part]) -> Option<&'static str> {
    let has = |path: &str| parts.iter().any(|part| part.path == path);
    match kind {
        "Notebook" if has("notebook-content.ipynb") => Some("ipynb"),
        // Version 2 is version 1 with the code as further parts.
        "SparkJobDefinition" if parts.len() > 1 => Some("SparkJobDefinitionV2"),
        "SparkJobDefinition" => Some("SparkJobDefinitionV1"),
        _ => None,
    }
}

struct Reader {
    root: PathBuf,
    /// Where the path that was given begins; links above it are the user's own affair.
    start: PathBuf,
    parts: Vec<Part>,
    folded: HashSet<String>,
    left: u64,
}

impl Reader {
    /// The path without links, if it is under the root and something that can be read without waiting.
    fn resolve(&self, path: &Path) -> Result<PathBuf, DefinitionError> {
        let fail = |kind| Err(DefinitionError { path: path.to_owned(), kind });
        let real = match fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => return fail(DefinitionErrorKind::Io(error)),
        };
        if !real.starts_with(&self.root) {
            return fail(DefinitionErrorKind::Outside);
        }
        // A link may lead to what must not be published, such as `.env`, under a harmless name.
        let below = path.strip_prefix(&self.start).unwrap_or(path);
        let mut walked = self.start.clone();
        for part in below.components() {
            walked.push(part);
            if walked.is_symlink() {
                return fail(DefinitionErrorKind::Link);
            }
        }
        if !real.is_file() && !real.is_dir() {
            return fail(DefinitionErrorKind::NotAFile);
        }
        Ok(real)
    }

    fn folder(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), DefinitionError> {
        let fail = |path: &Path, kind| Err(DefinitionError { path: path.to_owned(), kind });
        if depth > MAX_DEPTH {
            return fail(folder, DefinitionErrorKind::TooLarge);
        }
        let io = |error| DefinitionError { path: folder.to_owned(), kind: DefinitionErrorKind::Io(error) };
        for entry in fs::read_dir(folder).map_err(io)? {
            let entry = entry.map_err(io)?;
            let path = entry.path();
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return fail(&path, DefinitionErrorKind::Name("its name is not UTF-8"));
            };
            if name.starts_with('.') {
                continue;
            }
            if name.contains(|c: char| c.is_control() || c == '\\' || c == ':') {
                return fail(
                    &path,
                    DefinitionErrorKind::Name("its name holds a control character, `\\` or `:`"),
                );
            }
            let real = self.resolve(&path)?;
            let part = format!("{prefix}{name}");
            if real.is_dir() {
                self.folder(&real, &format!("{part}/"), depth + 1)?;
                continue;
            }
            if !self.folded.insert(part.to_lowercase()) {
                return fail(&path, DefinitionErrorKind::Name("its name differs from another by case only"));
            }
            if self.parts.len() == MAX_PARTS {
                return fail(folder, DefinitionErrorKind::TooLarge);
            }
            let bytes = self.file(&real)?;
            self.parts.push(Part { path: part, bytes });
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<Vec<u8>, DefinitionError> {
        let fail = |kind| DefinitionError { path: path.to_owned(), kind };
        let mut bytes = Vec::new();
        File::open(path)
            .and_then(|file| file.take(self.left + 1).read_to_end(&mut bytes))
            .map_err(|error| fail(DefinitionErrorKind::Io(error)))?;
        self.left =
            self.left.checked_sub(bytes.len() as u64).ok_or_else(|| fail(DefinitionErrorKind::TooLarge))?;
        Ok(bytes)
    }
}

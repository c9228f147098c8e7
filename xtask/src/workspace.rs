//! What cargo and git know about this workspace: packages, folders, files.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde::Deserialize;

/// The part of `cargo metadata --no-deps` that the tasks need.
#[derive(Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) manifest_path: PathBuf,
    pub(crate) dependencies: Vec<Dependency>,
}

/// What a package names in one of its dependency tables.
#[derive(Deserialize)]
pub(crate) struct Dependency {
    /// The package's own name, whatever this manifest calls it.
    pub(crate) name: String,
    pub(crate) kind: Option<DependencyKind>,
}

/// The table a dependency stands in; the normal one has no name in cargo's answer.
#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DependencyKind {
    Dev,
    Build,
}

/// A text file of the project: its path from the root, with `/`, and what it says.
pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Workspace {
    /// Asks cargo about the workspace around the current folder.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let answer = stdout(Command::new("cargo").args(["metadata", "--no-deps", "--format-version", "1"]))?;
        serde_json::from_str(&answer).context("read the answer of `cargo metadata`")
    }

    /// The files that git tracks, and the new ones that it does not ignore, in order.
    ///
    /// A file that is not text, or that is deleted but not yet committed as such, is left out.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<File>> {
        let mut git = Command::new("git");
        git.args(["ls-files", "-z", "--deduplicate", "--cached", "--others", "--exclude-standard"]);
        let listed = stdout(git.current_dir(&self.root))?;
        let mut files = Vec::new();
        for path in listed.split_terminator('\0') {
            let full = self.root.join(path);
            if !full.is_file() {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(File { path: path.to_owned(), text });
            }
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// Builds the product's binary and says where it is.
    pub(crate) fn binary(&self) -> anyhow::Result<PathBuf> {
        let status = Command::new("cargo")
            .args(["build", "--quiet", "--package", "selvedge"])
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .status()
            .context("run `cargo build`")?;
        ensure!(status.success(), "`cargo build --package selvedge` failed");
        let file = format!("selvedge{}", std::env::consts::EXE_SUFFIX);
        Ok(self.target.join("debug").join(file))
    }

    /// `path` as it is written from the root, with `/`.
    pub(crate) fn relative(&self, path: &Path) -> String {
        let path = path.strip_prefix(&self.root).unwrap_or(path);
        path.to_string_lossy().replace('\\', "/")
    }
}

/// What `command` prints to its standard output, where it ends well.
fn stdout(command: &mut Command) -> anyhow::Result<String> {
    let shown = format!("{command:?}");
    let output = command.output().with_context(|| format!("run {shown}"))?;
    ensure!(output.status.success(), "{shown} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    String::from_utf8(output.stdout).with_context(|| format!("read the answer of {shown}"))
}

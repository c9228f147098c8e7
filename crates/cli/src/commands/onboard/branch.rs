//! The branch of a ticket: made and committed to beside the checkout, which stays as it is.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, anyhow};

use crate::report::ExitWith;

/// A branch that is to be, or to be refreshed.
pub(super) struct Branch {
    pub(super) name: String,
    /// What it begins at.
    from: String,
    /// Where it was before, where it was.
    before: Option<String>,
}

/// What a branch was before this run.
pub(super) struct Before {
    name: String,
    commit: Option<String>,
}

impl Branch {
    /// Looks whether there is one.
    ///
    /// # Errors
    ///
    /// When the project is in no repository, the name is none, or there is nothing to begin at.
    pub(super) fn look(root: &Path, name: String, from: &str) -> anyhow::Result<Self> {
        let with = || {
            ExitWith::usage(format!("look for the branch {name}"))
                .help("run it in a clone of the repository, or add --skip-git")
        };
        git(root, &["check-ref-format", "--branch", &name]).with_context(with)?;
        let before = git(root, &["rev-parse", "--verify", "--quiet", &format!("refs/heads/{name}")]).ok();
        if before.is_none() {
            let begin = format!("{from}^{{commit}}");
            git(root, &["rev-parse", "--verify", "--quiet", &begin])
                .map_err(|_| anyhow!("there is no branch {from} to begin at"))
                .with_context(with)?;
        }
        Ok(Self { name, from: from.to_owned(), before })
    }

    pub(super) fn exists(&self) -> bool {
        self.before.is_some()
    }

    /// Makes the branch, and commits `folder` to it as it is in the checkout.
    ///
    /// # Errors
    ///
    /// When Git refuses. The branch is as before then.
    pub(super) fn make(
        &self,
        root: &Path,
        folder: &Path,
        slug: &str,
        ticket: &str,
    ) -> anyhow::Result<Before> {
        let before = Before { name: self.name.clone(), commit: self.before.clone() };
        let beside = tempfile::tempdir().context("make a folder for the branch")?;
        let place = beside.path().join("checkout");
        let made = self.commit(root, &place, folder, slug, ticket);
        // Whatever became of it, the worktree goes.
        let place = place.display().to_string();
        let removed = git(root, &["worktree", "remove", "--force", &place]);
        match made.and(removed.map(drop)) {
            Ok(()) => Ok(before),
            Err(error) => {
                let error = error.context(format!("make the branch {}", self.name));
                Err(match before.restore(root) {
                    Ok(()) => error,
                    Err(left) => error.context(format!("{left:#}")),
                })
            }
        }
    }

    fn commit(
        &self,
        root: &Path,
        place: &Path,
        folder: &Path,
        slug: &str,
        ticket: &str,
    ) -> anyhow::Result<()> {
        let shown = place.display().to_string();
        match &self.before {
            Some(_) => git(root, &["worktree", "add", "--quiet", &shown, &self.name])?,
            None => git(root, &["worktree", "add", "--quiet", "-b", &self.name, &shown, &self.from])?,
        };
        // The project may be a folder of the repository.
        let prefix = git(root, &["rev-parse", "--show-prefix"])?;
        let (source, target) = (root.join(folder), place.join(prefix.trim()).join(folder));
        if !source.is_dir() {
            return Ok(());
        }
        copy(&source, &target).with_context(|| format!("copy {}", folder.display()))?;
        let path = target.display().to_string();
        git(place, &["add", "--all", "--", &path])?;
        if git(place, &["diff", "--cached", "--quiet"]).is_ok() {
            return Ok(());
        }
        let verb = if self.exists() { "refresh scaffold" } else { "bootstrap" };
        let message = format!("chore(onboarding): {verb} {slug} for {ticket}");
        git(place, &["commit", "--quiet", "--message", &message]).map(drop)
    }

    /// # Errors
    ///
    /// When `origin` does not take it.
    pub(super) fn push(&self, root: &Path) -> anyhow::Result<()> {
        let pushed =
            git(root, &["push", "--quiet", "origin", &format!("refs/heads/{0}:refs/heads/{0}", self.name)]);
        pushed.map(drop).with_context(|| format!("push the branch {}", self.name))
    }
}

impl Before {
    /// Puts the branch back. What was pushed stays at the remote.
    ///
    /// # Errors
    ///
    /// When Git refuses.
    pub(super) fn restore(&self, root: &Path) -> anyhow::Result<()> {
        let Self { name, commit } = self;
        let reference = format!("refs/heads/{name}");
        match commit {
            Some(commit) => git(root, &["update-ref", &reference, commit]),
            None => git(root, &["update-ref", "-d", &reference]),
        }
        .map(drop)
        .with_context(|| format!("the branch {name}"))
    }
}

/// Copies a folder over another. Links are left out.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy(&source, &target)?;
        } else if kind.is_file() {
            fs::copy(&source, &target)?;
        }
    }
    Ok(())
}

/// What Git prints. Nobody is asked for a password.
fn git(folder: &Path, args: &[&str]) -> anyhow::Result<String> {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "core.fsmonitor=false"]).args(args);
    let output = git.stdin(Stdio::null()).env("GIT_TERMINAL_PROMPT", "0").output().context("run git")?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(anyhow!("git {}: {}", args.first().unwrap_or(&""), said.trim()))
}

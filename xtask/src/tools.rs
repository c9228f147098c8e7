//! Subcommands of cargo's that others wrote: the installed one, or a pinned one of our own.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::workspace::Workspace;

/// A subcommand of cargo's, and the version that is built where none is installed.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

impl Tool {
    /// How to call it: `cargo NAME`, or the one in `target/tools`, which is built on first use.
    pub(crate) fn command(&self, workspace: &Workspace) -> anyhow::Result<Vec<String>> {
        let Self { name, version } = self;
        let mut installed = Command::new("cargo");
        installed.args([name, "--version"]);
        if installed.output().is_ok_and(|output| output.status.success()) {
            return Ok(vec!["cargo".to_owned(), (*name).to_owned()]);
        }
        let tools = workspace.target.join("tools");
        let own = tools.join("bin").join(format!("cargo-{name}{}", std::env::consts::EXE_SUFFIX));
        if !own.is_file() {
            let package = format!("cargo-{name}@{version}");
            println!("==> cargo-{name} is not installed: building {package} once, into {}", tools.display());
            let status = Command::new("cargo")
                .args(["install", "--locked", &package, "--root"])
                .arg(&tools)
                .stdin(Stdio::null())
                .status()
                .context("run `cargo install`")?;
            ensure!(status.success(), "could not build {package}");
        }
        Ok(vec![own.display().to_string(), (*name).to_owned()])
    }
}

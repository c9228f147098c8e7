//! `cargo xtask azurite`: the program with its journal in Azure Blob Storage, as Microsoft's emulator of it has it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::npm;
use crate::test::NEXTEST;
use crate::workspace::Workspace;

/// Installs Azurite once and runs the tests that need it; `true` when all pass.
///
/// # Errors
/// When it does not install: nothing is left out in silence.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let installed = install(workspace)?;
    let mut nextest = NEXTEST.command(workspace)?.into_iter();
    let status = Command::new(nextest.next().context("nextest is a command")?)
        .args(nextest)
        .args(["run", "--package", "selvedge", "--no-fail-fast"])
        .args(["--run-ignored", "only", "--filterset", "test(/^azurite::/)"])
        .current_dir(&workspace.root)
        .env("AZURITE", installed)
        .stdin(Stdio::null())
        .status()
        .context("run the tests with Azurite")?;
    Ok(status.success())
}

/// The folder with what is pinned, in which it is installed once.
///
/// # Errors
/// When it does not install.
pub(crate) fn install(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    npm::install(workspace, "azurite", "serve.js")
}

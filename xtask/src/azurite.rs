//! `cargo xtask azurite`: the program with its journal in Azure Blob Storage, as Microsoft's emulator of it has it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::test::NEXTEST;
use crate::workspace::Workspace;

/// What is pinned, and what starts it.
const FILES: [&str; 3] = ["package.json", "package-lock.json", "serve.js"];
const HELP: &str = "install Node.js 20 or newer with npm, and see whether npm reaches a registry: `npm ping`";

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
    let from = workspace.root.join("xtask").join("azurite");
    let folder = workspace.target.join("azurite");
    let read = |name: &str| fs::read_to_string(from.join(name)).with_context(|| format!("read {name}"));
    let wanted = FILES.map(read).into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    // Written last: a folder without it is one that was not finished.
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted.concat()) {
        return Ok(folder);
    }
    println!("==> installing Azurite once, into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).context("remove the last Azurite")?;
    }
    fs::create_dir_all(&folder).context("make a folder for Azurite")?;
    for (name, text) in FILES.iter().zip(&wanted) {
        fs::write(folder.join(name), text).with_context(|| format!("write {name}"))?;
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("run npm; {HELP}"))?;
    ensure!(status.success(), "npm ended with {status}; {HELP}");
    fs::write(&stamp, wanted.concat()).context("write down what is installed")?;
    Ok(folder)
}

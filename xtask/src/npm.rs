//! Packages of npm's that tasks use, installed once into a folder of our own.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::workspace::Workspace;

const HELP: &str = "install Node.js 20 or newer with npm, and see whether npm reaches a registry: `npm ping`";

/// The folder in which `xtask/NAME` is installed, with what is pinned in `package.json` and `package-lock.json`, and with `script`.
///
/// # Errors
/// When it does not install.
pub(crate) fn install(workspace: &Workspace, name: &str, script: &str) -> anyhow::Result<PathBuf> {
    let from = workspace.root.join("xtask").join(name);
    let folder = workspace.target.join(name);
    let files = ["package.json", "package-lock.json", script];
    let read = |name: &str| fs::read_to_string(from.join(name)).with_context(|| format!("read {name}"));
    let wanted = files.map(read).into_iter().collect::<anyhow::Result<Vec<_>>>()?;
    // Written last: a folder without it is one that was not finished.
    let stamp = folder.join("installed");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted.concat()) {
        return Ok(folder);
    }
    println!("==> installing xtask/{name} once, into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("remove the last {name}"))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("make a folder for {name}"))?;
    for (name, text) in files.iter().zip(&wanted) {
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

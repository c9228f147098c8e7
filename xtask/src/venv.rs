//! Packages of Python's that tasks use, each list of them installed once into a virtual environment of our own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::workspace::Workspace;

const INSTALL_PYTHON: &str =
    "install Python 3.11 or newer with its venv module (on Debian: apt-get install python3 python3-venv)";

/// The interpreter of the virtual environment that has what `xtask/NAME/requirements.txt` pins.
///
/// # Errors
/// When there is no usable Python, or a package does not install; the message says what would help.
pub(crate) fn python(workspace: &Workspace, name: &str) -> anyhow::Result<PathBuf> {
    let requirements = workspace.root.join("xtask").join(name).join("requirements.txt");
    let wanted = fs::read_to_string(&requirements)
        .with_context(|| format!("read the requirements of xtask/{name}"))?;
    let folder = workspace.target.join(name).join("venv");
    let python = folder.join("bin").join("python");
    // Written last: a virtual environment without it is one that was not finished.
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }

    println!("==> installing xtask/{name} once, into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder)
            .with_context(|| format!("remove the last virtual environment of {name}"))?;
    }
    let recent = "import sys, venv; sys.exit(sys.version_info < (3, 11))";
    run(Command::new("python3").args(["-c", recent]), INSTALL_PYTHON)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(&folder), INSTALL_PYTHON)?;
    // Nothing but what is pinned; `check` says whether something is missing.
    let flags =
        ["install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps", "--requirement"];
    run(
        pip(&python).args(flags).arg(&requirements),
        "see whether pip reaches a package index: `pip config list`",
    )?;
    run(pip(&python).arg("check"), &format!("pin in xtask/{name}/requirements.txt what is missing"))?;
    fs::write(&stamp, wanted).context("write down what is installed")?;
    Ok(python)
}

fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args(["-m", "pip"]);
    command
}

/// Runs what must succeed; `help` is the next step when it does not.
fn run(command: &mut Command, help: &str) -> anyhow::Result<()> {
    let status = command.stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("{command:?} ended with {status}; {help}"),
        Err(error) => Err(error).with_context(|| format!("run {command:?}; {help}")),
    }
}

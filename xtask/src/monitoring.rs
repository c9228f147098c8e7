//! `cargo xtask monitoring`: what `deploy/monitoring` has, held against the program by Prometheus' own tool; and read by Microsoft's parser of
//! Kusto's query language, and by a parser of Bicep.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::clients::python;
use crate::npm;
use crate::test::NEXTEST;
use crate::workspace::Workspace;

const HELP: &str = "install Prometheus, of which `promtool` is a part (on Debian: apt-get update && apt-get install prometheus)";

/// Installs what is missing, once, and runs the tests that need it; `true` when all pass.
///
/// # Errors
/// When it does not install: nothing is left out in silence.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let promtool = promtool(workspace)?;
    let mut nextest = NEXTEST.command(workspace)?.into_iter();
    let status = Command::new(nextest.next().context("nextest is a command")?)
        .args(nextest)
        .args(["run", "--package", "selvedge", "--no-fail-fast"])
        .args(["--run-ignored", "only", "--filterset", "test(/^monitoring::/)"])
        .current_dir(&workspace.root)
        .env("PROMTOOL", promtool)
        .env("BICEP", python(workspace)?)
        .env("KUSTO", npm::install(workspace, "kusto", "check.js")?)
        .stdin(Stdio::null())
        .status()
        .context("run the tests with promtool")?;
    Ok(status.success())
}

/// The one that is installed, or that of Debian's package, unpacked into a folder of our own. That takes no rights.
fn promtool(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let mut installed = Command::new("promtool");
    if installed.arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Ok("promtool".into());
    }
    let folder = workspace.target.join("monitoring");
    let unpacked = folder.join("prometheus");
    let tool = unpacked.join("usr").join("bin").join("promtool");
    // Written last: a folder without it is one that was not finished.
    let stamp = folder.join("installed");
    if stamp.is_file() {
        return Ok(tool);
    }
    println!("==> promtool is not installed: unpacking Debian's package once, into {}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).context("remove the last promtool")?;
    }
    let (lists, cache) = (folder.join("lists"), folder.join("cache"));
    for made in [lists.join("partial"), cache.join("archives").join("partial")] {
        fs::create_dir_all(made).context("make a folder for promtool")?;
    }
    // Lists of its own: those of the system may be old or none, and are not ours to write.
    let own = [format!("Dir::State::Lists={}", lists.display()), format!("Dir::Cache={}", cache.display())];
    for task in [&["update"][..], &["download", "prometheus"]] {
        let mut apt = Command::new("apt-get");
        apt.arg("--quiet").args(own.iter().flat_map(|option| ["-o", option])).args(task);
        succeed(apt.current_dir(&folder))?;
    }
    let package = fs::read_dir(&folder)?.flatten().map(|entry| entry.path());
    let package = package.into_iter().find(|path| path.extension().is_some_and(|it| it == "deb"));
    let package = package.context("apt-get downloaded no package")?;
    succeed(Command::new("dpkg-deb").arg("--extract").arg(&package).arg(&unpacked))?;
    succeed(Command::new(&tool).arg("--version"))?;
    fs::write(&stamp, package.display().to_string()).context("write down what is installed")?;
    Ok(tool)
}

fn succeed(command: &mut Command) -> anyhow::Result<()> {
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("run {command:?}; {HELP}"))?;
    ensure!(status.success(), "{command:?} ended with {status}; {HELP}");
    Ok(())
}

//! `cargo xtask monitoring`: what `deploy/monitoring` has, held against the program by Prometheus' own tool; and read by Microsoft's parser of
//! Kusto's query language, and by a parser of Bicep.

use std::process::{Command, Stdio};

use anyhow::Context;

use crate::debian::Program;
use crate::test::NEXTEST;
use crate::workspace::Workspace;
use crate::{clients, npm, venv};

/// Prometheus' own tool is a part of it.
const PROMTOOL: Program = Program { name: "promtool", package: "prometheus" };

/// Installs what is missing, once, and runs the tests that need it; `true` when all pass.
///
/// # Errors
/// When it does not install: nothing is left out in silence.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let promtool = PROMTOOL.path(workspace)?;
    let mut nextest = NEXTEST.command(workspace)?.into_iter();
    let status = Command::new(nextest.next().context("nextest is a command")?)
        .args(nextest)
        .args(["run", "--package", "selvedge", "--no-fail-fast"])
        .args(["--run-ignored", "only", "--filterset", "test(/^monitoring::/)"])
        .current_dir(&workspace.root)
        .env("PROMTOOL", promtool)
        .env("BICEP", venv::python(workspace, clients::NAME)?)
        .env("KUSTO", npm::install(workspace, "kusto", "check.js")?)
        .stdin(Stdio::null())
        .status()
        .context("run the tests with promtool")?;
    Ok(status.success())
}

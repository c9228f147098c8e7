//! `cargo xtask loom`: the models of what is shared, in every interleaving.

use std::process::{Command, Stdio};

use anyhow::Context;

use super::harness;
use crate::workspace::Workspace;

/// Runs the models; `true` when all pass. Their results are printed as libtest prints them.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let tests = harness::build(workspace, super::PACKAGE, "", Some("selvedge_loom"))?;
    // The other tests take locks outside a model, which loom's cannot be.
    let mut command = Command::new(tests);
    command.arg("::loom::").current_dir(workspace.root.join(super::FOLDER)).stdin(Stdio::null());
    let status = command.status().context("run the models")?;
    Ok(status.success())
}

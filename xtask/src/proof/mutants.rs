//! `cargo xtask mutants`: every small change of the decisions must make a unit test fail.

use std::process::{Command, Stdio};

use anyhow::Context;

use super::{FOLDER, PACKAGE};
use crate::{tools::Tool, workspace::Workspace};

const MUTANTS: Tool = Tool { name: "mutants", version: "27.1.0" };

/// The files whose lines decide.
const FILES: [&str; 8] = [
    "breaker/state.rs",
    "breaker/window.rs",
    "gate/handle.rs",
    "gate/state.rs",
    "retry/after.rs",
    "retry/budget.rs",
    "retry/decision.rs",
    "retry/policy.rs",
];

/// Tries the mutants in a copy of the workspace; `true` when none survives. The survivors are listed in
/// `target/mutants.out/missed.txt`, too.
pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<bool> {
    let tool = MUTANTS.command(workspace)?;
    let mut command = Command::new(&tool[0]);
    command.args(&tool[1..]).args(["--package", PACKAGE, "--output"]).arg(&workspace.target);
    for file in FILES {
        command.args(["--file", &format!("{FOLDER}/src/{file}")]);
    }
    // Without a mutant the tests pass: `cargo xtask test` says so. Where time is paused, an endless wait is an endless loop.
    command.args(["--baseline=skip", "--timeout", "30", "--", "--lib"]);
    let status =
        command.current_dir(&workspace.root).stdin(Stdio::null()).status().context("run cargo-mutants")?;
    Ok(status.success())
}

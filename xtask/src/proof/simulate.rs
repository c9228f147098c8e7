//! `cargo xtask simulate`: the engine of `crates/rollback` in a world of faults, by seed.

use std::process::{Command, Stdio};

use anyhow::Context;

use crate::workspace::Workspace;

/// Which seeds, and how many.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How many seeds are tried.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 100_000,
        default_value_if("seed", clap::builder::ArgPredicate::IsPresent, "1")
    )]
    seeds: u64,
    /// The first of them. Without `--seeds` the only one, and what happened is printed where it breaks a rule.
    #[arg(long, value_name = "S")]
    seed: Option<u64>,
}

/// Runs the seeds, built as users build; `true` when none breaks a rule.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "--release", "--package", "selvedge-rollback", "--example", "simulate"]);
    command.args(["--features", "simulation", "--"]);
    command.args([arguments.seed.unwrap_or(0).to_string(), arguments.seeds.to_string()]);
    let status =
        command.current_dir(&workspace.root).stdin(Stdio::null()).status().context("run the simulation")?;
    Ok(status.success())
}

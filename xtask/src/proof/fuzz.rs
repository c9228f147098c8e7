//! `cargo xtask fuzz`: headers that nobody would think of. Needs the nightly toolchain and a C++ compiler.

use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use super::FOLDER;
use crate::{tools::Tool, workspace::Workspace};

const FUZZ: Tool = Tool { name: "fuzz", version: "0.13.2" };

/// What is fuzzed, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// One of the targets in `crates/resilience/fuzz/fuzz_targets`.
    #[arg(default_value = "retry_after")]
    target: String,
    /// When to stop, if nothing is found before.
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
}

/// Runs the target; `true` when nothing is found. What it learns stays in `target/fuzz`; the checked-in corpus is read only.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<bool> {
    let Arguments { target, seconds } = arguments;
    let fuzz = workspace.root.join(FOLDER).join("fuzz");
    let source = fuzz.join("fuzz_targets").join(format!("{target}.rs"));
    ensure!(source.is_file(), "there is no {}", workspace.relative(&source));
    let own = workspace.target.join("fuzz");
    let learned = own.join("corpus").join(target);
    std::fs::create_dir_all(&learned).context("make a folder for what is learned")?;

    let tool = FUZZ.command(workspace)?;
    let mut command = Command::new(&tool[0]);
    command.args(&tool[1..]).args(["run", "--fuzz-dir"]).arg(&fuzz);
    // Nothing here is `unsafe`, so no sanitizer has anything to find, and without one it is faster.
    command.args(["--sanitizer", "none", "--target-dir"]).arg(&own);
    command.arg(target).arg(&learned).arg(fuzz.join("corpus").join(target));
    command.args(["--", &format!("-max_total_time={seconds}"), "-print_final_stats=1"]);
    let status = command
        // The one that runs us is the pinned one.
        .env("RUSTUP_TOOLCHAIN", "nightly")
        .env_remove("CARGO")
        .current_dir(&fuzz)
        .stdin(Stdio::null())
        .status()
        .context("run cargo-fuzz")?;
    Ok(status.success())
}

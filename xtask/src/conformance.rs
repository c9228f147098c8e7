//! `cargo xtask conformance`: the package `conformance` does the work, so that the other tasks need not build it.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

/// What is checked, and by what.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A checkout of Microsoft's fabric-rest-api-specs.
    #[arg(long, value_name = "DIR")]
    specs: PathBuf,
    /// Logs of requests to check as well: files of one JSON object a line, or folders of them.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    log: Vec<PathBuf>,
    /// List the documented errors that no scenario meets and the overlay excuses, too.
    #[arg(long)]
    verbose: bool,
}

/// Runs the checks; `true` when all pass.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let mut command = Command::new("cargo");
    command.args(["run", "--quiet", "-p", "conformance", "--", "--specs"]).arg(&arguments.specs);
    if !arguments.log.is_empty() {
        command.arg("--log").args(&arguments.log);
    }
    if arguments.verbose {
        command.arg("--verbose");
    }
    let status = command.stdin(Stdio::null()).status().context("run the package `conformance`")?;
    Ok(status.success())
}

//! `cargo xtask bench`: the package `bench` and the benches of single layers do the work, built as users build.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::Context;

/// What is measured.
#[derive(clap::Subcommand)]
pub(crate) enum Bench {
    /// What each layer adds to a bare client's requests: pace, processor time, instructions.
    Overhead(Arguments),
    /// How long calls take that a server throttles, over how long they have to.
    Throttle(Arguments),
    /// What a journal costs a deployment, in time and in requests.
    Rollback(Arguments),
    /// How soon a deployment decides that is asked to stop, and how long it takes everything back.
    Interrupt(Arguments),
    /// What telemetry costs, however its sink behaves: pace, the end of a run, memory.
    Telemetry(Arguments),
    /// What each layer costs by itself, without a network.
    Layers,
}

/// How much to measure, and where to put it.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Show in seconds that it works. Too little is measured to conclude from, so no goal is checked.
    #[arg(long)]
    quick: bool,
    /// Write the figures to this file as well, as JSON.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Runs the benchmark; `true` when it reached its goals.
pub(crate) fn run(bench: &Bench) -> anyhow::Result<bool> {
    if matches!(bench, Bench::Rollback(_) | Bench::Interrupt(_)) {
        // They run the program that lies beside them.
        let build = ["build", "--quiet", "--release", "-p", "selvedge"];
        let built = Command::new("cargo").args(build).stdin(Stdio::null()).status();
        if !built.context("build the program")?.success() {
            return Ok(false);
        }
    }
    let mut command = Command::new("cargo");
    match bench {
        Bench::Overhead(arguments) => arguments.measure(&mut command, "overhead"),
        Bench::Throttle(arguments) => arguments.measure(&mut command, "throttle"),
        Bench::Rollback(arguments) => arguments.measure(&mut command, "rollback"),
        Bench::Interrupt(arguments) => arguments.measure(&mut command, "interrupt"),
        Bench::Telemetry(arguments) => arguments.measure(&mut command, "telemetry"),
        Bench::Layers => {
            command.args(["bench", "--quiet", "-p", "selvedge-resilience", "--bench", "layers"]);
        }
    }
    let status = command.stdin(Stdio::null()).status().context("run the benchmark")?;
    Ok(status.success())
}

impl Arguments {
    fn measure(&self, command: &mut Command, what: &str) {
        command.args(["run", "--quiet", "--release", "-p", "bench", "--", what]);
        if self.quick {
            command.arg("--quick");
        }
        if let Some(path) = &self.json {
            command.arg("--json").arg(path);
        }
    }
}

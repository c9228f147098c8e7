//! Measures what the layers cost a request (`overhead`), how much of a server's allowance the throttle gate uses
//! (`throttle`), what a journal costs a deployment (`rollback`), what telemetry costs (`telemetry`), and how long a deployment takes that is asked to stop (`interrupt`). docs/benchmarks.md says how, and what came out.
#![expect(clippy::print_stdout, reason = "what it prints is its result")]

mod child;
mod interrupt;
mod overhead;
mod project;
mod report;
mod rollback;
mod server;
mod telemetry;
mod throttle;

use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

/// Measures the layers round a request, against a server on this machine.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
enum Task {
    /// What each layer adds to a bare client's requests.
    Overhead(report::Arguments),
    /// How long calls take that a server throttles, over how long they have to.
    Throttle(report::Arguments),
    /// What a journal costs a deployment, in time and in requests.
    Rollback(report::Arguments),
    /// How soon a deployment decides that is asked to stop, and how long it takes everything back.
    Interrupt(report::Arguments),
    /// What telemetry costs, however its sink behaves.
    Telemetry(report::Arguments),
    /// The server: says its address, and ends when its standard input does.
    #[command(hide = true)]
    Serve(server::Arguments),
    /// Calls and nothing else, for callgrind.
    #[command(hide = true)]
    Calls(overhead::Calls),
}

fn main() -> anyhow::Result<ExitCode> {
    let task = Task::parse();
    // One thread: what a call costs is not blurred by who wakes whom.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("start the runtime")?;
    let passed = match task {
        Task::Overhead(arguments) => overhead::run(&runtime, &arguments)?,
        Task::Throttle(arguments) => throttle::run(&runtime, &arguments)?,
        Task::Rollback(arguments) => rollback::run(&arguments)?,
        Task::Interrupt(arguments) => interrupt::run(&arguments)?,
        Task::Telemetry(arguments) => telemetry::run(&runtime, &arguments)?,
        Task::Serve(arguments) => runtime.block_on(server::run(&arguments)).map(|()| true)?,
        Task::Calls(arguments) => runtime.block_on(overhead::calls(&arguments)).map(|()| true)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! Holds the emulator and the clients against Microsoft's OpenAPI documents.
//!
//! Drives the emulator in process through every operation that it says it has, and reads logs of requests that clients
//! sent. Requests must be as documented; answers may deviate where `overlay.yaml` says that the real service does.
#![expect(clippy::print_stdout, reason = "what it prints is its result")]

mod check;
mod coverage;
mod drive;
mod log;
mod overlay;
mod report;
mod spec;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;

use drive::Ledger;
use spec::{Documents, Specs};

/// Checks the emulator, and logs of requests, by Microsoft's OpenAPI documents.
#[derive(Parser)]
#[command(name = "cargo xtask conformance")]
struct Arguments {
    /// A checkout of fabric-rest-api-specs.
    #[arg(long, value_name = "DIR")]
    specs: PathBuf,
    /// Logs of requests to check as well: files of one JSON object a line, or folders of them.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    log: Vec<PathBuf>,
    /// List the documented errors that no scenario meets and the overlay excuses, too.
    #[arg(long)]
    verbose: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { specs: folder, log, verbose } = Arguments::parse();
    let documents = Documents::read(&folder)?;
    let specs = Specs::new(&documents).with_context(|| format!("understand {}", folder.display()))?;
    let mut ledger = Ledger::new(specs)?;
    let (finished, stopped) = drive::run(&mut ledger)?;
    let Ledger { specs, mut overlay, coverage, mut report } = ledger;
    for missing in coverage.missing(&mut overlay) {
        report.problem(missing);
    }
    let errors = coverage.errors(&mut overlay.not_provoked);
    for missing in &errors.missing {
        report.problem(format!("{missing}: documented, and neither met nor excused"));
    }
    for stale in overlay.stale(|is_one| coverage.waits_for(&specs, is_one)) {
        report.problem(format!("overlay.yaml: nothing needs {stale}"));
    }
    let mut requests = 0;
    for path in &log {
        requests += log::check(&specs, path, &mut report)?;
    }

    for line in report.lines() {
        println!("{line}");
    }
    if verbose {
        for error in &errors.excused {
            println!("documented error excused: {error}");
        }
    }
    println!("scenarios: {finished} finished, {stopped} stopped at what is not emulated");
    if !log.is_empty() {
        println!("logs: {requests} requests to Fabric");
    }
    if coverage.undescribed() > 0 {
        println!(
            "{} emulated operations are in no document of this checkout: not checked",
            coverage.undescribed()
        );
    }
    println!(
        "conformance: {} operations driven of {} emulated ({} in the documents), {} documented errors met of {} ({} excused), {} checks, {} violations ({} deviations of the overlay used, {} times)",
        coverage.driven(),
        coverage.claimed(),
        specs.operations.len(),
        errors.met,
        errors.documented(),
        errors.excused.len(),
        report.checks,
        report.violations(),
        overlay.used(),
        report.excused,
    );
    Ok(if report.passed() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

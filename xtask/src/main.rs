//! The project's own tasks: `cargo xtask test`, `tidy`, `codegen`, `azurite`, `bench`, `conformance`, `clients`, `crash-matrix`, `demo`, `monitoring`,
//! `lint-deploy`, and the proofs `loom`, `bugs`, `simulate`, `mutants` and `fuzz`.
#![expect(clippy::print_stdout, reason = "a task runner talks to the terminal that started it")]

mod azurite;
mod bench;
mod blocks;
mod clients;
mod codegen;
mod conformance;
mod crash;
mod debian;
mod demo;
mod lint_deploy;
mod monitoring;
mod npm;
mod proof;
mod test;
mod tidy;
mod tools;
mod venv;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::workspace::Workspace;

/// The project's own tasks.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Check everything: format, tidy, clippy, documentation, tests. The last line counts the tests.
    Test {
        /// Leave out clippy, documentation and doctests.
        #[arg(long)]
        quick: bool,
        /// Check the emulator against this checkout of Microsoft's fabric-rest-api-specs, too.
        #[arg(long, value_name = "DIR")]
        specs: Option<PathBuf>,
    },
    /// Check the rules that clippy cannot: crate graph, file sizes, links, words.
    Tidy,
    /// Write what the docs take from the code: the names in docs/telemetry.md, the commands in docs/commands.md.
    Codegen {
        /// Write nothing; fail and show the difference where a file is not what the code says.
        #[arg(long)]
        check: bool,
    },
    /// Measure what the layers cost, and how well they keep to a server's pace.
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Check the emulator, and logs of requests to it, against Microsoft's OpenAPI documents.
    Conformance(conformance::Arguments),
    /// Record the README's transcripts from real runs of the binary.
    Demo {
        /// Write nothing; fail and show the difference where the README is not what a run prints.
        #[arg(long)]
        check: bool,
    },
    /// Run clients of Fabric that nobody here wrote against the emulator. Needs Python and a network namespace.
    Clients,
    /// Provoke each alert of deploy/monitoring, and have Prometheus' own tool evaluate the rules on what is exported.
    Monitoring,
    /// Have the files of deploy/ read by the linters of their kinds, and ask of the program what they ask of it. Needs Python.
    LintDeploy,
    /// Deploy with the journal in Azurite, Microsoft's emulator of Azure Blob Storage. Needs Node.js and npm.
    Azurite,
    /// Kill the program at every point of a deployment and of its rollback, take it up, and look at what is there.
    CrashMatrix(crash::Arguments),
    /// Try every interleaving of what threads share in `crates/resilience`, by its loom models.
    Loom,
    /// Plant bugs in the libraries, one at a time, and demand that a test catches each.
    Bugs,
    /// Run transactions in a world of faults, by seed, on virtual time. A seed that breaks a rule is printed with the line
    /// that runs it again.
    Simulate(proof::SimulateArguments),
    /// Change the decisions of `crates/resilience` in every small way, and demand that a test notices. Takes a quarter
    /// of an hour.
    Mutants,
    /// Feed made-up input to what `crates/resilience` parses. Needs the nightly toolchain and a C++ compiler.
    Fuzz(proof::FuzzArguments),
}

fn main() -> anyhow::Result<ExitCode> {
    let task = Task::parse();
    let workspace = Workspace::load()?;
    let passed = match task {
        Task::Test { quick, specs } => test::run(&workspace, quick, specs.as_deref())?,
        Task::Tidy => tidy::run(&workspace)?,
        Task::Codegen { check } => codegen::run(&workspace, check)?,
        Task::Bench(bench) => bench::run(&bench)?,
        Task::Conformance(arguments) => conformance::run(&arguments)?,
        Task::Demo { check } => demo::run(&workspace, check)?,
        Task::Clients => clients::run(&workspace)?,
        Task::Monitoring => monitoring::run(&workspace)?,
        Task::LintDeploy => lint_deploy::run(&workspace)?,
        Task::Azurite => azurite::run(&workspace)?,
        Task::CrashMatrix(arguments) => crash::run(&workspace, &arguments)?,
        Task::Loom => proof::loom(&workspace)?,
        Task::Bugs => proof::bugs(&workspace)?,
        Task::Simulate(arguments) => proof::simulate(&workspace, &arguments)?,
        Task::Mutants => proof::mutants(&workspace)?,
        Task::Fuzz(arguments) => proof::fuzz(&workspace, &arguments)?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

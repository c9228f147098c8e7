//! `cargo xtask bench interrupt`: how soon a deployment decides that is asked to stop, and how long it takes everything back.

mod run;

use anyhow::{Context, ensure};
use driver::{Emulator, Options};
use rand::RngExt;
use serde::Serialize;

use crate::project;
use crate::report::{self, Arguments};
use run::{Program, Stopped};

/// Each request takes so long at the least.
const LATENCY: &str = "* *=latency:200ms";
/// From the signal to the durable decision, in seconds.
const DECIDED: f64 = 1.0;
/// The most for taking back [`CHANGES`], in seconds.
const TAKEN_BACK: f64 = 120.0;
/// How many changes are made before the whole is taken back.
const CHANGES: u32 = 40;
/// What a CI system, an operator and a terminal that is closed send.
const SIGNALS: [&str; 3] = ["INT", "TERM", "HUP"];

#[derive(Serialize)]
struct Figures {
    /// From the signal to the durable decision, in seconds: the median of all runs, and the worst of them.
    decided: f64,
    decided_at_most: f64,
    /// From the decision to the end, in seconds.
    as_shipped: TakenBack,
    one_by_one: TakenBack,
}

#[derive(Serialize)]
struct TakenBack {
    changes: u32,
    seconds: f64,
}

/// Measures, and prints what came out; whether the goals were met.
///
/// # Errors
/// When a deployment does not take everything back, or the program was not built.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let (runs, items, changes) = if arguments.quick { (2, 4, 4) } else { (100, 12, CHANGES) };
    let program = project::program()?;
    let folder = tempfile::tempdir().context("make a folder for the projects")?;
    let tenant = Emulator::start(
        &program,
        Options { folder: &folder.path().join("emulator"), request_log: None, authority: None },
    )?;
    let stop = |items, concurrency, signal, after| -> anyhow::Result<Stopped> {
        let folder = tempfile::tempdir_in(folder.path()).context("make a project's folder")?;
        project::write(folder.path(), items)?;
        tenant.reset()?;
        tenant.inject(LATENCY)?;
        let program = Program { path: &program, folder: folder.path(), tenant: &tenant, concurrency };
        program.stop(signal, after)
    };

    // The workspace, its capacity, its folder and the items: one is always left to be made when the signal comes.
    let mut decided = Vec::new();
    for (_, signal) in (0..runs).zip(SIGNALS.iter().cycle()) {
        let after = rand::rng().random_range(0..items);
        decided.push(stop(items, "8", signal, after)?.decided);
    }
    let taken_back = |concurrency| -> anyhow::Result<TakenBack> {
        let stopped = stop(changes + 8, concurrency, "INT", changes)?;
        ensure!(stopped.undone >= changes, "{} changes were taken back, not {changes}", stopped.undone);
        Ok(TakenBack { changes: stopped.undone, seconds: stopped.taken_back })
    };
    let (as_shipped, one_by_one) = (taken_back("8")?, taken_back("1")?);

    let worst = decided.iter().copied().fold(0.0, f64::max);
    let figures =
        Figures { decided: report::median(decided), decided_at_most: worst, as_shipped, one_by_one };
    print(&figures, runs);
    arguments.write(&figures)?;
    if arguments.quick {
        return Ok(true);
    }
    let met = worst < DECIDED && figures.as_shipped.seconds < TAKEN_BACK;
    let verdict = if met { "met" } else { "missed" };
    println!(
        "\ngoal {verdict}: decided within {DECIDED} s each time, {CHANGES} changes back within {TAKEN_BACK} s"
    );
    Ok(met)
}

fn print(figures: &Figures, runs: u32) {
    println!("Deployments that are asked to stop, 200 ms a request\n");
    let rows = [
        ("signal to durable decision, median".to_owned(), figures.decided),
        (format!("the worst of {runs}"), figures.decided_at_most),
        (
            format!("{} changes taken back, as shipped", figures.as_shipped.changes),
            figures.as_shipped.seconds,
        ),
        (
            format!("{} changes taken back, one at a time", figures.one_by_one.changes),
            figures.one_by_one.seconds,
        ),
    ]
    .map(|(what, seconds)| vec![what, format!("{seconds:.3}")]);
    print!("{}", report::table(&["what", "s"], &rows));
}

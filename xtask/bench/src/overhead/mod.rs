//! `cargo xtask bench overhead`: requests a second, processor time and instructions of each layer over the bare client's.

mod callgrind;
mod measure;
mod variant;

pub(crate) use variant::{Client, Variant};

use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::{
    child::Server,
    report::{self, Arguments},
};
use measure::{Figures, Plan, measure};

/// Calls of one client, for callgrind.
#[derive(clap::Args)]
pub(crate) struct Calls {
    #[arg(long)]
    variant: Variant,
    #[arg(long)]
    count: u32,
    /// Where the server listens.
    #[arg(long)]
    address: String,
}

/// Makes the calls.
pub(crate) async fn calls(arguments: &Calls) -> anyhow::Result<()> {
    variant::Client::new(arguments.variant, &arguments.address)?.calls(arguments.count).await
}

/// Delay in milliseconds, tasks, requests in a block, rounds, and what all layers together must reach of the bare pace.
const PLANS: [(u64, u32, u32, u32, Option<f64>); 4] = [
    (0, 1, 500, 60, Some(0.95)),
    (1, 1, 50, 20, None),
    (20, 1, 10, 20, Some(0.99)),
    (20, 8, 80, 20, Some(0.99)),
];

/// What all layers together may take of processor time, over the bare client.
const MOST_CPU: f64 = 1.05;

/// Measures, and prints what came out; whether the goals were met.
pub(crate) fn run(runtime: &Runtime, arguments: &Arguments) -> anyhow::Result<bool> {
    let mut passed = true;
    let mut runs = Vec::new();
    for (delay, tasks, block, rounds, goal) in PLANS {
        let rounds = if arguments.quick { 2 } else { rounds };
        let plan = Plan { delay: Duration::from_millis(delay), tasks, block, rounds };
        let figures = runtime.block_on(measure(plan))?;
        println!("\nServer takes {delay} ms, tasks {tasks}: {rounds} rounds of {block} requests\n");
        println!("{}", timed_table(&figures));
        if let Some(all) = figures.last().filter(|_| !arguments.quick) {
            if let Some(goal) = goal {
                passed &=
                    verdict("requests/s of all on / bare", all.pace_ratio, goal, all.pace_ratio >= goal);
            }
            if delay == 0 {
                passed &= verdict(
                    "processor time of all on / bare",
                    all.cpu_ratio,
                    MOST_CPU,
                    all.cpu_ratio <= MOST_CPU,
                );
            }
        }
        runs.push(json!({
            "delay_ms": delay, "tasks": tasks, "rounds": rounds, "block": block,
            "variants": figures.iter().map(timed_json).collect::<Vec<_>>(),
        }));
    }
    let counted = if callgrind::available() {
        count(if arguments.quick { 100 } else { 1000 })?
    } else {
        println!("\n{}", callgrind::MISSING);
        Vec::new()
    };
    arguments.write(&json!({ "runs": runs, "instructions": counted }))?;
    Ok(passed)
}

/// Counts the instructions of each variant, at 0 ms.
fn count(calls: u32) -> anyhow::Result<Vec<Value>> {
    let server = Server::start(&[])?;
    let mut counted = Vec::new();
    for variant in Variant::ALL {
        counted.push((variant, callgrind::instructions(variant, &server, calls)?));
    }
    let bare = counted.first().map_or(1.0, |(_, instructions)| *instructions);
    let row = |(variant, instructions): &(Variant, f64)| {
        let added = instructions - bare;
        vec![
            variant.label().to_owned(),
            format!("{instructions:.0}"),
            format!("{added:.0}"),
            format!("{:.3}", instructions / bare),
        ]
    };
    println!("\nInstructions of the client's process for one call, without the kernel's\n");
    let rows: Vec<_> = counted.iter().map(row).collect();
    println!("{}", report::table(&["client", "instructions", "added", "/ bare"], &rows));
    let json = |(variant, instructions): &(Variant, f64)| json!({ "variant": variant, "instructions": instructions, "ratio": instructions / bare });
    Ok(counted.iter().map(json).collect())
}

fn timed_table(figures: &[Figures]) -> String {
    let row = |it: &Figures| {
        vec![
            it.variant.label().to_owned(),
            format!("{:.0}", it.pace),
            format!("{:.3}", it.pace_ratio),
            format!("{:.1}", it.cpu),
            format!("{:.3}", it.cpu_ratio),
        ]
    };
    let rows: Vec<_> = figures.iter().map(row).collect();
    report::table(&["client", "requests/s", "/ bare", "CPU µs/call", "/ bare"], &rows)
}

fn timed_json(it: &Figures) -> Value {
    json!({
        "variant": it.variant, "requests_per_second": it.pace, "requests_per_second_ratio": it.pace_ratio,
        "cpu_us_per_call": it.cpu, "cpu_ratio": it.cpu_ratio,
    })
}

fn verdict(what: &str, figure: f64, goal: f64, met: bool) -> bool {
    println!("goal {}: {what} is {figure:.3}, to be {goal}", if met { "met" } else { "missed" });
    met
}

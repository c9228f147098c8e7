//! Runs the simulation of the engine over many seeds: `simulate FIRST COUNT`. `cargo xtask simulate` starts it.
#![expect(clippy::print_stdout, reason = "an example talks to the terminal")]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Instant;

use selvedge_rollback::simulation::{Violation, simulate};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name| {
        arguments
            .next()
            .ok_or(format!("{name} is missing"))?
            .parse()
            .map_err(|error| format!("{name}: {error}"))
    };
    let (first, count): (u64, u64) = (number("FIRST")?, number("COUNT")?);

    let started = Instant::now();
    let (mut ends, mut faults) = (BTreeMap::new(), BTreeMap::new());
    let mut broken: BTreeMap<&str, (u64, Box<Violation>)> = BTreeMap::new();
    for seed in first..first.saturating_add(count) {
        match simulate(seed) {
            Ok(report) => {
                *ends.entry(report.end).or_insert(0_u64) += 1;
                for (what, times) in report.counts {
                    *faults.entry(what).or_insert(0) += times;
                }
            }
            Err(violation) => broken.entry(violation.rule).or_insert((0, violation)).0 += 1,
        }
    }
    let took = started.elapsed().as_secs_f64();

    for (kind, counted) in [("ended", &ends), ("happened", &faults)] {
        for (what, times) in counted {
            println!("{times:>9}  {kind}: {what}");
        }
    }
    for (rule, (times, violation)) in &broken {
        let Violation { seed, detail, log, .. } = &**violation;
        if count == 1 {
            println!("{}", log.join("\n"));
        }
        println!("rule `{rule}` broken by {times} seeds; the first, {seed}: {detail}");
        println!("    cargo xtask simulate --seed {seed}");
    }
    println!("{count} seeds in {took:.1} s, {:.0} a second", count as f64 / took);
    Ok(if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `cargo xtask bench rollback`: what a journal costs a deployment, in time and in requests.

use std::{
    collections::BTreeMap,
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Context, ensure};
use driver::{Emulator, Options};
use rand::seq::SliceRandom;
use serde::Serialize;

use crate::project;
use crate::report::{self, Arguments};

/// Each request takes so long at the least.
const LATENCY: &str = "* *=latency:20ms";

/// The most of the time without a journal that one with it may take, with the same requests one after the other.
const MOST: f64 = 1.10;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Variant {
    /// The rollback flag off.
    Plain,
    /// A journal, one change after the other as without one.
    OneByOne,
    /// A journal, as shipped.
    AsShipped,
}

/// What came out for one variant.
#[derive(Serialize)]
struct Figures {
    variant: Variant,
    seconds: f64,
    ratio: f64,
    requests: u32,
}

/// Measures, and prints what came out; whether the goal was met.
///
/// # Errors
/// When a deployment fails, or the program was not built.
pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let (items, rounds) = if arguments.quick { (5, 1) } else { (100, 3) };
    let program = project::program()?;
    let folder = tempfile::tempdir().context("make a folder for the project")?;
    let tenant = Emulator::start(
        &program,
        Options { folder: &folder.path().join("emulator"), request_log: None, authority: None },
    )?;
    project::write(folder.path(), items)?;

    let mut seconds: BTreeMap<Variant, Vec<f64>> = BTreeMap::new();
    let mut ratios: BTreeMap<Variant, Vec<f64>> = BTreeMap::new();
    let mut requests: BTreeMap<Variant, BTreeMap<String, u32>> = BTreeMap::new();
    for _ in 0..rounds {
        let mut order = VARIANTS;
        order.shuffle(&mut rand::rng());
        let mut round = BTreeMap::new();
        for variant in order {
            tenant.reset()?;
            tenant.inject(LATENCY)?;
            let took = deploy(&program, folder.path(), &tenant, variant)?;
            seconds.entry(variant).or_default().push(took);
            requests.insert(variant, counted(&tenant)?);
            round.insert(variant, took);
        }
        for (variant, took) in &round {
            ratios.entry(*variant).or_default().push(took / round[&Variant::Plain]);
        }
    }

    let figures = VARIANTS.map(|variant| Figures {
        variant,
        seconds: report::median(seconds.remove(&variant).unwrap_or_default()),
        ratio: report::median(ratios.remove(&variant).unwrap_or_default()),
        requests: requests[&variant].values().sum(),
    });
    print(&figures, &requests, items, rounds);
    arguments.write(&figures)?;
    let cost = figures.iter().find(|figures| figures.variant == Variant::OneByOne);
    let met = cost.is_some_and(|figures| figures.ratio <= MOST);
    if arguments.quick {
        return Ok(true);
    }
    println!(
        "\ngoal {}: a journal takes at most {MOST} of the time without one",
        if met { "met" } else { "missed" }
    );
    Ok(met)
}

const VARIANTS: [Variant; 3] = [Variant::Plain, Variant::OneByOne, Variant::AsShipped];

/// The requests since the last reset, by what they are and how often they came.
fn counted(tenant: &Emulator) -> anyhow::Result<BTreeMap<String, u32>> {
    let mut counted = BTreeMap::new();
    for request in tenant.requests()? {
        *counted.entry(request.shape()).or_default() += 1;
    }
    Ok(counted)
}

/// Deploys once; how many seconds it took.
fn deploy(program: &Path, folder: &Path, tenant: &Emulator, variant: Variant) -> anyhow::Result<f64> {
    let mut command = Command::new(program);
    command.args(["deploy", "--yes", "--output", "json"]).current_dir(folder);
    command.env_clear().envs(&tenant.environment);
    command.env("FEATURE_USE_ROLLBACK", if variant == Variant::Plain { "false" } else { "true" });
    if variant == Variant::OneByOne {
        command.env("SELVEDGE_ROLLBACK__CONCURRENCY", "1");
    }
    let started = Instant::now();
    let output = command.stdin(Stdio::null()).output().context("run the deployment")?;
    let took = started.elapsed().as_secs_f64();
    ensure!(output.status.success(), "the deployment failed:\n{}", String::from_utf8_lossy(&output.stderr));
    Ok(took)
}

fn print(figures: &[Figures], requests: &BTreeMap<Variant, BTreeMap<String, u32>>, items: u32, rounds: u32) {
    println!("A deployment of {items} items, 20 ms a request: medians of {rounds} rounds\n");
    let rows: Vec<Vec<String>> = figures
        .iter()
        .map(|figures| {
            let name = match figures.variant {
                Variant::Plain => "rollback off",
                Variant::OneByOne => "on, one change at a time",
                Variant::AsShipped => "on, as shipped",
            };
            let (seconds, ratio) = (format!("{:.2}", figures.seconds), format!("{:.3}", figures.ratio));
            vec![name.to_owned(), seconds, ratio, figures.requests.to_string()]
        })
        .collect();
    print!("{}", report::table(&["deployment", "s", "/ off", "requests"], &rows));
    println!("\nRequests that are made with a journal only:\n");
    let rows: Vec<Vec<String>> = requests[&Variant::AsShipped]
        .iter()
        .filter_map(|(shape, count)| {
            let more =
                count.saturating_sub(requests[&Variant::Plain].get(shape).copied().unwrap_or_default());
            (more > 0).then(|| vec![format!("`{shape}`"), more.to_string()])
        })
        .collect();
    print!("{}", report::table(&["request", "more"], &rows));
}

//! `cargo xtask crash-matrix`: the real program, killed at every point of a deployment and of its rollback, and taken up by
//! a fresh process. Afterwards everything is made, or nothing is there that was not there before.

mod cut;
mod plant;
mod reference;
mod sample;
mod scenario;
mod table;
mod tenant;
mod trial;
mod worker;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::{Context, ensure};

use crate::workspace::Workspace;
use reference::Reference;
use table::Table;
use trial::{Trial, Verdict, Way};
use worker::{Journal, Worker};

/// What is tried.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Every cut, every way to take it up, 500 recoveries that are killed themselves, and a table.
    #[arg(long, conflicts_with = "quarter")]
    full: bool,
    /// A quarter of the cuts, 1 to 4. The day chooses one where neither this nor --full is given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=4))]
    quarter: Option<u64>,
    /// Of all of them those whose names have each of these words, for example `new/forward record-007 rollback local`.
    #[arg(long, value_name = "WORDS", conflicts_with = "quarter")]
    only: Option<String>,
}

/// How many trials run at once.
const WORKERS: usize = 2;

/// Recoveries that are killed themselves, in a full run.
const PAIRS: usize = 500;

/// Runs the matrix; `true` when every trial ends as it must.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<bool> {
    let binary = build(workspace)?;
    let folder = workspace.target.join("crash-matrix");
    let workers = (0..WORKERS)
        .map(|number| Worker::new(&binary, &folder.join(format!("worker-{number}"))))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let first = workers.first().context("there is no worker")?;
    let every = arguments.full || arguments.only.is_some();
    let mut references = Vec::new();
    for scenario in &scenario::SCENARIOS {
        references.extend(reference::record(first, scenario, every)?);
    }
    let cuts: usize = references.iter().map(|reference| reference.cuts.len()).sum();
    let (trials, wanted) = chosen(&references, arguments);
    let (runs, runners) = (trials.len(), workers.len());
    println!("crash-matrix: {cuts} cuts; {wanted}: {runs} trials by {runners} workers");

    let started = Instant::now();
    let failures = folder.join("failures");
    if failures.exists() {
        fs::remove_dir_all(&failures).context("remove the failures of the last run")?;
    }
    let results = Results { failures, ..Results::default() };
    let pairs_at = if arguments.full { PAIRS } else { usize::MAX };
    let trials = Mutex::new(VecDeque::from(trials));
    std::thread::scope(|scope| -> anyhow::Result<()> {
        let workers: Vec<_> =
            workers.iter().map(|worker| scope.spawn(|| results.work(worker, &trials, pairs_at))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))?)
    })?;
    let counts = results.counts();
    if every {
        println!("{}", counts.table.markdown());
    }
    println!(
        "crash-matrix: {} trials in {:.0?}, {} of them killed twice; {} as they must end, {} not; \
         {} ended before the cut",
        counts.right + counts.wrong,
        started.elapsed(),
        counts.twice,
        counts.right,
        counts.wrong,
        counts.not_reached,
    );
    Ok(counts.wrong == 0)
}

/// The program, built to stop where it is told, beside the one that everybody else runs.
fn build(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--package", "selvedge", "--features", "failpoints"])
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .status()
        .context("run `cargo build`")?;
    ensure!(status.success(), "`cargo build --package selvedge --features failpoints` failed");
    let file = format!("selvedge{}", std::env::consts::EXE_SUFFIX);
    let folder = workspace.target.join("crash-matrix");
    fs::create_dir_all(&folder).context("make the folder of the crash matrix")?;
    let own = folder.join(&file);
    // Whatever cargo builds there next must not change it under a running matrix.
    fs::copy(workspace.target.join("debug").join(&file), &own).context("copy the program")?;
    Ok(own)
}

/// The trials that are wanted, and in words which.
fn chosen<'a>(references: &'a [Reference], arguments: &Arguments) -> (Vec<Trial<'a>>, String) {
    let journals: &[Journal] = if arguments.full || arguments.only.is_some() {
        &[Journal::Local, Journal::Elsewhere]
    } else {
        &[Journal::Local]
    };
    let cuts = references.iter().flat_map(|reference| reference.cuts.iter().map(move |cut| (reference, cut)));
    let every = |(reference, cut): (&'a Reference, &'a cut::Cut)| {
        let ways = [Way::Resume, Way::Rollback].into_iter();
        ways.flat_map(move |way| {
            journals.iter().map(move |&journal| Trial { reference, cut, way, journal, again: None })
        })
    };
    if let Some(only) = &arguments.only {
        let mut trials: Vec<_> = cuts.flat_map(every).collect();
        trials.extend(sample::pairs(references));
        let words: Vec<&str> = only.split_whitespace().collect();
        let named = |trial: &Trial<'_>| {
            let name = trial.to_string();
            words.iter().all(|word| name.contains(word))
                && (trial.again.is_none() || words.iter().any(|word| word.starts_with("again")))
        };
        trials.retain(named);
        return (trials, format!("those named `{only}`"));
    }
    if arguments.full {
        let mut trials: Vec<_> = cuts.flat_map(every).collect();
        trials.extend(sample::pairs(references));
        return (trials, "all of them".to_owned());
    }
    let quarter = arguments.quarter.unwrap_or_else(|| today() % 4 + 1);
    let step = cuts.enumerate().filter(|(index, _)| *index as u64 % 4 + 1 == quarter);
    let trials = step.flat_map(|(_, cut)| every(cut)).collect();
    (trials, format!("quarter {quarter} (again with `--quarter {quarter}`)"))
}

/// The number of the day.
fn today() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs() / (24 * 60 * 60))
}

/// What became of the trials so far.
#[derive(Default)]
struct Results {
    counts: Mutex<Counts>,
    /// Where what went wrong is kept.
    failures: PathBuf,
}

#[derive(Default)]
struct Counts {
    table: Table,
    right: usize,
    wrong: usize,
    not_reached: usize,
    /// Of the trials that came to their cuts, those with two of them.
    twice: usize,
}

impl Results {
    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries one after the other, until there is none left, or enough have been killed twice.
    fn work(&self, worker: &Worker, trials: &Mutex<VecDeque<Trial<'_>>>, pairs: usize) -> anyhow::Result<()> {
        loop {
            let next = trials.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(trial) = next else { return Ok(()) };
            if trial.again.is_some() && self.counts().twice >= pairs {
                continue;
            }
            let verdict = match trial.run(worker) {
                Ok(verdict) => verdict,
                Err(error) => Verdict::Wrong(format!("the harness failed: {error:?}")),
            };
            if let Verdict::Wrong(why) = &verdict {
                let kept = self.failures.join(trial.to_string().replace(['/', ' '], "-"));
                keep(worker, &trial, why, &kept).context("keep what went wrong")?;
                let first = why.lines().next().unwrap_or_default();
                println!(
                    "crash-matrix: WRONG {trial} ({}): {first}\n    \
                     cargo xtask crash-matrix --only '{trial}'\n    {}",
                    trial.cut.at,
                    kept.display()
                );
            }
            let mut counts = self.counts();
            match verdict {
                Verdict::NotReached => counts.not_reached += 1,
                Verdict::Right(_) => counts.right += 1,
                Verdict::Wrong(_) => counts.wrong += 1,
            }
            counts.twice += usize::from(trial.again.is_some() && !matches!(verdict, Verdict::NotReached));
            counts.table.add(&trial, &verdict);
            let tried = counts.right + counts.wrong + counts.not_reached;
            if tried.is_multiple_of(500) {
                println!("crash-matrix: {tried} tried, {} wrong", counts.wrong);
            }
        }
    }
}

/// Keeps the journal, what was said, and what was asked.
fn keep(worker: &Worker, trial: &Trial<'_>, why: &str, folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    fs::write(folder.join("why.txt"), format!("{trial}\ncut at {}\n\n{why}\n", trial.cut.at))?;
    let journal = worker.journal(trial.journal);
    let journal = journal.map(|lines| lines.iter().map(|line| format!("{line}\n")).collect());
    fs::write(folder.join("journal.jsonl"), journal.unwrap_or_else(|error| format!("{error:?}\n")))?;
    let requests = worker.tenant.requests()?;
    let requests = requests.iter().map(|request| {
        let (status, fault) = (request.status, request.fault.as_deref().unwrap_or_default());
        format!("{} {} {status:?} {fault}\n", request.method, request.path)
    });
    fs::write(folder.join("requests.txt"), requests.collect::<String>())?;
    Ok(())
}

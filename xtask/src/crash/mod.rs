//! `cargo xtask crash-matrix`: the real program, killed at every point of a deployment and of its rollback, and taken up by
//! a fresh process. Afterwards everything is made, or nothing is there that was not there before.

mod cut;
mod journal;
mod judge;
mod kill;
mod plant;
mod reference;
mod sample;
mod scenario;
mod table;
mod trial;
mod worker;

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Instant, SystemTime};

use anyhow::{Context, ensure};
use driver::Azurite;
use tempfile::TempDir;

use crate::azurite;
use crate::workspace::Workspace;
use journal::Journal;
use reference::Reference;
use table::Table;
use trial::{Trial, Verdict, Way};
use worker::Worker;

/// What is tried.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Every cut, every way to take it up, 500 recoveries that are killed themselves, and a table.
    #[arg(long, conflicts_with = "quarter")]
    full: bool,
    /// A quarter of the cuts, 1 to 4; 5 to 16 are the same quarters again, with the journal in Blob Storage for other cuts. The day
    /// chooses where neither this nor --full is given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=16))]
    quarter: Option<u64>,
    /// Of all of them those whose names have each of these words, for example `new/forward record-007 rollback local`.
    #[arg(long, value_name = "WORDS", conflicts_with = "quarter")]
    only: Option<String>,
}

/// How many trials run at once. Much of a trial is waiting: for what may still land, for a pause between two looks.
const WORKERS: usize = 4;

/// What the program says that stops where it is told.
const FAILPOINT: &str = "stopped at failpoint ";

/// Recoveries that are killed themselves, in a full run.
const PAIRS: usize = 500;

/// Runs the matrix, in a folder of its own; `true` when every trial ends as it must.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> anyhow::Result<bool> {
    let shared = workspace.target.join("crash-matrix");
    fs::create_dir_all(&shared).context("make the folder of the crash matrices")?;
    let folder = tempfile::Builder::new().prefix("run-").tempdir_in(&shared);
    let folder = folder.context("make the folder of this run")?;
    let passed = matrix(workspace, arguments, folder.path(), &shared.join("table.md"));
    conclude(folder, passed)
}

/// Removes the folder of a run in which nothing failed, and says where that of another one is.
fn conclude(folder: TempDir, passed: anyhow::Result<bool>) -> anyhow::Result<bool> {
    if let Ok(true) = passed {
        folder.close().context("remove the folder of this run")?;
    } else {
        println!("crash-matrix: what this run has left is kept in {}", folder.keep().display());
    }
    passed
}

fn matrix(workspace: &Workspace, arguments: &Arguments, folder: &Path, table: &Path) -> anyhow::Result<bool> {
    let binary = build(workspace, folder)?;
    let azurite = Arc::new(Azurite::start(&azurite::install(workspace)?, &folder.join("azurite"))?);
    let workers = (0..WORKERS)
        .map(|number| Worker::new(number, &binary, folder, Arc::clone(&azurite)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let first = workers.first().context("there is no worker")?;
    let every = arguments.full || arguments.only.is_some();
    let mut references = Vec::new();
    for scenario in &scenario::SCENARIOS {
        references.extend(reference::record(first, scenario, every)?);
    }
    let whole = references.iter().filter(|reference| !reference.sampled);
    let cuts: usize = whole.map(|reference| reference.cuts.len()).sum();
    let (trials, wanted) = chosen(&references, arguments);
    let (runs, runners) = (trials.len(), workers.len());
    println!("crash-matrix: {cuts} cuts; {wanted}: {runs} trials by {runners} workers");

    let started = Instant::now();
    let results =
        Results { failures: folder.join("failures"), table: folder.join("table.md"), ..Results::default() };
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
        let markdown = counts.table.markdown();
        fs::write(table, format!("{markdown}\n")).context("write the table")?;
        println!("{markdown}");
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
fn build(workspace: &Workspace, folder: &Path) -> anyhow::Result<PathBuf> {
    let status = Command::new("cargo")
        .args(["build", "--quiet", "--package", "selvedge", "--features", "failpoints"])
        .current_dir(&workspace.root)
        .stdin(Stdio::null())
        .status()
        .context("run `cargo build`")?;
    ensure!(status.success(), "`cargo build --package selvedge --features failpoints` failed");
    let file = format!("selvedge{}", std::env::consts::EXE_SUFFIX);
    // Whatever cargo builds there next must not change it under a running matrix.
    let own = folder.join(&file);
    fs::copy(workspace.target.join("debug").join(&file), &own).context("copy the program")?;
    // Nor before: a program without them ends by itself, and no trial would come to its cut.
    let program = fs::read(&own).context("read the program")?;
    ensure!(
        program.windows(FAILPOINT.len()).any(|bytes| bytes == FAILPOINT.as_bytes()),
        "another build has put its program in the place of ours meanwhile: start again"
    );
    Ok(own)
}

/// The trials that are wanted, and in words which.
fn chosen<'a>(references: &'a [Reference], arguments: &Arguments) -> (Vec<Trial<'a>>, String) {
    if let Some(only) = &arguments.only {
        return (named(references, only), format!("those named `{only}`"));
    }
    let whole = references.iter().filter(|reference| !reference.sampled);
    let cuts = whole.flat_map(|reference| reference.cuts.iter().map(move |cut| (reference, cut)));
    if arguments.full {
        let mut trials = sample::rest(references);
        trials.extend(cuts.flat_map(|(reference, cut)| every(reference, cut)));
        trials.extend(sample::pairs(references));
        return (trials, "all of them".to_owned());
    }
    let quarter = arguments.quarter.unwrap_or_else(|| today() % 16 + 1);
    let (part, round) = ((quarter - 1) % 4, (quarter - 1) / 4);
    let mut trials = Vec::new();
    for (index, (reference, cut)) in (0_u64..).zip(cuts).filter(|(index, _)| index % 4 == part) {
        // Both ways. Of four cuts one is resumed and one rolled back by the journal in Blob Storage, which takes three times as long;
        // four rounds have them all.
        let by_blob = match (index / 4 + round) % 4 {
            0 => Some(Way::Resume),
            2 => Some(Way::Rollback),
            _ => None,
        };
        let due = |trial: &Trial<'_>| (trial.journal == Journal::Blob) == (by_blob == Some(trial.way));
        trials.extend(every(reference, cut).filter(due));
    }
    trials.extend(sample::few(references, quarter));
    (trials, format!("quarter {quarter} (again with `--quarter {quarter}`)"))
}

/// Every way to take up what is left at a cut.
fn every<'a>(reference: &'a Reference, cut: &'a cut::Cut) -> impl Iterator<Item = Trial<'a>> {
    const WAYS: [(Way, Journal); 4] = [
        (Way::Resume, Journal::Local),
        (Way::Rollback, Journal::Blob),
        (Way::Rollback, Journal::Local),
        (Way::Resume, Journal::Blob),
    ];
    WAYS.into_iter().map(move |(way, journal)| Trial { reference, cut, way, journal, again: None })
}

/// The trials whose names have each of the words of `only`.
fn named<'a>(references: &'a [Reference], only: &str) -> Vec<Trial<'a>> {
    let words: Vec<&str> = only.split_whitespace().collect();
    let cuts = references.iter().flat_map(|reference| reference.cuts.iter().map(move |cut| (reference, cut)));
    let mut trials: Vec<_> = cuts.flat_map(|(reference, cut)| every(reference, cut)).collect();
    if words.contains(&Journal::BlobWaiting.name()) {
        trials.retain(|trial| trial.journal == Journal::Blob);
        for trial in &mut trials {
            trial.journal = Journal::BlobWaiting;
        }
    }
    trials.extend(sample::pairs(references));
    trials.retain(|trial| {
        let name = trial.to_string();
        words.iter().all(|word| name.contains(word))
            && (trial.again.is_none() || words.iter().any(|word| word.starts_with("again")))
            && (trial.reference.phase != reference::TORN || trial.journal == Journal::Local)
    });
    trials
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
    /// Where the table is while it grows.
    table: PathBuf,
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
                fs::write(&self.table, counts.table.markdown() + "\n").context("write the table")?;
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
    let requests = worker.requests()?;
    let requests = requests.iter().map(|request| {
        let (status, fault) = (request.status, request.fault.as_deref().unwrap_or_default());
        format!("{} {} {status:?} {fault}\n", request.method, request.path)
    });
    fs::write(folder.join("requests.txt"), requests.collect::<String>())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_a_run_leaves_is_kept_unless_all_was_right() {
        let there = tempfile::tempdir().unwrap();
        for (passed, kept) in [(Ok(true), false), (Ok(false), true), (Err(anyhow::anyhow!("x")), true)] {
            let folder = TempDir::new_in(there.path()).unwrap();
            let path = folder.path().to_owned();
            fs::write(path.join("why.txt"), "x").unwrap();
            let wanted = passed.as_ref().ok().copied();
            assert_eq!(conclude(folder, passed).ok(), wanted);
            assert_eq!(path.exists(), kept, "{wanted:?}");
        }
    }

    #[test]
    fn the_quarters_have_every_recovery_of_every_cut() {
        let records: Vec<_> = (0..16).map(|_| ("intent".to_owned(), 1)).collect();
        let cuts = cut::at_records(&records, 0);
        let reference = Reference { cuts, ..Reference::forward(&scenario::SCENARIOS[0]) };
        let references = [reference];
        let names = |quarter| -> BTreeSet<String> {
            let arguments = Arguments { full: false, quarter: Some(quarter), only: None };
            chosen(&references, &arguments).0.iter().map(ToString::to_string).collect()
        };
        // Of 32 cuts 8, both ways.
        assert!((1..=16).all(|quarter| names(quarter).len() == 16));
        assert_eq!((1..=4).flat_map(names).count(), 64);
        assert_eq!((1..=16).flat_map(names).collect::<BTreeSet<_>>().len(), 32 * 4);
    }
}

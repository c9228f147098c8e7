//! What many runs come to.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::run::{Run, Trouble};

/// The sums over many runs.
pub(super) struct Figures {
    runs: usize,
    failed: usize,
    /// Runs that left something at first, and named it.
    left: usize,
    /// Requests that arrive where nothing fails, in one run.
    calm: usize,
    /// Of all runs.
    requests: usize,
    hit: usize,
    /// Of the runs that committed.
    committed: Sums,
    calm_calls: BTreeMap<&'static str, usize>,
    /// The verdicts of failed runs.
    failures: Vec<(Trouble, String)>,
    median: Duration,
    longest: Duration,
    calm_took: Duration,
}

#[derive(Default)]
struct Sums {
    runs: usize,
    requests: usize,
    calls: BTreeMap<&'static str, usize>,
    in_doubt: usize,
    resent: usize,
}

impl Figures {
    pub(super) fn of(calm: &Run, runs: &[Run]) -> Self {
        let mut took: Vec<_> = runs.iter().map(|run| run.took).collect();
        took.sort();
        let mut committed = Sums::default();
        for run in runs.iter().filter(|run| run.committed) {
            committed.runs += 1;
            committed.requests += run.requests.len();
            committed.in_doubt += run.in_doubt;
            committed.resent += run.resent;
            for (name, count) in &run.calls {
                *committed.calls.entry(name).or_default() += count;
            }
        }
        let failures = runs.iter().filter(|run| !run.committed).map(|run| (run.trouble, run.verdict.clone()));
        Self {
            runs: runs.len(),
            failed: runs.len() - committed.runs,
            left: runs.iter().filter(|run| run.taken_up > 0).count(),
            calm: calm.requests.len(),
            requests: runs.iter().map(|run| run.requests.len()).sum(),
            hit: runs.iter().map(|run| run.hit).sum(),
            committed,
            calm_calls: calm.calls.clone(),
            failures: failures.collect(),
            median: took[took.len() / 2],
            longest: took[took.len() - 1],
            calm_took: calm.took,
        }
    }

    /// The share of runs that did not commit.
    pub(super) fn failed(&self) -> f64 {
        self.failed as f64 / self.runs as f64
    }

    /// Runs that left something at first, and named it.
    pub(super) fn left(&self) -> usize {
        self.left
    }

    /// The share of requests that a fault hit.
    pub(super) fn faults(&self) -> f64 {
        self.hit as f64 / self.requests as f64
    }

    /// The requests of a committed run beyond those of the calm one, in parts of the latter.
    pub(super) fn extra(&self) -> f64 {
        self.part(self.committed.requests as f64) - 1.0
    }

    /// What was sent again, by the retry layer or the engine, in parts of the requests of the calm run.
    pub(super) fn sent_again(&self) -> f64 {
        self.retries() + self.part(self.committed.resent as f64)
    }

    /// What the retry layer sent again.
    fn retries(&self) -> f64 {
        let calls: usize = self.committed.calls.values().sum();
        self.part((self.committed.requests - calls) as f64)
    }

    /// Polls of operations beyond those of the calm run. There are fewer: a retry in between gives the operation time.
    fn polls(&self) -> f64 {
        let polls = |calls: &BTreeMap<&'static str, usize>| {
            let all =
                calls.iter().filter(|(name, _)| name.starts_with("operations.")).map(|(_, count)| count);
            all.sum::<usize>() as f64
        };
        self.part(polls(&self.committed.calls) - polls(&self.calm_calls) * self.committed.runs as f64)
    }

    /// So many requests of all runs, in parts of what they would have been.
    fn part(&self, requests: f64) -> f64 {
        requests / (self.committed.runs * self.calm) as f64
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, failed, calm, committed, .. } = self;
        let percent = |part: f64| part * 100.0;
        writeln!(f, "{runs} runs of {calm} requests, {:.1} % of which met a fault", percent(self.faults()))?;
        writeln!(
            f,
            "failed: {failed}, {:.2} %; {} left something that had to be taken up again",
            percent(self.failed()),
            self.left
        )?;
        writeln!(
            f,
            "time: calm {:.0?}, median {:.0?}, longest {:.0?}",
            self.calm_took, self.median, self.longest
        )?;
        let Sums { runs, in_doubt, resent, .. } = committed;
        writeln!(
            f,
            "in doubt: {in_doubt} changes, {:.2} a run; sent again {resent}, {:.2} a run",
            *in_doubt as f64 / *runs as f64,
            *resent as f64 / *runs as f64
        )?;
        let (extra, retries, polls) = (self.extra(), self.retries(), self.polls());
        let looks = extra - self.sent_again() - polls;
        writeln!(
            f,
            "extra requests: {:.1} %: sent again {:.1} by the retry layer and {:.1} by the engine; looked for what \
             is in doubt {:.1}; polls {:+.1}; by operation, without what the retry layer sends again:",
            percent(extra),
            percent(retries),
            percent(self.sent_again() - retries),
            percent(looks),
            percent(polls)
        )?;
        for (name, total) in &committed.calls {
            let calm = self.calm_calls.get(name).copied().unwrap_or(0);
            let more = *total as f64 / *runs as f64 - calm as f64;
            if more != 0.0 {
                writeln!(f, "  {name}: {calm} and {more:+.2} a run")?;
            }
        }
        for (trouble, verdict) in self.failures.iter().take(10) {
            let verdict: String = verdict.chars().take(300).collect();
            writeln!(f, "{trouble:?}: {verdict}")?;
        }
        Ok(())
    }
}

//! How patient the engine is.

use std::time::Duration;

/// How patient the engine is, and how much it does at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many independent changes are made, or taken back, at the same time. At least 1; with 1 they are made in the order of the plan.
    pub concurrency: usize,
    /// How often a change that was read back as not done is sent again, where its failure may pass. 0: never.
    pub resends: u32,
    /// The wait before the first such sending; it doubles for each further one. What the other side asks for is a floor.
    pub backoff: Duration,
    /// What it doubles up to.
    pub max_backoff: Duration,
    /// How many times in a row a change in doubt must be read as absent before it counts as not done. At least 1.
    pub absent_reads: u32,
    /// The wait between two such reads: what was made may not be listed at once. Also the wait before undos that failed are tried once more.
    pub consistency_delay: Duration,
    /// How many times an undo, or the reading back of a change in doubt, is tried where its failure may pass. At least 1.
    /// With 7, and waits that double from 2 s up to 60 s, an outage of two minutes does not leave anything behind.
    pub undo_attempts: u32,
    /// How long a rollback waits for the end of an operation that the other side was still working on. What is removed while it is being
    /// made may appear again.
    pub settle_deadline: Duration,
    /// When a rollback ends at the latest, counted from its beginning in this process: no undo is begun after it.
    pub rollback_deadline: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            concurrency: 8,
            resends: 2,
            backoff: Duration::from_secs(2),
            max_backoff: Duration::from_secs(60),
            absent_reads: 2,
            consistency_delay: Duration::from_secs(10),
            undo_attempts: 7,
            settle_deadline: Duration::from_secs(10 * 60),
            rollback_deadline: Duration::from_secs(30 * 60),
        }
    }
}

impl Policy {
    /// The wait before the `n`-th repetition, from 1.
    pub(super) fn delay(&self, n: u32, floor: Duration) -> Duration {
        doubled(self.backoff, n).min(self.max_backoff).max(floor)
    }
}

/// The `n`-th of the pauses that begin with `first` and double, from 1.
pub(crate) fn doubled(first: Duration, n: u32) -> Duration {
    first.saturating_mul(1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX))
}

//! How many requests at once, and how long to pause.

use crate::error::{InvalidConfig, ensure};
use std::time::Duration;

const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// How many requests pass at once, and how long a pause is that the server has not measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateConfig {
    /// Requests under way at the same time, at most; 1 to 10,000. Default 16.
    pub max_concurrency: u32,
    /// The pause when the server throttles and does not say for how long; at most one day. Default 1 s.
    pub pause: Duration,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self { max_concurrency: 16, pause: Duration::from_secs(1) }
    }
}

impl GateConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let max = self.max_concurrency;
        ensure((1..=10_000).contains(&max), "max_concurrency", "must be between 1 and 10000")?;
        ensure(self.pause <= LONGEST_PAUSE, "pause", "must be at most one day")
    }
}

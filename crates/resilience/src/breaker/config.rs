//! When to open, and how to close again.

use crate::error::{InvalidConfig, ensure};
use std::time::Duration;

const LONGEST_OPEN: Duration = Duration::from_secs(24 * 60 * 60);

/// When a breaker opens, and what closes it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerConfig {
    /// Failures in a row that open it; at least 1. Default 5.
    pub failure_threshold: u32,
    /// How long it stays open before it lets probes through; at most one day. Default 60 s.
    pub open_for: Duration,
    /// Successful probes that close it; at least 1. Default 2.
    pub success_threshold: u32,
    /// Probes under way at the same time; at least 1. Default 3.
    pub half_open_permits: u32,
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failure_threshold: 5,
            open_for: Duration::from_secs(60),
            success_threshold: 2,
            half_open_permits: 3,
        }
    }
}

impl BreakerConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        ensure(self.failure_threshold >= 1, "failure_threshold", "must be at least 1")?;
        ensure(
            !self.open_for.is_zero() && self.open_for <= LONGEST_OPEN,
            "open_for",
            "must be more than zero and at most one day",
        )?;
        ensure(self.success_threshold >= 1, "success_threshold", "must be at least 1")?;
        ensure(self.half_open_permits >= 1, "half_open_permits", "must be at least 1")
    }
}

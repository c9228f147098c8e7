//! How often and how patiently to retry.

use crate::error::{InvalidConfig, ensure};
use std::time::Duration;

/// How often and how patiently a request is sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryConfig {
    /// Attempts in all, the first one included; at least 1. Default 3.
    pub max_attempts: u32,
    /// The pause after the first attempt, doubled after each further one. Default 2 s.
    pub base_delay: Duration,
    /// The longest pause that doubling leads to. A `Retry-After` may ask for more. Default 60 s.
    pub max_delay: Duration,
    /// The part of a pause that is added at random, 0 to 1, so that clients that failed together do not return
    /// together. Only ever added: a server is never asked earlier than it said. Default 0.25.
    pub jitter: f64,
    /// Retries per success that the shared budget allows beyond [`budget_floor`](Self::budget_floor), 0 to 1000.
    /// Default 0.5: faults on 20 % of the attempts need 0.25.
    pub budget_ratio: f32,
    /// Retries per second that the shared budget always allows, for clients that send little. Default 10.
    pub budget_floor: u32,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_secs(2),
            max_delay: Duration::from_secs(60),
            jitter: 0.25,
            budget_ratio: 0.5,
            budget_floor: 10,
        }
    }
}

impl RetryConfig {
    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        ensure(self.max_attempts >= 1, "max_attempts", "must be at least 1")?;
        ensure(self.base_delay <= self.max_delay, "base_delay", "must not be longer than max_delay")?;
        ensure((0.0..=1.0).contains(&self.jitter), "jitter", "must be between 0 and 1")?;
        ensure((0.0..=1000.0).contains(&self.budget_ratio), "budget_ratio", "must be between 0 and 1000")?;
        ensure(self.budget_floor <= 1_000_000, "budget_floor", "must be at most 1000000 per second")
    }
}

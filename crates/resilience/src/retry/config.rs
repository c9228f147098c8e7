//! How often and how patiently to retry.

use crate::error::{InvalidConfig, ensure};
use std::time::Duration;

/// How often and how patiently a request is sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct RetryConfig {
    /// Attempts in all, the first one included; at least 1.
    pub max_attempts: u32,
    /// The pause after the first attempt, doubled after each further one.
    pub base_delay: Duration,
    /// The longest pause that doubling leads to. A server may ask for more.
    pub max_delay: Duration,
    /// The part of a pause that is added at random, 0 to 1, so that clients that failed together do not return
    /// together. Only ever added: a server is never asked earlier than it said.
    pub jitter: f64,
    /// How many retries all requests together may do.
    pub budget: BudgetConfig,
}

/// A bound on what retries add to the load of a struggling server, shared by all requests of a layer.
///
/// Each retry takes one from the budget. Successes earn, and time does.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetConfig {
    /// The most retries that can be saved up, and what there is at first; at least 1. Default 100.
    pub capacity: u32,
    /// Retries that each success earns, 0 to 1000. Default 0.5: faults on 20 % of the attempts need 0.25, and with the
    /// usual 0.2 would starve.
    pub per_success: f64,
    /// Retries that each second earns, 0 to 1,000,000, for clients that send little. Default 10.
    pub per_second: f64,
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self::guide()
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self { capacity: 100, per_success: 0.5, per_second: 10.0 }
    }
}

impl RetryConfig {
    /// Three attempts, 2 s and 4 s apart: patient with a hiccup, and quick to say that something is wrong.
    #[must_use]
    pub fn guide() -> Self {
        Self {
            max_attempts: 3,
            base_delay: Duration::from_secs(2),
            max_delay: Duration::from_secs(60),
            jitter: 0.25,
            budget: BudgetConfig::default(),
        }
    }

    /// Six attempts, from 500 ms up to 30 s apart: where one attempt in five fails, one call in 15,000 does.
    #[must_use]
    pub fn robust() -> Self {
        Self {
            max_attempts: 6,
            base_delay: Duration::from_millis(500),
            max_delay: Duration::from_secs(30),
            ..Self::guide()
        }
    }

    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        let BudgetConfig { capacity, per_success, per_second } = self.budget;
        ensure(self.max_attempts >= 1, "max_attempts", "must be at least 1")?;
        ensure(self.base_delay <= self.max_delay, "base_delay", "must not be longer than max_delay")?;
        ensure((0.0..=1.0).contains(&self.jitter), "jitter", "must be between 0 and 1")?;
        ensure(capacity >= 1, "budget.capacity", "must be at least 1")?;
        ensure((0.0..=1e3).contains(&per_success), "budget.per_success", "must be between 0 and 1000")?;
        ensure((0.0..=1e6).contains(&per_second), "budget.per_second", "must be between 0 and 1000000")
    }
}

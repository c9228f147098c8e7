//! What retries may add to the load, over all requests.
//!
//! [`tower::retry::budget`] has the same idea. This one runs on the runtime's clock, and gives back what a request took
//! that was cancelled before its retry.

use super::BudgetConfig;
use crate::sync::Mutex;
use std::sync::Arc;
use tokio::time::Instant;

/// A bucket of retries, shared by its clones.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    config: BudgetConfig,
    level: Mutex<Level>,
}

/// How many retries there are, and as of when.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Level {
    pub(super) retries: f64,
    pub(super) at: Instant,
}

/// One retry, taken from the budget. Dropped (the caller left before it was sent) it is given back.
#[derive(Debug)]
pub(super) struct Token {
    budget: Budget,
    spent: bool,
}

impl Level {
    pub(super) fn full(config: &BudgetConfig, now: Instant) -> Self {
        Self { retries: f64::from(config.capacity), at: now }
    }

    /// The level after so many retries were earned, and with what time has earned until `now`.
    pub(super) fn earn(self, retries: f64, config: &BudgetConfig, now: Instant) -> Self {
        let seconds = now.saturating_duration_since(self.at).as_secs_f64();
        let earned = self.retries + seconds * config.per_second + retries;
        Self { retries: earned.min(f64::from(config.capacity)), at: now.max(self.at) }
    }

    /// The level without one retry, if there is a whole one.
    pub(super) fn spend(self) -> Option<Self> {
        (self.retries >= 1.0).then_some(Self { retries: self.retries - 1.0, ..self })
    }
}

impl Budget {
    pub(super) fn new(config: BudgetConfig) -> Self {
        let level = Mutex::new(Level::full(&config, Instant::now()));
        Self { shared: Arc::new(Shared { config, level }) }
    }

    /// Notes a success.
    pub(super) fn deposit(&self) {
        self.earn(self.shared.config.per_success);
    }

    /// Takes a retry, if there is one.
    pub(super) fn withdraw(&self) -> Option<Token> {
        let mut level = self.shared.level.lock();
        let now = level.earn(0.0, &self.shared.config, Instant::now());
        *level = now.spend()?;
        Some(Token { budget: self.clone(), spent: false })
    }

    fn earn(&self, retries: f64) {
        let Shared { config, level } = &*self.shared;
        let mut level = level.lock();
        // What is full stays so, whatever the time.
        if level.retries < f64::from(config.capacity) {
            *level = level.earn(retries, config, Instant::now());
        }
    }

    #[cfg(test)]
    pub(super) fn retries(&self) -> f64 {
        self.shared.level.lock().retries
    }
}

impl Token {
    /// The retry took place: it is not given back.
    pub(super) fn spend(mut self) {
        self.spent = true;
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        if !self.spent {
            self.budget.earn(1.0);
        }
    }
}

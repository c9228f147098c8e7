//! The breaker as requests share it: the machine behind a lock, permits, and what is reported.

use super::{
    BreakerConfig,
    state::{Event, Machine, State, Verdict},
};
use crate::{InvalidConfig, events};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The answer of an open breaker. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker is open for another {retry_after:.1?}")]
pub struct BreakerOpen {
    retry_after: Duration,
}

/// What a breaker is doing, for health reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerStatus {
    /// Everything passes.
    Closed,
    /// Nothing passes, for so much longer.
    Open {
        /// Until probes may pass; zero where the next request will be one.
        remaining: Duration,
    },
    /// Probes pass.
    HalfOpen,
}

/// One breaker, shared by its clones.
#[derive(Clone, Debug)]
pub struct Breaker {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    config: BreakerConfig,
    machine: Mutex<Machine>,
}

/// The right to one attempt. Dropped without a verdict (the caller left) it says nothing and is given back.
#[derive(Debug)]
pub(super) struct Permit {
    breaker: Breaker,
    generation: u64,
    verdict: Verdict,
}

// ===== impl BreakerOpen =====

impl BreakerOpen {
    /// How long to wait before asking again.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

// ===== impl Breaker =====

impl Breaker {
    /// A closed breaker. `name` says in the logs whose breaker it is.
    ///
    /// # Errors
    ///
    /// When `config` cannot work.
    pub fn new(name: impl Into<String>, config: BreakerConfig) -> Result<Self, InvalidConfig> {
        config.validate()?;
        let shared = Shared { name: name.into(), config, machine: Mutex::new(Machine::new()) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The name given to [`Breaker::new`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What the breaker is doing now.
    #[must_use]
    pub fn status(&self) -> BreakerStatus {
        match self.machine().state {
            State::Closed { .. } => BreakerStatus::Closed,
            State::Open { until } => {
                BreakerStatus::Open { remaining: until.saturating_duration_since(Instant::now()) }
            }
            State::HalfOpen { .. } => BreakerStatus::HalfOpen,
        }
    }

    pub(super) fn acquire(&self) -> Result<Permit, BreakerOpen> {
        let now = Instant::now();
        let mut machine = self.machine();
        machine.admission(&self.shared.config, now).map_err(|retry_after| BreakerOpen { retry_after })?;
        self.advance(&mut machine, Event::Admitted, now);
        Ok(Permit { generation: machine.generation, verdict: Verdict::Silent, breaker: self.clone() })
    }

    fn advance(&self, machine: &mut Machine, event: Event, now: Instant) {
        let before = machine.generation;
        *machine = machine.on(event, &self.shared.config, now);
        if machine.generation == before {
            return;
        }
        match machine.state {
            State::Open { .. } => events::breaker_opened(self.name(), self.shared.config.open_for),
            State::HalfOpen { .. } => events::breaker_half_opened(self.name()),
            State::Closed { .. } => events::breaker_closed(self.name()),
        }
    }

    fn machine(&self) -> MutexGuard<'_, Machine> {
        // The machine is replaced whole, so even after a panic elsewhere it is a state that was meant.
        self.shared.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// ===== impl Permit =====

impl Permit {
    pub(super) fn settle(mut self, verdict: Verdict) {
        self.verdict = verdict;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let event = Event::Settled { generation: self.generation, verdict: self.verdict };
        self.breaker.advance(&mut self.breaker.machine(), event, Instant::now());
    }
}

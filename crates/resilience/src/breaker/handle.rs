//! The breaker as requests share it: the machine behind a lock, permits, and what is reported.

use super::{
    BreakerConfig, Trip,
    state::{Event, Machine, State, Verdict},
};
use crate::{InvalidConfig, events, sync::Mutex};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The answer of an open breaker. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("circuit breaker is open for another {retry_after:.1?}")]
pub struct BreakerOpen {
    retry_after: Duration,
    opening: u64,
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

/// A breaker at one moment, for health reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BreakerSnapshot {
    /// Whose breaker it is: `fabric/operations`.
    pub name: String,
    /// What it is doing.
    pub status: BreakerStatus,
    /// Calls that ended since it closed last, of those that it looks back at.
    pub recent_calls: u32,
    /// Those of them that failed.
    pub recent_failures: u32,
    /// How often it has opened.
    pub openings: u64,
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

    /// Which opening of the breaker this is, its probes included: the first is 1.
    #[must_use]
    pub fn opening(&self) -> u64 {
        self.opening
    }
}

// ===== impl Breaker =====

impl Breaker {
    /// A closed breaker. `name` says in logs and reports whose breaker it is.
    ///
    /// # Errors
    ///
    /// When `config` cannot work.
    pub fn new(name: impl Into<String>, config: BreakerConfig) -> Result<Self, InvalidConfig> {
        config.validate()?;
        Ok(Self::valid(name.into(), config))
    }

    pub(super) fn valid(name: String, config: BreakerConfig) -> Self {
        Self { shared: Arc::new(Shared { name, config, machine: Mutex::new(Machine::new()) }) }
    }

    /// The name given to [`Breaker::new`].
    #[must_use]
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// What the breaker is doing now.
    #[must_use]
    pub fn status(&self) -> BreakerStatus {
        self.snapshot().status
    }

    /// The breaker at this moment.
    #[must_use]
    pub fn snapshot(&self) -> BreakerSnapshot {
        let machine = *self.shared.machine.lock();
        let mut snapshot = BreakerSnapshot {
            name: self.shared.name.clone(),
            status: BreakerStatus::Closed,
            recent_calls: 0,
            recent_failures: 0,
            openings: machine.openings,
        };
        match machine.state {
            State::Closed(window) => {
                let looked_at = match self.shared.config.trip {
                    Trip::FailureRate { window, .. } => window,
                    Trip::Consecutive { .. } => u32::MAX,
                };
                (snapshot.recent_calls, snapshot.recent_failures) = window.counts(looked_at);
            }
            State::Open { until, .. } => {
                let remaining = until.saturating_duration_since(Instant::now());
                snapshot.status = BreakerStatus::Open { remaining };
            }
            State::HalfOpen { .. } => snapshot.status = BreakerStatus::HalfOpen,
        }
        snapshot
    }

    /// Closes the breaker and forgets what it has seen, as an operator may who knows that the service is back.
    /// Attempts under way have no say any more. Requests that already wait for it to close wait as long as they were told.
    pub fn reset(&self) {
        self.advance(&mut self.shared.machine.lock(), Event::Reset, Instant::now());
    }

    pub(super) fn acquire(&self) -> Result<Permit, BreakerOpen> {
        let mut machine = self.shared.machine.lock();
        let now = Instant::now();
        let opening = machine.openings;
        machine
            .admission(&self.shared.config, now)
            .map_err(|retry_after| BreakerOpen { retry_after, opening })?;
        self.advance(&mut machine, Event::Admitted, now);
        Ok(Permit { generation: machine.generation, verdict: Verdict::Silent, breaker: self.clone() })
    }

    fn advance(&self, machine: &mut Machine, event: Event, now: Instant) {
        let before = *machine;
        *machine = machine.on(event, &self.shared.config, now);
        if machine.generation == before.generation {
            return;
        }
        match (before.state, machine.state) {
            (_, State::Open { open_for, .. }) => events::breaker_opened(self.name(), open_for),
            (State::HalfOpen { .. }, State::HalfOpen { .. }) => events::breaker_probes_expired(self.name()),
            (_, State::HalfOpen { .. }) => events::breaker_half_opened(self.name()),
            (_, State::Closed(_)) => events::breaker_closed(self.name()),
        }
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
        if cfg!(selvedge_bug = "keeps-dropped-permits") && self.verdict == Verdict::Silent {
            return;
        }
        let event = Event::Settled { generation: self.generation, verdict: self.verdict };
        self.breaker.advance(&mut self.breaker.shared.machine.lock(), event, Instant::now());
    }
}

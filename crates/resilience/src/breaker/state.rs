//! The breaker's state machine: pure, so that every transition can be tested without a clock or a server.

use super::BreakerConfig;
use std::time::Duration;
use tokio::time::Instant;

/// How long a request is told to wait that finds all probes of a half-open breaker under way.
const PROBES_TAKEN_WAIT: Duration = Duration::from_secs(1);

/// The state, and which one it is in the row of all states the breaker has been in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) state: State,
    /// Raised by each transition. An attempt that was admitted in another generation has no say in this one.
    pub(super) generation: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Everything passes.
    Closed {
        /// Failures since the last success.
        failures: u32,
    },
    /// Nothing passes.
    Open {
        /// From when on probes may pass.
        until: Instant,
    },
    /// A few probes pass.
    HalfOpen {
        /// Probes under way.
        in_flight: u32,
        /// Probes that succeeded.
        successes: u32,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A request was let through, as [`Machine::admission`] allowed.
    Admitted,
    /// An admitted request ended.
    Settled { generation: u64, verdict: Verdict },
}

/// What an ended request says about the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The service answers.
    Alive,
    /// The service fails.
    Failing,
    /// Nothing: cancelled, or throttled.
    Silent,
}

impl Machine {
    pub(super) fn new() -> Self {
        Self { state: State::Closed { failures: 0 }, generation: 0 }
    }

    /// Whether a request may pass now; if not, how long it should wait before it asks again.
    pub(super) fn admission(self, config: &BreakerConfig, now: Instant) -> Result<(), Duration> {
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { until } if now >= until => Ok(()),
            State::Open { until } => Err(until - now),
            State::HalfOpen { in_flight, .. } if in_flight < config.half_open_permits => Ok(()),
            State::HalfOpen { .. } => Err(PROBES_TAKEN_WAIT.min(config.open_for)),
        }
    }

    /// The state after `event`.
    pub(super) fn on(self, event: Event, config: &BreakerConfig, now: Instant) -> Self {
        match (self.state, event) {
            // ## Open => HalfOpen, with its first probe
            (State::Open { .. }, Event::Admitted) => {
                self.enter(State::HalfOpen { in_flight: 1, successes: 0 })
            }
            (State::HalfOpen { in_flight, successes }, Event::Admitted) => {
                self.stay(State::HalfOpen { in_flight: in_flight.saturating_add(1), successes })
            }
            (State::Closed { .. }, Event::Admitted) => self,

            (_, Event::Settled { generation, .. }) if generation != self.generation => self,
            (State::Closed { failures }, Event::Settled { verdict, .. }) => {
                self.closed_settled(failures, verdict, config, now)
            }
            (State::HalfOpen { in_flight, successes }, Event::Settled { verdict, .. }) => {
                self.probe_settled(in_flight, successes, verdict, config, now)
            }
            // An open breaker admits nothing, so nothing of its generation can settle.
            (State::Open { .. }, Event::Settled { .. }) => self,
        }
    }

    fn closed_settled(self, failures: u32, verdict: Verdict, config: &BreakerConfig, now: Instant) -> Self {
        match verdict {
            Verdict::Alive => self.stay(State::Closed { failures: 0 }),
            // ## Closed => Open
            Verdict::Failing if failures.saturating_add(1) >= config.failure_threshold => {
                self.open(config, now)
            }
            Verdict::Failing => self.stay(State::Closed { failures: failures + 1 }),
            Verdict::Silent => self,
        }
    }

    fn probe_settled(
        self,
        in_flight: u32,
        successes: u32,
        verdict: Verdict,
        config: &BreakerConfig,
        now: Instant,
    ) -> Self {
        let in_flight = in_flight.saturating_sub(1);
        match verdict {
            // ## HalfOpen => Closed
            Verdict::Alive if successes.saturating_add(1) >= config.success_threshold => {
                self.enter(State::Closed { failures: 0 })
            }
            Verdict::Alive => self.stay(State::HalfOpen { in_flight, successes: successes + 1 }),
            // ## HalfOpen => Open
            Verdict::Failing => self.open(config, now),
            Verdict::Silent => self.stay(State::HalfOpen { in_flight, successes }),
        }
    }

    fn open(self, config: &BreakerConfig, now: Instant) -> Self {
        self.enter(State::Open { until: now + config.open_for })
    }

    fn enter(self, state: State) -> Self {
        Self { state, generation: self.generation + 1 }
    }

    fn stay(self, state: State) -> Self {
        Self { state, ..self }
    }
}

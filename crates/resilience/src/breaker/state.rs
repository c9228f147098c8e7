//! The breaker's state machine: pure, so that every transition can be tested without a clock or a server.

use super::{BreakerConfig, window::Window};
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
    /// How often the breaker has opened.
    pub(super) openings: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Everything passes.
    Closed(Window),
    /// Nothing passes.
    Open {
        /// From when on probes may pass.
        until: Instant,
        /// How long it is open in all.
        open_for: Duration,
    },
    /// A few probes pass.
    HalfOpen {
        /// Probes under way.
        in_flight: u32,
        /// Probes that succeeded.
        successes: u32,
        /// From when on all probes that are still under way count as lost, counted from the last one's start.
        expires: Instant,
        /// How long it was open before.
        open_for: Duration,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A request was let through, as [`Machine::admission`] allowed.
    Admitted,
    /// An admitted request ended.
    Settled { generation: u64, verdict: Verdict },
    /// An operator closed it.
    Reset,
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
        Self { state: State::Closed(Window::default()), generation: 0, openings: 0 }
    }

    /// Whether a request may pass now; if not, how long it should wait before it asks again.
    pub(super) fn admission(self, config: &BreakerConfig, now: Instant) -> Result<(), Duration> {
        match self.state {
            State::Closed(_) => Ok(()),
            State::Open { until, .. } if now >= until => Ok(()),
            State::Open { until, .. } => Err(until - now),
            State::HalfOpen { in_flight, .. } if in_flight < config.half_open_permits => Ok(()),
            State::HalfOpen { expires, .. } if now >= expires => Ok(()),
            State::HalfOpen { expires, open_for, .. } => {
                Err(PROBES_TAKEN_WAIT.min(open_for).min(expires - now))
            }
        }
    }

    /// The state after `event`.
    pub(super) fn on(self, event: Event, config: &BreakerConfig, now: Instant) -> Self {
        match (self.state, event) {
            (State::Closed(_), Event::Admitted) => self,
            // ## Open => HalfOpen, with its first probe
            (State::Open { open_for, .. }, Event::Admitted) => self.probe(open_for, config, now),
            (State::HalfOpen { .. }, Event::Admitted) => self.probe_admitted(config, now),

            (_, Event::Settled { generation, .. })
                if generation != self.generation && !cfg!(selvedge_bug = "no-generation-guard") =>
            {
                self
            }
            (State::Closed(window), Event::Settled { verdict, .. }) => {
                self.closed_settled(window, verdict, config, now)
            }
            (State::HalfOpen { .. }, Event::Settled { verdict, .. }) => {
                self.probe_settled(verdict, config, now)
            }
            // An open breaker admits nothing, so nothing of its generation can settle.
            (State::Open { .. }, Event::Settled { .. }) => self,

            (_, Event::Reset) => self.enter(State::Closed(Window::default())),
        }
    }

    fn closed_settled(self, window: Window, verdict: Verdict, config: &BreakerConfig, now: Instant) -> Self {
        let window = match verdict {
            Verdict::Alive => window.push(false),
            Verdict::Failing => window.push(true),
            Verdict::Silent => return self,
        };
        // ## Closed => Open
        if verdict == Verdict::Failing && window.trips(config.trip) {
            return self.open(config.open_for, now);
        }
        Self { state: State::Closed(window), ..self }
    }

    fn probe_admitted(self, config: &BreakerConfig, now: Instant) -> Self {
        let State::HalfOpen { in_flight, successes, open_for, .. } = self.state else {
            return self;
        };
        if in_flight >= config.half_open_permits {
            // Those under way are lost: a new generation, in which they have no say.
            return self.probe(open_for, config, now);
        }
        // As long as there is room for another, nobody is lost whom it matters to find.
        let expires = now + config.probe_expiry;
        let in_flight = in_flight + 1;
        Self { state: State::HalfOpen { in_flight, successes, expires, open_for }, ..self }
    }

    fn probe_settled(self, verdict: Verdict, config: &BreakerConfig, now: Instant) -> Self {
        let State::HalfOpen { in_flight, successes, expires, open_for } = self.state else {
            return self;
        };
        let in_flight = in_flight.saturating_sub(1);
        let successes = successes + u32::from(verdict == Verdict::Alive);
        match verdict {
            // ## HalfOpen => Closed
            Verdict::Alive if successes >= config.success_threshold => {
                self.enter(State::Closed(Window::default()))
            }
            // ## HalfOpen => Open
            Verdict::Failing => self.open(open_for.saturating_mul(2).min(config.max_open_for), now),
            Verdict::Alive | Verdict::Silent => {
                Self { state: State::HalfOpen { in_flight, successes, expires, open_for }, ..self }
            }
        }
    }

    fn probe(self, open_for: Duration, config: &BreakerConfig, now: Instant) -> Self {
        let expires = now + config.probe_expiry;
        self.enter(State::HalfOpen { in_flight: 1, successes: 0, expires, open_for })
    }

    fn open(self, open_for: Duration, now: Instant) -> Self {
        let state = State::Open { until: now + open_for, open_for };
        Self { openings: self.openings + 1, ..self.enter(state) }
    }

    fn enter(self, state: State) -> Self {
        Self { state, generation: self.generation + 1, ..self }
    }
}

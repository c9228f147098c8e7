//! When to open, and how to close again.

use crate::error::{InvalidConfig, ensure};
use std::time::Duration;

const LONGEST_OPEN: Duration = Duration::from_secs(24 * 60 * 60);

/// When a breaker opens, and what closes it again.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerConfig {
    /// What opens it.
    pub trip: Trip,
    /// How long it stays open before it lets probes through; at most one day.
    pub open_for: Duration,
    /// How long it stays open at most: each time that its probes fail, the time doubles up to this. At least
    /// [`open_for`](Self::open_for), at most one day.
    pub max_open_for: Duration,
    /// Successful probes that close it; at least 1.
    pub success_threshold: u32,
    /// Probes under way at the same time; at least 1.
    pub half_open_permits: u32,
    /// How long a probe may take before its permit counts as lost and others are let through. More than any
    /// attempt takes, so more than the attempt timeout.
    pub probe_expiry: Duration,
}

/// What opens a breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trip {
    /// So many failures in a row.
    Consecutive {
        /// At least 1.
        failures: u32,
    },
    /// A part of the last calls, or so many failures in a row: few who wait long between their calls would need many
    /// minutes to fill a window.
    FailureRate {
        /// The part that must have failed, more than 0 and at most 1.
        ratio: f64,
        /// How many calls are looked back at, 1 to 128.
        window: u32,
        /// With fewer calls than this nothing is concluded of the part that failed; 1 to `window`.
        min_calls: u32,
        /// So many failures in a row; at least 1.
        failures: u32,
    },
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self::guide()
    }
}

impl BreakerConfig {
    /// Opens for 60 s after five failures in a row; two successes among three probes at a time close it.
    #[must_use]
    pub fn guide() -> Self {
        Self {
            trip: Trip::Consecutive { failures: 5 },
            open_for: Duration::from_secs(60),
            max_open_for: Duration::from_secs(60),
            success_threshold: 2,
            half_open_permits: 3,
            probe_expiry: Duration::from_secs(150),
        }
    }

    /// Opens when half of the last hundred calls failed, at least fifty, or ten in a row: where one call in five fails by
    /// chance, the one happens once in half a million windows, the other once in ten million calls. Open for 30 s,
    /// doubling up to 5 min.
    #[must_use]
    pub fn robust() -> Self {
        Self {
            trip: Trip::FailureRate { ratio: 0.5, window: 100, min_calls: 50, failures: 10 },
            open_for: Duration::from_secs(30),
            max_open_for: Duration::from_secs(5 * 60),
            ..Self::guide()
        }
    }

    pub(super) fn validate(&self) -> Result<(), InvalidConfig> {
        match self.trip {
            Trip::Consecutive { failures } => ensure(failures >= 1, "trip.failures", "must be at least 1")?,
            Trip::FailureRate { ratio, window, min_calls, failures } => {
                ensure(failures >= 1, "trip.failures", "must be at least 1")?;
                ensure(ratio > 0.0 && ratio <= 1.0, "trip.ratio", "must be more than 0 and at most 1")?;
                ensure((1..=128).contains(&window), "trip.window", "must be between 1 and 128")?;
                ensure((1..=window).contains(&min_calls), "trip.min_calls", "must be between 1 and window")?;
            }
        }
        let open_for = self.open_for;
        ensure(
            !open_for.is_zero() && open_for <= LONGEST_OPEN,
            "open_for",
            "must be more than zero and at most one day",
        )?;
        ensure(
            (open_for..=LONGEST_OPEN).contains(&self.max_open_for),
            "max_open_for",
            "must be at least open_for and at most one day",
        )?;
        ensure(self.success_threshold >= 1, "success_threshold", "must be at least 1")?;
        ensure(self.half_open_permits >= 1, "half_open_permits", "must be at least 1")?;
        ensure(!self.probe_expiry.is_zero(), "probe_expiry", "must be more than zero")?;
        ensure(self.probe_expiry <= LONGEST_OPEN, "probe_expiry", "must be at most one day")
    }
}

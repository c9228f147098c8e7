//! The pace: pure, so that every step can be tested without a clock or a server.

use super::GateConfig;
use crate::retry::after;
use std::time::Duration;
use tokio::time::Instant;

/// How many may pass at once, and from when on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pace {
    /// Requests at once; the whole part counts, the rest is growth under way.
    limit: f64,
    /// Nobody passes before.
    paused_until: Option<Instant>,
    /// When the limit was cut last. A request that was let through before then was part of what led to the cut.
    cut_at: Option<Instant>,
}

impl Pace {
    pub(super) fn new(config: &GateConfig) -> Self {
        Self { limit: f64::from(config.max_concurrency), paused_until: None, cut_at: None }
    }

    /// How many may pass at once.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 10,000")]
    pub(super) fn limit(self) -> u32 {
        self.limit as u32
    }

    /// Whether anybody was ever asked to wait.
    pub(super) fn was_paused(self) -> bool {
        self.paused_until.is_some()
    }

    /// How long nobody may pass.
    pub(super) fn pause(self, now: Instant) -> Duration {
        self.paused_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// A request that passed at `passed` was answered that it is too fast.
    #[must_use]
    pub(super) fn throttled(
        self,
        passed: Instant,
        retry_after: Option<Duration>,
        config: &GateConfig,
        now: Instant,
    ) -> Self {
        // No clock holds just any wait.
        let until = now + retry_after.map_or(config.pause, |wait| wait.min(after::CAP));
        let paused_until = Some(self.paused_until.map_or(until, |earlier| earlier.max(until)));
        if self.cut_at.is_some_and(|cut_at| passed <= cut_at) {
            return Self { paused_until, ..self };
        }
        Self { limit: (self.limit / 2.0).max(1.0), paused_until, cut_at: Some(now) }
    }

    /// A request did what it was to do.
    #[must_use]
    pub(super) fn succeeded(self, config: &GateConfig) -> Self {
        let limit = (self.limit + self.limit.recip()).min(f64::from(config.max_concurrency));
        Self { limit, ..self }
    }
}

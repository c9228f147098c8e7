//! Every log line of this crate.

use crate::{Effect, Outcome};
use std::time::Duration;

pub(crate) fn retrying(attempt: u32, max_attempts: u32, delay: Duration, effect: Effect, outcome: Outcome) {
    tracing::warn!(
        name: "resilience.retry",
        attempt,
        max_attempts,
        delay_ms = millis(delay),
        effect = ?effect,
        outcome = outcome.as_str(),
        "Retrying request (attempt {attempt}/{max_attempts})"
    );
}

pub(crate) fn retry_budget_exhausted(attempt: u32, max_attempts: u32) {
    tracing::warn!(
        name: "resilience.retry_budget_exhausted",
        attempt,
        max_attempts,
        "Not retrying request: too many requests are being retried"
    );
}

pub(crate) fn waiting_for_breaker(delay: Duration) {
    tracing::warn!(
        name: "resilience.breaker_wait",
        delay_ms = millis(delay),
        "Waiting for an open circuit breaker"
    );
}

pub(crate) fn breaker_opened(breaker: &str, open_for: Duration) {
    tracing::error!(
        name: "resilience.breaker_opened",
        breaker,
        open_for_ms = millis(open_for),
        "Circuit breaker opened"
    );
}

pub(crate) fn breaker_half_opened(breaker: &str) {
    tracing::info!(
        name: "resilience.breaker_half_opened",
        breaker,
        "Circuit breaker half-open: probing"
    );
}

pub(crate) fn breaker_closed(breaker: &str) {
    tracing::info!(name: "resilience.breaker_closed", breaker, "Circuit breaker closed");
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! Every log line of this crate.

use crate::{Effect, Outcome};
use std::time::Duration;

pub(crate) fn retrying(
    request: &str,
    attempt: u32,
    max_attempts: u32,
    delay: Duration,
    effect: Effect,
    outcome: Outcome,
) {
    tracing::warn!(
        name: "resilience.retry",
        request,
        attempt,
        max_attempts,
        delay_ms = millis(delay),
        effect = ?effect,
        outcome = outcome.as_str(),
        "Retrying request (attempt {attempt}/{max_attempts})"
    );
}

pub(crate) fn retry_budget_exhausted(request: &str, attempt: u32, max_attempts: u32, enforced: bool) {
    if enforced {
        tracing::warn!(
            name: "resilience.retry_budget_exhausted",
            request,
            attempt,
            max_attempts,
            "Not retrying request: too many requests are being retried"
        );
    } else {
        tracing::warn!(
            name: "resilience.retry_budget_exceeded",
            request,
            attempt,
            max_attempts,
            "Retrying request beyond the retry budget"
        );
    }
}

pub(crate) fn no_time_to_retry(request: &str, attempt: u32, max_attempts: u32, delay: Duration) {
    tracing::warn!(
        name: "resilience.no_time_to_retry",
        request,
        attempt,
        max_attempts,
        delay_ms = millis(delay),
        "Not retrying request: the wait would be too long"
    );
}

pub(crate) fn waiting_for_breaker(request: &str, delay: Duration) {
    tracing::warn!(
        name: "resilience.breaker_wait",
        request,
        delay_ms = millis(delay),
        "Waiting for an open circuit breaker"
    );
}

pub(crate) fn breaker_not_waited_for(request: &str, delay: Duration, why: &str) {
    tracing::warn!(
        name: "resilience.breaker_not_waited_for",
        request,
        delay_ms = millis(delay),
        "Not sending request: a circuit breaker is open, and {why}"
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

pub(crate) fn breaker_probes_expired(breaker: &str) {
    tracing::warn!(
        name: "resilience.breaker_probes_expired",
        breaker,
        "Circuit breaker half-open: its probes did not end, probing anew"
    );
}

pub(crate) fn breaker_closed(breaker: &str) {
    tracing::info!(name: "resilience.breaker_closed", breaker, "Circuit breaker closed");
}

/// `added` is how much longer that is than the pause was that is going on.
pub(crate) fn gate_paused(gate: &str, pause: Duration, added: Duration, limit: u32) {
    tracing::warn!(
        name: "resilience.throttled",
        gate,
        pause_ms = millis(pause),
        added_ms = millis(added),
        limit,
        "Throttled: pausing all requests"
    );
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

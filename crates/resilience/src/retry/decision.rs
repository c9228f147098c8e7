//! The decisions of a retry, as pure functions: whether, and how much later.

use super::RetryConfig;
use crate::{Effect, Outcome};
use std::time::Duration;

/// Whether a request of this effect may be sent again after an attempt that ended so.
///
/// | | `Read` | `Idempotent` | `Once` |
/// | --- | --- | --- | --- |
/// | `Unsent` | yes | yes | yes |
/// | `Throttled`, `Busy`, `Transient` | yes | yes | no: it may have had its effect; the caller reconciles first |
/// | `Permanent`, `Success` | no | no | no |
#[must_use]
pub fn may_resend(effect: Effect, outcome: Outcome) -> bool {
    match outcome {
        Outcome::Unsent => true,
        Outcome::Throttled { .. } | Outcome::Busy { .. } | Outcome::Transient { .. } => match effect {
            Effect::Read | Effect::Idempotent => true,
            Effect::Once => cfg!(selvedge_bug = "retries-once"),
        },
        Outcome::Success | Outcome::Permanent => false,
    }
}

/// The pause before the next attempt, after `attempts` of them (at least one) of which the last ended with `outcome`.
///
/// As [`delay`] says, with one exception: a server that throttles the first attempt and says for how long is believed, also
/// where that is less than `base_delay`. A longer pause would leave its quota unused. If it throttles again, the pauses
/// are those that they would have been.
#[must_use]
pub fn pause(attempts: u32, config: &RetryConfig, outcome: Outcome, spread: f64) -> Duration {
    match outcome {
        Outcome::Throttled { retry_after: Some(wait) }
            if attempts <= 1
                && !wait.is_zero()
                && wait < config.base_delay
                && !cfg!(selvedge_bug = "ignores-retry-after") =>
        {
            let base = RetryConfig { base_delay: wait, ..config.clone() };
            delay(1, &base, Some(wait), spread)
        }
        _ => delay(attempts, config, outcome.retry_after(), spread),
    }
}

/// The pause before the next attempt, after `attempts` of them (at least one), where the server asked for `floor`.
///
/// `base_delay * 2^(attempts - 1)`, at most `max_delay`, raised to `floor` (what the server asked for) where that is
/// more, and then lengthened by `spread` (0 to 1, drawn at random by the caller) times `jitter` times the
/// exponential part.
#[must_use]
pub fn delay(attempts: u32, config: &RetryConfig, floor: Option<Duration>, spread: f64) -> Duration {
    let floor = if cfg!(selvedge_bug = "ignores-retry-after") { None } else { floor };
    let doublings = attempts.saturating_sub(1);
    let backoff = 2_u32
        .checked_pow(doublings)
        .and_then(|factor| config.base_delay.checked_mul(factor))
        .unwrap_or(config.max_delay)
        .min(config.max_delay);
    let extra = Duration::try_from_secs_f64(backoff.as_secs_f64() * config.jitter * spread.clamp(0.0, 1.0));
    backoff.max(floor.unwrap_or_default()).saturating_add(extra.unwrap_or_default())
}

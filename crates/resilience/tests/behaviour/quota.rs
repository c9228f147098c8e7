//! Quotas as services have them, and what the best client could make of them.

use std::time::Duration;

use tokio::time::Instant;

/// What a quota allows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Quota {
    /// So many at once, and so many a second.
    Bucket { burst: u64, per_second: u64 },
    /// So many in each minute, which begins with the first request after the last one: Fabric's
    /// (<https://learn.microsoft.com/rest/api/fabric/articles/throttling>; recorded, a window is refilled at once).
    Minute { requests: u64 },
    /// Nothing, ever.
    Nothing,
}

/// How much of a quota is used.
#[derive(Clone, Copy)]
pub(crate) struct Used {
    tokens: f64,
    since: Option<Instant>,
}

impl Quota {
    pub(crate) fn full(self) -> Used {
        let tokens = match self {
            Self::Bucket { burst, .. } => burst as f64,
            Self::Minute { requests } => requests as f64,
            Self::Nothing => 0.0,
        };
        Used { tokens, since: None }
    }

    /// Whether a request may pass now; if not, how long it has to wait, in whole seconds.
    pub(crate) fn ask(self, used: &mut Used, now: Instant) -> Result<(), Duration> {
        let wait = match self {
            Self::Bucket { burst, per_second } => {
                let earned = used.since.map_or(0.0, |at| (now - at).as_secs_f64()) * per_second as f64;
                used.tokens = (used.tokens + earned).min(burst as f64);
                used.since = Some(now);
                (1.0 - used.tokens) / per_second as f64
            }
            Self::Minute { requests } => {
                let over = used.since.is_none_or(|at| now - at >= Duration::from_secs(60));
                if over {
                    *used = Used { tokens: requests as f64, since: Some(now) };
                }
                used.since.map_or(0.0, |at| 60.0 - (now - at).as_secs_f64())
            }
            Self::Nothing => 1.0,
        };
        if used.tokens < 1.0 {
            return Err(Duration::from_secs_f64(wait.ceil().max(1.0)));
        }
        used.tokens -= 1.0;
        Ok(())
    }

    /// How long so many calls of so many workers take if nobody asks in vain.
    pub(crate) fn ideal(self, calls: u64, workers: u64, latency: Duration) -> Duration {
        let rounds = |calls: u64| latency * calls.div_ceil(workers) as u32;
        match self {
            Self::Bucket { burst, per_second } => {
                let allowed = Duration::from_secs_f64(calls.saturating_sub(burst) as f64 / per_second as f64);
                allowed.max(rounds(calls))
            }
            Self::Minute { requests } => {
                let whole = (calls - 1) / requests;
                Duration::from_secs(60 * whole) + rounds(calls - whole * requests)
            }
            Self::Nothing => Duration::MAX,
        }
    }
}

//! The vocabulary: what a repetition does, and what an answer tells.

use std::time::Duration;

/// What sending a request once more does to the server (RFC 9110 section 9.2.2).
///
/// The method alone cannot tell: a POST may only read, and a POST that creates must not be repeated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Each arrival may have an effect of its own. The default: a request that says nothing is never sent again
    /// after it may have been sent.
    #[default]
    Once,
    /// Any number of arrivals leaves what one arrival leaves.
    Idempotent,
    /// Changes nothing.
    Read,
}

/// What the end of one attempt tells about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The attempt did what was asked.
    Success,
    /// Provably never reached the server: connection refused, name not resolved, TLS not established.
    Unsent,
    /// The server asks for a slower pace. It is healthy, and may nevertheless have done what was asked.
    Throttled {
        /// The least time to wait, where the server named one.
        retry_after: Option<Duration>,
    },
    /// Failed for a reason that may pass: server errors, resets, timeouts.
    Transient {
        /// The least time to wait, where the server named one.
        retry_after: Option<Duration>,
    },
    /// The same request would fail again.
    Permanent,
}

impl Outcome {
    /// The least time to wait before another attempt, where the server named one.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Transient { retry_after } => retry_after,
            Self::Success | Self::Unsent | Self::Permanent => None,
        }
    }

    /// The outcome in one word, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Unsent => "unsent",
            Self::Throttled { .. } => "throttled",
            Self::Transient { .. } => "transient",
            Self::Permanent => "permanent",
        }
    }
}

/// Tells the layers of this crate what the requests and answers of one protocol mean.
pub trait Classify<Req, Res, E>: Clone {
    /// What sending `request` once more does.
    fn effect(&self, request: &Req) -> Effect;

    /// What the end of an attempt tells.
    ///
    /// Errors of this crate's own layers ([`Elapsed`](crate::timeout::Elapsed),
    /// [`BreakerOpen`](crate::breaker::BreakerOpen)) come through here as well where `E` can hold them;
    /// [`find_cause`](crate::find_cause) finds them.
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome;
}

//! The vocabulary: what a repetition does, and what an answer tells.

use crate::{
    breaker::BreakerOpen,
    deadline::TooLate,
    gate::Paused,
    retry::{Attempts, Retried},
};
use std::{borrow::Cow, error::Error, time::Duration};
use tower::BoxError;

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
    /// What the request is about is not ready: a name still reserved, another operation under way. The server is
    /// healthy, and requests about other things need not wait.
    Busy {
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

/// A name for what fails together, or is throttled together: the part after the slash in `fabric/operations`.
/// There should be few. Empty where a service is one whole.
pub type Class = Cow<'static, str>;

/// Tells the layers of this crate what the requests and answers of one protocol mean.
///
/// [`http::HttpClassify`](crate::http::HttpClassify) does so for HTTP in general.
pub trait Classify<Req, Res, E = BoxError>: Clone {
    /// What sending `request` once more does.
    fn effect(&self, request: &Req) -> Effect;

    /// What the end of an attempt tells.
    ///
    /// Errors of this crate's own layers come through here as well; [`outcome_of`] knows them.
    fn outcome(&self, result: Result<&Res, &E>) -> Outcome;

    /// Which requests this one fails with, and is throttled with. All of them, unless said otherwise.
    fn class(&self, request: &Req) -> Class {
        let _ = request;
        Class::default()
    }

    /// What to call the request in logs.
    fn name<'a>(&self, request: &'a Req) -> &'a str {
        let _ = request;
        "request"
    }

    /// Notes in a response that is no [`Outcome::Success`], and that is given up with, what it took. An error is
    /// wrapped instead ([`Retried`](crate::retry::Retried)); a response has to carry it itself, where it can.
    fn annotate(&self, response: &mut Res, attempts: Attempts) {
        let _ = (response, attempts);
    }
}

/// A transport wraps an error in this where the request provably never left: name not resolved, connection refused,
/// TLS not established, an HTTP/2 stream refused (RFC 9113 section 8.7). Only then may a request that creates something be
/// sent again blindly.
#[derive(Debug, thiserror::Error)]
#[error("no connection was established")]
pub struct Unsent(#[source] BoxError);

// ===== impl Effect =====

impl Effect {
    /// The effect in one word, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Idempotent => "idempotent",
            Self::Read => "read",
        }
    }
}

// ===== impl Outcome =====

impl Outcome {
    /// The least time to wait before another attempt, where the server named one.
    #[must_use]
    pub fn retry_after(self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after }
            | Self::Busy { retry_after }
            | Self::Transient { retry_after } => retry_after,
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
            Self::Busy { .. } => "busy",
            Self::Transient { .. } => "transient",
            Self::Permanent => "permanent",
        }
    }
}

/// What an error tells, as far as this crate knows errors: what its layers refused to send is [`Outcome::Unsent`], as is
/// what a transport marked so; everything else (timeouts, resets, bodies that broke off) may pass.
///
/// The error itself must be one of these. What stands deeper in its chain tells of another request, one that the service
/// made in order to answer this one: so a layer in between must not wrap the errors of those beneath it.
#[must_use]
pub fn outcome_of(error: &(dyn Error + 'static)) -> Outcome {
    if let Some(retried) = error.downcast_ref::<Retried>() {
        return retried.outcome();
    }
    let unsent =
        error.is::<Unsent>() || error.is::<BreakerOpen>() || error.is::<Paused>() || error.is::<TooLate>();
    if unsent { Outcome::Unsent } else { Outcome::Transient { retry_after: None } }
}

// ===== impl Unsent =====

impl Unsent {
    /// Marks `error` as one that arose before the request left.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}

//! The error of a call: what was tried, how it ended, and whether it may have had an effect.

mod api;
mod code;
mod known;
#[cfg(test)]
mod tests;
mod text;
mod until;

pub(crate) use api::ErrorBody;
pub use api::{ApiError, ErrorDetail, RelatedResource};
pub use code::ErrorCode;
pub use known::{KnownCode, Treatment};
pub(crate) use text::Printable;

use crate::{
    BodyTooLarge, OperationId, Response, Unsent, Withheld,
    layer::{AuthError, NotRelative},
};
use http::StatusCode;
use selvedge_resilience::{
    Outcome,
    breaker::BreakerOpen,
    deadline::{Elapsed, TooLate},
    find_cause,
    gate::Paused,
    retry::{Attempts, Retried},
};
use std::{error::Error as StdError, fmt, iter, time::Duration};
use tower::BoxError;

/// The error of a call.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    operation: &'static str,
    kind: ErrorKind,
    /// Whether something before the last attempt may have reached the service: an earlier one, or the request whose
    /// operation is asked about.
    sent_before: bool,
    attempts: Option<Attempts>,
}

/// How a call ended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The service answered with an error.
    #[error("was answered with an error")]
    Api(#[source] ApiError),
    /// The connection failed after the request may have left.
    #[error("got no answer")]
    Transport(#[source] BoxError),
    /// The request provably never left.
    #[error("could not be sent")]
    Unsent(#[source] BoxError),
    /// The answer did not come in time.
    #[error("was not answered within {after:.1?}")]
    Timeout {
        /// How long was waited: for the last attempt, or for the whole call where the call's time ran out.
        after: Duration,
    },
    /// Too little was left of the call's time to begin an attempt, or another one; the last one was not sent.
    #[error("was not sent: only {remaining:.1?} of its time were left")]
    TooLate {
        /// What was left.
        remaining: Duration,
    },
    /// The service has asked this identity to pause for longer than the call has time; the last attempt was not sent.
    #[error("was not sent: the service asked to be left alone for another {retry_after:.1?}")]
    Paused {
        /// How long the pause goes on.
        retry_after: Duration,
    },
    /// The circuit breaker was open; nothing was sent.
    #[error("was not sent: the circuit breaker is open for another {retry_after:.1?}")]
    BreakerOpen {
        /// How long it stays open at least.
        retry_after: Duration,
    },
    /// The service answered, and what it said could not be read.
    #[error("got an answer that cannot be read")]
    Body(#[source] BoxError),
    /// No token could be had for the request. Whether that may pass is told by [`Error::outcome`]: it is permanent only
    /// where the credential was refused, or cannot work.
    #[error("could not be authenticated")]
    Auth(#[source] BoxError),
    /// This process must not send the request, now or later; the last attempt was not sent.
    #[error("was not sent")]
    Withheld(#[source] BoxError),
    /// The request could not be put together.
    #[error("could not be put together")]
    Request(#[source] BoxError),
    /// The service accepted the request as an operation, and that failed. It may have done a part.
    #[error("was accepted, and its operation failed")]
    OperationFailed(#[source] ApiError),
    /// The operation did not end while it was waited for. It may still.
    #[error(
        "was accepted, and its operation {operation} has not ended within {after:.1?}; it may still complete"
    )]
    OperationTimeout {
        /// The operation.
        operation: OperationId,
        /// How long it was waited for.
        after: Duration,
    },
    /// A list did not end: a continuation token came back, or more pages came than a list can have.
    #[error("was answered with pages that do not end")]
    PageLoop,
}

impl Error {
    pub(crate) fn new(operation: &'static str, kind: ErrorKind) -> Self {
        Self(Box::new(Inner { operation, kind, sent_before: false, attempts: None }))
    }

    /// The error that an error answer is.
    pub(crate) fn answered(operation: &'static str, response: &Response) -> Self {
        let mut error = Self::new(operation, ErrorKind::Api(ApiError::from_response(response)));
        error.0.attempts = response.extensions().get().copied();
        error
    }

    /// Finds in what a stack of layers answered how the call ended.
    pub(crate) fn from_stack(operation: &'static str, error: BoxError) -> Self {
        let chain = &*error;
        // Behind authentication stands a stack of its own, whose errors and attempts are not this call's.
        let ours = iter::successors(Some(chain as &(dyn StdError + 'static)), |error| (**error).source());
        let mut ours = ours.take_while(|error| !error.is::<AuthError>());
        let attempts = ours.find_map(|error| error.downcast_ref::<Retried>()).map(Retried::attempts);
        let kind = if find_cause::<AuthError>(chain).is_some() {
            ErrorKind::Auth(error)
        } else if let Some(open) = find_cause::<BreakerOpen>(chain) {
            ErrorKind::BreakerOpen { retry_after: open.retry_after() }
        } else if let Some(paused) = find_cause::<Paused>(chain) {
            ErrorKind::Paused { retry_after: paused.retry_after() }
        } else if let Some(late) = find_cause::<TooLate>(chain) {
            ErrorKind::TooLate { remaining: late.remaining() }
        } else if let Some(elapsed) = find_cause::<Elapsed>(chain) {
            ErrorKind::Timeout { after: elapsed.after() }
        } else if find_cause::<Unsent>(chain).is_some() {
            ErrorKind::Unsent(error)
        } else if find_cause::<Withheld>(chain).is_some() {
            ErrorKind::Withheld(error)
        } else if find_cause::<BodyTooLarge>(chain).is_some() {
            ErrorKind::Body(error)
        } else if find_cause::<NotRelative>(chain).is_some() {
            ErrorKind::Request(error)
        } else {
            ErrorKind::Transport(error)
        };
        let sent_before = attempts.is_some_and(|attempts| attempts.may_have_been_sent);
        Self(Box::new(Inner { operation, kind, sent_before, attempts }))
    }

    /// The same error as one of another operation, of which the failed call was a part.
    pub(crate) fn within(mut self, operation: &'static str) -> Self {
        self.0.operation = operation;
        self
    }

    /// The same error as one of a request that the service has accepted: what failed to be sent was only a question
    /// about it.
    pub(crate) fn after_acceptance(mut self) -> Self {
        self.0.sent_before = true;
        self
    }

    /// The name of the call, such as `workspaces.create`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// How the call ended.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// What the service said, where it said something.
    #[must_use]
    pub fn api(&self) -> Option<&ApiError> {
        match self.kind() {
            ErrorKind::Api(error) | ErrorKind::OperationFailed(error) => Some(error),
            _ => None,
        }
    }

    /// The status of an error answer. A failed operation has none: it is reported in an answer of 200.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind() {
            ErrorKind::Api(error) => Some(error.status),
            _ => None,
        }
    }

    /// The service's error code, where it named one.
    #[must_use]
    pub fn code(&self) -> Option<&ErrorCode> {
        self.api().map(|error| &error.code).filter(|code| !code.as_str().is_empty())
    }

    /// The id to quote to Microsoft's support.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.api()?.request_id.as_deref()
    }

    /// How long the service, or the circuit breaker, asks to be left alone; Entra ID, or its breaker, where there was no
    /// token.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.kind() {
            ErrorKind::BreakerOpen { retry_after } | ErrorKind::Paused { retry_after } => Some(*retry_after),
            ErrorKind::Api(error) | ErrorKind::OperationFailed(error) => error.retry_after,
            ErrorKind::Auth(source) => find_cause::<AuthError>(&**source)?.retry_after(),
            _ => None,
        }
    }

    /// How often the request was tried and how long that took, where a retry layer noted it: always with an error
    /// answer, otherwise where there was more than one attempt, or where the call's deadline forbade another.
    #[must_use]
    pub fn attempts(&self) -> Option<Attempts> {
        self.0.attempts
    }

    /// Whether the service says that the thing is not there (404, 410). It says the same to those who may not see
    /// it: before absence is concluded, read something that must be visible.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self.status(), Some(StatusCode::NOT_FOUND | StatusCode::GONE))
    }

    /// What the error tells about sending the request again.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let transient = Outcome::Transient { retry_after: None };
        match self.kind() {
            ErrorKind::Api(error) => error.outcome(),
            ErrorKind::Unsent(_)
            | ErrorKind::BreakerOpen { .. }
            | ErrorKind::Paused { .. }
            | ErrorKind::TooLate { .. } => self.not_sent(),
            // Unlike to a layer (`FabricClassify`): the token's own retries are over, and who waits for longer may yet get one.
            ErrorKind::Auth(source)
                if find_cause::<AuthError>(&**source).is_some_and(AuthError::may_pass) =>
            {
                self.not_sent()
            }
            ErrorKind::Transport(_) | ErrorKind::Timeout { .. } | ErrorKind::OperationTimeout { .. } => {
                transient
            }
            ErrorKind::OperationFailed(error) if error.is_retriable == Some(true) => transient,
            ErrorKind::OperationFailed(_)
            | ErrorKind::Body(_)
            | ErrorKind::Auth(_)
            | ErrorKind::Withheld(_)
            | ErrorKind::Request(_)
            | ErrorKind::PageLoop => Outcome::Permanent,
        }
    }

    /// The outcome of a request whose last attempt was not sent for a reason that may pass.
    fn not_sent(&self) -> Outcome {
        let retry_after = self.retry_after();
        if self.0.sent_before { Outcome::Transient { retry_after } } else { Outcome::Unsent }
    }

    /// Whether the request may have reached the service, and so may have had its effect. An error *answer* does not
    /// prove the contrary.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.0.sent_before || !self.last_attempt_was_unsent()
    }

    /// Whether the last attempt was provably not sent. If the request [may have been sent](Self::may_have_been_sent) all the same,
    /// then by something before that attempt, of which nothing else is known.
    #[must_use]
    pub fn last_attempt_was_unsent(&self) -> bool {
        match self.kind() {
            ErrorKind::Unsent(_)
            | ErrorKind::BreakerOpen { .. }
            | ErrorKind::Paused { .. }
            | ErrorKind::TooLate { .. }
            | ErrorKind::Auth(_)
            | ErrorKind::Withheld(_)
            | ErrorKind::Request(_) => true,
            ErrorKind::Api(_)
            | ErrorKind::Transport(_)
            | ErrorKind::Timeout { .. }
            | ErrorKind::Body(_)
            | ErrorKind::OperationFailed(_)
            | ErrorKind::OperationTimeout { .. }
            | ErrorKind::PageLoop => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation(), self.kind())?;
        GaveUp(self.attempts()).fmt(f)
    }
}

/// Ends a message with what was done, where that is worth a word.
pub(crate) struct GaveUp(pub(crate) Option<Attempts>);

impl fmt::Display for GaveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |it: &Attempts| it.count > 1 || it.may_have_been_sent || it.retry_after.is_some();
        match self.0.filter(said) {
            Some(attempts) => write!(f, "; gave up after {attempts}"),
            None => Ok(()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        let source = self.kind().source()?;
        // Its message is part of ours.
        if source.is::<Retried>() { source.source() } else { Some(source) }
    }
}

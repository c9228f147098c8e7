//! What a failed request means to a transaction.

use std::time::Duration;

use selvedge_fabric_client::{Error, ErrorKind};
use selvedge_resilience::{Outcome, retry::after};
use selvedge_rollback::{Failure, Reach, StepId};

use super::Fail;

/// Why a change could not be made, read back or undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The request failed.
    #[error(transparent)]
    Fabric(#[from] Error),
    /// The live state forbids it: it moved since the plan was made.
    #[error("{0}")]
    Conflict(String),
    /// What was removed or restored does not show it.
    #[error("{0}")]
    NotVerified(String),
    /// There is no secret of that name.
    #[error("there is no secret `{0}`")]
    NoSecret(String),
    /// A step builds on one that gave nothing back.
    #[error("step {0} has not given back what is needed")]
    NoReceipt(StepId),
    /// The journal speaks of an operation where there cannot be one.
    #[error("step {0} is not a long-running operation")]
    NoOperation(StepId),
    /// The journal's operation cannot be read or written.
    #[error("the operation's id cannot be kept")]
    Operation(#[source] serde_json::Error),
    /// The journal's undo does not fit the change.
    #[error("step {0} cannot be undone")]
    CannotUndo(StepId),
}

/// A read failed: nothing was changed by it.
pub(super) fn read(error: Error) -> Fail {
    let resend_after = breaker(&error);
    Failure { error: error.into(), reach: Reach::Unsent, resend_after }
}

/// A write failed that the retry layer may repeat, and has repeated if it is there.
pub(super) fn idempotent(error: Error) -> Fail {
    let reach = if error.may_have_been_sent() { Reach::Sent } else { Reach::Unsent };
    let resend_after = breaker(&error);
    Failure { error: error.into(), reach, resend_after }
}

/// A write failed that nobody beneath may repeat: whether to send it again is the engine's to decide, after reading back.
pub(super) fn once(error: Error) -> Fail {
    let outcome = error.outcome();
    let busy = matches!(outcome, Outcome::Throttled { .. } | Outcome::Busy { .. })
        || error.status().is_some_and(|status| status == 503);
    let reach = match error.may_have_been_sent() {
        false => Reach::Unsent,
        true if busy => Reach::PutOff,
        true => Reach::Sent,
    };
    let resend_after = match outcome {
        Outcome::Throttled { retry_after }
        | Outcome::Busy { retry_after }
        | Outcome::Transient { retry_after } => {
            // Whoever asks for the longest wait that is understood may have asked for more: never too early.
            Some(retry_after.unwrap_or_default()).filter(|wait| *wait < after::CAP)
        }
        _ => breaker(&error),
    };
    Failure { error: error.into(), reach, resend_after }
}

/// An accepted operation did not come to a good end.
pub(super) fn operation(error: Error) -> Fail {
    match error.kind() {
        // It has ended; what it left behind is read back.
        ErrorKind::OperationFailed(_) => once(error),
        // The service keeps operations for a while. One that it does not know any more has ended.
        _ if error.is_not_found() => once(error),
        // It was not seen to end.
        _ => Failure { error: error.into(), reach: Reach::Pending, resend_after: None },
    }
}

pub(super) fn conflict(text: impl Into<String>) -> Fail {
    Failure::unsent(TargetError::Conflict(text.into()))
}

pub(super) fn not_verified(text: impl Into<String>) -> Fail {
    let error = TargetError::NotVerified(text.into());
    Failure { error, reach: Reach::Sent, resend_after: Some(Duration::ZERO) }
}

/// An open breaker says when it will let a request through; a rollback waits for that.
fn breaker(error: &Error) -> Option<Duration> {
    match error.kind() {
        ErrorKind::BreakerOpen { retry_after } => Some(*retry_after),
        _ => None,
    }
}

//! What a request's last error, or answer, does not tell by itself: that it was not the first.

use super::after;
use crate::{Outcome, outcome_of};
use std::{fmt, time::Duration};
use tower::BoxError;

/// What was done about a request before it was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempts {
    /// How often the request was tried.
    pub count: u32,
    /// From the first attempt to the end of the last one, pauses included.
    pub elapsed: Duration,
    /// Whether an attempt before the last one may have reached the server.
    pub may_have_been_sent: bool,
    /// How long the server wants to be left alone, where that was too long to wait: more than the call's deadline
    /// left, or [`CAP`](super::after::CAP), which stands for anything longer. The same request may be worth a try then.
    pub retry_after: Option<Duration>,
}

/// The last error of a request that was tried more than once, or that was given up because the wait would have been too long.
///
/// The last attempt alone may provably not have reached the server while an earlier one may have; who asks whether
/// the request can have had an effect must ask here.
#[derive(Debug, thiserror::Error)]
#[error("gave up after {attempts}")]
pub struct Retried {
    attempts: Attempts,
    source: BoxError,
}

impl Retried {
    pub(super) fn wrap(error: &mut BoxError, attempts: Attempts) {
        let source = std::mem::replace(error, BoxError::from(""));
        *error = Box::new(Self { attempts, source });
    }

    /// What it tells of the request: of all its attempts, and not only the last.
    pub(crate) fn outcome(&self) -> Outcome {
        if self.attempts.may_have_been_sent {
            Outcome::Transient { retry_after: self.attempts.retry_after }
        } else {
            outcome_of(&*self.source)
        }
    }

    /// What was done.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        self.attempts
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, elapsed, retry_after, .. } = self;
        let plural = if *count == 1 { "" } else { "s" };
        write!(f, "{count} attempt{plural} in {elapsed:.1?}")?;
        match retry_after {
            // The longest wait that is understood stands for anything longer.
            Some(wait) if after::may_be_longer(*wait) => {
                write!(f, "; to be tried again in {wait:.1?} or more")
            }
            Some(wait) => write!(f, "; to be tried again in {wait:.1?}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_that_may_be_longer_than_is_understood_is_told_as_such() {
        let second = Duration::from_secs(1);
        for (wait, told) in [
            (None, "3 attempts in 6.0s"),
            (Some(after::CAP - second), "3 attempts in 6.0s; to be tried again in 599.0s"),
            (Some(after::CAP), "3 attempts in 6.0s; to be tried again in 600.0s or more"),
        ] {
            let attempts =
                Attempts { count: 3, elapsed: 6 * second, may_have_been_sent: true, retry_after: wait };
            assert_eq!(attempts.to_string(), told);
        }
    }
}

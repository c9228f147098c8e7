//! What a request's last error does not tell by itself: that it was not the first.

use tower::BoxError;

/// The last error of a request that was sent more than once.
///
/// The last attempt alone may provably not have reached the server while an earlier one may have; who asks whether
/// the request can have had an effect must ask here.
#[derive(Debug, thiserror::Error)]
#[error("gave up after {attempts} attempts")]
pub struct Retried {
    attempts: u32,
    may_have_been_sent: bool,
    source: BoxError,
}

impl Retried {
    pub(super) fn wrap<Res>(result: &mut Result<Res, BoxError>, attempts: u32, may_have_been_sent: bool) {
        if let Err(error) = result {
            let source = std::mem::replace(error, BoxError::from(""));
            *error = Box::new(Self { attempts, may_have_been_sent, source });
        }
    }

    /// How often the request was tried.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Whether an attempt before the last one may have reached the server.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent
    }
}

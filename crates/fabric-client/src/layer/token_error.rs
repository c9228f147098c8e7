//! Why a request for a token got none, in a form that is found again beneath what the SDK says.

use crate::{ApiError, error::GaveUp};
use selvedge_resilience::retry::Attempts;
use std::time::Duration;
use tower::BoxError;

/// Why a request for a token got none.
#[derive(Debug, thiserror::Error)]
#[cfg_attr(not(feature = "azure"), expect(dead_code, reason = "other credentials say what they like"))]
pub(crate) enum TokenError {
    /// The token service said something else.
    #[error("the token service answered with an error{}", GaveUp(*attempts))]
    Answered { source: ApiError, attempts: Option<Attempts> },
    /// It said nothing, or was not asked.
    #[error("the token service gave no answer")]
    NoAnswer(#[source] BoxError),
    /// Nothing came in time.
    #[error("no token within {after:.1?}")]
    Late { after: Duration },
}

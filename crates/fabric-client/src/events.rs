//! Every log line of this crate. None holds a body, a query or a token.

use crate::{Error, OperationId, layer::AuthError};
use std::{error::Error as StdError, iter};

pub(crate) fn token_refresh_failed(error: &AuthError) {
    let told = iter::successors(Some(error as &dyn StdError), |error| (**error).source());
    let told = told.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    tracing::warn!(
        name: "auth.refresh_failed",
        error = %crate::error::Printable(&told),
        "Access token could not be refreshed; the current one is still valid"
    );
}

pub(crate) fn token_failed(error: &AuthError) {
    tracing::info!(name: "auth.failed", may_pass = error.may_pass(), "Access token could not be had");
}

pub(crate) fn token_rejected() {
    tracing::info!(name: "auth.token_rejected", "Access token was rejected; asking for a new one");
}

pub(crate) fn poll_failed(operation: OperationId, error: &Error) {
    tracing::warn!(
        name: "operation.poll_failed",
        %operation,
        error = %error,
        cause = error.source().map(tracing::field::display),
        "State of an operation could not be read; asking again"
    );
}

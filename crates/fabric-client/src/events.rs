//! Every `tracing` span and event of this crate. None holds a body, a query or a token.
//!
//! Names and fields of the spans follow OpenTelemetry's conventions for HTTP clients
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>).

use crate::{Error, Operation, OperationId, layer::AuthError};
use http::Method;
use std::{error::Error as StdError, fmt::Display, iter, time::Duration};
use tracing::{Span, field};

/// A request with all its attempts, shown as its operation, such as `workspaces.create`. `selvedge.effect` is `read`, `idempotent` or
/// `once`.
pub(crate) fn call(operation: Option<&Operation>) -> Span {
    tracing::debug_span!(
        "call",
        otel.name = operation.map_or("request", |operation| operation.name),
        selvedge.effect = operation.map(|operation| operation.effect.as_str()),
        selvedge.attempts = field::Empty,
        error.type = field::Empty,
    )
}

/// One sending of it, of kind client, shown as its method. `http.request.resend_count` is absent on the first, and `url.full` has no query.
pub(crate) fn attempt(
    method: &Method,
    before: u32,
    host: Option<&str>,
    port: Option<u16>,
    target: &impl Display,
) -> Span {
    tracing::debug_span!(
        "attempt",
        otel.kind = "client",
        otel.name = method.as_str(),
        http.request.method = method.as_str(),
        http.request.resend_count = (before > 0).then_some(before),
        http.response.status_code = field::Empty,
        server.address = host,
        server.port = port,
        // The query may hold anything.
        url.full = %target,
        azure.service.request.id = field::Empty,
        error.type = field::Empty,
    )
}

/// An attempt is over. Not a span's own end: of spans not all may be heard, of this each, and it costs less.
pub(crate) fn attempt_ended(
    method: &Method,
    host: Option<&str>,
    status: Option<u16>,
    error: Option<&str>,
    took: Duration,
) {
    tracing::debug!(
        name: "attempt.ended",
        seconds = took.as_secs_f64(),
        http.request.method = method.as_str(),
        server.address = host,
        http.response.status_code = status,
        error.type = error,
        "Attempt ended"
    );
}

#[cfg(feature = "transport")]
pub(crate) fn crypto_present() {
    tracing::debug!(name: "transport.crypto_present", "A TLS provider is installed already");
}

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

//! HTTP in general (RFC 9110), for clients of services that have no meaning of their own for statuses.

use crate::{
    Class, Classify, Effect, Outcome, outcome_of,
    retry::{Attempts, after},
};
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use std::time::Duration;
use tower::BoxError;

/// Headers that say in milliseconds how long to wait.
const MILLISECONDS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// Reads effect and outcome off any HTTP request and answer.
///
/// - The effect is the request's extension of type [`Effect`], where it has one; else the method's (RFC 9110 section
///   9.2.1 and 9.2.2), so that a POST or PATCH is never sent again after it may have been sent.
/// - The outcome is by status: 2xx success; 429 and 430 throttled; 408, 500, 502, 503 and 504 transient; all others permanent.
/// - The class is the host of the target, so that each host has its own breaker and gate.
/// - What it took is an extension of the answer, of type [`Attempts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpClassify;

impl<B, R> Classify<Request<B>, Response<R>> for HttpClassify {
    fn effect(&self, request: &Request<B>) -> Effect {
        let said = request.extensions().get().copied();
        said.unwrap_or_else(|| effect_of(request.method()))
    }

    fn outcome(&self, result: Result<&Response<R>, &BoxError>) -> Outcome {
        match result {
            Ok(response) => outcome_of_status(response.status(), retry_after(response.headers())),
            Err(error) => outcome_of(&**error),
        }
    }

    fn class(&self, request: &Request<B>) -> Class {
        request
            .uri()
            .authority()
            .map_or_else(Class::default, |authority| authority.as_str().to_owned().into())
    }

    fn name<'a>(&self, request: &'a Request<B>) -> &'a str {
        request.method().as_str()
    }

    fn annotate(&self, response: &mut Response<R>, attempts: Attempts) {
        response.extensions_mut().insert(attempts);
    }
}

/// What a repetition of a request with this method does, where nothing else is known of it.
#[must_use]
pub fn effect_of(method: &Method) -> Effect {
    if method.is_safe() {
        Effect::Read
    } else if method.is_idempotent() {
        Effect::Idempotent
    } else {
        Effect::Once
    }
}

/// What a status tells, where nothing else is known of the answer.
#[must_use]
pub fn outcome_of_status(status: StatusCode, retry_after: Option<Duration>) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Success,
        429 | 430 => Outcome::Throttled { retry_after },
        408 | 500 | 502 | 503 | 504 => Outcome::Transient { retry_after },
        _ => Outcome::Permanent,
    }
}

/// The least time to wait that the headers ask for, measured against the answer's own clock, at most [`after::CAP`].
/// Of several, the longest.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let date = headers.get(header::DATE).and_then(|date| date.to_str().ok());
    let read = |value: &http::HeaderValue| after::parse(value.to_str().ok()?, date);
    let read_millis = |value: &http::HeaderValue| after::parse_millis(value.to_str().ok()?);
    let standard = headers.get_all(header::RETRY_AFTER).iter().filter_map(read);
    let millis = MILLISECONDS.iter().flat_map(|name| headers.get_all(*name)).filter_map(read_millis);
    standard.chain(millis).max()
}

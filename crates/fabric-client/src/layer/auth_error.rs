//! Why a request could not be authenticated, and whether that may pass.

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use azure_core::error::ErrorKind;
use selvedge_resilience::{Outcome, breaker::BreakerOpen, find_cause, gate::Paused, http, retry::Retried};
use std::{io, iter, time::Duration};
use tower::BoxError;

/// A request was not sent because it could not be authenticated.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct AuthError(Kind);

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("no access token could be had")]
    Token { outcome: Outcome, retry_after: Option<Duration>, source: BoxError },
    #[error("the access token is not for {host}")]
    ForeignHost { host: String },
}

impl AuthError {
    pub(crate) fn token(error: azure_core::Error) -> Self {
        let (outcome, retry_after) = (outcome(&error), retry_after(&error));
        Self(Kind::Token { outcome, retry_after, source: bare(error) })
    }

    pub(super) fn foreign_host(host: String) -> Self {
        Self(Kind::ForeignHost { host })
    }

    /// Whether another token request may go better: the token service was away or busy. `false` for what it refuses,
    /// and for a credential that cannot work.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match &self.0 {
            Kind::Token { outcome, .. } => *outcome != Outcome::Permanent,
            Kind::ForeignHost { .. } => false,
        }
    }

    /// How long the token service, or its circuit breaker, asks to be left alone.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Token { retry_after, .. } => *retry_after,
            Kind::ForeignHost { .. } => None,
        }
    }
}

/// What became of the token request, by the kinds of the SDK's errors: all that credentials have in common.
fn outcome(error: &azure_core::Error) -> Outcome {
    // A file that is not there is no matter of the network.
    let missing = find_cause::<io::Error>(error).is_some_and(|error| {
        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied)
    });
    let told = kinds(error).find_map(|kind| match kind {
        ErrorKind::HttpResponse { status, .. } => {
            let status = StatusCode::from_u16((*status).into()).ok()?;
            Some(http::outcome_of_status(status, retry_after(error)))
        }
        ErrorKind::Connection => Some(Outcome::Unsent),
        ErrorKind::Io if !missing => Some(Outcome::Transient { retry_after: None }),
        _ => None,
    });
    told.unwrap_or(Outcome::Permanent)
}

fn retry_after(error: &azure_core::Error) -> Option<Duration> {
    let open = find_cause::<BreakerOpen>(error).map(BreakerOpen::retry_after);
    let paused = || find_cause::<Paused>(error).map(Paused::retry_after);
    let answer = || kinds(error).find_map(asked);
    let retried = || find_cause::<Retried>(error)?.attempts().retry_after;
    open.or_else(paused).or_else(answer).or_else(retried)
}

/// The kinds of an error of the SDK's and of those beneath it.
fn kinds(error: &azure_core::Error) -> impl Iterator<Item = &ErrorKind> {
    iter::successors(Some(error), |error| error.downcast_ref()).map(azure_core::Error::kind)
}

/// For how long an answer asks to be left alone.
fn asked(kind: &ErrorKind) -> Option<Duration> {
    let ErrorKind::HttpResponse { raw_response: Some(response), .. } = kind else {
        return None;
    };
    let headers = response.headers().iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name.as_str()).ok()?;
        Some((name, HeaderValue::try_from(value.as_str()).ok()?))
    });
    http::retry_after(&headers.collect::<HeaderMap>())
}

/// The error beneath what only repeats it. The SDK says each cause's message once more in its own, and adds a line with
/// an address.
fn bare(error: azure_core::Error) -> BoxError {
    let repeats = error.get_ref().is_some_and(|cause| error.to_string().contains(&cause.to_string()));
    if !repeats {
        return error.into();
    }
    match error.into_inner() {
        Ok(cause) => cause.downcast().map_or_else(|other| other, |cause| bare(*cause)),
        Err(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::{
        Error,
        http::{RawResponse, headers::Headers},
    };

    fn http(status: u16) -> Error {
        let status = azure_core::http::StatusCode::from(status);
        Error::with_message(ErrorKind::HttpResponse { status, error_code: None, raw_response: None }, "m")
    }

    /// As every credential of the SDK wraps it.
    fn wrapped(error: Error) -> Error {
        let message = format!("XCredential authentication failed. {error}\nTo troubleshoot, visit there");
        Error::with_error(ErrorKind::Credential, error, message)
    }

    #[test]
    fn what_a_credential_of_somebody_else_says_is_judged_by_its_kind() {
        let io = |kind| Error::new(ErrorKind::Io, io::Error::from(kind));
        for (error, may_pass) in [
            (http(503), true),
            (http(429), true),
            (http(401), false),
            (http(400), false),
            (Error::with_message(ErrorKind::Connection, "m"), true),
            (io(io::ErrorKind::ConnectionReset), true),
            (io(io::ErrorKind::NotFound), false),
            (Error::with_message(ErrorKind::Credential, "az not found on PATH"), false),
            (Error::with_message(ErrorKind::DataConversion, "m"), false),
        ] {
            let told = format!("{error:?}");
            assert_eq!(AuthError::token(wrapped(error)).may_pass(), may_pass, "{told}");
        }
        assert!(!AuthError::foreign_host("h".into()).may_pass());
    }

    #[test]
    fn an_answer_tells_when_to_come_back() {
        let mut headers = Headers::new();
        headers.insert("retry-after", "42");
        let raw_response = Some(Box::new(RawResponse::from_bytes(429.into(), headers, "")));
        let kind = ErrorKind::HttpResponse { status: 429.into(), error_code: None, raw_response };
        let error = AuthError::token(wrapped(Error::with_message(kind, "m")));
        assert_eq!(error.retry_after(), Some(Duration::from_secs(42)));
        assert_eq!(AuthError::token(wrapped(http(429))).retry_after(), None);
    }

    #[test]
    fn what_the_sdk_only_repeats_is_left_out() {
        use std::error::Error as _;

        let error = AuthError::token(wrapped(Error::with_message(ErrorKind::Credential, "az not found")));
        let cause = error.source().unwrap();
        assert_eq!(
            (error.to_string().as_str(), cause.to_string().as_str()),
            ("no access token could be had", "az not found")
        );
        assert!(cause.source().is_none());
        // What says something of its own stays.
        let own = Error::with_error(ErrorKind::Credential, io::Error::other("why"), "what");
        let error = AuthError::token(own);
        assert_eq!(error.source().unwrap().to_string(), "what");
    }
}

//! What the service says when it does not do what it was asked.

use super::{code::ErrorCode, known::Treatment, text::Printable, until};
use crate::Response;
use http::{HeaderMap, StatusCode, header::DATE};
use selvedge_resilience::{Outcome, http::retry_after};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use std::{fmt, time::Duration};

/// An error answer, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The status of the answer. A failed operation is reported in an answer of 200.
    pub status: StatusCode,
    /// The code; empty where the answer named none.
    pub code: ErrorCode,
    /// The message, exactly as sent. Display shows it without control characters.
    pub message: String,
    /// The id to quote to Microsoft's support.
    pub request_id: Option<String>,
    /// What the service says about sending the same request again.
    pub is_retriable: Option<bool>,
    /// The least time to wait before that, at most [`CAP`](selvedge_resilience::retry::after::CAP). A throttled request's
    /// may stand in the message alone.
    pub retry_after: Option<Duration>,
    /// What the error is about.
    pub related_resource: Option<RelatedResource>,
    /// Further errors behind this one.
    pub details: Vec<ErrorDetail>,
}

/// One of several errors behind an [`ApiError`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// The code; often left out by the service.
    pub error_code: Option<String>,
    /// The message; often left out by the service.
    pub message: Option<String>,
    /// What the error is about.
    pub related_resource: Option<RelatedResource>,
}

/// The thing an error is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RelatedResource {
    /// Its id.
    pub resource_id: Option<String>,
    /// Its kind, such as `Principal`.
    pub resource_type: Option<String>,
}

/// The error object of Fabric, with what the service sometimes leaves out left out.
#[derive(Default)]
pub(crate) struct ErrorBody {
    error_code: Option<String>,
    message: Option<String>,
    request_id: Option<String>,
    is_retriable: Option<bool>,
    related_resource: Option<RelatedResource>,
    more_details: Option<Vec<ErrorDetail>>,
}

// ===== impl ApiError =====

impl ApiError {
    /// Reads an error answer of any of the dialects met: Fabric's, Graph's and Entra's. What cannot be read is left
    /// empty; the status always stands.
    #[must_use]
    pub fn from_response(response: &Response) -> Self {
        let headers = response.headers();
        let mut error = Self::from_body(read_body(response.body()), response.status());
        if error.code == ErrorCode::default() {
            error.code = text(headers, "x-ms-public-api-error-code").unwrap_or_default().into();
        }
        error.request_id = error.request_id.or_else(|| text(headers, "requestid"));
        error.retry_after = retry_after(headers);
        if error.retry_after.is_none() && matches!(error.outcome(), Outcome::Throttled { .. }) {
            let date = headers.get(DATE).and_then(|date| date.to_str().ok());
            error.retry_after = date.and_then(|date| until::parse(&error.message, date));
        }
        error
    }

    pub(crate) fn from_body(body: ErrorBody, status: StatusCode) -> Self {
        Self {
            status,
            code: body.error_code.unwrap_or_default().into(),
            message: body.message.unwrap_or_default(),
            request_id: body.request_id,
            is_retriable: body.is_retriable,
            retry_after: None,
            related_resource: body.related_resource,
            details: body.more_details.unwrap_or_default(),
        }
    }

    /// What the answer tells about the attempt. The code beats `isRetriable`, and that beats the status.
    ///
    /// What concerns the identity or the capacity as a whole is [`Outcome::Throttled`]; what concerns one thing only (a
    /// reserved name, a workspace on the move, any other 4xx that passes by itself) is [`Outcome::Busy`].
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let retry_after = self.retry_after;
        let throttled = Outcome::Throttled { retry_after };
        let busy = Outcome::Busy { retry_after };
        match self.code.treatment() {
            Treatment::Final => return Outcome::Permanent,
            Treatment::Throttled => return throttled,
            Treatment::Busy => return busy,
            Treatment::ByAnswer => {}
        }
        match (self.is_retriable, self.status.as_u16()) {
            (Some(false), _) => Outcome::Permanent,
            (_, 429 | 430) => throttled,
            (_, 408 | 500 | 502 | 503 | 504) => Outcome::Transient { retry_after },
            (Some(true), 400..=499) => busy,
            (Some(true), _) => Outcome::Transient { retry_after },
            (None, _) => Outcome::Permanent,
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status.as_u16())?;
        if !self.code.as_str().is_empty() {
            write!(f, " {}", self.code)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", Printable(&self.message))?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {})", Printable(id))?;
        }
        Ok(())
    }
}

impl std::error::Error for ApiError {}

fn read_body(body: &[u8]) -> ErrorBody {
    let value = serde_json::from_slice(body).unwrap_or(Value::Null);
    let string = |value: &Value| value.as_str().map(str::to_owned);
    match &value["error"] {
        // Graph and OneLake.
        Value::Object(error) => ErrorBody {
            error_code: error.get("code").and_then(string),
            message: error.get("message").and_then(string),
            ..ErrorBody::default()
        },
        // Entra.
        Value::String(code) => ErrorBody {
            error_code: Some(code.clone()),
            message: string(&value["error_description"]),
            request_id: string(&value["trace_id"]),
            ..ErrorBody::default()
        },
        _ => ErrorBody::read(value),
    }
}

impl ErrorBody {
    /// Reads Fabric's error object. A member of an unforeseen type costs that member, and no other.
    pub(crate) fn read(mut value: Value) -> Self {
        fn member<T: DeserializeOwned>(value: &mut Value, key: &str) -> Option<T> {
            let member = value.get_mut(key)?.take();
            serde_json::from_value(member).ok()
        }
        let value = &mut value;
        Self {
            error_code: member(value, "errorCode"),
            message: member(value, "message"),
            request_id: member(value, "requestId"),
            is_retriable: member(value, "isRetriable"),
            related_resource: member(value, "relatedResource"),
            more_details: member(value, "moreDetails"),
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

//! Changes to an answer on its way to the client.

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode, header};
use serde_json::Value;
use time::OffsetDateTime;

use super::shape;
use crate::clock::later;
use crate::wire::{Api, Incoming, OPERATION_ID, PUBLIC_API_ERROR_CODE, http_date, insert};

/// The host that the service is said to live at by what names a foreign one. It does not exist: RFC 2606, 3.
pub(super) const ELSEWHERE: &str = "https://elsewhere.example";

/// One change to an answer. It leaves alone what it does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Edit {
    /// The error has this code, in body and header.
    Code(String),
    /// The error says so of `isRetriable`, or nothing.
    Retriable(Option<bool>),
    /// The answer has this `Retry-After`.
    RetryAfter(RetryAfter),
    /// The answer has a `retry-after-ms`.
    RetryAfterMs(u64),
    /// The answer has an `x-ms-retry-after-ms`.
    XMsRetryAfterMs(u64),
    /// The message of the error names the end of the block as `RequestBlocked` does, this much later on the clock.
    Until(std::time::Duration),
    /// The body has this shape.
    Body(Body),
    /// There is no `Location`.
    NoLocation,
    /// The `Location` names a host that does not exist.
    ForeignLocation,
    /// The `Location` names this server.
    OwnLocation,
    /// There is no `x-ms-operation-id`.
    NoOperationId,
    /// The body of a 202 is empty, and not `null`.
    EmptyAccepted,
    /// An operation that is looked at has this status.
    Status(String),
    /// Every field `status` and `state` has its value in this letter case.
    Casing(Casing),
    /// Every object of the body has a field that no documentation knows.
    UnknownFields,
    /// Optional fields that are absent are `null`.
    Nulls,
    /// An empty body calls itself gzipped, as recorded from the service.
    GzipEmpty,
    /// A list leaves the role assignments of service principals out.
    HideServicePrincipals,
    /// `continuationUri` names a host that does not exist.
    ForeignContinuation,
    /// The challenge of a vault's 401 names this resource.
    Challenge(String),
    /// The next page begins with the last entry of this one, where a page has more than one entry.
    OverlappingPages,
}

/// A `Retry-After` header as it is put on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Delay in seconds.
    Seconds(u32),
    /// The HTTP date so many seconds from now on the tenant's clock, in the past if negative.
    Date(i64),
    /// Verbatim.
    Text(String),
}

/// Shapes of a body that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// No body.
    Empty,
    /// `null`
    Null,
    /// `{}`
    Object,
    /// A page as proxies answer with.
    Html,
    /// The first half of what it should be.
    Truncated,
    /// The body of an error without its `errorCode`.
    NoCode,
    /// The message of the error repeats the whole request: what it came with, secrets too.
    Echo,
}

/// Letter cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Casing {
    /// `succeeded`
    Lower,
    /// `SUCCEEDED`
    Upper,
}

impl RetryAfter {
    fn value(&self, now: OffsetDateTime) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(seconds) => http_date(now.saturating_add(time::Duration::seconds(*seconds))),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Edit {
    /// Whether the request can have an answer that this changes.
    pub(super) fn applies(&self, request: &Incoming) -> bool {
        match self {
            Self::Status(_) => request.method == "GET" && is_operation(request),
            Self::HideServicePrincipals | Self::ForeignContinuation | Self::OverlappingPages => {
                request.method == "GET"
            }
            Self::Challenge(_) => request.api == Api::Vault,
            Self::EmptyAccepted | Self::NoOperationId => request.method != "GET" || is_operation(request),
            _ => true,
        }
    }

    pub(super) fn apply(&self, request: &Incoming, now: OffsetDateTime, response: &mut Response<Bytes>) {
        match self {
            Self::Code(code) => {
                edit_json(response, |body| shape::set_code(body, code));
                if response.headers().contains_key(PUBLIC_API_ERROR_CODE) {
                    insert(response.headers_mut(), PUBLIC_API_ERROR_CODE, code);
                }
            }
            Self::Retriable(retriable) => edit_json(response, |body| shape::set_retriable(body, *retriable)),
            Self::RetryAfter(value) => {
                insert(response.headers_mut(), header::RETRY_AFTER, &value.value(now));
                if let RetryAfter::Seconds(seconds) = value {
                    let until = later(now, std::time::Duration::from_secs((*seconds).into()));
                    edit_json(response, |body| {
                        if body["errorCode"] == "RequestBlocked" {
                            shape::set_until(body, until);
                        }
                    });
                }
            }
            Self::RetryAfterMs(millis) => {
                let name = HeaderName::from_static("retry-after-ms");
                insert(response.headers_mut(), name, &millis.to_string());
            }
            Self::XMsRetryAfterMs(millis) => {
                let name = HeaderName::from_static("x-ms-retry-after-ms");
                insert(response.headers_mut(), name, &millis.to_string());
            }
            Self::Until(rest) => {
                edit_json(response, |body| shape::set_until(body, later(now, *rest)));
            }
            Self::Body(body) => body.put(request, response),
            Self::NoLocation => {
                response.headers_mut().remove(header::LOCATION);
            }
            Self::ForeignLocation => relocate(response, |path| format!("{ELSEWHERE}{path}")),
            Self::OwnLocation => relocate(response, |path| request.absolute(path)),
            Self::NoOperationId => {
                response.headers_mut().remove(OPERATION_ID);
            }
            Self::EmptyAccepted if response.status() == StatusCode::ACCEPTED => {
                Body::Empty.put(request, response)
            }
            Self::EmptyAccepted => {}
            Self::Status(status) => edit_json(response, |body| shape::set_status(body, status)),
            Self::Casing(casing) => edit_json(response, |body| shape::set_casing(body, *casing)),
            Self::UnknownFields => edit_json(response, shape::add_unknown_fields),
            Self::Nulls => edit_json(response, shape::add_nulls),
            Self::GzipEmpty if response.body().is_empty() => {
                insert(response.headers_mut(), header::CONTENT_ENCODING, "gzip");
            }
            Self::GzipEmpty => {}
            Self::HideServicePrincipals => edit_json(response, shape::hide_service_principals),
            Self::ForeignContinuation => edit_json(response, shape::continue_elsewhere),
            Self::Challenge(resource) => challenge(response, resource),
            Self::OverlappingPages => edit_json(response, shape::overlap_pages),
        }
    }
}

impl Body {
    fn put(self, request: &Incoming, response: &mut Response<Bytes>) {
        let body = match self {
            Self::Empty => Bytes::new(),
            Self::Null => Bytes::from_static(b"null"),
            Self::Object => Bytes::from_static(b"{}"),
            Self::Html => {
                insert(response.headers_mut(), header::CONTENT_TYPE, "text/html");
                let status = response.status();
                let title = format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default());
                format!("<html>\r\n<head><title>{title}</title></head>\r\n<body><h1>{title}</h1></body>\r\n</html>\r\n").into()
            }
            Self::Truncated => response.body().slice(..response.body().len() / 2),
            Self::NoCode => {
                response.headers_mut().remove(PUBLIC_API_ERROR_CODE);
                return edit_json(response, shape::remove_code);
            }
            Self::Echo => return edit_json(response, |body| shape::set_message(body, &echo(request))),
        };
        *response.body_mut() = body;
    }
}

/// The request as text, with a form also as what it says.
fn echo(request: &Incoming) -> String {
    let body = String::from_utf8_lossy(&request.body);
    let mut text = format!("{} {}\n", request.method, request.target);
    for (name, value) in &request.headers {
        text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    text.push_str(&body);
    if request.api == Api::Entra {
        let fields = url::form_urlencoded::parse(&request.body);
        text.extend(fields.map(|(name, value)| format!("\n'{name}' was '{value}'")));
    }
    text
}

/// Whether the request looks at a long-running operation.
fn is_operation(request: &Incoming) -> bool {
    request.segments.iter().any(|segment| segment.eq_ignore_ascii_case("operations"))
}

fn relocate(response: &mut Response<Bytes>, to: impl Fn(&str) -> String) {
    let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
    if let Some(url) = location.and_then(|location| url::Url::parse(location).ok()) {
        insert(response.headers_mut(), header::LOCATION, &to(url.path()));
    }
}

/// Puts another resource into a challenge, where there is one.
fn challenge(response: &mut Response<Bytes>, resource: &str) {
    let header = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
    if let Some((before, _)) = header.and_then(|value| value.split_once(", resource=")) {
        let changed = format!("{before}, resource=\"{resource}\"");
        insert(response.headers_mut(), header::WWW_AUTHENTICATE, &changed);
    }
}

fn edit_json(response: &mut Response<Bytes>, edit: impl FnOnce(&mut Value)) {
    if let Ok(mut body) = serde_json::from_slice(response.body()) {
        edit(&mut body);
        *response.body_mut() = Bytes::from(body.to_string());
    }
}

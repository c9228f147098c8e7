//! What is asked for, and the answer to it.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use selvedge_observability::health::negotiate::{Form, choose};
use selvedge_observability::health::{Status, json, page, prometheus};
use serde_json::Value;
use time::OffsetDateTime;

use super::server::Answer;
use super::status::Watch;
use crate::redaction::redactor;

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endpoint {
    /// Whether this process lives. Nothing is asked of anything else.
    Live,
    /// Whether what it needs is there.
    Ready,
    Metrics,
    Page,
}

impl Endpoint {
    fn of(path: &str) -> Option<Self> {
        Some(match path {
            "/health" | "/healthz" | "/livez" => Self::Live,
            "/ready" | "/readyz" | "/readiness" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/" => Self::Page,
            _ => return None,
        })
    }

    /// The forms of its answer, the usual one first.
    fn forms(self) -> &'static [Form] {
        match self {
            Self::Live | Self::Ready => &[Form::HealthJson, Form::Json],
            Self::Metrics => &[Form::Prometheus],
            Self::Page => &[Form::Html, Form::HealthJson, Form::Json],
        }
    }
}

/// The answer to a request.
pub(super) async fn answer(watch: Arc<Watch>, request: Parts) -> Answer {
    let Some(endpoint) = Endpoint::of(request.uri.path()) else {
        return refusal(StatusCode::NOT_FOUND);
    };
    if request.method != Method::GET && request.method != Method::HEAD {
        return refusal(StatusCode::METHOD_NOT_ALLOWED);
    }
    let form = choose(accept(&request.headers).as_deref(), endpoint.forms()).unwrap_or(Form::HealthJson);
    let health = match endpoint {
        Endpoint::Live => watch.liveness(),
        Endpoint::Ready | Endpoint::Metrics | Endpoint::Page => watch.readiness().await,
    };
    let now = OffsetDateTime::now_utc();
    let body = match form {
        Form::HealthJson => document(json::draft(&health, env!("CARGO_PKG_VERSION"), now)),
        Form::Json => document(json::predecessors(&health, now)),
        Form::Prometheus => prometheus::exposition(&watch.gauges(&health)),
        Form::Html => watch.page(&health, now).html(&health),
    };
    let status = match (endpoint, health.status()) {
        // It is the probes' to fail: a page and metrics were asked for, and are here.
        (Endpoint::Live | Endpoint::Ready, Status::Fail) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    response(status, form.content_type(), body)
}

/// All of its headers `Accept`, as one list.
fn accept(headers: &HeaderMap) -> Option<String> {
    let given: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    (!given.is_empty()).then(|| given.join(","))
}

fn document(mut value: Value) -> String {
    redactor().redact_json(&mut value);
    format!("{value}\n")
}

fn refusal(status: StatusCode) -> Answer {
    let reason = status.canonical_reason().unwrap_or_default();
    let mut answer = response(status, "text/plain; charset=utf-8", format!("{reason}\n"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    answer
}

fn response(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, content_type),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, page::POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (VARY, "Accept"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

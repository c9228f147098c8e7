//! Spans round calls and attempts, for who watches from outside.
//!
//! A span of kind client per attempt, beneath one for the call, both declared in `events.rs`. They are spans of `tracing`; what becomes of
//! them is not decided here.

use super::{AuthError, BaseUri};
use crate::{ApiError, Operation, Request, Response, classify::of_error, events};
use http::{HeaderMap, Uri};
use pin_project_lite::pin_project;
use selvedge_resilience::{breaker::BreakerOpen, deadline::Elapsed, find_cause, gate::Paused};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
};
use tower::{BoxError, Layer, Service};
use tracing::Span;

/// How often a call was sent so far, shared by the copies of its request.
#[derive(Clone, Debug, Default)]
struct Sent(Arc<AtomicU32>);

/// Opens a span round each request that passes.
#[derive(Clone, Debug)]
pub struct SpanLayer {
    round: Round,
}

/// What a span is round.
#[derive(Clone, Debug)]
enum Round {
    Call,
    /// To send what is relative to the base, or names its host itself.
    Attempt(Option<BaseUri>),
}

/// A service with a span round each request.
#[derive(Clone, Debug)]
pub struct SpanService<S> {
    inner: S,
    round: Round,
}

impl SpanLayer {
    /// Opens a span `call`: the outermost layer of a stack.
    #[must_use]
    pub fn call() -> Self {
        Self { round: Round::Call }
    }

    /// Opens a span `attempt`: inside what retries, outside what bounds an attempt. Requests are relative to `base`, or name their host
    /// themselves.
    #[must_use]
    pub fn attempt(base: Option<BaseUri>) -> Self {
        Self { round: Round::Attempt(base) }
    }
}

impl<S> Layer<S> for SpanLayer {
    type Service = SpanService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        SpanService { inner, round: self.round.clone() }
    }
}

impl<S> Service<Request> for SpanService<S>
where
    S: Service<Request, Response = Response, Error = BoxError>,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Spanned<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let (span, sent) = match &self.round {
            Round::Call => call(&mut request),
            Round::Attempt(base) => (attempt(&request, base.as_ref()), None),
        };
        let inner = span.in_scope(|| self.inner.call(request));
        Spanned { inner, span, sent }
    }
}

/// The span of a call, and what counts its attempts.
fn call(request: &mut Request) -> (Span, Option<Sent>) {
    let operation = request.extensions().get::<Operation>();
    let span = events::call(operation);
    let sent = (!span.is_disabled()).then(Sent::default);
    if let Some(sent) = sent.clone() {
        request.extensions_mut().insert(sent);
    }
    (span, sent)
}

fn attempt(request: &Request, base: Option<&BaseUri>) -> Span {
    let before = request.extensions().get::<Sent>().map_or(0, |sent| sent.0.fetch_add(1, Ordering::Relaxed));
    let target = Target { base, uri: request.uri() };
    events::attempt(request.method(), before, target.host(), target.port(), &target)
}

pin_project! {
    /// What is done within a span, which is told how it ended.
    pub struct Spanned<F> {
        #[pin]
        inner: F,
        span: Span,
        sent: Option<Sent>,
    }
}

impl<F: Future<Output = Result<Response, BoxError>>> Future for Spanned<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let result = {
            let _within = this.span.enter();
            ready!(this.inner.poll(cx))
        };
        if !this.span.is_disabled() {
            if let Some(Sent(sent)) = this.sent {
                this.span.record("selvedge.attempts", sent.load(Ordering::Relaxed));
            }
            tell(this.span, &result);
        }
        Poll::Ready(result)
    }
}

/// How it ended.
fn tell(span: &Span, result: &Result<Response, BoxError>) {
    match result {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", status.as_u16());
            if let Some(id) = request_id(response.headers()) {
                span.record("azure.service.request.id", id);
            }
            if !status.is_success() {
                let code = ApiError::from_response(response).code;
                if is_plain(code.as_str()) {
                    span.record("error.type", code.as_str());
                } else {
                    span.record("error.type", status.as_str());
                }
            }
        }
        Err(error) => {
            span.record("error.type", kind(error));
        }
    }
}

/// What the service calls the request, which its support asks for.
fn request_id(headers: &HeaderMap) -> Option<&str> {
    let of = |name| headers.get(name)?.to_str().ok();
    of("requestid").or_else(|| of("x-ms-request-id"))
}

/// Whether it is a code, and not whatever a server likes to write.
fn is_plain(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Few words, for who counts.
fn kind(error: &BoxError) -> &'static str {
    let error = &**error;
    if find_cause::<AuthError>(error).is_some() {
        "no_token"
    } else if find_cause::<BreakerOpen>(error).is_some() {
        "circuit_open"
    } else if find_cause::<Paused>(error).is_some() {
        "throttled"
    } else if find_cause::<Elapsed>(error).is_some() {
        "timeout"
    } else {
        of_error(error).as_str()
    }
}

/// Where an attempt goes.
struct Target<'a> {
    base: Option<&'a BaseUri>,
    uri: &'a Uri,
}

impl Target<'_> {
    fn host(&self) -> Option<&str> {
        self.uri.host().or_else(|| self.base.map(BaseUri::host))
    }

    fn port(&self) -> Option<u16> {
        let usual = |scheme: Option<&str>| if scheme == Some("http") { 80 } else { 443 };
        match (self.uri.host(), self.base) {
            (Some(_), _) => Some(self.uri.port_u16().unwrap_or_else(|| usual(self.uri.scheme_str()))),
            (None, Some(base)) => Some(base.port()),
            (None, None) => None,
        }
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.uri.scheme(), self.host(), self.port(), self.base) {
            (Some(scheme), Some(host), Some(port), _) => write!(f, "{scheme}://{host}:{port}")?,
            (None, _, _, Some(base)) => write!(f, "{base}")?,
            _ => {}
        }
        f.write_str(self.uri.path())
    }
}

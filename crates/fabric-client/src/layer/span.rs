//! Spans round calls and attempts, for who watches from outside.
//!
//! A span of kind client per attempt, beneath one for the call, and an event as each attempt ends, all declared in `events.rs`. They are of
//! `tracing`; what becomes of them is not decided here.

use super::{AuthError, BaseUri};
use crate::{ApiError, Operation, Request, Response, classify::of_error, events};
use http::{HeaderMap, Method, Uri, uri::Authority};
use pin_project_lite::pin_project;
use selvedge_resilience::{breaker::BreakerOpen, deadline::Elapsed, find_cause, gate::Paused};
use std::{
    borrow::Cow,
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
    time::Instant,
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
        let (span, ending) = match &self.round {
            Round::Call => call(&mut request),
            Round::Attempt(base) => attempt(&request, base.as_ref()),
        };
        let inner = span.in_scope(|| self.inner.call(request));
        Spanned { inner, span, ending }
    }
}

/// The span of a call, and what counts its attempts.
fn call(request: &mut Request) -> (Span, Ending) {
    let operation = request.extensions().get::<Operation>();
    let span = events::call(operation);
    let sent = (!span.is_disabled()).then(Sent::default);
    if let Some(sent) = sent.clone() {
        request.extensions_mut().insert(sent);
    }
    (span, Ending::Call(sent))
}

fn attempt(request: &Request, base: Option<&BaseUri>) -> (Span, Ending) {
    let before = request.extensions().get::<Sent>().map_or(0, |sent| sent.0.fetch_add(1, Ordering::Relaxed));
    let target = Target { base, uri: request.uri() };
    let span = events::attempt(request.method(), before, target.host(), target.port(), &target);
    let attempt = Attempt {
        since: Instant::now(),
        method: request.method().clone(),
        authority: request.uri().authority().cloned(),
        base: base.cloned(),
        outcome: Outcome::default(),
    };
    (span, Ending::Attempt(attempt))
}

pin_project! {
    /// What is done within a span, which is told how it ended.
    pub struct Spanned<F> {
        #[pin]
        inner: F,
        span: Span,
        ending: Ending,
    }
}

/// What is told at the end.
enum Ending {
    Call(Option<Sent>),
    Attempt(Attempt),
}

/// Tells that it is over once it is dropped: as the answer is there, or as nobody waits for one any more.
struct Attempt {
    since: Instant,
    method: Method,
    authority: Option<Authority>,
    base: Option<BaseUri>,
    outcome: Outcome,
}

impl Drop for Attempt {
    fn drop(&mut self) {
        let Outcome { status, error } = &self.outcome;
        let authority = self.authority.as_ref().map(Authority::host);
        let host = authority.or_else(|| self.base.as_ref().map(BaseUri::host));
        events::attempt_ended(&self.method, host, *status, error.as_deref(), self.since.elapsed());
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
        match this.ending {
            Ending::Call(sent) if !this.span.is_disabled() => {
                if let Some(Sent(sent)) = sent {
                    this.span.record("selvedge.attempts", sent.load(Ordering::Relaxed));
                }
                tell(this.span, &result, &Outcome::of(&result));
            }
            Ending::Call(_) => {}
            Ending::Attempt(attempt) => {
                attempt.outcome = Outcome::of(&result);
                if !this.span.is_disabled() {
                    tell(this.span, &result, &attempt.outcome);
                }
            }
        }
        Poll::Ready(result)
    }
}

/// How it ended, in few words for who counts. Neither: nobody waited for the end.
#[derive(Default)]
struct Outcome {
    status: Option<u16>,
    /// What failed, where something did.
    error: Option<Cow<'static, str>>,
}

impl Outcome {
    fn of(result: &Result<Response, BoxError>) -> Self {
        match result {
            Ok(response) => {
                let status = response.status();
                let error = (!status.is_success()).then(|| {
                    let code = ApiError::from_response(response).code;
                    let said = if is_plain(code.as_str()) { code.as_str() } else { status.as_str() };
                    Cow::Owned(said.to_owned())
                });
                Self { status: Some(status.as_u16()), error }
            }
            Err(error) => Self { status: None, error: Some(kind(error).into()) },
        }
    }
}

/// How it ended.
fn tell(span: &Span, result: &Result<Response, BoxError>, outcome: &Outcome) {
    if let Some(status) = outcome.status {
        span.record("http.response.status_code", status);
    }
    if let Ok(response) = result
        && let Some(id) = request_id(response.headers())
    {
        span.record("azure.service.request.id", id);
    }
    if let Some(error) = &outcome.error {
        span.record("error.type", &**error);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Script;
    use bytes::Bytes;
    use futures_util::FutureExt as _;
    use std::sync::Mutex;
    use tower::ServiceExt as _;
    use tracing::{Event, Subscriber};
    use tracing_subscriber::{Layer as _, layer, layer::SubscriberExt as _};

    /// The fields of each attempt that ended, but for how long it took.
    #[derive(Clone, Default)]
    struct Ends(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> layer::Layer<S> for Ends {
        fn on_event(&self, event: &Event<'_>, _: layer::Context<'_, S>) {
            assert_eq!(event.metadata().name(), "attempt.ended");
            let mut fields = Vec::new();
            event.record(&mut |field: &tracing::field::Field, value: &dyn fmt::Debug| {
                if !["message", "seconds"].contains(&field.name()) {
                    fields.push(format!("{value:?}"));
                }
            });
            self.0.lock().unwrap().push(fields.join(" "));
        }
    }

    #[test]
    fn each_attempt_is_told_once_as_it_ends() {
        let script = Script::default()
            .answer("200", "{}")
            .answer("429", r#"{"errorCode":"RequestBlocked","message":"m"}"#)
            .answer("503", "busy")
            .error("odd");
        let base = BaseUri::new("https://api.fabric.microsoft.com/v1").unwrap();
        let ends = Ends::default();
        let subscriber = tracing_subscriber::registry().with(ends.clone().boxed());
        let get = |uri: &str| http::Request::get(uri).body(Bytes::new()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            let service = SpanLayer::attempt(Some(base.clone())).layer(script.service());
            for uri in ["/workspaces", "/items", "https://elsewhere.test:8443/x?secret", "/items"] {
                let answer = service.clone().oneshot(get(uri)).now_or_never();
                drop(answer.expect("the script answers at once"));
            }
            // Nobody waits for the end of this one.
            let never = SpanLayer::attempt(Some(base))
                .layer(tower::service_fn(|_: Request| std::future::pending::<Result<Response, BoxError>>()));
            assert!(never.oneshot(get("/workspaces")).now_or_never().is_none());
        });
        let expected = [
            r#""GET" "api.fabric.microsoft.com" 200"#,
            r#""GET" "api.fabric.microsoft.com" 429 "RequestBlocked""#,
            r#""GET" "elsewhere.test" 503 "503""#,
            r#""GET" "api.fabric.microsoft.com" "transient""#,
            r#""GET" "api.fabric.microsoft.com""#,
        ];
        assert_eq!(*ends.0.lock().unwrap(), expected);
    }
}

//! The bound on one attempt.

use super::{Deadline, LEAST};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::Timeout;
use tower::{BoxError, Layer, Service, ServiceExt, util::Oneshot};

/// A call, or an attempt, that was given up because its time was over. Whether it had an effect is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {after:.1?}")]
pub struct Elapsed {
    after: Duration,
    ours: bool,
}

/// An attempt was not begun, because too little of the call's time was left. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLate {
    remaining: Duration,
    /// How long it stood in line before a gate, where it did.
    in_line: Option<Duration>,
}

/// Bounds each attempt; see [`AttemptTimeout`].
#[derive(Clone, Copy, Debug)]
pub struct AttemptTimeoutLayer {
    after: Duration,
}

/// Ends an attempt with [`Elapsed`] when the inner service has not answered in time, and refuses one with [`TooLate`]
/// that the [deadline](super::Deadline) of its call leaves too little time for.
///
/// It is always ready: the inner service is made ready within the attempt, and its time. The inner service must answer with a
/// complete body, or the body is not covered.
#[derive(Clone, Debug)]
pub struct AttemptTimeout<S> {
    inner: S,
    after: Duration,
}

pin_project! {
    /// An attempt on its way, of an [`AttemptTimeout`].
    #[derive(Debug)]
    pub struct Attempt<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        UnderWay { #[pin] attempt: Timeout<F>, elapsed: Elapsed },
        TooLate { remaining: Duration },
    }
}

// ===== impl Elapsed =====

impl Elapsed {
    pub(super) fn call(after: Duration) -> Self {
        Self { after, ours: true }
    }

    /// How long was waited.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.after
    }

    /// Whether it was the call's own time that ran out, so that nothing is said about the service: it had less than an
    /// attempt is given.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.ours
    }
}

// ===== impl TooLate =====

impl TooLate {
    pub(crate) fn in_line(remaining: Duration, waited: Duration) -> Self {
        Self { remaining, in_line: Some(waited) }
    }

    /// What was left of the call's time.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.remaining
    }
}

impl fmt::Display for TooLate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { remaining, in_line } = self;
        write!(f, "not sent: only {remaining:.1?} of the call's time are left")?;
        match in_line {
            Some(waited) => write!(f, ", after {waited:.1?} in line behind other requests"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for TooLate {}

// ===== impl AttemptTimeoutLayer =====

impl AttemptTimeoutLayer {
    /// Bounds each attempt to `after`.
    #[must_use]
    pub fn new(after: Duration) -> Self {
        Self { after }
    }
}

impl<S> Layer<S> for AttemptTimeoutLayer {
    type Service = AttemptTimeout<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AttemptTimeout { inner, after: self.after }
    }
}

// ===== impl AttemptTimeout =====

impl<S, Req> Service<Req> for AttemptTimeout<S>
where
    S: Service<Req, Error = BoxError> + Clone,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Attempt<Oneshot<S, Req>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let remaining = Deadline::current().map(Deadline::remaining);
        if let Some(remaining) = remaining.filter(|remaining| *remaining < LEAST) {
            return Attempt { state: State::TooLate { remaining } };
        }
        let after = remaining.map_or(self.after, |remaining| remaining.min(self.after));
        let elapsed = Elapsed { after, ours: after < self.after };
        let attempt = tokio::time::timeout(after, self.inner.clone().oneshot(request));
        Attempt { state: State::UnderWay { attempt, elapsed } }
    }
}

// ===== impl Attempt =====

impl<F, T> Future for Attempt<F>
where
    F: Future<Output = Result<T, BoxError>>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::UnderWay { attempt, elapsed } => {
                attempt.poll(cx).map(|ended| ended.unwrap_or_else(|_| Err((*elapsed).into())))
            }
            StateProjection::TooLate { remaining } => {
                Poll::Ready(Err(TooLate { remaining: *remaining, in_line: None }.into()))
            }
        }
    }
}

//! The bound on a whole call.

use super::{CURRENT, Deadline, Elapsed, LEAST};
use crate::error::{InvalidConfig, ensure};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    task::futures::TaskLocalFuture,
    time::{Instant, Timeout},
};
use tower::{BoxError, Layer, Service};

/// Bounds each call with all that happens in it; see [`DeadlineService`].
#[derive(Clone, Copy, Debug)]
pub struct DeadlineLayer {
    after: Duration,
}

/// Ends a call with [`Elapsed`] when it takes too long, and tells the layers beneath by when it has to end.
///
/// Those that know of it end by themselves and say what was tried; what hangs beneath them is dropped, and says nothing. So
/// put an [`AttemptTimeoutLayer`](super::AttemptTimeoutLayer) round the service, and give it less time than a call has: an
/// attempt that had to end because its call did tells a breaker nothing of the service.
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    after: Duration,
}

pin_project! {
    /// A call on its way, of a [`DeadlineService`].
    #[derive(Debug)]
    pub struct Call<F> {
        #[pin]
        call: Timeout<TaskLocalFuture<Deadline, F>>,
        after: Duration,
    }
}

// ===== impl DeadlineLayer =====

impl DeadlineLayer {
    /// Bounds each call to `after`. Within another deadline the earlier of the two holds.
    ///
    /// # Errors
    ///
    /// When it is not more than the time of the shortest attempt, [`LEAST`]: no attempt would ever begin.
    pub fn new(after: Duration) -> Result<Self, InvalidConfig> {
        ensure(after > LEAST, "deadline", "must be more than 1 s")?;
        Ok(Self { after })
    }
}

impl<S> Layer<S> for DeadlineLayer {
    type Service = DeadlineService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeadlineService { inner, after: self.after }
    }
}

// ===== impl DeadlineService =====

impl<S, Req> Service<Req> for DeadlineService<S>
where
    S: Service<Req, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Call<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let now = Instant::now();
        let deadline = Deadline::after(now, self.after);
        // Less than ours where an outer deadline comes earlier.
        let after = self.after.min(deadline.instant() - now);
        let call = CURRENT.sync_scope(deadline, || self.inner.call(request));
        Call { call: tokio::time::timeout_at(deadline.instant(), CURRENT.scope(deadline, call)), after }
    }
}

// ===== impl Call =====

impl<F, T> Future for Call<F>
where
    F: Future<Output = Result<T, BoxError>>,
{
    type Output = Result<T, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.call.poll(cx).map(|ended| ended.unwrap_or_else(|_| Err(Elapsed::call(*this.after).into())))
    }
}

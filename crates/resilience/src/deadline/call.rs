//! The bound on a whole call.

use super::{CURRENT, Deadline, Elapsed, LEAST};
use crate::error::{InvalidConfig, ensure};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tower::{BoxError, Layer, Service};

/// Bounds each call with all that happens in it; see [`DeadlineService`].
#[derive(Clone, Copy, Debug)]
pub struct DeadlineLayer {
    after: Duration,
}

/// Ends a call with [`Elapsed`] when it takes too long, and tells the layers beneath by when it has to end.
#[derive(Clone, Debug)]
pub struct DeadlineService<S> {
    inner: S,
    after: Duration,
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
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let after = self.after;
        let deadline = Deadline::within(after);
        let call = CURRENT.sync_scope(deadline, || self.inner.call(request));
        let call = tokio::time::timeout_at(deadline.instant(), CURRENT.scope(deadline, call));
        Box::pin(async move {
            match call.await {
                Ok(result) => result,
                Err(_) => Err(Elapsed::call(after).into()),
            }
        })
    }
}

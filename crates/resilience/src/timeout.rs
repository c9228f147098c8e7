//! A bound on one attempt.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tower::{BoxError, Layer, Service};

/// An attempt that was given up because its time was over. Whether it had an effect is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer within {after:.1?}")]
pub struct Elapsed {
    after: Duration,
}

impl Elapsed {
    /// How long the attempt was waited for.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.after
    }
}

/// Bounds each attempt; see [`AttemptTimeout`].
#[derive(Clone, Copy, Debug)]
pub struct AttemptTimeoutLayer {
    after: Duration,
}

/// Ends an attempt with [`Elapsed`] when the inner service has not answered in time.
///
/// The inner service must answer with a complete body, or the body is not covered.
#[derive(Clone, Debug)]
pub struct AttemptTimeout<S> {
    inner: S,
    after: Duration,
}

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
        let attempt = tokio::time::timeout(after, self.inner.call(request));
        Box::pin(async move {
            match attempt.await {
                Ok(result) => result,
                Err(_) => Err(Elapsed { after }.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::find_cause;
    use tower::{ServiceBuilder, ServiceExt};

    async fn attempt(takes: Duration) -> Result<(), BoxError> {
        ServiceBuilder::new()
            .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
            .service_fn(move |()| async move {
                tokio::time::sleep(takes).await;
                Ok(())
            })
            .oneshot(())
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_attempt_ends_in_time_and_a_quick_one_passes() {
        attempt(Duration::from_secs(29)).await.unwrap();

        let started = tokio::time::Instant::now();
        let error = attempt(Duration::from_secs(31)).await.unwrap_err();
        assert_eq!(started.elapsed(), Duration::from_secs(30));
        assert_eq!(find_cause::<Elapsed>(&*error).unwrap().after(), Duration::from_secs(30));
        assert_eq!(error.to_string(), "no answer within 30.0s");
    }
}

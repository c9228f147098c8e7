//! The breaker as a tower layer.

use super::{Breaker, state::Verdict};
use crate::{Classify, Outcome};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tower::{BoxError, Layer, Service, ServiceExt};

/// Puts a [`Breaker`] before a service. Services of one layer, and their clones, share it.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C> {
    breaker: Breaker,
    classify: C,
}

/// A service behind a [`Breaker`].
///
/// It is always ready: an open breaker answers in `call`, with [`BreakerOpen`](super::BreakerOpen), and the inner
/// service is made ready within the attempt. So nobody is parked by a service that is known to fail.
#[derive(Clone, Debug)]
pub struct BreakerService<S, C> {
    inner: S,
    breaker: Breaker,
    classify: C,
}

// ===== impl BreakerLayer =====

impl<C> BreakerLayer<C> {
    /// Lets `breaker` watch the answers as `classify` understands them.
    #[must_use]
    pub fn new(breaker: Breaker, classify: C) -> Self {
        Self { breaker, classify }
    }
}

impl<S, C: Clone> Layer<S> for BreakerLayer<C> {
    type Service = BreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { inner, breaker: self.breaker.clone(), classify: self.classify.clone() }
    }
}

// ===== impl BreakerService =====

impl<S, C, Req> Service<Req> for BreakerService<S, C>
where
    S: Service<Req, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    C: Classify<Req, S::Response, BoxError> + Send + 'static,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let permit = match self.breaker.acquire() {
            Ok(permit) => permit,
            Err(open) => return Box::pin(std::future::ready(Err(open.into()))),
        };
        let attempt = self.inner.clone().oneshot(request);
        let classify = self.classify.clone();
        Box::pin(async move {
            let result = attempt.await;
            permit.settle(verdict(classify.outcome(result.as_ref()), result.is_ok()));
            result
        })
    }
}

/// Whether an outcome speaks for or against the service. A refusal speaks for it only when the service itself
/// answered; one that arose on our side says nothing, and a throttled request neither.
fn verdict(outcome: Outcome, answered: bool) -> Verdict {
    match outcome {
        Outcome::Transient { .. } | Outcome::Unsent => Verdict::Failing,
        Outcome::Success => Verdict::Alive,
        Outcome::Permanent if answered => Verdict::Alive,
        Outcome::Permanent | Outcome::Throttled { .. } => Verdict::Silent,
    }
}

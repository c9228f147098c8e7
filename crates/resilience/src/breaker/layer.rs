//! The breaker as a tower layer.

use super::{Breakers, state::Verdict};
use crate::{
    Classify, Outcome,
    deadline::{Elapsed, TooLate},
    find_cause,
    gate::Paused,
};
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tower::{BoxError, Layer, Service, ServiceExt};

/// Puts [`Breakers`] before a service. Services of one layer, and their clones, share them.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C> {
    breakers: Breakers,
    classify: C,
}

/// A service behind [`Breakers`].
///
/// It is always ready: an open breaker answers in `call`, with [`BreakerOpen`](super::BreakerOpen), and the inner
/// service is made ready within the attempt. So nobody is parked by a service that is known to fail.
#[derive(Clone, Debug)]
pub struct BreakerService<S, C> {
    inner: S,
    breakers: Breakers,
    classify: C,
}

// ===== impl BreakerLayer =====

impl<C> BreakerLayer<C> {
    /// Lets the breaker of each request's class watch the answers as `classify` understands them.
    #[must_use]
    pub fn new(breakers: Breakers, classify: C) -> Self {
        Self { breakers, classify }
    }
}

impl<S, C: Clone> Layer<S> for BreakerLayer<C> {
    type Service = BreakerService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BreakerService { inner, breakers: self.breakers.clone(), classify: self.classify.clone() }
    }
}

// ===== impl BreakerService =====

impl<S, C, Req> Service<Req> for BreakerService<S, C>
where
    S: Service<Req, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    C: Classify<Req, S::Response> + Send + 'static,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let permit = match self.breakers.get(&self.classify.class(&request)).acquire() {
            Ok(permit) => permit,
            Err(open) => return Box::pin(std::future::ready(Err(open.into()))),
        };
        let attempt = self.inner.clone().oneshot(request);
        let classify = self.classify.clone();
        Box::pin(async move {
            let result = attempt.await;
            let outcome = classify.outcome(result.as_ref());
            permit.settle(verdict(outcome, result.as_ref().err()));
            result
        })
    }
}

/// Whether an outcome speaks for or against the service. A refusal speaks for it only when the service itself
/// answered; what arose on our side says nothing, and a throttled request neither.
fn verdict(outcome: Outcome, error: Option<&BoxError>) -> Verdict {
    match outcome {
        _ if error.is_some_and(|error| is_ours(&**error)) => Verdict::Silent,
        Outcome::Success | Outcome::Busy { .. } => Verdict::Alive,
        Outcome::Transient { .. } | Outcome::Unsent => Verdict::Failing,
        Outcome::Permanent if error.is_none() => Verdict::Alive,
        Outcome::Throttled { .. } if cfg!(selvedge_bug = "counts-throttling") => Verdict::Failing,
        Outcome::Permanent | Outcome::Throttled { .. } => Verdict::Silent,
    }
}

/// Whether the attempt ended on our side, for a reason that is none of the service's.
fn is_ours(error: &(dyn Error + 'static)) -> bool {
    find_cause::<Paused>(error).is_some()
        || find_cause::<TooLate>(error).is_some()
        || find_cause::<Elapsed>(error).is_some_and(Elapsed::is_ours)
}

//! The breaker as a tower layer.

use super::{BreakerOpen, Breakers, handle::Permit, state::Verdict};
use crate::{
    Classify, Outcome,
    deadline::{Elapsed, TooLate},
    find_cause,
    gate::Paused,
};
use pin_project_lite::pin_project;
use std::{
    error::Error,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower::{BoxError, Layer, Service, ServiceExt, util::Oneshot};

/// Puts [`Breakers`] before a service. Services of one layer, and their clones, share them.
#[derive(Clone, Debug)]
pub struct BreakerLayer<C> {
    breakers: Breakers,
    classify: C,
}

/// A service behind [`Breakers`].
///
/// It is always ready: an open breaker answers in `call`, with [`BreakerOpen`], and the inner
/// service is made ready within the attempt. So nobody is parked by a service that is known to fail.
#[derive(Clone, Debug)]
pub struct BreakerService<S, C> {
    inner: S,
    breakers: Breakers,
    classify: C,
}

pin_project! {
    /// A request on its way through a [`BreakerService`].
    #[derive(Debug)]
    pub struct Guarded<S: Service<Req>, C, Req> {
        #[pin]
        state: State<S, C, Req>,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<S: Service<Req>, C, Req> {
        // The attempt is dropped before its permit is given back.
        Admitted { #[pin] attempt: Oneshot<S, Req>, classify: C, permit: Option<Permit> },
        Refused { open: BreakerOpen },
    }
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
    S: Service<Req, Error = BoxError> + Clone,
    C: Classify<Req, S::Response>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Guarded<S, C, Req>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        let state = match self.breakers.get(&self.classify.class(&request)).acquire() {
            Ok(permit) => State::Admitted {
                attempt: self.inner.clone().oneshot(request),
                classify: self.classify.clone(),
                permit: Some(permit),
            },
            Err(open) => State::Refused { open },
        };
        Guarded { state }
    }
}

// ===== impl Guarded =====

impl<S, C, Req> Future for Guarded<S, C, Req>
where
    S: Service<Req, Error = BoxError>,
    C: Classify<Req, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted { attempt, classify, permit } => {
                let result = ready!(attempt.poll(cx));
                let outcome = classify.outcome(result.as_ref());
                if let Some(permit) = permit.take() {
                    permit.settle(verdict(outcome, result.as_ref().err()));
                }
                Poll::Ready(result)
            }
            StateProjection::Refused { open } => Poll::Ready(Err((*open).into())),
        }
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
    // A breaker beneath this one has an opinion of its own about what it guards.
    find_cause::<BreakerOpen>(error).is_some()
        || find_cause::<Paused>(error).is_some()
        || find_cause::<TooLate>(error).is_some()
        || find_cause::<Elapsed>(error).is_some_and(Elapsed::is_ours)
}

//! The gate as a tower layer.

use super::{Gate, Gates, handle::Pass};
use crate::Classify;
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tower::{BoxError, Layer, Service, ServiceExt, util::Oneshot};

/// Puts [`Gates`] before a service. Services of one layer, and their clones, share them.
#[derive(Clone, Debug)]
pub struct GateLayer<C> {
    gates: Gates,
    classify: C,
}

/// A service behind [`Gates`].
///
/// It is always ready: the wait is part of the call, where it counts against the call's deadline, and the inner service is
/// made ready after it.
#[derive(Clone, Debug)]
pub struct GateService<S, C> {
    inner: S,
    gates: Gates,
    classify: C,
}

pin_project! {
    /// A request on its way through a [`GateService`].
    pub struct Passage<S: Service<Req>, C, Req> {
        // Dropped before the pass, whose place is free only when the attempt is gone.
        #[pin]
        attempt: Oneshot<S, Req>,
        classify: C,
        way: Way,
    }
}

/// How far a request has come.
enum Way {
    /// Before the gate; most find it open.
    Arrived(Gate),
    /// In the queue, or waiting for the end of a pause.
    Waiting(Pin<Box<dyn Future<Output = Result<Pass, BoxError>> + Send>>),
    /// Through, and out again when the pass is gone.
    Passed(Option<Pass>),
}

// ===== impl GateLayer =====

impl<C> GateLayer<C> {
    /// Lets the gate of each request's class watch the answers as `classify` understands them.
    #[must_use]
    pub fn new(gates: Gates, classify: C) -> Self {
        Self { gates, classify }
    }
}

impl<S, C: Clone> Layer<S> for GateLayer<C> {
    type Service = GateService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        GateService { inner, gates: self.gates.clone(), classify: self.classify.clone() }
    }
}

// ===== impl GateService =====

impl<S, C, Req> Service<Req> for GateService<S, C>
where
    S: Service<Req, Error = BoxError> + Clone,
    C: Classify<Req, S::Response>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Passage<S, C, Req>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Self::Future {
        Passage {
            way: Way::Arrived(self.gates.get(&self.classify.class(&request))),
            attempt: self.inner.clone().oneshot(request),
            classify: self.classify.clone(),
        }
    }
}

// ===== impl Passage =====

impl<S, C, Req> Future for Passage<S, C, Req>
where
    S: Service<Req, Error = BoxError>,
    C: Classify<Req, S::Response>,
{
    type Output = Result<S::Response, BoxError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let pass = loop {
            match this.way {
                Way::Arrived(gate) => {
                    *this.way = match gate.try_enter()? {
                        Some(pass) => Way::Passed(Some(pass)),
                        None => {
                            let gate = gate.clone();
                            Way::Waiting(Box::pin(async move { gate.enter().await }))
                        }
                    };
                }
                Way::Waiting(enter) => *this.way = Way::Passed(Some(ready!(enter.as_mut().poll(cx))?)),
                Way::Passed(pass) => break pass,
            }
        };
        let result = ready!(this.attempt.poll(cx));
        if let Some(pass) = pass.take() {
            pass.settle(this.classify.outcome(result.as_ref()));
        }
        Poll::Ready(result)
    }
}

impl<S: Service<Req>, C, Req> fmt::Debug for Passage<S, C, Req> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passage").finish_non_exhaustive()
    }
}

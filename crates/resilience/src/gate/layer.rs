//! The gate as a tower layer.

use super::Gates;
use crate::Classify;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tower::{BoxError, Layer, Service, ServiceExt};

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
        let gate = self.gates.get(&self.classify.class(&request));
        let inner = self.inner.clone();
        let classify = self.classify.clone();
        Box::pin(async move {
            let pass = gate.enter().await?;
            let result = inner.oneshot(request).await;
            pass.settle(classify.outcome(result.as_ref()));
            result
        })
    }
}

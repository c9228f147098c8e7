//! The emulator as a [`tower::Service`]: log, holds and faults around the effect of each request.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::json;

use crate::emulator::Shared;
use crate::fault::{Action, RetryAfter};
use crate::hold::HoldPoint;
use crate::operations::may_be_long_running;
use crate::wire::{Api, Incoming, Reply, fabric_error, http_date, insert};
use crate::world::ApiError;
use crate::{admin, entra, fabric, graph};

/// Any error, boxed as tower does.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The emulated services. Cheap to clone; needs a Tokio runtime.
///
/// An injected connection reset is an [`io::Error`] of the kind `ConnectionReset`. A request runs to its end even when
/// the caller drops the future: a server finishes what a client has given up.
#[derive(Clone)]
pub struct EmulatorService {
    shared: Arc<Shared>,
}

impl EmulatorService {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

impl tower::Service<Request<Bytes>> for EmulatorService {
    type Response = Response<Bytes>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Bytes>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move { Ok(tokio::spawn(answer(shared, Incoming::new(request))).await??) })
    }
}

async fn answer(shared: Arc<Shared>, request: Incoming) -> Result<Response<Bytes>, io::Error> {
    if request.api == Api::Admin {
        return Ok(admin::handle(&shared, &request));
    }
    let principal = shared.state().tokens.principal(&request);
    let entry = shared.log.arrived(&request, principal.map(|id| id.to_string()), shared.clock.now());
    let mut answer = through_faults(&shared, &request).await;
    if let Ok(response) = &mut answer {
        insert(response.headers_mut(), header::DATE, &http_date(shared.clock.now()));
    }
    shared.log.over(entry, answer.as_ref().ok());
    answer
}

async fn through_faults(shared: &Shared, request: &Incoming) -> Result<Response<Bytes>, io::Error> {
    let (method, path) = (request.method.as_str(), request.path.as_str());
    let verdict = shared.faults.decide(method, path, may_be_long_running(method, path));
    let before = shared.holds.claim(method, path, HoldPoint::Before);
    let after = shared.holds.claim(method, path, HoldPoint::After);
    if let Some(id) = before {
        shared.holds.stop(id).await;
    }
    if !verdict.latency.is_zero() {
        tokio::time::sleep(verdict.latency).await;
    }
    match &verdict.action {
        Some(Action::Status { status, retry_after }) => {
            return Ok(injected(request.api, *status, retry_after.as_ref()));
        }
        Some(Action::ResetBefore) => return Err(reset()),
        _ => {}
    }
    let response = effect(shared, request, verdict.action == Some(Action::OperationFails));
    if let Some(id) = after {
        shared.holds.stop(id).await;
    }
    match &verdict.action {
        Some(Action::EffectThenStatus { status, retry_after }) => {
            Ok(injected(request.api, *status, retry_after.as_ref()))
        }
        Some(Action::ResetAfter) => Err(reset()),
        _ => Ok(response),
    }
}

fn effect(shared: &Shared, request: &Incoming, fails: bool) -> Response<Bytes> {
    match request.api {
        Api::Admin => admin::handle(shared, request),
        Api::Entra => entra::handle(shared, request),
        Api::Graph => graph::handle(shared, request),
        Api::Fabric => fabric::handle(shared, request, fails),
    }
}

fn reset() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionReset, "connection reset by an injected fault")
}

/// An error nobody meant, in the dialect of the service that was asked.
fn injected(api: Api, status: u16, retry_after: Option<&RetryAfter>) -> Response<Bytes> {
    let error = plausible(status);
    let retry_after = retry_after.map(ToString::to_string);
    let body = match api {
        Api::Fabric | Api::Admin => return fabric_error(&error, retry_after),
        Api::Graph => json!({"error": {"code": error.code, "message": error.message}}),
        Api::Entra => json!({"error": "temporarily_unavailable", "error_description": error.message}),
    };
    let mut reply = Reply::json(status, body);
    if let Some(retry_after) = retry_after {
        reply = reply.header(header::RETRY_AFTER, retry_after);
    }
    reply.plain()
}

fn plausible(status: u16) -> ApiError {
    let (code, message) = match status {
        400 => ("BadRequest", "The request is invalid"),
        401 => ("TokenExpired", "Access token has expired, resubmit with a new access token"),
        403 => (
            "InsufficientPrivileges",
            "The caller does not have sufficient permissions to perform this operation",
        ),
        404 => ("EntityNotFound", "The requested resource could not be found"),
        409 => ("Conflict", "The request conflicts with the current state of the resource"),
        429 | 430 => ("RequestBlocked", "Request is blocked by the upstream service"),
        _ => ("UnknownError", "An unexpected error occurred while processing the request"),
    };
    let error = ApiError::new(status, code, message);
    if matches!(status, 429 | 430) { error.retriable(true) } else { error }
}

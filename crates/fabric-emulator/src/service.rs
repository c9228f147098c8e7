//! The emulator as a [`tower::Service`]: log, holds and faults around the effect of each request.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, header};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::emulator::Shared;
use crate::fault::{Effect, Tweaks, Verdict, reduced};
use crate::hold::{HOLD, HoldPoint};
use crate::wire::{Api, Incoming, Reply, http_date, insert};
use crate::wire_fault::Disruption;
use crate::{admin, entra, fabric, graph, vault, workload};

/// Any error, boxed as tower does.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The emulated services. Cheap to clone; needs a Tokio runtime.
///
/// What a server would do to a connection is an [`io::Error`](std::io::Error) here: `ConnectionReset` for a reset,
/// `UnexpectedEof` for a body that is cut or shorter than its length, `InvalidData` for garbage. Silence is a future that
/// is never ready. A request runs to its end even when the caller drops the future: a server finishes what a client has
/// given up.
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
        let exchange = self.exchange(request);
        Box::pin(async move {
            match exchange.await? {
                Ok(response) => Ok(response),
                Err(disruption) => Ok(disruption.in_process().await?),
            }
        })
    }
}

type Exchanged = Result<Response<Bytes>, Disruption>;

impl EmulatorService {
    /// The answer, or what a server is to send in its place. The outer error is that of a handler that broke.
    pub(crate) fn exchange(&self, request: Request<Bytes>) -> JoinHandle<Exchanged> {
        tokio::spawn(answer(Arc::clone(&self.shared), Incoming::new(request)))
    }
}

async fn answer(shared: Arc<Shared>, request: Incoming) -> Exchanged {
    if request.api == Api::Admin {
        return Ok(admin::handle(&shared, &request));
    }
    let (principal, secret) = {
        let state = shared.state();
        let secret = (request.api == Api::Vault).then(|| vault::subject(&state, &request)).flatten();
        (state.tokens.principal(&request), secret)
    };
    let entry = shared.log.arrived(&request, principal.map(|id| id.to_string()), secret, shared.clock.now());
    let answer = match shared.faults.decide(&request, principal, shared.clock.now()) {
        Ok(verdict) => {
            shared.log.hit(entry, verdict.name());
            held(&shared, &request, &verdict).await
        }
        Err(error) => Ok(Reply::json(400, json!({"error": error.to_string()})).plain()),
    };
    shared.log.over(entry, answer.as_ref().map_or_else(Disruption::response, Some));
    answer
}

/// Stops at the holds for the request, before and after it is carried out.
async fn held(shared: &Shared, request: &Incoming, verdict: &Verdict) -> Result<Response<Bytes>, Disruption> {
    let before = shared.holds.claim(request, HoldPoint::Before);
    let after = shared.holds.claim(request, HoldPoint::After);
    if let Some(id) = before {
        shared.holds.stop(id).await;
    }
    if !verdict.latency().is_zero() {
        tokio::time::sleep(verdict.latency()).await;
    }
    let earned = carry_out(shared, request, verdict);
    if let Some(id) = after {
        shared.holds.stop(id).await;
    }
    let now = shared.clock.now();
    let mut response = match verdict.effect() {
        (_, Some(instead)) => {
            let mut answer = instead.answer(request, now)?;
            if request.api == Api::Vault {
                vault::dress(&shared.config(), request, &mut answer);
            }
            answer
        }
        (_, None) => earned,
    };
    verdict.edit(request, now, &mut response);
    insert(response.headers_mut(), header::DATE, &http_date(now));
    for id in [before, after].into_iter().flatten() {
        response.headers_mut().append(HOLD, id.0.into());
    }
    verdict.send(response)
}

/// Lets the request take effect as far as the faults say, and returns the answer that it has earned by that.
fn carry_out(shared: &Shared, request: &Incoming, verdict: &Verdict) -> Response<Bytes> {
    if let Some(active) = verdict.capacities() {
        shared.state().world.capacities.iter_mut().for_each(|capacity| capacity.active = active);
    }
    let whole = || {
        if verdict.is_twice() {
            effect(shared, request, &verdict.tweaks());
        }
        effect(shared, request, &verdict.tweaks())
    };
    match verdict.effect().0 {
        Effect::Whole => whole(),
        Effect::Partial => match reduced(request) {
            Some(part) => effect(shared, &part, &verdict.tweaks()),
            None => whole(),
        },
        Effect::Late(by) => {
            if matches!(request.api, Api::Fabric | Api::Vault) && request.method != "GET" {
                shared.state().act_later(request, by);
            }
            Response::default()
        }
        Effect::Nothing => Response::default(),
    }
}

fn effect(shared: &Shared, request: &Incoming, tweaks: &Tweaks) -> Response<Bytes> {
    match request.api {
        Api::Admin => admin::handle(shared, request),
        Api::Entra => entra::handle(shared, request),
        Api::Graph => graph::handle(shared, request),
        Api::Fabric => fabric::handle(shared, request, tweaks),
        Api::Vault => vault::handle(shared, request, tweaks),
        Api::Workload => workload::handle(shared, request),
    }
}

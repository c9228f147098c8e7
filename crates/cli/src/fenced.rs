//! The last look before a request leaves: without its lease this process sends nothing that changes anything.
//!
//! The engine asks before each change. A change may be several requests, and a request may wait long for its turn or be sent again:
//! a process that was stopped meanwhile must not go on with it.

use std::future::{Ready, ready};
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use futures_util::future::Either;
use selvedge_fabric_client::{Operation, Request, Response, Withheld};
use selvedge_resilience::Effect;
use selvedge_rollback::lease::Fence;
use tower::{BoxError, Service};

/// What is asked, once there is a lease. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FenceSlot(Arc<RwLock<Option<Fence>>>);

impl FenceSlot {
    /// Asks `fence` from now on. A run has one lease at a time: nothing of an earlier transaction is under way any more.
    pub(crate) fn ask(&self, fence: Fence) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(fence);
    }

    fn is_closed(&self) -> bool {
        let fence = self.0.read().unwrap_or_else(PoisonError::into_inner);
        fence.as_ref().is_some_and(|fence| !fence.holds())
    }
}

/// The lease is lost, or soon may be. Whether an earlier attempt at the same request was carried out is not said.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the lease is lost, or soon may be: the request was not sent")]
pub(crate) struct LeaseLost;

/// A transport that lets no write through without the lease.
#[derive(Clone, Debug)]
pub(crate) struct Fenced<S> {
    inner: S,
    slot: FenceSlot,
}

impl<S> Fenced<S> {
    pub(crate) fn new(inner: S, slot: FenceSlot) -> Self {
        Self { inner, slot }
    }
}

impl<S> Service<Request> for Fenced<S>
where
    S: Service<Request, Response = Response, Error = BoxError>,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Either<S::Future, Ready<Result<Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let reads =
            request.extensions().get::<Operation>().is_some_and(|operation| operation.effect == Effect::Read);
        if !reads && self.slot.is_closed() {
            // No later attempt of this process may be sent either.
            return Either::Right(ready(Err(Withheld::new(LeaseLost).into())));
        }
        Either::Left(self.inner.call(request))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use std::time::Duration;

    use selvedge_fabric_client::{Client, Quota, WorkspaceId, workspaces};
    use selvedge_resilience::gate::GateConfig;
    use selvedge_resilience::retry::RetryConfig;
    use selvedge_resilience::{Outcome, find_cause};
    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::stack::{StackConfig, stacks};

    #[tokio::test(start_paused = true)]
    async fn r7_who_has_lost_the_lease_does_not_try_again() {
        let (slot, asked) = (FenceSlot::default(), Arc::new(AtomicU32::new(0)));
        let count = Arc::clone(&asked);
        slot.ask(Fence::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
            false
        }));
        let inner = service_fn(async |_: Request| Ok::<_, BoxError>(Response::default()));
        let config = StackConfig {
            call_deadline: Duration::from_secs(600),
            retry: Some(RetryConfig::default()),
            breaker: None,
            gate: GateConfig::default(),
            attempt_timeout: Duration::from_secs(30),
            spans: false,
        };
        let stacks = stacks("test", &config, None, Fenced::new(inner, slot)).unwrap();
        for stack in [stacks.forward, stacks.undo] {
            let client = Client::new(stack);
            let error =
                client.send(workspaces::delete(WorkspaceId::from(uuid::Uuid::nil()))).await.unwrap_err();
            assert_eq!(error.outcome(), Outcome::Permanent);
            assert!(!error.may_have_been_sent());
            assert!(find_cause::<LeaseLost>(&error).is_some(), "{error}");
            assert_eq!(asked.swap(0, Ordering::Relaxed), 1);
        }
    }

    #[tokio::test]
    async fn r7_without_its_lease_nothing_is_sent_that_changes_anything() {
        let slot = FenceSlot::default();
        let transport =
            Fenced::new(service_fn(async |_: Request| Ok::<_, BoxError>(Response::default())), slot.clone());
        let send = |effect: Option<Effect>| {
            let mut request = Request::default();
            if let Some(effect) = effect {
                request.extensions_mut().insert(Operation { name: "x", effect, quota: Quota::default() });
            }
            transport.clone().oneshot(request)
        };
        let effects = [None, Some(Effect::Once), Some(Effect::Idempotent), Some(Effect::Read)];
        let holds = Arc::new(AtomicBool::new(true));
        for asked in [false, true] {
            if asked {
                let holds = Arc::clone(&holds);
                slot.ask(Fence::new(move || holds.load(Ordering::Relaxed)));
            }
            for effect in effects {
                assert!(send(effect).await.is_ok(), "{effect:?}");
            }
        }
        holds.store(false, Ordering::Relaxed);
        for effect in effects {
            let sent = send(effect).await;
            assert_eq!(sent.is_ok(), effect == Some(Effect::Read), "{effect:?}");
        }
    }
}

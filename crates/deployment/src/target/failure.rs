//! What a failed request means to a transaction.

use std::time::Duration;

use selvedge_fabric_client::{Error, ErrorKind};
use selvedge_resilience::{Outcome, retry::after};
use selvedge_rollback::{Failure, Reach, StepId};

use super::Fail;

/// Why a change could not be made, read back or undone.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// The request failed.
    #[error(transparent)]
    Fabric(#[from] Error),
    /// The live state forbids it: it moved since the plan was made.
    #[error("{0}")]
    Conflict(String),
    /// What was removed or restored does not show it.
    #[error("{0}")]
    NotVerified(String),
    /// The deployment of a pipeline has failed, and nothing was promoted.
    #[error("nothing was promoted{reasons}")]
    NotPromoted {
        /// Why, item by item, each on a line of its own.
        reasons: String,
        /// What the operation says.
        source: Error,
    },
    /// There is no secret of that name.
    #[error("there is no secret `{0}`")]
    NoSecret(String),
    /// A step builds on one that gave nothing back.
    #[error("step {0} has not given back what is needed")]
    NoReceipt(StepId),
    /// The journal speaks of an operation where there cannot be one.
    #[error("step {0} is not a long-running operation")]
    NoOperation(StepId),
    /// The journal's operation cannot be read or written.
    #[error("the operation's id cannot be kept")]
    Operation(#[source] serde_json::Error),
    /// The journal's undo does not fit the change.
    #[error("step {0} cannot be undone")]
    CannotUndo(StepId),
}

/// A read failed: nothing was changed by it.
pub(super) fn read(error: Error) -> Fail {
    let resend_after = postponed(&error);
    Failure { error: error.into(), reach: Reach::Unsent, resend_after }
}

/// A write failed that the retry layer may repeat, and has repeated if it is there.
pub(super) fn idempotent(error: Error) -> Fail {
    let (reach, resend_after) = (reach(&error), postponed(&error));
    Failure { error: error.into(), reach, resend_after }
}

/// A write failed that nobody beneath may repeat: whether to send it again is the engine's to decide, after reading back.
pub(super) fn once(error: Error) -> Fail {
    let outcome = error.outcome();
    let busy = matches!(outcome, Outcome::Throttled { .. } | Outcome::Busy { .. })
        || error.status().is_some_and(|status| status == 503);
    let reach = match reach(&error) {
        Reach::Sent if busy => Reach::PutOff,
        reach => reach,
    };
    let resend_after = match outcome {
        Outcome::Throttled { retry_after }
        | Outcome::Busy { retry_after }
        | Outcome::Transient { retry_after } => Some(retry_after.unwrap_or_default()).filter(keeps),
        _ => postponed(&error),
    };
    Failure { error: error.into(), reach, resend_after }
}

/// How far the last sending came that may have been sent.
fn reach(error: &Error) -> Reach {
    // A gateway that gave up on what stands behind it has not stopped it; from 520 on there is no answer of Fabric's own. What cannot be
    // read may be a 202 that names no operation.
    let is_cut_off =
        matches!(error.kind(), ErrorKind::Transport(_) | ErrorKind::Timeout { .. } | ErrorKind::Body(_))
            || error.status().is_some_and(|status| matches!(status.as_u16(), 408 | 502 | 504 | 520..));
    match error.may_have_been_sent() {
        false => Reach::Unsent,
        // Of what was sent before an unsent attempt, nothing is known.
        true if is_cut_off || error.last_attempt_was_unsent() => Reach::Unanswered,
        true => Reach::Sent,
    }
}

/// An accepted operation did not come to a good end.
pub(super) fn operation(error: Error) -> Fail {
    match error.kind() {
        // It has ended; what it left behind is read back.
        ErrorKind::OperationFailed(_) => once(error),
        // The service keeps operations for a while. One that it does not know any more has ended.
        _ if error.is_not_found() => once(error),
        _ => unseen(error),
    }
}

/// The same of one that was accepted a moment ago: the service has not had it long enough to know it no more.
pub(super) fn new_operation(error: Error) -> Fail {
    match error.kind() {
        ErrorKind::OperationFailed(_) => once(error),
        _ => unseen(error),
    }
}

/// What was accepted was not seen to end.
pub(super) fn unseen(error: Error) -> Fail {
    Failure { error: error.into(), reach: Reach::Pending, resend_after: None }
}

/// The same failure, of a request that takes back or reads back: those are worth waiting for where the service fails in
/// passing, also after all that the retry layer does, since what they do not reach is left to an operator.
pub(super) fn with_patience(failure: Fail) -> Fail {
    let TargetError::Fabric(error) = &failure.error else {
        return failure;
    };
    let may_pass = !matches!(error.outcome(), Outcome::Permanent | Outcome::Success);
    let wait = Some(error.retry_after().unwrap_or_default()).filter(|wait| may_pass && keeps(wait));
    Failure { resend_after: failure.resend_after.or(wait), ..failure }
}

pub(super) fn conflict(text: impl Into<String>) -> Fail {
    Failure::unsent(TargetError::Conflict(text.into()))
}

pub(super) fn not_verified(text: impl Into<String>) -> Fail {
    let error = TargetError::NotVerified(text.into());
    Failure { error, reach: Reach::Sent, resend_after: Some(Duration::ZERO) }
}

/// What nobody beneath could wait for, and the engine can: an open breaker, a pause, and whatever the service asked for
/// that was longer than the call's time.
fn postponed(error: &Error) -> Option<Duration> {
    match error.kind() {
        ErrorKind::BreakerOpen { retry_after } | ErrorKind::Paused { retry_after } => Some(*retry_after),
        // The next request has time of its own.
        ErrorKind::TooLate { .. } => Some(Duration::ZERO),
        _ => error.attempts()?.retry_after.filter(keeps),
    }
}

/// Whether a wait is all that was asked for: nothing is sent too early.
fn keeps(wait: &Duration) -> bool {
    !after::may_be_longer(*wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use selvedge_fabric_client::layer::NotRelative;
    use selvedge_fabric_client::{
        BoxService, Client, FabricClassify, Request, Response, WorkspaceId, workspaces,
    };
    use selvedge_resilience::breaker::{BreakerConfig, BreakerLayer, Breakers, Trip};
    use selvedge_resilience::deadline::{AttemptTimeoutLayer, DeadlineLayer};
    use selvedge_resilience::gate::{GateConfig, GateLayer, Gates};
    use selvedge_resilience::retry::{RetryConfig, RetryLayer};
    use tower::{BoxError, ServiceBuilder, ServiceExt as _, service_fn};

    /// A stack whose breaker opens at the first failure, round a service that always answers so, behind tokens that take
    /// `late` seconds.
    fn client(status: u16, header: Option<(&'static str, &'static str)>, late: f32) -> Client {
        let trip = Trip::Consecutive { failures: 1 };
        let breaker =
            BreakerConfig { trip, max_open_for: Duration::from_secs(900), ..BreakerConfig::default() };
        let breaker = BreakerConfig { open_for: Duration::from_secs(900), ..breaker };
        let mut answer = Response::default();
        *answer.status_mut() = status.try_into().unwrap();
        if let Some((name, value)) = header {
            answer.headers_mut().insert(name, value.parse().unwrap());
        }
        let inner = ServiceBuilder::new()
            .layer(GateLayer::new(Gates::new("test", GateConfig::default()).unwrap(), FabricClassify))
            .layer(BreakerLayer::new(Breakers::new("test", breaker).unwrap(), FabricClassify))
            .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
            .service_fn(move |_: Request| std::future::ready(Ok::<_, BoxError>(answer.clone())));
        let inner = BoxService::new(inner);
        let late = service_fn(move |request: Request| {
            let inner = inner.clone();
            async move {
                tokio::time::sleep(Duration::from_secs_f32(late)).await;
                inner.oneshot(request).await
            }
        });
        let stack = ServiceBuilder::new()
            .layer(DeadlineLayer::new(Duration::from_secs(120)).unwrap())
            .layer(RetryLayer::new(RetryConfig::default(), FabricClassify).unwrap())
            .service(late);
        Client::new(stack)
    }

    #[tokio::test(start_paused = true)]
    async fn r7_what_was_cut_off_may_still_be_carried_out() {
        let reset = || std::future::ready(Err::<Response, _>(BoxError::from("connection reset")));
        let resets = Client::new(service_fn(move |_: Request| reset()));
        let times_out = ServiceBuilder::new()
            .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
            .service_fn(|_: Request| std::future::pending::<Result<Response, BoxError>>());
        for client in [resets, Client::new(times_out)] {
            assert_eq!(once(create(&client).await).reach, Reach::Unanswered);
            assert_eq!(idempotent(delete(&client).await).reach, Reach::Unanswered);
        }
        // A gateway says that it has not waited for the answer.
        assert_eq!(once(create(&client(504, None, 0.0)).await).reach, Reach::Unanswered);
        assert_eq!(once(create(&client(500, None, 0.0)).await).reach, Reach::Sent);
        // The second attempt met an open breaker, and of the first nothing is known any more.
        assert_eq!(idempotent(delete(&client(500, None, 0.0)).await).reach, Reach::Unanswered);
        // Or was refused on our side, for whatever reason.
        let was_sent = Arc::new(AtomicBool::default());
        let once_only = ServiceBuilder::new()
            .layer(RetryLayer::new(RetryConfig::default(), FabricClassify).unwrap())
            .service_fn(move |_: Request| match was_sent.swap(true, Ordering::Relaxed) {
                false => reset(),
                true => std::future::ready(Err(NotRelative.into())),
            });
        let refused = delete(&Client::new(once_only)).await;
        assert!(matches!(refused.kind(), ErrorKind::Request(_)), "{refused:?}");
        assert_eq!(idempotent(refused).reach, Reach::Unanswered);
    }

    async fn delete(client: &Client) -> Error {
        client.send(workspaces::delete(WorkspaceId::from(uuid::Uuid::nil()))).await.unwrap_err()
    }

    async fn create(client: &Client) -> Error {
        client.send(workspaces::create(&workspaces::New::named("x"))).await.unwrap_err()
    }

    #[tokio::test(start_paused = true)]
    async fn r20_what_nobody_beneath_could_wait_for_is_waited_for_by_the_engine() {
        use Reach::{PutOff, Sent, Unsent};
        let after = |seconds| Some(Duration::from_secs(seconds));
        let header = |value| Some(("retry-after", value));
        let reserved = Some(("x-ms-public-api-error-code", "ItemDisplayNameNotAvailableYet"));
        // Status and header; whether another request was answered so before; seconds for the token; how far an idempotent
        // request came and when it may be sent again, and the same of one that must not be repeated.
        for (status, header, again, late, idempotently, at_once) in [
            // The gate is shut, and so nothing sent.
            (429, header("300"), true, 0.0, (Unsent, after(300)), (Unsent, after(300))),
            // The service asks for more than the call has.
            (429, header("300"), false, 0.0, (Sent, after(300)), (PutOff, after(300))),
            // And perhaps for more than is understood: giving up beats coming back too early.
            (429, header("3600"), false, 0.0, (Sent, None), (PutOff, None)),
            // One thing is not ready: the layer beneath has asked for it often enough, if it may ask again.
            (409, reserved, true, 0.0, (Sent, None), (PutOff, after(0))),
            // The breaker is open.
            (500, None, true, 0.0, (Unsent, after(900)), (Unsent, after(900))),
            // The token came too late for an attempt.
            (200, None, false, 119.5, (Unsent, after(0)), (Unsent, after(0))),
            (403, None, false, 0.0, (Sent, None), (Sent, None)),
        ] {
            let what = format!("{status} {header:?} {again} {late}");
            let mut failures = Vec::new();
            for once_only in [false, true] {
                let client = client(status, header, late);
                if again {
                    create(&client).await;
                }
                let failure = match once_only {
                    false => idempotent(delete(&client).await),
                    true => once(create(&client).await),
                };
                failures.push((failure.reach, failure.resend_after));
            }
            assert_eq!(failures, [idempotently, at_once], "{what}");
            let client = client(status, header, late);
            if again {
                create(&client).await;
            }
            let failure = read(delete(&client).await);
            assert_eq!((failure.reach, failure.resend_after), (Unsent, idempotently.1), "{what}");
            // What takes back or reads back is waited for wherever it may be worth it.
            assert_eq!(with_patience(failure).resend_after, at_once.1, "{what}");
        }
    }
}

//! What errors tell about all the attempts, over the layers that make them, in paused time.

use super::*;
use crate::{
    BoxService, Client, FabricClassify, Request,
    azure::HttpClient,
    layer::{Auth, BaseUri},
};
use selvedge_resilience::{
    Classify, Effect,
    breaker::{BreakerConfig, BreakerLayer, Breakers, Trip},
    deadline::{AttemptTimeoutLayer, DeadlineLayer},
    gate::{GateConfig, GateLayer, Gates},
    retry::{RetryConfig, RetryLayer},
};
use selvedge_secrets::identity::{Identity, IdentityConfig};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tokio::time::Instant;
use tower::{Service, ServiceBuilder};

#[derive(Clone, Copy, Debug)]
enum Attempt {
    /// As the next one, after so many seconds before the breaker, where tokens are waited for.
    Late(f32),
    Refused,
    Reset,
    Hangs,
    Answers(&'static str),
}
use Attempt::{Answers, Hangs, Late, Refused, Reset};

/// How patient the stack is.
#[derive(Clone, Copy)]
struct Patience {
    deadline: u64,
    /// Failures in a row that open the breaker, for five minutes.
    failures: u32,
}

const USUAL: Patience = Patience { deadline: 120, failures: 5 };

fn client(patience: Patience, attempts: &[Attempt]) -> Client {
    Client::new(stack(patience, Effect::Idempotent, attempts))
}

/// The whole stack round a service whose attempts go like this, for requests of that effect.
fn stack(patience: Patience, effect: Effect, attempts: &[Attempt]) -> BoxService {
    let breaker = BreakerConfig {
        trip: Trip::Consecutive { failures: patience.failures },
        open_for: Duration::from_secs(300),
        max_open_for: Duration::from_secs(300),
        ..BreakerConfig::default()
    };
    // Without chance: 2 s and 4 s.
    let retry = RetryConfig { jitter: 0.0, ..RetryConfig::default() };
    let attempts = Arc::new(Mutex::new(attempts.iter().copied().collect::<VecDeque<_>>()));
    let lateness = Arc::clone(&attempts);
    let stack = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(patience.deadline)).unwrap())
        .layer(RetryLayer::new(retry, FabricClassify).unwrap())
        .layer(tower::layer::layer_fn(move |inner| late(Arc::clone(&lateness), inner)))
        .layer(GateLayer::new(Gates::new("test", GateConfig::default()).unwrap(), FabricClassify))
        .layer(BreakerLayer::new(Breakers::new("test", breaker).unwrap(), FabricClassify))
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
        .service_fn(move |request: Request| {
            assert_eq!(FabricClassify.effect(&request), effect);
            let attempt = attempts.lock().unwrap().pop_front();
            async move {
                let io = |kind| std::io::Error::from(kind);
                match attempt.unwrap() {
                    Refused => Err(Unsent::new(io(std::io::ErrorKind::ConnectionRefused)).into()),
                    Reset => Err(BoxError::from(io(std::io::ErrorKind::ConnectionReset))),
                    Hangs | Late(_) => std::future::pending().await,
                    Answers(head) => Ok(response(head, "")),
                }
            }
        });
    BoxService::new(stack)
}

type Script = Arc<Mutex<VecDeque<Attempt>>>;

/// Holds a request back where the script says so.
fn late<S>(
    script: Script,
    inner: S,
) -> impl Service<
    Request,
    Response = Response,
    Error = BoxError,
    Future = impl Future<Output = Result<Response, BoxError>> + Send,
> + Clone
+ Send
+ Sync
+ 'static
where
    S: Service<Request, Response = Response, Error = BoxError> + Clone + Send + Sync + 'static,
    S::Future: Send,
{
    tower::service_fn(move |request: Request| {
        let inner = inner.clone();
        let late = script.lock().unwrap().pop_front_if(|attempt| matches!(attempt, Late(_)));
        async move {
            if let Some(Late(seconds)) = late {
                tokio::time::sleep(Duration::from_secs_f32(seconds)).await;
            }
            tower::ServiceExt::oneshot(inner, request).await
        }
    })
}

async fn send(client: &Client) -> Error {
    client.send(crate::workspaces::delete(crate::WorkspaceId(uuid::Uuid::nil()))).await.unwrap_err()
}

/// How often a chain says that it was given up.
fn said(error: &Error) -> usize {
    chain(error).join(": ").matches("gave up after").count()
}

#[tokio::test(start_paused = true)]
async fn what_was_done_about_a_request_is_known_and_said_once() {
    let transient = |after: Option<u64>| Outcome::Transient { retry_after: after.map(Duration::from_secs) };
    let short = Patience { deadline: 10, ..USUAL };
    let touchy = Patience { failures: 1, ..USUAL };
    // Patience, attempts; what the error says, whether it may have been sent, its outcome, attempts that are known.
    for (patience, attempts, shown, sent, outcome, count) in [
        // One attempt is nothing to speak of.
        (USUAL, &[Answers("403")][..], "was answered with an error", true, Outcome::Permanent, Some(1)),
        (short, &[Hangs], "was not answered within 10.0s", true, transient(None), None),
        // Several are.
        (
            USUAL,
            &[Refused, Refused, Refused],
            "could not be sent; gave up after 3 attempts in 6.0s",
            false,
            Outcome::Unsent,
            Some(3),
        ),
        (
            USUAL,
            &[Reset, Refused, Refused],
            "could not be sent; gave up after 3 attempts in 6.0s",
            true,
            transient(None),
            Some(3),
        ),
        (
            USUAL,
            &[Answers("503"), Refused, Refused],
            "could not be sent; gave up after 3 attempts in 6.0s",
            true,
            transient(None),
            Some(3),
        ),
        (
            USUAL,
            &[Refused, Refused, Reset],
            "got no answer; gave up after 3 attempts in 6.0s",
            true,
            transient(None),
            Some(3),
        ),
        (
            USUAL,
            &[Refused, Hangs, Hangs],
            "was not answered within 30.0s; gave up after 3 attempts in 66.0s",
            true,
            transient(None),
            Some(3),
        ),
        (
            USUAL,
            &[Answers("500"), Answers("503"), Answers("502")],
            "was answered with an error; gave up after 3 attempts in 6.0s",
            true,
            transient(None),
            Some(3),
        ),
        (
            USUAL,
            &[Refused, Answers("403")],
            "was answered with an error; gave up after 2 attempts in 2.0s",
            true,
            Outcome::Permanent,
            Some(2),
        ),
        // The service asks for more time than there is.
        (
            USUAL,
            &[Answers("503"), Answers("429 Retry-After=300")],
            "was answered with an error; gave up after 2 attempts in 2.0s; to be tried again in 300.0s",
            true,
            Outcome::Throttled { retry_after: Some(Duration::from_secs(300)) },
            Some(2),
        ),
        // The last attempt was not sent, and the one before it was.
        (
            touchy,
            &[Reset],
            "was not sent: the circuit breaker is open for another 298.0s; gave up after 1 attempt in 2.0s",
            true,
            transient(Some(298)),
            Some(1),
        ),
        (
            touchy,
            &[Refused],
            "was not sent: the circuit breaker is open for another 298.0s",
            false,
            Outcome::Unsent,
            None,
        ),
        (
            short,
            &[Reset, Late(7.5)],
            "was not sent: only 500.0ms of its time were left; gave up after 1 attempt in 9.5s",
            true,
            transient(None),
            Some(1),
        ),
        (
            short,
            &[Refused, Late(7.5)],
            "was not sent: only 500.0ms of its time were left",
            false,
            Outcome::Unsent,
            None,
        ),
        // The whole call is over, and nobody is left who counted.
        (short, &[Reset, Late(30.0)], "was not answered within 10.0s", true, transient(None), None),
        // The last attempt had only what was left.
        (
            short,
            &[Reset, Hangs],
            "was not answered within 8.0s; gave up after 2 attempts in 10.0s",
            true,
            transient(None),
            Some(2),
        ),
    ] {
        let error = send(&client(patience, attempts)).await;
        // The runtime's timer works in milliseconds and rounds up, once a pause.
        let told = error.to_string().replace("297.9", "298.0").replace("499.0ms", "500.0ms");
        assert_eq!(told, format!("workspaces.delete {shown}"), "{attempts:?}");
        assert_eq!(error.may_have_been_sent(), sent, "{attempts:?}");
        let rounded = match error.outcome() {
            Outcome::Transient { retry_after: Some(after) } => {
                transient(Some((after + Duration::from_millis(10)).as_secs()))
            }
            outcome => outcome,
        };
        assert_eq!(rounded, outcome, "{attempts:?}");
        assert_eq!(error.attempts().map(|it| it.count), count, "{attempts:?}");
        assert_eq!(said(&error), shown.matches("gave up after").count(), "{:?}", chain(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ready_holds_nobody_else_back_and_a_pace_that_is_too_fast_does() {
    let reserved = "409 x-ms-public-api-error-code=ItemDisplayNameNotAvailableYet,Retry-After=300";
    for (status, held_back) in [(reserved, false), ("429 Retry-After=300", true)] {
        let client = client(USUAL, &[Answers(status), Answers("403")]);
        let first = send(&client).await;
        let started = Instant::now();
        let second = send(&client).await;
        assert!(started.elapsed().is_zero(), "{status}: nobody waits for what cannot be");
        assert_eq!(matches!(second.kind(), ErrorKind::Paused { .. }), held_back, "{first:?} {second:?}");
        if held_back {
            assert_eq!(
                second.to_string(),
                "workspaces.delete was not sent: the service asked to be left alone for another 300.0s"
            );
            assert_eq!(second.retry_after(), Some(Duration::from_secs(300)));
            assert_eq!((second.outcome(), second.may_have_been_sent()), (Outcome::Unsent, false));
            assert_eq!(second.attempts(), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_between_two_attempts_does_not_hide_the_first() {
    let client = client(USUAL, &[Answers("503"), Answers("429 Retry-After=300")]);
    let (first, second) = tokio::join!(send(&client), send(&client));
    assert!(matches!(second.kind(), ErrorKind::Api(_)), "{second:?}");
    assert!(matches!(first.kind(), ErrorKind::Paused { .. }), "{first:?}");
    assert!(first.may_have_been_sent());
    assert_eq!(first.outcome(), Outcome::Transient { retry_after: first.retry_after() });
    assert!(first.to_string().ends_with("; gave up after 1 attempt in 2.0s"), "{first}");
}

/// Behind a token stands a stack of its own.
#[tokio::test(start_paused = true)]
async fn what_became_of_the_token_is_not_taken_for_the_request() {
    let open = Patience { failures: 1, ..USUAL };
    // How Entra goes; what the chain tells; whether it may pass, and when.
    for (patience, attempts, cause, outcome, wait) in [
        (USUAL, &[Reset, Reset, Reset][..], "gave up after 3 attempts in 6.0s", Outcome::Unsent, None),
        (USUAL, &[Refused, Refused, Refused], "gave up after 3 attempts in 6.0s", Outcome::Unsent, None),
        (USUAL, &[Answers("503"), Answers("503"), Answers("503")], "refused (503)", Outcome::Unsent, None),
        (Patience { deadline: 10, ..USUAL }, &[Hangs], "no answer within 10.0s", Outcome::Unsent, None),
        (
            Patience { deadline: 90, ..USUAL },
            &[Hangs, Hangs, Hangs],
            "gave up after 3 attempts in 90.0s",
            Outcome::Unsent,
            None,
        ),
        (open, &[Reset], "circuit breaker", Outcome::Unsent, Some(298)),
        (USUAL, &[Reset, Answers("429 Retry-After=300")], "refused (429)", Outcome::Unsent, Some(300)),
        // Only what Entra itself refuses stays so.
        (USUAL, &[Answers("400")], "refused (400)", Outcome::Permanent, None),
        (USUAL, &[Answers("401")], "refused (401)", Outcome::Permanent, None),
        (USUAL, &[Answers("403")], "refused (403)", Outcome::Permanent, None),
    ] {
        let entra = stack(patience, Effect::Read, attempts);
        let config = IdentityConfig {
            tenant_id: Some("contoso.example".into()),
            client_id: Some("app".into()),
            client_secret: Some("canary-4711".into()),
            ..IdentityConfig::default()
        };
        let credential = Arc::new(Identity::new(config, Arc::new(HttpClient::tokens(entra))).unwrap());
        let base = BaseUri::new("https://api.fabric.microsoft.com/v1").unwrap();
        let stack = ServiceBuilder::new()
            .layer(DeadlineLayer::new(Duration::from_secs(1000)).unwrap())
            .layer(RetryLayer::new(RetryConfig::default(), FabricClassify).unwrap())
            .layer(Auth::new(credential, "scope/.default", base))
            .service_fn(|_: Request| async { Err(BoxError::from("nothing is sent without a token")) });
        let started = Instant::now();
        let error = send(&Client::new(stack)).await;

        assert!(matches!(error.kind(), ErrorKind::Auth(_)), "{attempts:?}: {error:?}");
        assert_eq!(error.to_string(), "workspaces.delete could not be authenticated", "{attempts:?}");
        assert_eq!(error.attempts(), None, "{attempts:?}");
        // The runtime's timer rounds up.
        let told = error.retry_after().map(|wait| (wait + Duration::from_millis(10)).as_secs());
        assert_eq!(told, wait, "{attempts:?}");
        assert!(!error.may_have_been_sent(), "{attempts:?}");
        assert_eq!(error.outcome(), outcome, "{attempts:?}");
        let chain = chain(&error);
        assert!(chain[1..].iter().any(|told| told.contains(cause)), "{chain:#?}");
        assert!(said(&error) <= 1, "{chain:#?}");
        assert!(chain.iter().all(|told| !told.contains('\n')), "{chain:#?}");
        for (at, told) in chain.iter().enumerate() {
            assert!(
                !chain[..at].iter().any(|before| before.contains(told.as_str())),
                "said twice: {chain:#?}"
            );
        }
        // The token's stack has done what can be done; nobody waits a second time.
        let most = if attempts.len() == 3 && matches!(attempts[0], Hangs) { 90 } else { 12 };
        assert!(started.elapsed() <= Duration::from_secs(most), "{attempts:?}: {:?}", started.elapsed());
    }
}

/// Gives a token that is used once, and then says that it could not connect.
#[derive(Debug, Default)]
struct OneToken(std::sync::atomic::AtomicBool);

#[async_trait::async_trait]
impl azure_core::credentials::TokenCredential for OneToken {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<azure_core::credentials::TokenRequestOptions<'_>>,
    ) -> azure_core::Result<azure_core::credentials::AccessToken> {
        if self.0.swap(true, std::sync::atomic::Ordering::SeqCst) {
            let kind = azure_core::error::ErrorKind::Connection;
            return Err(azure_core::Error::with_message(kind, "refused"));
        }
        Ok(azure_core::credentials::AccessToken::new("T", time::OffsetDateTime::now_utc()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_missing_token_does_not_hide_an_attempt_that_was_sent_with_the_last_one() {
    let stack = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryConfig::default(), FabricClassify).unwrap())
        .layer(Auth::new(
            Arc::new(OneToken::default()),
            "scope/.default",
            BaseUri::new("https://api.fabric.microsoft.com/v1").unwrap(),
        ))
        .service(stack(USUAL, Effect::Idempotent, &[Reset, Reset, Reset]));
    let error = send(&Client::new(stack)).await;
    assert!(matches!(error.kind(), ErrorKind::Auth(_)), "{error:?}");
    assert!(error.may_have_been_sent());
    assert_eq!(error.outcome(), Outcome::Transient { retry_after: None });
}

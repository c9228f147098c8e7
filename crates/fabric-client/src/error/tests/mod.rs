//! How errors are read from answers and stacks, as data.

use super::*;
use crate::testing::response;
use proptest::prelude::*;
use selvedge_resilience::{
    Classify, Effect,
    breaker::{BreakerConfig, BreakerLayer, Breakers, Trip},
    deadline::AttemptTimeoutLayer,
    retry::{RetryConfig, RetryLayer},
};
use std::{error::Error as _, sync::Mutex, time::Duration};
use tower::ServiceBuilder;

#[test]
fn error_answers_of_all_dialects_are_read_as_far_as_they_go() {
    for (head, body, shown) in [
        (
            "400",
            r#"{"requestId":"R","errorCode":"FolderNotEmpty","message":"Not empty.","relatedResource":{"resourceId":"F","resourceType":"Folder"}}"#,
            "400 FolderNotEmpty: Not empty. (request id R)",
        ),
        // The header stands in for the body.
        (
            "429 x-ms-public-api-error-code=RequestBlocked,RequestId=R",
            "",
            "429 RequestBlocked (request id R)",
        ),
        ("502", "<html>Bad Gateway</html>", "502"),
        ("500", "null", "500"),
        ("500", "[]", "500"),
        // One member of an unforeseen type does not cost the others.
        ("400", r#"{"errorCode":"X","message":"m","moreDetails":"none","isRetriable":"yes"}"#, "400 X: m"),
        (
            "404",
            r#"{"error":{"code":"Request_ResourceNotFound","message":"gone"}}"#,
            "404 Request_ResourceNotFound: gone",
        ),
        (
            "401",
            r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided.","trace_id":"T"}"#,
            "401 invalid_client: AADSTS7000215: Invalid client secret provided. (request id T)",
        ),
    ] {
        assert_eq!(ApiError::from_response(&response(head, body)).to_string(), shown);
    }
}

#[test]
fn of_several_retry_after_headers_the_longest_counts_and_none_is_too_long() {
    for (head, expected) in [
        ("429 Retry-After=3,Retry-After=7", Some(7)),
        ("429 Retry-After=99999999999", Some(600)),
        ("429 Retry-After=-1", None),
        ("429 Retry-After=soon,Retry-After=5", Some(5)),
    ] {
        let error = ApiError::from_response(&response(head, ""));
        assert_eq!(error.retry_after, expected.map(Duration::from_secs), "{head}");
    }
}

#[derive(Clone)]
enum Attempt {
    Refused,
    Reset,
    Hangs,
    Answers(&'static str),
}

/// Sends an idempotent request over retry, breaker and timeout to a service whose attempts go like this.
async fn send(attempts: Vec<Attempt>) -> Error {
    let breaker = Breakers::new("test", BreakerConfig::default()).unwrap();
    let attempts = std::sync::Arc::new(Mutex::new(attempts.into_iter()));
    let service = ServiceBuilder::new()
        .layer(RetryLayer::new(RetryConfig::default(), crate::FabricClassify).unwrap())
        .layer(BreakerLayer::new(breaker, crate::FabricClassify))
        .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
        .service_fn(move |request: crate::Request| {
            assert_eq!(crate::FabricClassify.effect(&request), Effect::Idempotent);
            let attempt = attempts.lock().unwrap().next().unwrap();
            async move {
                let io = |kind| std::io::Error::from(kind);
                match attempt {
                    Attempt::Refused => Err(Unsent::new(io(std::io::ErrorKind::ConnectionRefused)).into()),
                    Attempt::Reset => Err(BoxError::from(io(std::io::ErrorKind::ConnectionReset))),
                    Attempt::Hangs => std::future::pending().await,
                    Attempt::Answers(head) => Ok(response(head, "")),
                }
            }
        });
    let client = crate::Client::new(service);
    let id = crate::WorkspaceId(uuid::Uuid::nil());
    client.send(crate::workspaces::delete(id)).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn whether_it_may_have_been_sent_is_known_over_all_attempts() {
    use Attempt::{Answers, Hangs, Refused, Reset};
    let transient = Outcome::Transient { retry_after: None };
    for (attempts, kind, sent, outcome) in [
        (vec![Refused, Refused, Refused], "could not be sent", false, Outcome::Unsent),
        (vec![Reset, Refused, Refused], "could not be sent", true, transient),
        (vec![Answers("503"), Refused, Refused], "could not be sent", true, transient),
        (vec![Refused, Refused, Reset], "got no answer", true, transient),
        (vec![Refused, Hangs, Hangs], "was not answered within 30.0s", true, transient),
        (vec![Refused, Answers("403")], "was answered with an error", true, Outcome::Permanent),
    ] {
        let error = send(attempts).await;
        assert_eq!(error.to_string(), format!("workspaces.delete {kind}"));
        assert_eq!(error.may_have_been_sent(), sent, "{kind}");
        assert_eq!(error.outcome(), outcome, "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_says_how_long() {
    let trip = Trip::Consecutive { failures: 1 };
    let breaker = Breakers::new("test", BreakerConfig { trip, ..BreakerConfig::default() }).unwrap();
    let service = ServiceBuilder::new()
        .layer(BreakerLayer::new(breaker, crate::FabricClassify))
        .service_fn(|_: crate::Request| async { Ok::<_, BoxError>(response("500", "")) });
    let client = crate::Client::new(service);
    client.list_all(crate::workspaces::list()).await.unwrap_err();
    let error = client.list_all(crate::workspaces::list()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert!(!error.may_have_been_sent());
    assert_eq!(error.outcome(), Outcome::Unsent);
}

#[test]
fn a_chain_says_each_thing_once() {
    let error = Error::from_stack("things.get", Unsent::new("connection refused").into());
    let mut chain = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        chain.push(cause.to_string());
        source = cause.source();
    }
    assert_eq!(
        chain,
        ["things.get could not be sent", "no connection was established", "connection refused"]
    );
}

proptest! {
    /// Whatever a server sends: an error comes out, and nothing that could steer a terminal.
    #[test]
    fn any_error_answer_is_survived(
        status in 300_u16..1000,
        header in proptest::collection::vec(any::<u8>(), 0..40),
        text in ".*",
        raw in proptest::collection::vec(any::<u8>(), 0..200),
        shape in 0..5,
    ) {
        let body = match shape {
            0 => raw,
            1 => serde_json::json!({"errorCode": text, "message": text, "requestId": text}).to_string().into_bytes(),
            2 => serde_json::json!({"errorCode": [text], "message": {"x": text}, "moreDetails": 1}).to_string().into_bytes(),
            3 => serde_json::json!({"error": {"code": text, "message": 7}}).to_string().into_bytes(),
            _ => serde_json::json!({"error": text, "error_description": [text]}).to_string().into_bytes(),
        };
        let mut response = http::Response::new(bytes::Bytes::from(body));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        if let Ok(value) = http::HeaderValue::from_bytes(&header) {
            for name in ["retry-after", "date", "x-ms-public-api-error-code", "requestid"] {
                response.headers_mut().insert(name, value.clone());
            }
        }
        let error = ApiError::from_response(&response);
        prop_assert!(error.retry_after.is_none_or(|wait| wait <= selvedge_resilience::retry::after::CAP));
        prop_assert!(!error.to_string().chars().any(char::is_control), "{error}");
        prop_assert_ne!(error.outcome(), Outcome::Success);
    }
}

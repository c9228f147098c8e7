//! The client against scripted answers, in paused time.

use super::*;
use crate::{
    Lro, OperationId, Paged, Unsent, items,
    testing::{Script, response},
    workspaces,
};
use futures_util::StreamExt;
use selvedge_resilience::{Effect, Outcome};
use serde_json::{Value, json};
use std::{error::Error as _, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

const OP: &str = "00000000-0000-0000-0000-00000000000a";
const FOREIGN: &str = "https://wabi-us-redirect.analysis.windows.net/v1/operations";

fn client(script: &Script) -> Client {
    Client::new(script.service())
}

fn poll(status: &str) -> String {
    json!({"status": status, "percentComplete": null, "error": null}).to_string()
}

fn lro() -> Lro<Value> {
    Lro::new(Call::new("things.create", Effect::Once, http::Method::POST, "/things"))
}

// ===== one request =====

#[tokio::test]
async fn an_error_answer_keeps_what_the_service_said() {
    let script = Script::default().answer(
        "409 requestid=R,Retry-After=20",
        r#"{"requestId":"R","errorCode":"ItemDisplayNameNotAvailableYet","moreDetails":[{"relatedResource":{"resourceId":"P","resourceType":"Principal"}}],
            "message":"Requested 'X' is not\u001b[2J available yet","relatedResource":null,"isRetriable":true}"#,
    );
    let call = workspaces::create(&workspaces::New::named("X"));
    let error = client(&script).send(call).await.unwrap_err();

    assert_eq!(error.operation(), "workspaces.create");
    assert_eq!(error.code(), Some(&crate::ErrorCode::ITEM_DISPLAY_NAME_NOT_AVAILABLE_YET));
    assert_eq!(error.status(), Some(http::StatusCode::CONFLICT));
    assert_eq!(error.request_id(), Some("R"));
    let retry_after = Some(Duration::from_secs(20));
    assert_eq!(error.retry_after(), retry_after);
    assert_eq!(error.outcome(), Outcome::Busy { retry_after });
    assert!(error.may_have_been_sent());
    let resource = error.api().unwrap().details[0].related_resource.as_ref().unwrap();
    assert_eq!(resource.resource_type.as_deref(), Some("Principal"));

    assert_eq!(error.to_string(), "workspaces.create was answered with an error");
    assert_eq!(
        error.source().unwrap().to_string(),
        "409 ItemDisplayNameNotAvailableYet: Requested 'X' is not[2J available yet (request id R)"
    );
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_took_place_all_the_same() {
    for body in ["", "<html>", "null", r#"{"id":"#] {
        let script = Script::default().answer("201", body);
        let call = workspaces::create(&workspaces::New::named("X"));
        let error = client(&script).send(call).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Body(_)), "{body}: {error:?}");
        assert!(error.may_have_been_sent());
    }
}

#[tokio::test]
async fn where_there_is_no_result_the_body_is_not_looked_at() {
    let id = crate::WorkspaceId(Uuid::nil());
    for (head, body) in [("200", ""), ("202", "null"), ("200", "{}"), ("204", "\0")] {
        let script = Script::default().answer(head, body);
        client(&script).send(workspaces::delete(id)).await.unwrap();
    }
}

// ===== lists =====

#[tokio::test]
async fn pages_are_followed_by_token_on_our_own_base() {
    let script = Script::default()
        .answer(
            "200",
            r#"{"value":[1,2],"continuationToken":"a b&c","continuationUri":"https://evil.example/v1/things?continuationToken=x"}"#,
        )
        .answer("200", r#"{"value":[],"continuationToken":"t2","continuationUri":"http://evil.example"}"#)
        .answer("200", r#"{"value":[3],"continuationToken":null,"continuationUri":null}"#);
    let list = Paged::<u32>::new("things.list", "/things", "value").query("x", "y");
    assert_eq!(client(&script).list_all(list).await.unwrap(), [1, 2, 3]);
    assert_eq!(
        script.sent(),
        [
            "GET /things?x=y",
            "GET /things?x=y&continuationToken=a%20b%26c",
            "GET /things?x=y&continuationToken=t2"
        ]
    );
}

#[tokio::test]
async fn a_list_that_repeats_a_token_ends_with_an_error() {
    let page = |token: &str| json!({"value": [token], "continuationToken": token}).to_string();
    let script =
        Script::default().answer("200", &page("a")).answer("200", &page("b")).answer("200", &page("a"));
    let list = Paged::<String>::new("things.list", "/things", "value");
    let entries: Vec<_> = client(&script).list(list).collect().await;
    let kinds: Vec<_> = entries.iter().map(|entry| entry.as_ref().map_err(Error::kind)).collect();
    assert!(
        matches!(&kinds[..], [Ok(a), Ok(b), Err(ErrorKind::PageLoop)] if *a == "a" && *b == "b"),
        "{kinds:?}"
    );
}

#[tokio::test]
async fn a_page_without_its_entries_is_no_empty_page() {
    for body in ["{}", r#"{"value":null}"#, r#"{"data":[]}"#, "[]"] {
        let script = Script::default().answer("200", body);
        let list = Paged::<Value>::new("things.list", "/things", "value");
        let error = client(&script).list_all(list).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Body(_)), "{body}: {error:?}");
    }
}

// ===== long-running operations =====

#[tokio::test(start_paused = true)]
async fn an_answer_at_once_is_the_result() {
    let script = Script::default().answer("201", r#"{"id":1}"#);
    let started = client(&script).start(lro()).await.unwrap();
    assert_eq!(started, Started::Done(json!({"id": 1})));
}

#[tokio::test(start_paused = true)]
async fn an_accepted_request_is_polled_adaptively_on_our_own_base() {
    let script = Script::default()
        .answer(&format!("202 x-ms-operation-id={OP},Location={FOREIGN}/{OP},Retry-After=20"), "null")
        .answer("200 Retry-After=20", &poll("NotStarted"))
        .answer("200 Retry-After=20", &poll("Running"))
        .answer("200 Retry-After=20", &poll("Banana"))
        .answer(&format!("200 Location={FOREIGN}/{OP}/result"), &poll("succeeded"))
        .answer("200", r#"{"id":1}"#);
    let started = Instant::now();
    assert_eq!(client(&script).run(lro()).await.unwrap(), json!({"id": 1}));
    // 0.5 + 1 + 2 + 4 s
    assert_eq!(started.elapsed().as_millis() / 10, 750);
    let path = format!("GET /operations/{OP}");
    let result = format!("{path}/result");
    assert_eq!(script.sent(), ["POST /things", &path, &path, &path, &path, &result]);
}

#[tokio::test(start_paused = true)]
async fn pauses_follow_the_mode_the_hint_and_the_floor() {
    use PollMode::{Adaptive, RetryAfter};
    let accepted = |hint: Option<u64>| Accepted {
        operation: OP.parse().unwrap(),
        retry_after: hint.map(Duration::from_secs),
    };
    let running = ("200", "Running");
    for (mode, hint, answers, expected_ms) in [
        // Doubling ends at the hint, or at 20 s without one.
        (Adaptive, Some(3), vec![running; 5], 500 + 1000 + 2000 + 3 * 3000),
        (Adaptive, None, vec![running; 7], 500 + 1000 + 2000 + 4000 + 8000 + 16000 + 2 * 20_000),
        (RetryAfter, Some(20), vec![running; 2], 3 * 20_000),
        // A later hint replaces an earlier one.
        (RetryAfter, Some(20), vec![("200 Retry-After=5", "Running")], 20_000 + 5000),
        // A hint of nothing is no busy loop.
        (RetryAfter, Some(0), vec![running; 3], 4 * 500),
        // On 429 and 503 the header is a floor, and for that pause only.
        (Adaptive, Some(20), vec![("429 Retry-After=42", ""), running], 500 + 42_000 + 2000),
        (Adaptive, Some(20), vec![("503 Retry-After=7", "")], 500 + 7000),
    ] {
        let mut script = Script::default();
        for (head, status) in &answers {
            script = script.answer(head, &poll(status));
        }
        let script = script.answer("200", &poll("Succeeded"));
        let polling = PollConfig { mode, ..PollConfig::default() };
        let started = Instant::now();
        let client = client(&script).with_polling(polling);
        client.wait::<()>(&accepted(hint), ResultKind::None).await.unwrap();
        // The runtime's timer works in milliseconds and rounds up, once a pause.
        let took = started.elapsed().as_millis();
        assert!((expected_ms..expected_ms + 20).contains(&took), "{mode:?} {hint:?} {answers:?}: {took}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_operation_is_an_error_of_the_request_that_began_it() {
    let script = Script::default()
        .answer(&format!("202 x-ms-operation-id={OP}"), "null")
        .answer(
            "200",
            r#"{"status":"FAILED","percentComplete":null,"error":{"errorCode":"CorruptedPayload","message":"m","isRetriable":false}}"#,
        );
    let error = client(&script).run(lro()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::OperationFailed(_)), "{error:?}");
    assert_eq!(error.operation(), "things.create");
    assert_eq!(error.code().unwrap().as_str(), "CorruptedPayload");
    assert_eq!(error.status(), None);
    assert_eq!(error.outcome(), Outcome::Permanent);
    assert!(error.may_have_been_sent());
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_does_not_end_is_given_up_without_a_verdict() {
    let running = tower::service_fn(|_: Request| async {
        Ok::<_, BoxError>(response("200 Retry-After=20", &poll("Running")))
    });
    let accepted = Accepted { operation: OP.parse().unwrap(), retry_after: None };
    let started = Instant::now();
    let client = Client::new(running);
    let waited = client.wait::<()>(&accepted, ResultKind::None).await;
    let error = waited.unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::OperationTimeout { operation, .. } if *operation == accepted.operation)
    );
    assert!(error.to_string().contains("may still complete"), "{error}");
    assert!(error.may_have_been_sent());
    let minutes = started.elapsed().as_secs() / 60;
    assert!((29..=30).contains(&minutes), "{minutes}");
}

#[tokio::test(start_paused = true)]
async fn polls_that_fail_are_no_verdict_but_not_for_ever() {
    let reset = || std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    let accepted = Accepted { operation: OP.parse().unwrap(), retry_after: None };
    let script = Script::default()
        .error(reset())
        .error(Unsent::new(reset()))
        .answer("502", "<html>")
        .answer("200", "<html>")
        .answer("200", &poll("Running"))
        .error(reset())
        .answer("200", &poll("Succeeded"));
    client(&script).wait::<()>(&accepted, ResultKind::None).await.unwrap();
    assert_eq!(script.sent().len(), 7);

    let script = (0..5).fold(Script::default(), |script, _| script.error(reset()));
    let waited = client(&script).wait::<()>(&accepted, ResultKind::None).await;
    assert!(matches!(waited.unwrap_err().kind(), ErrorKind::Transport(_)));
    assert_eq!(script.sent().len(), 5);

    // It may not be known yet; once it was, or after a while, it is known no more.
    let unknown = |script: Script| script.answer("404", r#"{"errorCode":"OperationNotFound"}"#);
    let script = unknown(unknown(Script::default())).answer("200", &poll("Succeeded"));
    client(&script).wait::<()>(&accepted, ResultKind::None).await.unwrap();
    for (script, polls) in [
        (unknown(Script::default().answer("200", &poll("Running"))), 2),
        ((0..5).fold(Script::default(), |script, _| unknown(script)), 5),
    ] {
        let waited = client(&script).wait::<()>(&accepted, ResultKind::None).await;
        assert!(waited.unwrap_err().is_not_found());
        assert_eq!(script.sent().len(), polls);
    }
}

/// What could not be sent is the question, not the request.
#[tokio::test(start_paused = true)]
async fn a_request_that_was_accepted_was_sent_whatever_comes_after() {
    let refused = || Unsent::new(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
    let accepted = || Script::default().answer(&format!("202 x-ms-operation-id={OP}"), "null");
    let done = || accepted().answer("200", &poll("Succeeded"));
    for script in [
        (0..5).fold(accepted(), |script, _| script.error(refused())),
        accepted().answer("403", ""),
        done().error(refused()),
        done().answer("404", ""),
        done().answer("200", "<html>"),
    ] {
        let error = client(&script).run(lro()).await.unwrap_err();
        assert_eq!(error.operation(), "things.create");
        assert!(error.may_have_been_sent(), "{error:?}");
        assert_ne!(error.outcome(), Outcome::Unsent, "{error:?}");
    }
}

#[tokio::test]
async fn the_operation_is_taken_from_its_header_or_the_end_of_location() {
    let other = "00000000-0000-0000-0000-00000000000b";
    for (headers, expected) in [
        (format!("x-ms-operation-id={OP},Location=https://evil.example/{other}"), Some(OP)),
        (format!("Location={FOREIGN}/{OP}"), Some(OP)),
        (format!("Location={FOREIGN}/{OP}/result"), Some(OP)),
        (format!("Location={FOREIGN}/{OP}/?x=/{other}"), Some(OP)),
        (format!("x-ms-operation-id=../../evil,Location={FOREIGN}/{OP}"), Some(OP)),
        ("Location=https://evil.example/v1/operations/x".to_owned(), None),
        (String::new(), None),
    ] {
        let script = Script::default().answer(&format!("202 {headers}"), "null");
        match (client(&script).start(lro()).await, expected) {
            (Ok(Started::Accepted(accepted)), Some(id)) => {
                assert_eq!(accepted.operation, id.parse::<OperationId>().unwrap(), "{headers}");
            }
            (Err(error), None) => {
                assert!(matches!(error.kind(), ErrorKind::Body(_)), "{headers}");
                assert!(error.may_have_been_sent(), "{headers}");
            }
            (result, _) => panic!("{headers}: {result:?}"),
        }
    }
}

#[test]
fn an_accepted_operation_can_be_stored() {
    let accepted = Accepted { operation: OP.parse().unwrap(), retry_after: Some(Duration::from_secs(20)) };
    let text = serde_json::to_string(&accepted).unwrap();
    assert_eq!(serde_json::from_str::<Accepted>(&text).unwrap(), accepted);
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_read_out_of_its_envelope_and_never_out_of_an_accepted_answer() {
    let (workspace, item) = (crate::WorkspaceId(Uuid::nil()), crate::ItemId(Uuid::nil()));
    let body = r#"{"definition":{"parts":[{"path":"p","payload":"eA==","payloadType":"InlineBase64"}]}}"#;
    let at_once = Script::default().answer("200", body);
    let later = Script::default()
        .answer(&format!("202 x-ms-operation-id={OP}"), "null")
        .answer("200", &poll("Succeeded"))
        .answer("200", body);
    for script in [at_once, later] {
        let definition = client(&script).run(items::get_definition(workspace, item, None)).await;
        assert_eq!(definition.unwrap().parts, [items::Part::base64("p", "eA==")]);
    }
    for body in ["null", "{}", r#"{"definition":null}"#, r#"{"definition":{}}"#] {
        let script = Script::default().answer("200", body);
        let error = client(&script).run(items::get_definition(workspace, item, None)).await;
        assert!(matches!(error.unwrap_err().kind(), ErrorKind::Body(_)), "{body}");
    }
}

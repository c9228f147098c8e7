//! How errors are read from answers and stacks, as data.

mod attempts;

use super::*;
use crate::testing::response;
use proptest::prelude::*;
use std::time::Duration;

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
fn of_several_waits_the_longest_counts_and_none_is_too_long() {
    for (head, expected) in [
        ("429 Retry-After=3,Retry-After=7", Some(7)),
        ("429 Retry-After=99999999999", Some(600)),
        ("429 Retry-After=-1", None),
        ("429 Retry-After=soon,Retry-After=5", Some(5)),
        // A header beats the message, which needs the answer's own clock.
        ("429 Retry-After=3,Date=Mon May  5 13:55:41 2025", Some(3)),
        ("429 Date=Mon May  5 13:55:41 2025", Some(60)),
        ("429 ", None),
        // Only where it is the pace that is wrong.
        ("400 Date=Mon May  5 13:55:41 2025", None),
    ] {
        let body =
            r#"{"message":"Request is blocked by the upstream service until: 5/5/2025 1:56:41 PM (UTC)"}"#;
        let error = ApiError::from_response(&response(head, body));
        assert_eq!(error.retry_after, expected.map(Duration::from_secs), "{head}");
    }
}

/// The messages of an error and of what caused it.
fn chain(error: &Error) -> Vec<String> {
    let causes = iter::successors(Some(error as &dyn StdError), |error| (**error).source());
    causes.map(ToString::to_string).collect()
}

#[test]
fn a_chain_says_each_thing_once() {
    let error = Error::from_stack("things.get", Unsent::new("connection refused").into());
    assert_eq!(
        chain(&error),
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

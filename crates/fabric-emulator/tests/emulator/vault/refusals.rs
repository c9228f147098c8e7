//! A row for each refusal of what is wrong with a request itself.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, Emulator, Quotas};
use serde_json::{Value, json};

use super::{caller, client, emulator, of, path, refusal, set};

const BAD: (u16, &str, &str) = (400, "BadParameter", "");
const MISSING: (u16, &str, &str) = (404, "SecretNotFound", "");

#[tokio::test]
async fn what_is_wrong_with_a_request_is_refused_and_changes_nothing() {
    let client = client().await;
    set(&client, "a", "v").await;
    let version = "0".repeat(32);
    let long = "n".repeat(128);
    let value = |value: &str| json!({"value": value});
    let tags =
        |count: usize| (0..count).map(|n| (n.to_string(), json!("t"))).collect::<serde_json::Map<_, _>>();
    let with = |name: &str, other: Value| json!({"value": "v", name: other});
    let cases = [
        ("GET", "/secrets/a".to_owned(), Value::Null, BAD, "The api-version query parameter is required."),
        ("GET", "/secrets/a?api-version=".to_owned(), Value::Null, BAD, "The api-version query parameter"),
        ("GET", path("a_b"), Value::Null, BAD, "The request URI contains an invalid name: a_b"),
        ("GET", path("a%20b"), Value::Null, BAD, "The request URI contains an invalid name: a b"),
        ("PUT", path(&long), value("v"), BAD, "The request URI contains an invalid name: nnn"),
        ("DELETE", path("a.b"), Value::Null, BAD, "The request URI contains an invalid name: a.b"),
        (
            "GET",
            "/deletedsecrets/%C3%A4?api-version=7.6".to_owned(),
            Value::Null,
            BAD,
            "contains an invalid name: ä",
        ),
        ("PUT", path("b"), Value::Null, BAD, "Property  has invalid value\r\n"),
        ("PUT", path("b"), json!([]), BAD, "The request body cannot be read."),
        ("PUT", path("b"), json!({"value": 7}), BAD, "The request body cannot be read."),
        ("PUT", path("b"), value(""), BAD, "Property  has invalid value\r\n"),
        ("PUT", path("b"), value(&"x".repeat(25_601)), BAD, "25601 bytes are more than 25600"),
        ("PUT", path("b"), with("contentType", json!("c".repeat(256))), BAD, "Property  has invalid value"),
        ("PUT", path("b"), with("tags", json!(tags(16))), BAD, "Property  has invalid value"),
        ("PUT", path("b"), with("tags", json!({"k": "w".repeat(257)})), BAD, "Property  has invalid value"),
        ("PUT", path("b"), with("attributes", json!({"exp": -1})), BAD, "Property  has invalid value"),
        (
            "PUT",
            path("b"),
            with("attributes", json!({"nbf": "soon"})),
            BAD,
            "The request body cannot be read.",
        ),
        ("PATCH", path("a"), json!({"attributes": {"exp": -1}}), BAD, "Property  has invalid value"),
        (
            "GET",
            path("b"),
            Value::Null,
            MISSING,
            "A secret with (name/id) b was not found in this key vault. If you",
        ),
        (
            "GET",
            path(&format!("a/{version}")),
            Value::Null,
            MISSING,
            "(name/id) a/00000000000000000000000000000000 was",
        ),
        ("PATCH", path("b"), json!({}), MISSING, "A secret with (name/id) b was not found"),
        ("DELETE", path("b"), Value::Null, MISSING, "linkid=2125182"),
        (
            "GET",
            "/deletedsecrets/a?api-version=7.6".to_owned(),
            Value::Null,
            MISSING,
            "Deleted Secret not found: a",
        ),
        (
            "DELETE",
            "/deletedsecrets/a?api-version=7.6".to_owned(),
            Value::Null,
            MISSING,
            "Deleted Secret not found: a",
        ),
        (
            "POST",
            "/deletedsecrets/a/recover?api-version=7.6".to_owned(),
            Value::Null,
            MISSING,
            "Deleted Secret not found: a",
        ),
        (
            "POST",
            path("a/backup"),
            Value::Null,
            (404, "NotFound", ""),
            "POST /secrets/a/backup is not emulated.",
        ),
        ("GET", of("emulator", "keys/k"), Value::Null, (404, "NotFound", ""), "GET /keys/k is not emulated."),
        (
            "GET",
            of("nobody", "secrets/a"),
            Value::Null,
            (404, "VaultNotFound", ""),
            "The vault 'nobody' is not",
        ),
    ];
    let before = client.emulator.inventory();
    for (method, address, body, expected, message) in cases {
        let answer = client.send(method, &address, body).await;
        assert_eq!(refusal(&answer), expected, "{method} {address}: {answer:?}");
        let said = answer.json["error"]["message"].as_str().unwrap();
        assert!(said.contains(message), "{method} {address}: {said}");
        assert_eq!(client.emulator.inventory(), before, "{method} {address}");
    }
    assert_eq!(client.get("/_emulator/inventory").await.json["unknownRoutes"], 2);
    // The longest that there can be.
    set(&client, &"n".repeat(127), &"x".repeat(25_600)).await;
}

#[tokio::test]
async fn a_vault_takes_so_many_requests_in_ten_seconds() {
    let quotas = Quotas { vault: Some(2), ..Quotas::default() };
    let emulator = emulator(Config { quotas, ..Config::default() });
    emulator.freeze();
    let client = caller(&emulator).await;
    let read = async |vault: &str| client.get(&of(vault, "secrets/known")).await;
    assert_eq!(read("roles").await.status, 200);
    emulator.advance(Duration::from_millis(2500));
    assert_eq!(read("roles").await.status, 200);
    let refused = read("roles").await;
    assert_eq!(refusal(&refused), (429, "Throttled", ""));
    assert_eq!(refused.header("retry-after"), Some("8"));
    assert_eq!(read("policies").await.status, 200, "of each vault");
    emulator.advance(Duration::from_millis(7500));
    assert_eq!(read("roles").await.status, 200);
}

/// A vault is there from the start, in an emulator of which nothing was asked.
#[tokio::test]
async fn an_empty_emulator_has_an_empty_vault() {
    let client = caller(&Emulator::new(Config::default())).await;
    let listed = client.get("/secrets?api-version=7.6").await;
    assert_eq!(listed.text, r#"{"value":[],"nextLink":null}"#);
}

//! Errors: every form of `Retry-After`, every shape of a body, on the wire.

use std::time::Duration;

use selvedge_fabric_emulator::demo;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;

use crate::raw::{Server, new_workspace};
use crate::support::{Client, FABRIC, GRAPH, token};

fn http_date(at: OffsetDateTime) -> String {
    let format = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    at.format(format).unwrap()
}

#[tokio::test]
async fn retry_after_in_every_form() {
    let server = Server::start().await;
    server.client.emulator.freeze();
    let now = server.client.emulator.now();
    let later = |seconds| Some(http_date(now + time::Duration::seconds(seconds)));
    let text = |text: &str| Some(text.to_owned());
    // (options of a 429, the header, its value)
    let cases = [
        ("", "retry-after", None),
        (",retry-after=7", "retry-after", text("7")),
        (",retry-after=date+30s", "retry-after", later(30)),
        (",retry-after=date-30s", "retry-after", later(-30)),
        (",retry-after=Wed, 21 Oct 2026 07:28:00 GMT", "retry-after", text("Wed, 21 Oct 2026 07:28:00 GMT")),
        (",retry-after=-5", "retry-after", text("-5")),
        (",retry-after=+5", "retry-after", text("+5")),
        (",retry-after=99999999999", "retry-after", text("99999999999")),
        (",retry-after=00:00:00.033", "retry-after", text("00:00:00.033")),
        (",retry-after=soon", "retry-after", text("soon")),
        (",retry-after-ms=1500", "retry-after-ms", text("1500")),
        (",x-ms-retry-after-ms=1500", "x-ms-retry-after-ms", text("1500")),
    ];
    for (options, header, value) in cases {
        server.inject(&format!("POST */workspaces=429{options},times=1"));
        let answer = server.post("/v1/workspaces", new_workspace("W")).await;
        assert_eq!((answer.status, answer.code()), (429, "RequestBlocked"), "{options}");
        assert_eq!(answer.header(header), value.as_deref(), "{options}");
        assert_eq!(answer.header("date"), Some(http_date(now).as_str()));
        // A client must not look for a status in it: it has none, whatever was asked.
        assert_eq!((&answer.json["status"], &answer.json["isRetriable"]), (&Value::Null, &json!(true)));
    }
    assert_eq!(server.workspaces().await, 0);
}

#[tokio::test]
async fn the_end_of_a_block_stands_in_the_text_only() {
    let server = Server::start().await;
    server.client.emulator.freeze();
    server.client.emulator.advance(Duration::from_secs(3600));
    let format = format_description!(
        "[month padding:none]/[day padding:none]/[year] [hour repr:12 padding:none]:[minute]:[second] [period] (UTC)"
    );
    let until = (server.client.emulator.now() + Duration::from_secs(30)).format(format).unwrap();
    server.inject("GET *=429,until=30s,times=1");
    let answer = server.get("/v1/workspaces").await;
    let message = format!("Request is blocked by the upstream service until: {until}");
    assert_eq!(
        (answer.json["message"].as_str(), answer.header("retry-after")),
        (Some(message.as_str()), None)
    );
}

#[tokio::test]
async fn codes_and_what_they_say_of_a_retry() {
    let server = Server::start().await;
    let absent = Value::Null;
    // (fault, status, code, isRetriable)
    let cases = [
        ("401", 401, "TokenExpired", &absent),
        ("403", 403, "InsufficientPrivileges", &absent),
        ("404", 404, "EntityNotFound", &absent),
        ("409", 409, "Conflict", &absent),
        ("429", 429, "RequestBlocked", &json!(true)),
        ("429,retriable=absent", 429, "RequestBlocked", &absent),
        ("430", 430, "TooManyRequestsForCapacity", &json!(true)),
        ("500", 500, "UnknownError", &absent),
        ("500,code=CapacityNotActive,retriable=false", 500, "CapacityNotActive", &json!(false)),
        (
            "400,code=ItemDisplayNameNotAvailableYet,retriable=true",
            400,
            "ItemDisplayNameNotAvailableYet",
            &json!(true),
        ),
        ("503", 503, "UnknownError", &absent),
    ];
    for (fault, status, code, retriable) in cases {
        server.inject(&format!("GET *={fault},times=1"));
        let answer = server.get("/v1/workspaces").await;
        assert_eq!(
            (answer.status, answer.code(), &answer.json["isRetriable"]),
            (status, code, retriable),
            "{fault}"
        );
        assert_eq!(answer.header("x-ms-public-api-error-code"), Some(code));
    }
}

#[tokio::test]
async fn bodies_of_every_shape() {
    let server = Server::start().await;
    let usual = r#"{"requestId":""#;
    // (shape, start of the body, its end, content type)
    let cases = [
        ("empty", "", "", "application/json; charset=utf-8"),
        ("null", "null", "null", "application/json; charset=utf-8"),
        ("object", "{}", "{}", "application/json; charset=utf-8"),
        ("html", "<html>", "</html>\r\n", "text/html"),
        ("truncated", usual, "", "application/json; charset=utf-8"),
        ("no-code", usual, "}", "application/json; charset=utf-8"),
    ];
    for (shape, start, end, kind) in cases {
        server.inject(&format!("GET *=502,body={shape},times=1"));
        let answer = server.get("/v1/workspaces").await;
        assert!(answer.body.starts_with(start) && answer.body.ends_with(end), "{shape}: {answer:?}");
        assert_eq!(
            (answer.status, answer.header("content-type"), answer.code()),
            (502, Some(kind), ""),
            "{shape}"
        );
        assert_eq!(answer.header("content-length"), Some(answer.body.len().to_string().as_str()));
        if matches!(shape, "empty" | "truncated") {
            assert_eq!(serde_json::from_str::<Value>(&answer.body).ok(), None, "{shape}");
        }
        if shape == "no-code" {
            let message = "An unexpected error occurred while processing the request";
            let keys: Vec<&str> = answer.json.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!((keys, &answer.json["message"]), (vec!["requestId", "message"], &json!(message)));
            assert_eq!(answer.header("x-ms-public-api-error-code"), None);
        }
    }
}

#[tokio::test]
async fn an_echo_repeats_the_request() {
    let server = Server::start().await;
    server.inject("GET *=400,body=echo,times=1");
    let answer = server.get("/v1/workspaces?a=b").await;
    let message = answer.json["message"].as_str().unwrap();
    assert!(message.starts_with("GET /v1/workspaces?a=b\n"), "{message}");
    assert!(message.contains(&format!("authorization: Bearer {}\n", server.client.token)), "{message}");
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn each_service_errs_in_its_own_dialect() {
    let server = Server::start().await;
    let emulator = &server.client.emulator;
    let fabric = server.client.token.clone();
    let graph = Client::with(emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, GRAPH).await;
    assert_ne!(graph.token, fabric);
    for (status, code) in [(503, "UnknownError"), (401, "InvalidAuthenticationToken")] {
        emulator.inject(format!("* *={status},times=1").parse().unwrap());
        let answer = graph.get("/v1.0/users").await;
        assert_eq!((answer.status, &answer.json["error"]["code"]), (status, &json!(code)));
    }
    emulator.inject("* *=503,code=Mine".parse().unwrap());
    assert_eq!(graph.get("/v1.0/users").await.json["error"]["code"], "Mine");
    assert_eq!(server.get("/v1/workspaces").await.code(), "Mine");
    let token = async || token(emulator, demo::CLIENT_ID, demo::CLIENT_SECRET, FABRIC).await;
    assert_eq!(token().await.status, 200, "a fault that does not name the token endpoint");
    emulator.inject("POST */oauth2/v2.0/token=503".parse().unwrap());
    let refused = token().await;
    assert_eq!((refused.status, &refused.json["error"]), (503, &json!("temporarily_unavailable")));
    assert_eq!(server.get("/_emulator/inventory").await.status, 200, "faults never hit the admin surface");
}

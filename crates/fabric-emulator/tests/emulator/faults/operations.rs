//! Long-running operations that do not do what their documents say.

use std::time::Duration;

use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use crate::raw::{Raw, Server, new_item};
use crate::support::definition;

struct Workspace {
    server: Server,
    items: String,
}

impl Workspace {
    async fn new() -> Self {
        let config = Config { operation_duration: Duration::from_secs(10), ..Config::default() };
        let server = Server::with(config).await;
        server.client.emulator.freeze();
        let items = format!("{}/items", server.client.workspace("W").await);
        Self { server, items }
    }

    /// Starts an operation and waits until it has ended; returns its path.
    async fn operation(&self, body: Value) -> String {
        let accepted = self.server.post(&self.items, body).await;
        assert_eq!((accepted.status, accepted.body.as_str()), (202, "null"));
        self.server.client.emulator.advance(Duration::from_secs(10));
        format!("/v1/operations/{}", accepted.header("x-ms-operation-id").unwrap())
    }

    async fn names(&self) -> Vec<String> {
        self.server.names(&self.items).await
    }
}

#[tokio::test]
async fn they_end_as_they_should_not() {
    // (fault, status that a poll shows, Location of it, status and code or body of the result, whether it took effect)
    let cases = [
        ("operation-fails", "Failed", None, 400, "OperationNotSucceeded", false),
        ("effect+operation-fails", "Failed", None, 400, "OperationNotSucceeded", true),
        ("operation-hangs", "Running", Some(""), 400, "OperationNotSucceeded", false),
        ("effect+operation-hangs", "Running", Some(""), 400, "OperationNotSucceeded", true),
        ("effect+operation-ends:Paused", "Paused", Some(""), 400, "OperationNotSucceeded", true),
        ("operation-no-result", "Succeeded", None, 400, "OperationHasNoResult", false),
        ("effect+operation-no-result", "Succeeded", None, 400, "OperationHasNoResult", true),
        ("operation-empty-result", "Succeeded", Some("/result"), 200, "{}", false),
        ("effect+operation-empty-result", "Succeeded", Some("/result"), 200, "{}", true),
    ];
    for (fault, status, location, result_status, result, effect) in cases {
        let workspace = Workspace::new().await;
        workspace.server.inject(&format!("POST *={fault},times=1"));
        let operation = workspace.operation(new_item("Notebook", "n")).await;
        let polled = workspace.server.get(&operation).await;
        assert_eq!((polled.status, &polled.json["status"]), (200, &json!(status)), "{fault}");
        let expected = location.map(|path| format!("{operation}{path}"));
        let found = polled.header("location");
        assert_eq!(found.is_some(), expected.is_some(), "{fault}");
        assert!(found.unwrap_or_default().ends_with(&expected.unwrap_or_default()), "{fault}: {found:?}");
        let answer = workspace.server.get(&format!("{operation}/result")).await;
        let said = if answer.status == 200 { answer.body.as_str() } else { answer.code() };
        assert_eq!((answer.status, said), (result_status, result), "{fault}");
        assert_eq!(workspace.names().await == ["n"], effect, "{fault}");
        // And so it stays.
        workspace.server.client.emulator.advance(Duration::from_secs(24 * 3600 - 3600));
        let client = crate::support::Client::of(workspace.server.client.emulator.clone()).await;
        assert_eq!(client.get(&operation).await.json["status"], status, "{fault}");
    }
}

#[tokio::test]
async fn one_that_fails_leaves_a_part() {
    let workspace = Workspace::new().await;
    workspace.server.inject("POST *=partial+operation-fails");
    let mut item = new_item("Lakehouse", "l");
    item["definition"] = definition("lakehouse.metadata.json", "e30=");
    let operation = workspace.operation(item).await;
    let failed = workspace.server.get(&operation).await;
    assert_eq!(failed.json["error"]["errorCode"], "UnknownError");
    assert_eq!(workspace.names().await, ["l", "l"], "the lakehouse and its SQL endpoint");
    // Without parts it is not hit.
    let operation = workspace.operation(new_item("Notebook", "n")).await;
    assert_eq!(workspace.server.get(&operation).await.json["status"], "Succeeded");
}

#[tokio::test]
async fn typed_creates_and_jobs_are_hit_too() {
    let Workspace { server, items } = Workspace::new().await;
    let typed = items.replace("/items", "/notebooks");
    server.inject("POST */notebooks=at-once,times=1");
    let notebook = server.post(&typed, json!({"displayName": "n"})).await;
    assert_eq!((notebook.status, &notebook.json["type"]), (201, &json!("Notebook")));
    // Not a create.
    server.inject("POST */jobs/*=as-operation");
    server.inject("POST */jobs/*=operation-hangs");
    server.inject("POST */jobs/*=operation-fails");
    let jobs = format!("{items}/{}/jobs/instances", notebook.json["id"].as_str().unwrap());
    let run = server.post(&format!("{jobs}?jobType=RunNotebook"), Value::Null).await;
    let job = run.header("location").unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(server.get(&format!("{jobs}/{job}")).await.json["status"], "Failed");
    assert_eq!(server.hits(), ["at-once", "operation-fails"]);
}

#[tokio::test]
async fn sync_becomes_async_and_the_other_way_round() {
    let workspace = Workspace::new().await;
    let Workspace { server, items } = &workspace;
    server.inject("POST */items=as-operation,times=1");
    let operation = workspace.operation(new_item("DataPipeline", "p")).await;
    let result = server.get(&format!("{operation}/result")).await;
    assert_eq!(
        (&result.json["displayName"], result.header("transfer-encoding")),
        (&json!("p"), Some("chunked"))
    );
    server.inject("POST */items=at-once,times=1");
    let created = server.post(items, new_item("Notebook", "n")).await;
    assert_eq!((created.status, &created.json["displayName"]), (201, &json!("n")));
}

#[tokio::test]
async fn what_a_202_lacks() {
    let Workspace { server, items } = Workspace::new().await;
    let host = |answer: &Raw| {
        let location = answer.header("location").map(|location| url::Url::parse(location).unwrap());
        location.map(|location| location.host_str().unwrap().to_owned())
    };
    let cluster = "wabi-us-central-b-primary-redirect.analysis.windows.net";
    // (fault, host of the Location, whether it names the operation, body, Retry-After)
    let cases = [
        ("latency:0s", Some(cluster), true, "null", "20"),
        ("no-location", None, true, "null", "20"),
        ("foreign-location", Some("elsewhere.example"), true, "null", "20"),
        ("own-location", Some("127.0.0.1"), true, "null", "20"),
        ("no-operation-id", Some(cluster), false, "null", "20"),
        ("empty-202", Some(cluster), true, "", "20"),
        ("body:object", Some(cluster), true, "{}", "20"),
        ("retry-after:86400", Some(cluster), true, "null", "86400"),
    ];
    for (number, (fault, location, names, body, retry_after)) in cases.into_iter().enumerate() {
        server.inject(&format!("POST */items={fault},times=1"));
        let answer = server.post(&items, new_item("Notebook", &format!("n{number}"))).await;
        assert_eq!((answer.status, answer.body.as_str()), (202, body), "{fault}");
        assert_eq!(host(&answer).as_deref(), location, "{fault}");
        assert_eq!(answer.header("x-ms-operation-id").is_some(), names, "{fault}");
        assert_eq!(answer.header("retry-after"), Some(retry_after), "{fault}");
        assert_eq!(answer.header("content-length"), Some(body.len().to_string().as_str()));
    }
    // What no answer to it can have does not count.
    server.inject("* *=no-operation-id,times=1");
    assert_eq!(server.get(&items).await.status, 200);
    let answer = server.post(&items, new_item("Notebook", "last")).await;
    assert_eq!((answer.status, answer.header("x-ms-operation-id")), (202, None));
    // Only a 202 has the body `null` to lose.
    server.inject("POST */items=empty-202,times=1");
    assert_eq!(server.post(&items, new_item("DataPipeline", "p")).await.json["displayName"], "p");
}

#[tokio::test]
async fn a_poll_shows_a_status_of_its_own() {
    let workspace = Workspace::new().await;
    let operation = workspace.operation(new_item("Notebook", "n")).await;
    let server = &workspace.server;
    for (fault, status, percent) in [
        ("status:Queued", "Queued", Value::Null),
        ("casing:lower", "succeeded", json!(100)),
        ("casing:upper", "SUCCEEDED", json!(100)),
        ("latency:0s", "Succeeded", json!(100)),
    ] {
        server.inject(&format!("GET *={fault},times=1"));
        // What is no operation is not counted by the first of these, and not changed by the others.
        if fault.starts_with("status") {
            assert_eq!(workspace.names().await, ["n"]);
        }
        let polled = server.get(&operation).await;
        assert_eq!(
            (&polled.json["status"], &polled.json["percentComplete"]),
            (&json!(status), &percent),
            "{fault}"
        );
    }
    server.inject("GET */operations/*=429,retry-after=1,times=1");
    let blocked = server.get(&operation).await;
    assert_eq!((blocked.status, blocked.json.get("status")), (429, None), "a poll without a status");
}

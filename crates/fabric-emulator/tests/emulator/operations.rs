//! Long-running operations and pages: the levers that make a client wait, poll and turn over.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, LongRunning};
use serde_json::{Value, json};

use crate::support::{Client, definition};

#[tokio::test(start_paused = true)]
async fn the_effect_comes_when_the_operation_is_done() {
    let config =
        Config { operation_duration: Duration::from_secs(10), foreign_location: false, ..Config::default() };
    let client = Client::demo(config).await;
    let workspace = client.workspace("W").await;
    let items = format!("{workspace}/items");
    let accepted = client.post(&items, json!({"type": "Notebook", "displayName": "n"})).await;
    let operation =
        accepted.header("location").unwrap().strip_prefix("http://localhost:8080").unwrap().to_owned();

    tokio::time::advance(Duration::from_secs(9)).await;
    let running = client.get(&operation).await;
    assert_eq!(
        (&running.json["status"], &running.json["percentComplete"]),
        (&json!("Running"), &Value::Null)
    );
    assert_eq!(running.header("retry-after"), Some("20"));
    assert_eq!(running.header("location"), accepted.header("location"));
    assert_eq!(running.header("x-ms-operation-id"), accepted.header("x-ms-operation-id"));
    let early = client.get(&format!("{operation}/result")).await;
    assert_eq!((early.status, early.code()), (400, "OperationNotSucceeded"));
    assert_eq!(client.get(&items).await.json["value"], json!([]));

    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(client.get(&items).await.json["value"][0]["displayName"], "n");
    assert_eq!(client.get(&operation).await.json["status"], "Succeeded");
    let unknown = client.get("/v1/operations/00000000-0000-4000-8000-000000000000").await;
    assert_eq!((unknown.status, unknown.code()), (404, "OperationNotFound"));
}

#[tokio::test(start_paused = true)]
async fn of_two_that_want_one_name_the_later_fails() {
    let config = Config { operation_duration: Duration::from_secs(10), ..Config::default() };
    let client = Client::demo(config).await;
    let items = format!("{}/items", client.workspace("W").await);
    let mut operations = Vec::new();
    for _ in 0..2 {
        let accepted = client.post(&items, json!({"type": "Notebook", "displayName": "n"})).await;
        operations.push(accepted.header("x-ms-operation-id").unwrap().to_owned());
    }
    tokio::time::advance(Duration::from_secs(10)).await;
    let failed = client.get(&format!("/v1/operations/{}", operations[1])).await;
    assert_eq!((failed.status, &failed.json["status"]), (200, &json!("Failed")));
    assert_eq!(failed.json["error"]["errorCode"], "ItemDisplayNameAlreadyInUse");
    assert_eq!(failed.header("location"), None);
    assert_eq!(client.get(&items).await.json["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failing_operation_leaves_nothing() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let before = client.hash();
    client.emulator.inject("POST *=operation-fails,times=1".parse().unwrap());
    // A request that cannot be long-running is not hit.
    assert_eq!(client.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await.status, 201);
    let with_folder = client.hash();
    assert_ne!(before, with_folder);
    let accepted =
        client.post(&format!("{workspace}/items"), json!({"type": "Lakehouse", "displayName": "l"})).await;
    assert_eq!(accepted.status, 202);
    let id = accepted.header("x-ms-operation-id").unwrap();
    let failed = client.get(&format!("/v1/operations/{id}")).await;
    assert_eq!((failed.status, &failed.json["status"]), (200, &json!("Failed")));
    let error = failed.json["error"].as_object().unwrap();
    assert_eq!(error.keys().collect::<Vec<_>>(), ["errorCode", "message", "isRetriable"]);
    assert_eq!(client.hash(), with_folder);
}

#[tokio::test]
async fn the_table_decides_who_is_long_running() {
    let py = definition("notebook-content.py", "e30=");
    let meta = definition("lakehouse.metadata.json", "e30=");
    let model = definition("model.bim", "e30=");
    let cases = [
        (LongRunning::Table, "Notebook", Value::Null, 202),
        (LongRunning::Table, "Lakehouse", Value::Null, 201),
        (LongRunning::Table, "Lakehouse", meta, 202),
        (LongRunning::Table, "DataPipeline", Value::Null, 201),
        (LongRunning::Table, "SemanticModel", model, 202),
        (LongRunning::Always, "DataPipeline", Value::Null, 202),
        (LongRunning::Never, "Notebook", py, 201),
    ];
    for (long_running, kind, definition, status) in cases {
        let client = Client::demo(Config { long_running, ..Config::default() }).await;
        let workspace = client.workspace("W").await;
        let body = json!({"type": kind, "displayName": "x", "definition": definition});
        let answer = client.post(&format!("{workspace}/items"), body).await;
        assert_eq!(answer.status, status, "{long_running:?} {kind}");
        let item = client.finish(answer).await;
        assert_eq!(item.json["type"], kind);
    }
}

#[tokio::test]
async fn lists_come_in_pages() {
    let client = Client::demo(Config { page_size: Some(2), ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    for name in ["a", "b", "c", "d", "e"] {
        client.item(&workspace, "DataPipeline", name).await;
    }
    let (mut path, mut names, mut sizes) =
        (format!("{workspace}/items?type=DataPipeline"), Vec::new(), Vec::new());
    loop {
        let page = client.get(&path).await;
        let value = page.json["value"].as_array().unwrap().clone();
        sizes.push(value.len());
        names.extend(value.iter().map(|item| item["displayName"].as_str().unwrap().to_owned()));
        let Some(token) = page.json.get("continuationToken") else {
            assert_eq!(page.keys(), ["value"]);
            break;
        };
        let next = format!("/items?type=DataPipeline&continuationToken={}", token.as_str().unwrap());
        path = format!("{workspace}{next}");
        assert_eq!(page.json["continuationUri"], format!("http://localhost:8080{path}"));
    }
    assert_eq!((names.join(""), sizes), ("abcde".to_owned(), vec![2, 2, 1]));
    let bad = client.get(&format!("{workspace}/items?continuationToken=nonsense")).await;
    assert_eq!((bad.status, bad.code()), (400, "InvalidContinuationToken"));
}

#[tokio::test]
async fn an_operation_is_shown_to_who_could_have_started_it() {
    let seed = json!({"servicePrincipals": [
        {"id": "99999999-0000-4000-8000-000000000001", "displayName": "Other",
            "appId": "99999999-0000-4000-8000-000000000002", "secret": "s"}]});
    let client = Client::demo(Config::default()).await;
    client.emulator.seed(&seed).unwrap();
    let other = Client::with(
        client.emulator.clone(),
        "99999999-0000-4000-8000-000000000002",
        "s",
        crate::support::FABRIC,
    )
    .await;
    let workspace = client.workspace("W").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let accepted = client.post(&format!("{notebook}/getDefinition"), Value::Null).await;
    let operation = format!("/v1/operations/{}", accepted.header("x-ms-operation-id").unwrap());
    let roles = format!("{workspace}/roleAssignments");
    let role = |role: &str| json!({"principal": {"id": "99999999-0000-4000-8000-000000000001", "type": "ServicePrincipal"}, "role": role});
    let seen = async || {
        let polled = other.get(&operation).await;
        let result = other.get(&format!("{operation}/result")).await;
        assert_eq!(polled.status, result.status);
        if polled.status == 404 {
            assert_eq!((polled.code(), result.code()), ("OperationNotFound", "OperationNotFound"));
        }
        polled.status
    };
    assert_eq!(seen().await, 404);
    client.post(&roles, role("Viewer")).await;
    assert_eq!(seen().await, 404);
    let assignment = format!("{roles}/99999999-0000-4000-8000-000000000001");
    client.send("PATCH", &assignment, json!({"role": "Contributor"})).await;
    assert_eq!(seen().await, 200);
}

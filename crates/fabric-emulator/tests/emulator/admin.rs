//! What the emulator's own surface shows of holds, and the settings that it changes.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, HoldPoint, demo};
use serde_json::{Value, json};

use crate::support::{Client, send};

#[tokio::test]
async fn a_hold_shows_whom_it_stops() {
    let client = Client::demo(Config::default()).await;
    let body = json!({"pattern": "get */workspaces", "point": "after"});
    let hold = client.post("/_emulator/holds", body).await;
    let waiting = r#"{"id":1,"state":"waiting","point":"after","pattern":"GET */workspaces","request":null}"#;
    assert_eq!((hold.status, hold.text.as_str()), (201, waiting));
    let named = client.post("/_emulator/holds", json!({"name": "mine", "point": "before"})).await;
    assert_eq!(named.json["id"], 2);

    let caller = client.clone();
    let open = tokio::spawn(async move { caller.get("/v1/workspaces?roles=Admin").await });
    let id = client.emulator.hold("POST *".parse().unwrap(), HoldPoint::Before);
    assert_eq!(id.to_string(), "3");
    while client.get("/_emulator/holds/1").await.json["state"] != "held" {
        tokio::task::yield_now().await;
    }
    let request = json!({"method": "GET", "path": "/v1/workspaces?roles=Admin"});
    assert_eq!(client.get("/_emulator/holds/1").await.json["request"], request);
    let all = client.get("/_emulator/holds").await;
    let states: Vec<&Value> = all.json.as_array().unwrap().iter().map(|hold| &hold["state"]).collect();
    assert_eq!(states, ["held", "waiting", "waiting"]);

    assert_eq!(client.post("/_emulator/holds/1/release", Value::Null).await.status, 204);
    let answer = open.await.unwrap();
    assert_eq!((answer.status, answer.header("x-emulator-hold")), (200, Some("1")));
    assert_eq!(client.get("/_emulator/holds/1").await.json["state"], "released");
    assert_eq!(client.get("/_emulator/holds/9").await.status, 404);
    for body in [json!({"point": "before"}), json!({"name": "x", "pattern": "GET *", "point": "after"})] {
        assert_eq!(client.post("/_emulator/holds", body.clone()).await.status, 400, "{body}");
    }
}

#[tokio::test]
async fn a_request_asks_for_the_hold_of_a_name() {
    let client = Client::demo(Config::default()).await;
    let id = client.emulator.hold_named("mine", HoldPoint::Before);
    let caller = client.clone();
    let asking = move |name: &'static str| {
        let caller = caller.clone();
        async move {
            let authorization = format!("Bearer {}", caller.token);
            let headers = [("authorization", authorization.as_str()), ("x-emulator-hold", name)];
            send(&caller.emulator, "GET", "/v1/workspaces", &headers, "").await.unwrap()
        }
    };
    for name in ["", "another", "MINE"] {
        assert_eq!(asking(name).await.header("x-emulator-hold"), None, "{name}");
    }
    let open = tokio::spawn(asking("mine"));
    client.emulator.held(id).await;
    assert!(!open.is_finished());
    client.emulator.release(id);
    assert_eq!(open.await.unwrap().header("x-emulator-hold"), Some("1"));
}

#[tokio::test]
async fn settings_change_while_it_runs() {
    let client = Client::demo(Config::default()).await;
    let start = client.get("/_emulator/settings").await;
    let expected = json!({
        "pageSize": null,
        "operationDuration": "0s",
        "retryAfter": 20,
        "longRunning": "table",
        "nameReservation": "0s",
        "reservationStatus": 409,
        "itemRecovery": true,
        "foreignLocation": true,
    });
    assert_eq!(start.text, expected.to_string());
    let workspace = client.workspace("W").await;
    let items = format!("{workspace}/items");
    let pipeline = || json!({"type": "DataPipeline", "displayName": "p"});
    let set = async |change: Value| {
        let changed = client.post("/_emulator/settings", change.clone()).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        for (name, value) in change.as_object().unwrap() {
            assert_eq!(&changed.json[name], value);
        }
    };

    // A reserved name, by either status.
    for status in [400, 409] {
        set(json!({"nameReservation": "10m", "reservationStatus": status})).await;
        let path = client.item(&workspace, "DataPipeline", "p").await;
        client.send("DELETE", &path, Value::Null).await;
        let refused = client.post(&items, pipeline()).await;
        assert_eq!((refused.status, refused.code()), (status, "ItemDisplayNameNotAvailableYet"));
        client.emulator.advance(Duration::from_secs(600));
    }
    // Long-running operations and pages.
    set(json!({"longRunning": "always", "operationDuration": "5s", "retryAfter": 7, "foreignLocation": false})).await;
    let accepted = client.post(&items, pipeline()).await;
    assert_eq!((accepted.status, accepted.header("retry-after")), (202, Some("7")));
    assert!(accepted.header("location").unwrap().starts_with("http://localhost:8080/v1/operations/"));
    assert_eq!(client.get(&items).await.json["value"], json!([]));
    client.emulator.advance(Duration::from_secs(5));
    set(json!({"longRunning": "never", "pageSize": 1})).await;
    assert_eq!(client.post(&items, json!({"type": "DataPipeline", "displayName": "q"})).await.status, 201);
    assert_eq!(client.get(&items).await.keys(), ["value", "continuationToken", "continuationUri"]);
    set(json!({"pageSize": null})).await;
    assert_eq!(client.get(&items).await.json["value"].as_array().unwrap().len(), 2);

    let before = client.get("/_emulator/settings").await.text;
    for wrong in [
        json!({"pageSize": "many"}),
        json!({"reservationStatus": 200}),
        json!({"nameReservation": "soon"}),
        json!({"tenant": demo::TENANT_ID}),
        json!([]),
    ] {
        let refused = client.post("/_emulator/settings", wrong.clone()).await;
        assert_eq!(refused.status, 400, "{wrong}");
        assert_eq!(client.get("/_emulator/settings").await.text, before);
    }
    client.post("/_emulator/reset", Value::Null).await;
    assert_eq!(client.get("/_emulator/settings").await.text, start.text);
}

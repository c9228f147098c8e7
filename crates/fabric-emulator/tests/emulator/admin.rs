//! The emulator's own surface.

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
async fn a_hold_lets_others_pass_first() {
    let client = Client::demo(Config::default()).await;
    let body = json!({"pattern": "GET */workspaces", "point": "before", "skip": 2});
    assert_eq!(client.post("/_emulator/holds", body).await.status, 201);
    for _ in 0..2 {
        assert_eq!(client.get("/v1/capacities").await.status, 200, "it is of another pattern");
        assert_eq!(client.get("/v1/workspaces").await.header("x-emulator-hold"), None);
    }
    let held = tokio::spawn({
        let client = client.clone();
        async move { client.get("/v1/workspaces").await }
    });
    while client.get("/_emulator/holds/1").await.json["state"] != "held" {
        tokio::task::yield_now().await;
    }
    assert_eq!(client.post("/_emulator/holds/1/release", Value::Null).await.status, 204);
    assert_eq!(held.await.unwrap().header("x-emulator-hold"), Some("1"));
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
        "jobDuration": "0s",
        "retryAfter": 20,
        "longRunning": "recorded",
        "nameReservation": "0s",
        "reservationStatus": 409,
        "itemRecovery": true,
        "maxItems": 1000,
        "childDelay": "0s",
        "capacityAssignment": "0s",
        "secretDeletion": "0s",
        "quotas": {"platform": null, "jobs": null, "operations": null, "admin": null, "vault": null},
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
    set(json!({"longRunning": "all", "operationDuration": "5s", "retryAfter": 7, "foreignLocation": false}))
        .await;
    let accepted = client.post(&items, pipeline()).await;
    assert_eq!((accepted.status, accepted.header("retry-after")), (202, Some("7")));
    assert!(accepted.header("location").unwrap().starts_with("http://localhost:8080/v1/operations/"));
    assert_eq!(client.get(&items).await.json["value"], json!([]));
    client.emulator.advance(Duration::from_secs(5));
    set(json!({"longRunning": "none", "pageSize": 1})).await;
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

#[tokio::test]
async fn the_admin_surface_does_what_the_handle_does() {
    let client = Client::demo(Config::default()).await;
    let start = client.hash();
    let text = |method: &'static str, path: &'static str, kind: &'static str, body: &'static str| {
        let emulator = client.emulator.clone();
        async move { send(&emulator, method, path, &[("content-type", kind)], body).await.unwrap() }
    };
    let plain = text("POST", "/_emulator/faults", "text/plain", "GET */a=503,times=1\n\nGET */b=404\n").await;
    assert_eq!((plain.status, plain.text.as_str()), (204, ""));
    let list = text("POST", "/_emulator/faults", "application/json", r#"["GET */c=500"]"#).await;
    assert_eq!(list.status, 204);
    let wrong = text("POST", "/_emulator/faults", "text/plain", "GET */d=503\nnonsense").await;
    assert_eq!(wrong.status, 400);
    assert!(
        wrong.json["error"].as_str().unwrap().contains("no `=ACTION` in the fault `nonsense`"),
        "{wrong:?}"
    );
    for (path, status) in [("/v1/a", 503), ("/v1/a", 404), ("/v1/b", 404), ("/v1/c", 500), ("/v1/d", 404)] {
        assert_eq!(client.get(path).await.status, status, "{path}");
    }
    assert_eq!(client.send("DELETE", "/_emulator/faults", Value::Null).await.status, 204);
    assert_eq!(client.get("/v1/c").await.code(), "EndpointNotFound");
    let nowhere = send(&client.emulator, "GET", "/nowhere/at/all", &[], "").await.unwrap();
    assert_eq!((nowhere.status, nowhere.code()), (404, "EndpointNotFound"));
    client.get("/v1/c").await;

    let seed = json!({"workspaces": [{"displayName": "Seeded", "capacityId": demo::CAPACITY_ID,
        "folders": ["a/b"], "items": [{"type": "Lakehouse", "displayName": "l", "folder": "a/b"}]}]});
    assert_eq!(client.post("/_emulator/seed", seed.clone()).await.status, 204);
    let again = client.post("/_emulator/seed", seed).await;
    assert_eq!(again.status, 400);
    assert!(again.json["error"].as_str().unwrap().contains("WorkspaceNameAlreadyExists"), "{again:?}");
    let inventory = client.get("/_emulator/inventory").await;
    assert_eq!(inventory.keys(), ["hash", "world", "emptyDeletedWorkspaces", "unknownRoutes"]);
    assert_eq!(
        (&inventory.json["hash"], &inventory.json["unknownRoutes"]),
        (&json!(client.hash()), &json!(5))
    );
    assert_eq!(inventory.json["world"]["workspaces"][0]["items"][0]["folder"], "a/b");

    let log = client.get("/_emulator/requests").await;
    assert_eq!(log.json[0]["path"], format!("/{}/oauth2/v2.0/token", demo::TENANT_ID));
    let last = log.json.as_array().unwrap().last().unwrap();
    assert_eq!((&last["path"], &last["status"]), (&json!("/v1/c"), &json!(404)));
    assert_eq!((&last["principal"], &last["fault"]), (&json!(demo::CALLER_ID), &Value::Null));
    assert_eq!(client.send("DELETE", "/_emulator/requests", Value::Null).await.status, 204);
    assert_eq!(client.get("/_emulator/requests").await.json, json!([]));
    assert_eq!(client.post("/_emulator/reset", Value::Null).await.status, 204);
    assert_eq!(client.hash(), start);
    assert_eq!(client.get("/v1/workspaces").await.status, 401, "a reset forgets tokens");
}

//! Faults that last, by what they bring about or by a time; and those that a request asks for itself.

use std::time::Duration;

use selvedge_fabric_emulator::demo;
use serde_json::{Value, json};

use crate::raw::{Raw, Server, new_item, new_workspace};
use crate::support::{Client, GRAPH};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn throttling_is_per_principal_and_class() {
    let server = Server::start().await;
    let emulator = &server.client.emulator;
    emulator.freeze();
    let id = "99999999-0000-4000-8000-000000000001";
    let seed = json!({"servicePrincipals": [{"id": id, "displayName": "o", "appId": id, "secret": "s"}]});
    emulator.seed(&seed).unwrap();
    let other = Client::with(emulator.clone(), id, "s", crate::support::FABRIC).await;
    server.inject("GET */workspaces=throttle:30s,times=1");

    let first = server.get("/v1/workspaces").await;
    assert_eq!(
        (first.status, first.code(), first.header("retry-after")),
        (429, "RequestBlocked", Some("30"))
    );
    emulator.advance(SECOND / 2);
    let blocked = server.post("/v1/workspaces", new_workspace("W")).await;
    assert_eq!((blocked.status, blocked.header("retry-after")), (429, Some("30")), "29.5 s are 30");
    assert!(blocked.json["message"].as_str().unwrap().contains(" until: "), "{blocked:?}");
    assert_eq!(server.get("/v1/operations/x").await.code(), "OperationNotFound", "another class");
    assert_eq!(other.get("/v1/workspaces").await.status, 200, "another principal");
    emulator.advance(29 * SECOND);
    assert_eq!(server.get("/v1/workspaces").await.header("retry-after"), Some("1"));
    emulator.advance(SECOND / 2);
    assert_eq!(server.get("/v1/workspaces").await.status, 200);
    assert_eq!(server.workspaces().await, 0);
    assert_eq!(server.hits(), ["throttle:30s"; 3]);
}

#[tokio::test]
async fn a_token_dies_early() {
    let server = Server::start().await;
    server.inject("GET */workspaces=token-expired,skip=1,times=1");
    let statuses = async || {
        let mut statuses = Vec::new();
        for _ in 0..3 {
            statuses.push(server.get("/v1/workspaces").await.status);
        }
        statuses
    };
    assert_eq!(statuses().await, [200, 401, 401], "the same token is never good again");
    let refused = server.get("/v1/capacities").await;
    assert_eq!((refused.status, refused.code()), (401, "TokenExpired"));
    let fresh = Client::of(server.client.emulator.clone()).await;
    assert_eq!(fresh.get("/v1/workspaces").await.status, 200);
    let graph =
        Client::with(server.client.emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, GRAPH).await;
    assert_eq!(graph.get("/v1.0/users").await.status, 200);
}

#[tokio::test]
async fn capacities_pause_in_the_middle() {
    let server = Server::start().await;
    let items = format!("{}/items", server.client.workspace("W").await);
    let create = async |name: &str| {
        let answer = server.post(&items, new_item("DataPipeline", name)).await;
        if answer.status == 201 { "created".to_owned() } else { answer.code().to_owned() }
    };
    server.inject("POST */items=capacity-paused,skip=1,times=1");
    server.inject("POST */items=capacity-resumed,skip=3,times=1");
    let mut seen = Vec::new();
    for name in ["a", "b", "c", "d"] {
        seen.push(create(name).await);
    }
    assert_eq!(seen, ["created", "CapacityNotInActiveState", "CapacityNotInActiveState", "created"]);

    let set = async |id: &str, state: Value| {
        server.post(&format!("/_emulator/capacities/{id}"), json!({"state": state})).await.status
    };
    assert_eq!(set(demo::CAPACITY_ID, json!("Inactive")).await, 204);
    let shown = server.get("/v1/capacities").await;
    let capacities = shown.json["value"].as_array().unwrap();
    let paused = capacities.iter().find(|capacity| capacity["id"] == demo::CAPACITY_ID).unwrap();
    assert_eq!(paused["state"], "Inactive");
    assert_eq!(create("e").await, "CapacityNotInActiveState");
    assert_eq!(set(demo::CAPACITY_ID, json!("Active")).await, 204);
    assert_eq!(create("e").await, "created");
    assert_eq!(set(demo::CAPACITY_ID, json!("Weary")).await, 400);
    assert_eq!(set(crate::support::NOBODY, json!("Active")).await, 404);
}

#[tokio::test]
async fn faults_last_for_a_time_and_count_what_they_let_pass() {
    let server = Server::start().await;
    let emulator = &server.client.emulator;
    emulator.freeze();
    server.inject("GET */a=503,for=30s");
    server.inject("GET */a=500");
    let status = async || server.get("/v1/a").await.status;
    assert_eq!(status().await, 503);
    emulator.advance(30 * SECOND);
    assert_eq!(status().await, 500, "its time is over");
    let listed = server.get("/_emulator/faults").await;
    assert_eq!(listed.json, json!(["GET */a=500"]));

    server.send("DELETE", "/_emulator/faults", Value::Null).await;
    server.inject("GET */a=503,skip=1,times=2");
    server.inject("GET */a=500,times=1");
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(status().await);
    }
    assert_eq!(seen, [500, 503, 503, 404, 404]);

    server.send("DELETE", "/_emulator/faults", Value::Null).await;
    server.inject("GET */a=503,times=1");
    server.inject("GET */a=500,skip=1");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(status().await);
    }
    assert_eq!(seen, [503, 404, 500], "what the first one answers, the second does not count");
}

#[tokio::test]
async fn a_request_asks_for_its_own_faults() {
    let server = Server::start().await;
    let ask = async |faults: &[&str]| {
        let headers: Vec<(&str, &str)> = faults.iter().map(|fault| ("X-Emulator-Fault", *fault)).collect();
        let (bytes, end) = server.exchange("GET", "/v1/workspaces", &headers, &Value::Null).await;
        end.unwrap();
        Raw::read(&bytes)
    };
    let answer = ask(&["429,retry-after=7,code=Mine"]).await;
    assert_eq!((answer.status, answer.code(), answer.header("retry-after")), (429, "Mine", Some("7")));
    let answer = ask(&["unknown-fields", "content-length:+5"]).await;
    assert_eq!(answer.header("content-length"), Some((answer.body.len() + 5).to_string().as_str()));
    assert!(answer.json["unknownField"].is_object());
    assert_eq!(ask(&["latency:1ms; 503 ;500"]).await.status, 503, "the first that settles the answer");
    let all = ["429,code=Mine,retry-after=7", "unknown-fields; content-length:+5", "latency:1ms; 503"];
    assert_eq!(server.hits().len(), 3);
    assert_eq!(server.hits()[1..], all[1..]);
    // They come before those in force, and count for none of them.
    server.inject("GET *=500,times=1");
    assert_eq!(ask(&["503"]).await.status, 503);
    assert_eq!(ask(&[]).await.status, 500);
    assert_eq!(ask(&[]).await.status, 200);
    for (wrong, why) in [("explode", "unknown action `explode`"), ("503,times=1", "unknown option `times`")] {
        let answer = ask(&[wrong]).await;
        assert_eq!(answer.status, 400);
        assert!(answer.json["error"].as_str().unwrap().starts_with(why), "{answer:?}");
    }
}

#[tokio::test]
async fn what_faults_brought_about_ends_with_them() {
    let server = Server::start().await;
    server.inject("GET */workspaces=throttle:1h,times=1");
    server.inject("GET */capacities=token-expired");
    assert_eq!(server.get("/v1/workspaces").await.status, 429);
    assert_eq!(server.get("/v1/workspaces").await.status, 429);
    server.send("DELETE", "/_emulator/faults", Value::Null).await;
    assert_eq!(server.get("/v1/workspaces").await.status, 200);
    server.inject("GET */capacities=token-expired,times=1");
    assert_eq!(server.get("/v1/capacities").await.status, 401);
    assert_eq!(server.get("/v1/workspaces").await.status, 401);
    server.send("DELETE", "/_emulator/faults", Value::Null).await;
    assert_eq!(server.get("/v1/workspaces").await.status, 200);
}

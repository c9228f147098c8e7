//! Lists and reads that do not show what there is.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::raw::{Server, names, new_item, new_workspace};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn reads_lag_behind() {
    let server = Server::start().await;
    let emulator = &server.client.emulator;
    emulator.freeze();
    let workspace = server.client.workspace("W").await;
    let items = format!("{workspace}/items");
    let old = server.client.item(&workspace, "DataPipeline", "old").await;
    emulator.advance(60 * SECOND);
    server.inject("GET */items*=lag:10s");

    let new = server.client.item(&workspace, "Notebook", "new").await;
    assert_eq!(server.client.send("DELETE", &old, Value::Null).await.status, 200);
    assert_eq!(
        server.names(&items).await,
        ["old"],
        "what was created is missing, what was deleted still shows"
    );
    assert_eq!(server.get(&new).await.code(), "ItemNotFound");
    assert_eq!(server.get(&old).await.status, 200);
    // Writes are not hit, and meet the world as it is.
    let twice = server.post(&items, new_item("Notebook", "new")).await;
    assert_eq!(twice.code(), "ItemDisplayNameAlreadyInUse");
    assert_eq!(server.send("DELETE", &old, Value::Null).await.code(), "ItemNotFound");
    // Other reads see it too.
    assert_eq!(server.get(&format!("{workspace}/roleAssignments")).await.status, 200);

    emulator.advance(5 * SECOND);
    let newer = server.client.item(&workspace, "DataPipeline", "newer").await;
    emulator.advance(5 * SECOND);
    assert_eq!(server.names(&items).await, ["new"], "ten seconds after the one and five after the other");
    assert_eq!((server.get(&new).await.status, server.get(&newer).await.status), (200, 404));
    emulator.advance(5 * SECOND);
    assert_eq!(server.names(&items).await, ["new", "newer"]);
    assert_eq!(names(&server.client.get(&items).await.json), ["new", "newer"]);
}

#[tokio::test]
async fn an_operation_lags_from_its_end() {
    let server = Server::with(Config { operation_duration: 30 * SECOND, ..Config::default() }).await;
    let emulator = &server.client.emulator;
    emulator.freeze();
    let items = format!("{}/items", server.client.workspace("W").await);
    server.inject("GET */items=lag:10s");
    assert_eq!(server.post(&items, new_item("Notebook", "n")).await.status, 202);
    for (seconds, seen) in [(30, 0), (9, 0), (1, 1)] {
        emulator.advance(seconds * SECOND);
        assert_eq!(server.names(&items).await.len(), seen);
    }
}

#[tokio::test]
async fn a_new_workspace_is_not_there_yet() {
    let server = Server::start().await;
    server.client.emulator.freeze();
    server.inject("GET /v1/workspaces*=lag:2s,for=1h");
    let made = server.post("/v1/workspaces", new_workspace("W")).await;
    let path = format!("/v1/workspaces/{}", made.json["id"].as_str().unwrap());
    assert_eq!(server.get(&path).await.code(), "WorkspaceNotFound");
    assert_eq!(server.names("/v1/workspaces").await, [""; 0]);
    server.client.emulator.advance(2 * SECOND);
    assert_eq!(server.get(&path).await.status, 200);
}

#[tokio::test]
async fn assignments_of_service_principals_are_hidden() {
    let server = Server::start().await;
    let roles = format!("{}/roleAssignments", server.client.workspace("W").await);
    let user = json!({"principal": {"id": demo::TECH_LEAD_ID, "type": "User"}, "role": "Viewer"});
    assert_eq!(server.post(&roles, user).await.status, 201);
    let ids = async || {
        let list = server.get(&roles).await.json;
        let ids =
            list["value"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [demo::CALLER_ID, demo::TECH_LEAD_ID]);
    server.inject("GET *=hide-service-principals");
    assert_eq!(ids().await, [demo::TECH_LEAD_ID]);
    assert_eq!(
        server.get(&format!("{roles}/{}", demo::CALLER_ID)).await.status,
        200,
        "by its id it is there"
    );
}

async fn paged() -> (Server, String) {
    let server = Server::with(Config { page_size: Some(2), ..Config::default() }).await;
    let workspace = server.client.workspace("W").await;
    for name in ["a", "b", "c", "d", "e"] {
        server.client.item(&workspace, "DataPipeline", name).await;
    }
    (server, format!("{workspace}/items"))
}

/// The entries of all pages, as a client finds them that follows the tokens.
async fn walk(server: &Server, path: &str) -> Vec<String> {
    let (mut seen, mut next) = (Vec::new(), path.to_owned());
    for _ in 0..10 {
        let page = server.get(&next).await.json;
        seen.extend(names(&page));
        match page["continuationToken"].as_str() {
            Some(token) => next = format!("{path}?continuationToken={token}"),
            None => return seen,
        }
    }
    panic!("no end: {seen:?}")
}

#[tokio::test]
async fn entries_come_twice_across_pages() {
    let (server, items) = paged().await;
    assert_eq!(walk(&server, &items).await, ["a", "b", "c", "d", "e"]);
    server.inject("GET *=overlapping-pages,times=1");
    assert_eq!(walk(&server, &items).await, ["a", "b", "b", "c", "d", "e"]);
    server.inject("GET *=overlapping-pages");
    assert_eq!(walk(&server, &items).await, ["a", "b", "b", "c", "c", "d", "d", "e"]);
    assert_eq!(server.post("/_emulator/settings", json!({"pageSize": 1})).await.status, 200);
    assert_eq!(walk(&server, &items).await.len(), 5, "pages of one entry have an end");
    assert_eq!(server.post("/_emulator/settings", json!({"pageSize": 2})).await.status, 200);
    let page = server.get(&items).await.json;
    let (token, uri) =
        (page["continuationToken"].as_str().unwrap(), page["continuationUri"].as_str().unwrap());
    assert!(uri.ends_with(&format!("?continuationToken={token}")), "{uri}");
}

#[tokio::test]
async fn the_next_page_is_on_another_host() {
    let (server, items) = paged().await;
    server.inject("GET *=foreign-continuation");
    let page = server.get(&items).await.json;
    let (token, uri) =
        (page["continuationToken"].as_str().unwrap(), page["continuationUri"].as_str().unwrap());
    assert_eq!(uri, format!("https://elsewhere.example{items}?continuationToken={token}"));
    assert_eq!(walk(&server, &items).await, ["a", "b", "c", "d", "e"], "its token is good here");
}

#[tokio::test]
async fn a_good_token_is_rejected() {
    let (server, items) = paged().await;
    server.inject("GET *=continuation-rejected,times=1");
    let page = server.get(&items).await;
    assert_eq!(page.status, 200, "the first page brings no token");
    let next = format!("{items}?continuationToken={}", page.json["continuationToken"].as_str().unwrap());
    let rejected = server.get(&next).await;
    assert_eq!((rejected.status, rejected.code()), (400, "InvalidContinuationToken"));
    assert_eq!(server.get(&next).await.status, 200);
}

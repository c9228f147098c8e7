//! What becomes of a request whose answer lies: all, a part, later, twice.

use std::io;
use std::time::Duration;

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::raw::{Server, new_item, new_workspace};
use crate::support::definition;

#[tokio::test]
async fn errors_after_the_effect() {
    let server = Server::start().await;
    let cases =
        [("429", "RequestBlocked"), ("500", "UnknownError"), ("404,code=EntityNotFound", "EntityNotFound")];
    for (number, (fault, code)) in cases.into_iter().enumerate() {
        server.inject(&format!("POST */workspaces=effect+{fault},times=1"));
        let answer = server.post("/v1/workspaces", new_workspace(&format!("W{number}"))).await;
        assert_eq!(answer.code(), code, "{answer:?}");
        assert_eq!(server.workspaces().await, number + 1, "{fault}");
    }
}

/// As seen in the field: a service principal is told that it may not, and is connected all the same (tf-fabric#693).
#[tokio::test]
async fn a_connection_to_git_behind_a_refusal() {
    let server = Server::start().await;
    let seed = json!({"connections": [{"id": demo::TENANT_ID, "displayName": "c", "type": "GitHubSourceControl", "path": "https://github.com/o/r"}]});
    server.client.emulator.seed(&seed).unwrap();
    let workspace = server.client.workspace("W").await;
    let body = json!({
        "gitProviderDetails": {"gitProviderType": "GitHub", "ownerName": "o", "repositoryName": "r", "branchName": "main", "directoryName": "/"},
        "myGitCredentials": {"source": "ConfiguredConnection", "connectionId": demo::TENANT_ID},
    });
    server.inject("POST */git/connect=effect+400,code=PrincipalTypeNotSupported");
    let answer = server.post(&format!("{workspace}/git/connect"), body).await;
    assert_eq!((answer.status, answer.code()), (400, "PrincipalTypeNotSupported"));
    let connection = server.get(&format!("{workspace}/git/connection")).await;
    assert_eq!(connection.json["gitConnectionState"], "Connected");
}

#[tokio::test]
async fn a_part_of_the_effect() {
    let server = Server::start().await;
    server.inject("POST *=partial+500");
    let refused = server.post("/v1/workspaces", new_workspace("W")).await;
    assert_eq!((refused.status, refused.code()), (500, "UnknownError"));
    let listed = server.get("/v1/workspaces").await;
    let workspace = &listed.json["value"][0];
    assert_eq!((&workspace["displayName"], workspace.get("capacityId")), (&json!("W"), None));
    let workspace = format!("/v1/workspaces/{}", workspace["id"].as_str().unwrap());
    // What has no parts is not hit.
    let folder = server.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await;
    assert_eq!(folder.status, 201);
    let assigned =
        server.post(&format!("{workspace}/assignToCapacity"), json!({"capacityId": demo::CAPACITY_ID})).await;
    assert_eq!(assigned.status, 202);

    let items = format!("{workspace}/items");
    let mut lost = new_item("DataPipeline", "p");
    lost["definition"] = definition("pipeline-content.json", "e30=");
    lost["folderId"] = folder.json["id"].clone();
    assert_eq!(server.post(&items, lost).await.status, 500);
    let item = server.get(&items).await.json["value"][0].clone();
    assert_eq!((&item["displayName"], &item["folderId"]), (&json!("p"), &folder.json["id"]));
    let inventory = server.client.emulator.inventory().world;
    let parts = &inventory["workspaces"][0]["items"][0]["definition"]["parts"];
    assert_ne!(parts["pipeline-content.json"], Value::Null, "the definition that such an item has by itself");

    let two = json!({"definition": {"parts": [
        {"path": "pipeline-content.json", "payload": "e30=", "payloadType": "InlineBase64"},
        {"path": "more.json", "payload": "e30=", "payloadType": "InlineBase64"},
    ]}});
    let path = format!("{items}/{}/updateDefinition", item["id"].as_str().unwrap());
    assert_eq!(server.post(&path, two).await.status, 500);
    let inventory = server.client.emulator.inventory().world;
    let parts = inventory["workspaces"][0]["items"][0]["definition"]["parts"].as_object().unwrap();
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["pipeline-content.json"]);
}

#[tokio::test]
async fn the_effect_lands_late() {
    let server = Server::start().await;
    let emulator = server.client.emulator.clone();
    emulator.freeze();
    for (number, answer) in ["reset", "504", "garbage", "silence"].into_iter().enumerate() {
        server.inject(&format!("POST */workspaces=late:30s+{answer},times=1"));
        let body = new_workspace(&format!("W{number}"));
        match answer {
            "silence" => {
                let mut stream = TcpStream::connect(&server.address).await.unwrap();
                emulator.clear_requests();
                let request = server.request("POST", "/v1/workspaces", &[], &body);
                stream.write_all(request.as_bytes()).await.unwrap();
                while emulator.requests().is_empty() {
                    tokio::task::yield_now().await;
                }
                // The client gives up.
                drop(stream);
            }
            _ => {
                let (bytes, end) = server.exchange("POST", "/v1/workspaces", &[], &body).await;
                match answer {
                    "reset" => assert_eq!(end.unwrap_err().kind(), io::ErrorKind::ConnectionReset),
                    "504" => assert!(bytes.starts_with(b"HTTP/1.1 504 ")),
                    _ => assert!(bytes.starts_with(b"Retry-After")),
                }
            }
        }
        emulator.advance(Duration::from_millis(29_999));
        assert_eq!(server.workspaces().await, number, "late:30s+{answer}");
        emulator.advance(Duration::from_millis(1));
        assert_eq!(server.workspaces().await, number + 1, "late:30s+{answer}");
    }
}

#[tokio::test]
async fn what_lands_late_obeys_the_rules_of_that_time() {
    let server = Server::start().await;
    let emulator = &server.client.emulator;
    emulator.freeze();
    let workspace = server.client.workspace("W").await;
    let items = format!("{workspace}/items");
    // An operation of the late request takes its own time from there on.
    emulator.inject("POST */items=late:30s+504,times=2".parse().unwrap());
    assert_eq!(server.post(&items, new_item("Notebook", "n")).await.status, 504);
    assert_eq!(server.post(&items, new_item("Lakehouse", "l")).await.status, 504);
    // In the meantime somebody else takes one of the names.
    server.client.item(&workspace, "Lakehouse", "l").await;
    emulator.advance(Duration::from_secs(30));
    assert_eq!(server.names(&items).await, ["l", "l", "n"], "a lakehouse, its SQL endpoint and the notebook");
    // One without a good token never lands.
    server.inject("POST */workspaces=late:1s+504");
    let stranger = [("Authorization", "Bearer nobody")];
    let request = server.request("POST", "/v1/workspaces", &[], &new_workspace("X"));
    let request = request.replace(&format!("Bearer {}", server.client.token), stranger[0].1);
    let mut stream = TcpStream::connect(&server.address).await.unwrap();
    emulator.clear_requests();
    stream.write_all(request.as_bytes()).await.unwrap();
    while emulator.requests().iter().all(|request| request.status.is_none()) {
        tokio::task::yield_now().await;
    }
    emulator.advance(Duration::from_secs(1));
    assert_eq!(server.workspaces().await, 1);
}

#[tokio::test]
async fn what_lands_late_is_dated_then() {
    let config = Config { name_reservation: Duration::from_secs(60), ..Config::default() };
    let server = Server::with(config).await;
    let emulator = &server.client.emulator;
    emulator.freeze();
    let workspace = server.client.workspace("W").await;
    let items = format!("{workspace}/items");
    let item = server.client.item(&workspace, "DataPipeline", "p").await;
    server.inject("DELETE *=late:30s+504");
    assert_eq!(server.send("DELETE", &item, Value::Null).await.status, 504);
    // Nobody looks before the eightieth second: the name is reserved from the thirtieth to the ninetieth.
    emulator.advance(Duration::from_secs(80));
    let reserved = server.post(&items, new_item("DataPipeline", "p")).await;
    assert_eq!(reserved.code(), "ItemDisplayNameNotAvailableYet");
    emulator.advance(Duration::from_secs(10));
    assert_eq!(server.post(&items, new_item("DataPipeline", "p")).await.status, 201);
}

#[tokio::test]
async fn a_request_is_delivered_twice() {
    let server = Server::start().await;
    server.inject("* *=twice");
    let made = server.post("/v1/workspaces", new_workspace("W")).await;
    assert_eq!((made.status, made.code()), (409, "WorkspaceNameAlreadyExists"), "the second answer");
    assert_eq!(server.workspaces().await, 1);
    assert_eq!(server.hits(), ["twice"], "a read is not hit");
}

//! What takes time in the world: children that come later, capacities that are being assigned, quotas.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, Quotas, demo};
use serde_json::{Value, json};

use crate::support::{Client, check};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_child_comes_some_time_after_its_parent() {
    let client = Client::demo(Config { child_delay: seconds(18), ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let lakehouse = client.item(&workspace, "Lakehouse", "bronze").await;
    let gone = client.item(&workspace, "Lakehouse", "gone").await;
    let names = async || {
        let listed = client.get(&format!("{workspace}/items")).await;
        let items = listed.json["value"].as_array().unwrap().iter();
        items
            .map(|item| {
                format!("{}.{}", item["displayName"].as_str().unwrap(), item["type"].as_str().unwrap())
            })
            .collect::<Vec<_>>()
    };
    client.send("DELETE", &gone, Value::Null).await;
    client.send("PATCH", &lakehouse, json!({"displayName": "silver"})).await;
    client.emulator.advance(seconds(17));
    assert_eq!(names().await, ["silver.Lakehouse"]);
    client.emulator.advance(seconds(1));
    assert_eq!(names().await, ["silver.Lakehouse", "silver.SQLEndpoint"]);
    let typed = client.get(&lakehouse.replace("/items/", "/lakehouses/")).await;
    let endpoint = &typed.json["properties"]["sqlEndpointProperties"];
    assert_eq!(endpoint["provisioningStatus"], "Success");
    let listed = client.get(&format!("{workspace}/sqlEndpoints")).await;
    assert_eq!(listed.json["value"][0]["id"], endpoint["id"]);
}

#[tokio::test]
async fn nothing_is_made_while_a_capacity_is_being_assigned() {
    let client = Client::demo(Config { capacity_assignment: seconds(30), ..Config::default() }).await;
    let workspace =
        format!("/v1/workspaces/{}", client.post("/v1/workspaces", json!({"displayName": "W"})).await.id());
    let body = json!({"capacityId": demo::CAPACITY_ID});
    client.post(&format!("{workspace}/assignToCapacity"), body).await;
    let progress = async || client.get(&workspace).await.json["capacityAssignmentProgress"].clone();
    assert_eq!(progress().await, "InProgress");
    let new = || json!({"type": "Lakehouse", "displayName": "l"});
    let items = || format!("{workspace}/items");
    check(&client, vec![("POST", items(), new(), 400, "WorkspaceMigrationOperationInProgress")]).await;
    client.emulator.advance(seconds(30));
    assert_eq!(progress().await, "Completed");
    check(&client, vec![("POST", items(), new(), 201, "")]).await;
}

#[tokio::test]
async fn each_identity_has_its_quotas() {
    let quotas = Quotas { platform: Some(3), operations: Some(1), ..Quotas::default() };
    let client = Client::demo(Config { quotas, ..Config::default() }).await;
    client.emulator.freeze();
    for _ in 0..3 {
        assert_eq!(client.get("/v1/workspaces").await.status, 200);
    }
    client.emulator.advance(seconds(13));
    let refused = client.get("/v1/workspaces").await;
    assert_eq!(
        (refused.status, refused.code(), refused.header("retry-after")),
        (429, "RequestBlocked", Some("47"))
    );
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message", "isRetriable"]);
    // Operations have a quota of their own.
    let operation = "/v1/operations/00000000-0000-4000-8000-000000000000";
    assert_eq!([client.get(operation).await.status, client.get(operation).await.status], [404, 429]);
    client.emulator.advance(seconds(47));
    assert_eq!(client.get("/v1/workspaces").await.status, 200);
}

#[tokio::test]
async fn a_workspace_holds_so_many_items_deleted_ones_included() {
    let client = Client::demo(Config { max_items: 2, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let first = client.item(&workspace, "Notebook", "a").await;
    client.item(&workspace, "Notebook", "b").await;
    let new = || json!({"type": "Notebook", "displayName": "c"});
    let items = || format!("{workspace}/items");
    check(
        &client,
        vec![
            ("POST", items(), new(), 400, "WorkspaceItemsLimitExceeded"),
            ("DELETE", first.clone(), Value::Null, 200, ""),
            ("POST", items(), new(), 400, "WorkspaceItemsLimitExceeded"),
        ],
    )
    .await;
}

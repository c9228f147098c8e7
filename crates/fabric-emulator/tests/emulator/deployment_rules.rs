//! What a deployment needs: stages, workspaces, items, roles, room.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::deployments::Sales;
use crate::pipelines::{ALL, OTHER, assign, id_in, other};
use crate::support::{NOBODY, check};

const NO_WORKSPACE: &str = "DeploymentPipelineStageHasNoAssignedWorkspace";
const INVALID: &str = "InvalidDeploymentOperationRequest";

#[tokio::test]
async fn a_stage_without_a_workspace_gets_one() {
    let sales = Sales::new(Config::default()).await;
    let client = &sales.client;
    sales.deployed(sales.order(0, 1)).await;
    let new = |details: Value| {
        let mut order = sales.order(1, 2);
        order["createdWorkspaceDetails"] = details;
        order
    };
    let post = |body: Value, status, code| ("POST", sales.deploy(), body, status, code);
    check(
        client,
        vec![
            post(sales.order(1, 2), 400, NO_WORKSPACE),
            post(new(json!({"name": "dev"})), 409, "WorkspaceNameAlreadyExists"),
            post(new(json!({"name": ""})), 400, "InvalidInput"),
            post(new(json!({"name": "Prod", "capacityId": NOBODY})), 404, "CapacityNotFound"),
            post(
                new(json!({"name": "Prod", "capacityId": demo::PAUSED_CAPACITY_ID})),
                400,
                "CapacityNotInActiveState",
            ),
        ],
    )
    .await;
    sales.deployed(new(json!({"name": "Prod"}))).await;
    let stage = client.get(&sales.stages[2]).await.json;
    assert_eq!(stage["workspaceName"], "Prod");
    let made = format!("/v1/workspaces/{}", stage["workspaceId"].as_str().unwrap());
    assert_eq!(client.get(&made).await.json["capacityId"], demo::CAPACITY_ID, "the source's capacity");
    assert_eq!(sales.held(&made).await, sales.held(&sales.test).await);
}

#[tokio::test]
async fn refusals() {
    let sales = Sales::new(Config::default()).await;
    let client = &sales.client;
    let bronze = sales.item(&sales.dev, "bronze", "Lakehouse").await["id"].clone();
    let endpoint = sales.item(&sales.dev, "bronze", "SQLEndpoint").await["id"].clone();
    let with = |key: &str, value: Value| {
        let mut order = sales.order(0, 1);
        order[key] = value;
        order
    };
    let item = |id: &Value, kind: &str| json!({"sourceItemId": id, "itemType": kind});
    let many: Vec<Value> = (0..301).map(|_| item(&json!(NOBODY), "Notebook")).collect();
    let post = |body: Value, status, code| ("POST", sales.deploy(), body, status, code);
    check(
        client,
        vec![
            post(json!({"targetStageId": id_in(&sales.stages[1])}), 400, "InvalidInput"),
            post(
                json!({"sourceStageId": NOBODY, "targetStageId": id_in(&sales.stages[1])}),
                404,
                "EntityNotFound",
            ),
            post(sales.order(0, 0), 400, INVALID),
            post(sales.order(0, 2), 400, INVALID),
            post(sales.order(2, 1), 400, NO_WORKSPACE),
            post(sales.order(1, 0), 400, INVALID),
            post(sales.order(1, 2), 400, NO_WORKSPACE),
            post(with("note", json!("x".repeat(1025))), 400, "InvalidInput"),
            post(with("items", json!([])), 400, "NoItemsToDeploy"),
            post(with("items", json!([item(&bronze, "Spoon")])), 400, "InvalidItemType"),
            post(with("items", json!([item(&bronze, "Notebook")])), 404, "ItemNotFound"),
            post(with("items", json!([item(&json!(NOBODY), "Notebook")])), 404, "ItemNotFound"),
            post(with("items", json!([item(&endpoint, "SQLEndpoint")])), 400, "UnsupportedItemType"),
            post(
                with("items", json!([item(&bronze, "Lakehouse"), item(&bronze, "Lakehouse")])),
                400,
                "DuplicateSourceObjectIds",
            ),
            post(with("items", json!(many)), 400, "NumberOfItemsInDeployRequestExceededLimit"),
            ("POST", format!("{ALL}/{NOBODY}/deploy"), sales.order(0, 1), 404, "EntityNotFound"),
        ],
    )
    .await;
    assert_eq!(client.get(&format!("{}/operations", sales.pipeline)).await.json["value"], json!([]));

    // What belongs to users only is not for a service principal to deploy.
    client.item(&sales.dev, "UserDataFunction", "f").await;
    check(client, vec![post(sales.order(0, 1), 400, "PrincipalTypeNotSupported")]).await;
    let function = sales.item(&sales.dev, "f", "UserDataFunction").await["id"].clone();
    client.send("DELETE", &format!("{}/items/{}", sales.dev, function.as_str().unwrap()), Value::Null).await;

    // An Admin of the pipeline needs to write in both workspaces.
    let other = other(client).await;
    let role = |role: &str| json!({"principal": {"id": OTHER, "type": "ServicePrincipal"}, "role": role});
    client.post(&format!("{}/roleAssignments", sales.pipeline), role("Admin")).await;
    client.post(&format!("{}/roleAssignments", sales.dev), role("Contributor")).await;
    check(&other, vec![post(sales.order(0, 1), 404, "WorkspaceNotFound")]).await;
    client.post(&format!("{}/roleAssignments", sales.test), role("Viewer")).await;
    check(&other, vec![post(sales.order(0, 1), 403, "InsufficientPrivileges")]).await;

    client.post(&format!("{}/unassignFromCapacity", sales.test), Value::Null).await;
    check(client, vec![post(sales.order(0, 1), 400, "WorkspaceHasNoCapacityAssigned")]).await;
}

#[tokio::test]
async fn regions_limits_and_reserved_names() {
    let config = Config {
        max_items: 5,
        name_reservation: Duration::from_secs(60),
        item_recovery: false,
        ..Config::default()
    };
    let sales = Sales::new(config).await;
    let client = &sales.client;
    let north = "99999999-0000-4000-8000-000000000004";
    let seed = json!({"capacities": [
        {"id": north, "displayName": "North", "sku": "F2", "region": "North Europe", "state": "Active"}]});
    client.emulator.seed(&seed).unwrap();
    client.post(&format!("{}/assignToCapacity", sales.test), json!({"capacityId": north})).await;
    let mut across = sales.order(0, 1);
    let post = |body: Value, status, code| ("POST", sales.deploy(), body, status, code);
    check(client, vec![post(across.clone(), 400, INVALID)]).await;
    across["options"] = json!({"allowCrossRegionDeployment": true});

    let held = client.item(&sales.test, "DataPipeline", "one").await;
    client.item(&sales.test, "DataPipeline", "two").await;
    client.item(&sales.test, "DataPipeline", "three").await;
    check(client, vec![post(across.clone(), 400, "WorkspaceItemsLimitExceeded")]).await;
    client.send("DELETE", &held, Value::Null).await;
    let lately = client.item(&sales.test, "Notebook", "load").await;
    client.send("DELETE", &lately, Value::Null).await;
    check(client, vec![post(across.clone(), 409, "ItemDisplayNameNotAvailableYet")]).await;
    client.emulator.advance(Duration::from_secs(60));
    let done = sales.deployed(across).await;
    assert_eq!(done["preDeploymentDiffInformation"]["newItemsCount"], 3);
}

#[tokio::test]
async fn backwards_into_an_empty_stage_only() {
    let sales = Sales::new(Config::default()).await;
    let client = &sales.client;
    let prod = client.workspace("Prod").await;
    assign(client, &sales.stages[2], &prod).await;
    client.item(&prod, "DataPipeline", "p").await;
    let back = sales.deployed(sales.order(2, 1)).await;
    assert_eq!(back["preDeploymentDiffInformation"]["newItemsCount"], 1);
    check(client, vec![("POST", sales.deploy(), sales.order(2, 1), 400, INVALID)]).await;
}

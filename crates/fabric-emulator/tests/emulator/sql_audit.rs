//! Audit settings of warehouses, SQL endpoints and SQL databases, and the collections that only show.

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, NOBODY, check};

const DEFAULT_GROUPS: [&str; 3] = [
    "BATCH_COMPLETED_GROUP",
    "FAILED_DATABASE_AUTHENTICATION_GROUP",
    "SUCCESSFUL_DATABASE_AUTHENTICATION_GROUP",
];

async fn client() -> (Client, String) {
    let client = Client::demo(Config { long_running: LongRunning::Never, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    (client, workspace)
}

async fn first(client: &Client, list: &str) -> String {
    let listed = client.get(list).await;
    format!("{list}/{}", listed.json["value"][0]["id"].as_str().unwrap_or_else(|| panic!("{listed:?}")))
}

#[tokio::test]
async fn of_warehouses_and_endpoints() {
    let (client, workspace) = client().await;
    client.item(&workspace, "Warehouse", "w").await;
    client.item(&workspace, "Lakehouse", "l").await;
    for collection in ["warehouses", "sqlEndpoints"] {
        let one = first(&client, &format!("{workspace}/{collection}")).await;
        let settings = format!("{one}/settings/sqlAudit");
        let groups = || format!("{settings}/setAuditActionsAndGroups");
        let before = client.hash();
        let unset = json!({"state": "Disabled", "retentionDays": 0, "auditActionsAndGroups": DEFAULT_GROUPS});
        assert_eq!(client.get(&settings).await.text, unset.to_string());
        check(
            &client,
            vec![
                ("PATCH", settings.clone(), json!({"state": "Sometimes"}), 400, "InvalidInput"),
                ("PATCH", settings.clone(), json!({"retentionDays": -1}), 400, "InvalidInput"),
                ("POST", groups(), json!({"groups": []}), 400, "InvalidInput"),
                ("POST", groups(), json!(["BATCH_COMPLETED_GROUP"]), 200, ""),
                ("PATCH", settings.clone(), json!({"state": "Enabled", "retentionDays": 10}), 200, ""),
            ],
        )
        .await;
        assert_ne!(client.hash(), before);
        let set = json!({"state": "Enabled", "retentionDays": 10, "auditActionsAndGroups": ["BATCH_COMPLETED_GROUP"]});
        // Only SQL databases take groups and a predicate here.
        let more = json!({"auditActionsAndGroups": [], "predicateExpression": "1 = 1"});
        assert_eq!(client.send("PATCH", &settings, more).await.text, set.to_string());
    }
}

#[tokio::test]
async fn of_databases() {
    let (client, workspace) = client().await;
    let id = client.item(&workspace, "SQLDatabase", "d").await.rsplit('/').next().unwrap().to_owned();
    let settings = format!("{workspace}/sqlDatabases/{id}/settings/sqlAudit");
    let change = json!({"state": "Enabled", "predicateExpression": "1 = 1", "auditActionsAndGroups": ["A"]});
    let changed = client.send("PATCH", &settings, change).await;
    let workspace_id = workspace.rsplit('/').next().unwrap();
    let expected = json!({"state": "Enabled", "retentionDays": 0, "auditActionsAndGroups": ["A"],
        "storageEndpoint": format!("https://onelake.blob.fabric.microsoft.com/{workspace_id}/{id}/Audit/"),
        "predicateExpression": "1 = 1"});
    assert_eq!((changed.status, changed.text), (200, expected.to_string()));
    let groups = format!("{settings}/setAuditActionsAndGroups");
    check(&client, vec![("POST", groups, json!([]), 404, "EndpointNotFound")]).await;
}

#[tokio::test]
async fn of_what_is_there_by_who_may() {
    let (client, workspace) = client().await;
    client.item(&workspace, "Warehouse", "w").await;
    let settings = first(&client, &format!("{workspace}/warehouses")).await + "/settings/sqlAudit";
    let of = |collection: &str, id: &str| format!("{workspace}/{collection}/{id}/settings/sqlAudit");
    let id = settings.split('/').nth(5).unwrap();
    check(
        &client,
        vec![
            ("GET", of("warehouses", NOBODY), Value::Null, 404, "ItemNotFound"),
            ("GET", of("sqlDatabases", id), Value::Null, 404, "ItemNotFound"),
            ("POST", of("warehouses", NOBODY) + "/setAuditActionsAndGroups", json!({}), 404, "ItemNotFound"),
        ],
    )
    .await;
    let (other, app) = ("99999999-0000-4000-8000-000000000001", "99999999-0000-4000-8000-000000000002");
    let seed = json!({"servicePrincipals": [{"id": other, "displayName": "O", "appId": app, "secret": "s"}]});
    client.emulator.seed(&seed).unwrap();
    let role = json!({"principal": {"id": other, "type": "ServicePrincipal"}, "role": "Member"});
    assert_eq!(client.post(&format!("{workspace}/roleAssignments"), role).await.status, 201);
    let member = Client::with(client.emulator.clone(), app, "s", FABRIC).await;
    let enable = || json!({"state": "Enabled"});
    check(
        &member,
        vec![
            ("GET", settings.clone(), Value::Null, 200, ""),
            ("PATCH", settings.clone(), enable(), 403, "InsufficientPrivileges"),
        ],
    )
    .await;
    check(&client, vec![("PATCH", settings, enable(), 200, "")]).await;
}

#[tokio::test]
async fn collections_that_only_show() {
    let (client, workspace) = client().await;
    client.item(&workspace, "Lakehouse", "l").await;
    let endpoint = first(&client, &format!("{workspace}/sqlEndpoints")).await;
    let read = client.get(&endpoint).await;
    assert_eq!(read.keys(), ["id", "type", "displayName", "description", "workspaceId"]);
    assert_eq!((&read.json["type"], &read.json["displayName"]), (&json!("SQLEndpoint"), &json!("l")));
    let mut cases = vec![("PATCH", endpoint, json!({"description": "d"}), 404, "EndpointNotFound")];
    for collection in ["dashboards", "datamarts", "mirroredWarehouses"] {
        let all = || format!("{workspace}/{collection}");
        assert_eq!(client.get(&all()).await.text, r#"{"value":[]}"#, "{collection}");
        cases.push(("POST", all(), json!({"displayName": "d"}), 404, "EndpointNotFound"));
    }
    check(&client, cases).await;
    let other = format!("/v1/workspaces/{}/dashboards", demo::CAPACITY_ID);
    assert_eq!(client.get(&other).await.code(), "WorkspaceNotFound");
}

//! Deployment pipelines: their life, their stages, and who may use them.

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, NOBODY, check};

pub(crate) const ALL: &str = "/v1/deploymentPipelines";
pub(crate) const OTHER: &str = "99999999-0000-4000-8000-000000000001";

/// A second application, which may create workspaces.
pub(crate) async fn other(owner: &Client) -> Client {
    let seed = json!({"servicePrincipals": [
        {"id": OTHER, "displayName": "Other", "appId": OTHER, "secret": "s", "mayCreateWorkspaces": true}]});
    owner.emulator.seed(&seed).unwrap();
    Client::with(owner.emulator.clone(), OTHER, "s", FABRIC).await
}

fn three_stages() -> Value {
    json!({"displayName": "Sales", "description": "d", "stages": [
        {"displayName": "Development", "description": "first", "isPublic": false},
        {"displayName": "Test"},
        {"displayName": "Production", "description": "last", "isPublic": true}]})
}

/// A pipeline of three stages: its path, and the paths of the stages.
pub(crate) async fn pipeline(client: &Client) -> (String, Vec<String>) {
    let made = client.post(ALL, three_stages()).await;
    assert_eq!(made.status, 201, "{made:?}");
    let path = format!("{ALL}/{}", made.id());
    let ids = made.json["stages"].as_array().unwrap().iter().map(|stage| stage["id"].as_str().unwrap());
    let stages = ids.map(|id| format!("{path}/stages/{id}")).collect();
    (path, stages)
}

pub(crate) fn id_in(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

pub(crate) async fn assign(client: &Client, stage: &str, workspace: &str) {
    let body = json!({"workspaceId": id_in(workspace)});
    let assigned = client.post(&format!("{stage}/assignWorkspace"), body).await;
    assert_eq!((assigned.status, assigned.text.as_str()), (200, ""), "{assigned:?}");
}

#[tokio::test]
async fn as_documented() {
    let client = Client::demo(Config::default()).await;
    let before = client.hash();
    let made = client.post(ALL, three_stages()).await;
    assert_eq!((made.status, made.keys()), (201, vec!["id", "displayName", "description", "stages"]));
    let stages = &made.json["stages"];
    let stage = json!({"id": stages[2]["id"], "order": 2, "displayName": "Production", "description": "last",
        "isPublic": true});
    assert_eq!(stages[2].to_string(), stage.to_string());
    assert_eq!((&stages[1]["description"], &stages[1]["isPublic"]), (&json!(""), &json!(false)));
    let one = format!("{ALL}/{}", made.id());
    let summary = json!({"id": made.id(), "displayName": "Sales", "description": "d"});
    assert_eq!(client.get(ALL).await.text, json!({"value": [summary]}).to_string());
    assert_eq!(client.get(&one).await.text, made.text);
    let changed = client.send("PATCH", &one, json!({"description": "e"})).await;
    assert_eq!(
        (changed.status, changed.keys(), &changed.json["displayName"]),
        (200, made.keys(), &json!("Sales"))
    );

    let workspace = client.workspace("Dev").await;
    let first = format!("{one}/stages/{}", stages[0]["id"].as_str().unwrap());
    assign(&client, &first, &workspace).await;
    let shown = json!({"id": stages[0]["id"], "order": 0, "displayName": "Development", "description": "first",
        "workspaceId": id_in(&workspace), "workspaceName": "Dev", "isPublic": false});
    assert_eq!(client.get(&first).await.text, shown.to_string());
    assert_eq!(client.get(&format!("{one}/stages")).await.json["value"][0], shown);
    let body = json!({"displayName": "D", "isPublic": true});
    let renamed = client.send("PATCH", &first, body).await;
    assert_eq!((renamed.status, &renamed.json["displayName"]), (200, &json!("D")));
    assert_eq!((&renamed.json["description"], &renamed.json["isPublic"]), (&json!("first"), &json!(true)));

    assert_eq!(client.post(&format!("{first}/unassignWorkspace"), Value::Null).await.status, 200);
    assert!(client.get(&first).await.json.get("workspaceId").is_none());
    client.send("DELETE", &workspace, Value::Null).await;
    let deleted = client.send("DELETE", &one, Value::Null).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (200, ""));
    assert_eq!(client.hash(), before);
}

#[tokio::test]
async fn refusals() {
    let client = Client::demo(Config::default()).await;
    let (one, stages) = pipeline(&client).await;
    let stage = |name: &str| json!({"displayName": name});
    let with = |stages: Vec<Value>| json!({"displayName": "p", "stages": stages});
    let (all, own) = (|| ALL.to_owned(), || one.clone());
    let long = "x".repeat(1025);
    check(
        &client,
        vec![
            ("POST", all(), with(vec![stage("one")]), 400, "InvalidInput"),
            ("POST", all(), with((0..11).map(|n| stage(&n.to_string())).collect()), 400, "InvalidInput"),
            ("POST", all(), with(vec![stage("one"), stage("")]), 400, "InvalidInput"),
            ("POST", all(), with(vec![stage("one"), stage(&"x".repeat(257))]), 400, "InvalidInput"),
            ("POST", all(), json!({"stages": [stage("one"), stage("two")]}), 400, "InvalidInput"),
            ("POST", all(), with((0..10).map(|n| stage(&n.to_string())).collect()), 201, ""),
            ("PATCH", own(), json!({}), 400, "InvalidInput"),
            ("PATCH", own(), json!({"displayName": ""}), 400, "InvalidInput"),
            ("PATCH", own(), json!({"description": long}), 400, "InvalidInput"),
            ("PATCH", stages[0].clone(), json!({"description": "d"}), 400, "InvalidInput"),
            ("GET", format!("{ALL}/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
            ("DELETE", format!("{ALL}/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
            ("GET", format!("{one}/stages/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
            ("PATCH", format!("{one}/stages/{NOBODY}"), stage("x"), 404, "EntityNotFound"),
            ("GET", format!("{one}/operations/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
            (
                "GET",
                format!("{}/items", stages[0]),
                Value::Null,
                400,
                "DeploymentPipelineStageHasNoAssignedWorkspace",
            ),
        ],
    )
    .await;
    let application = "99999999-0000-4000-8000-000000000002";
    let unpermitted =
        json!({"servicePrincipals": [{"displayName": "No", "appId": application, "secret": "s"}]});
    client.emulator.seed(&unpermitted).unwrap();
    let unpermitted = Client::with(client.emulator.clone(), application, "s", FABRIC).await;
    check(&unpermitted, vec![("POST", all(), three_stages(), 403, "InsufficientPrivileges")]).await;
}

#[tokio::test]
async fn one_workspace_to_a_stage_and_one_stage_to_a_workspace() {
    let client = Client::demo(Config::default()).await;
    let (one, stages) = pipeline(&client).await;
    let (_, elsewhere) = pipeline(&client).await;
    let (dev, test) = (client.workspace("Dev").await, client.workspace("Test").await);
    let body = |workspace: &str| json!({"workspaceId": id_in(workspace)});
    let (assign, unassign) = (
        |at: usize| format!("{}/assignWorkspace", stages[at]),
        |at: usize| format!("{}/unassignWorkspace", stages[at]),
    );
    let none = "DeploymentPipelineStageHasNoAssignedWorkspace";
    check(
        &client,
        vec![
            ("POST", assign(0), json!({}), 400, "InvalidInput"),
            ("POST", assign(0), body(NOBODY), 404, "WorkspaceNotFound"),
            ("POST", unassign(0), Value::Null, 400, none),
            ("POST", assign(0), body(&dev), 200, ""),
            ("POST", assign(0), body(&test), 400, "BadRequest"),
            ("POST", assign(1), body(&dev), 400, "BadRequest"),
            ("POST", format!("{}/assignWorkspace", elsewhere[2]), body(&dev), 400, "BadRequest"),
            ("POST", unassign(0), Value::Null, 200, ""),
            ("POST", format!("{}/assignWorkspace", elsewhere[2]), body(&dev), 200, ""),
            ("POST", assign(1), body(&test), 200, ""),
        ],
    )
    .await;

    // An Admin of the pipeline needs to be one of the workspace, too.
    let other = other(&client).await;
    assert_eq!(other.get(&one).await.code(), "EntityNotFound");
    assert_eq!(other.get(ALL).await.json["value"], json!([]));
    let role = json!({"principal": {"id": OTHER, "type": "ServicePrincipal"}, "role": "Admin"});
    client.post(&format!("{one}/roleAssignments"), role.clone()).await;
    let seen = other.get(&stages[1]).await.json;
    assert_eq!((&seen["workspaceId"], seen.get("workspaceName")), (&json!(id_in(&test)), None));
    let third = client.workspace("Third").await;
    check(&other, vec![("POST", assign(0), body(&third), 404, "WorkspaceNotFound")]).await;
    let mut member = role.clone();
    member["role"] = "Member".into();
    client.post(&format!("{third}/roleAssignments"), member).await;
    check(
        &other,
        vec![
            ("POST", assign(0), body(&third), 403, "InsufficientPrivileges"),
            ("GET", format!("{}/items", stages[1]), Value::Null, 404, "WorkspaceNotFound"),
            ("POST", unassign(1), Value::Null, 200, ""),
        ],
    )
    .await;

    client.send("DELETE", &dev, Value::Null).await;
    assert!(
        client.get(&elsewhere[2]).await.json.get("workspaceId").is_none(),
        "a deleted workspace is in no stage"
    );
}

#[tokio::test]
async fn role_assignments() {
    let client = Client::demo(Config::default()).await;
    let (one, _) = pipeline(&client).await;
    let roles = || format!("{one}/roleAssignments");
    let to = |id: &str, role: &str| json!({"principal": {"id": id, "type": "User"}, "role": role});
    let added = client.post(&roles(), to(demo::DATA_ENGINEERING_ID, "Admin")).await;
    let expected = json!({"id": demo::DATA_ENGINEERING_ID,
        "principal": {"id": demo::DATA_ENGINEERING_ID, "type": "Group"}, "role": "Admin"});
    assert_eq!((added.status, added.header("location")), (200, None));
    assert_eq!(added.text, expected.to_string());
    let listed = client.get(&roles()).await.json;
    assert_eq!((listed["value"].as_array().unwrap().len(), &listed["value"][1]), (2, &expected));
    let of = |id: &str| format!("{one}/roleAssignments/{id}");
    check(
        &client,
        vec![
            ("POST", roles(), to(NOBODY, "Admin"), 400, "PrincipalNotFound"),
            ("POST", roles(), to(demo::ANALYST_ID, "Viewer"), 400, "InvalidInput"),
            ("POST", roles(), json!({"role": "Admin"}), 400, "InvalidInput"),
            ("POST", roles(), json!({"principal": {"id": demo::ANALYST_ID}}), 400, "InvalidInput"),
            ("DELETE", of(demo::ANALYST_ID), Value::Null, 404, "EntityNotFound"),
            ("POST", roles(), to(demo::DATA_ENGINEERING_ID, "admin"), 200, ""),
            ("DELETE", of(demo::DATA_ENGINEERING_ID), Value::Null, 200, ""),
            ("DELETE", of(demo::CALLER_ID), Value::Null, 400, "BadRequest"),
        ],
    )
    .await;
}

#[tokio::test]
async fn seeded() {
    let client = Client::demo(Config::default()).await;
    let (workspace, id) = ("99999999-0000-4000-8000-000000000002", "99999999-0000-4000-8000-000000000003");
    let stages = json!([{"displayName": "Dev", "workspaceId": workspace}, {"displayName": "Prod"}]);
    let seed = json!({
        "workspaces": [{"id": workspace, "displayName": "W", "capacityId": demo::CAPACITY_ID}],
        "deploymentPipelines": [{"id": id, "displayName": "P", "stages": stages}],
    });
    client.emulator.seed(&seed).unwrap();
    let got = client.get(&format!("{ALL}/{id}")).await.json;
    assert_eq!((&got["stages"][0]["workspaceName"], &got["stages"][1]["order"]), (&json!("W"), &json!(1)));
    let before = client.hash();
    for (stages, expected) in [
        (json!([{"displayName": "Dev"}]), "InvalidInput"),
        (json!([{"displayName": "Dev", "workspaceId": workspace}, {"displayName": "x"}]), "BadRequest"),
        (json!([{"displayName": "Dev", "workspaceId": NOBODY}, {"displayName": "x"}]), "WorkspaceNotFound"),
    ] {
        let seed = json!({"deploymentPipelines": [{"displayName": "Q", "stages": stages}]});
        let error = client.emulator.seed(&seed).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains(expected), "{seed}: {source}");
        assert_eq!(client.hash(), before);
    }
}

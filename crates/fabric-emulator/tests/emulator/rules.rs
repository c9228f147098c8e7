//! The rules of the world about workspaces, folders, roles and connections: what is refused, with which code.

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check};

#[tokio::test]
async fn workspaces() {
    let client = Client::demo(Config::default()).await;
    let mine = client.workspace("Mine").await;
    let all = || "/v1/workspaces".to_owned();
    let long = "x".repeat(257);
    check(
        &client,
        vec![
            ("POST", all(), json!({"displayName": "mINE"}), 409, "WorkspaceNameAlreadyExists"),
            ("POST", all(), json!({"displayName": "admin Monitoring"}), 400, "WorkspaceNameIsReserved"),
            ("POST", all(), json!({}), 400, "InvalidInput"),
            ("POST", all(), json!({"displayName": long}), 400, "InvalidInput"),
            (
                "POST",
                all(),
                json!({"displayName": "d", "description": "x".repeat(4001)}),
                400,
                "InvalidInput",
            ),
            ("POST", all(), json!({"displayName": "c", "capacityId": NOBODY}), 404, "CapacityNotFound"),
            (
                "POST",
                all(),
                json!({"displayName": "c", "capacityId": demo::PAUSED_CAPACITY_ID}),
                400,
                "CapacityNotInActiveState",
            ),
            ("POST", all(), json!({"displayName": 7}), 400, "InvalidInput"),
            ("POST", all(), json!(["List", "d", null, null]), 400, "InvalidInput"),
            ("POST", all(), json!({"displayName": "Other", "description": "x".repeat(4000)}), 201, ""),
            ("GET", format!("/v1/workspaces/{NOBODY}"), Value::Null, 404, "WorkspaceNotFound"),
            ("GET", "/v1/workspaces/mine".to_owned(), Value::Null, 400, "InvalidInput"),
            ("PATCH", mine.clone(), json!({"displayName": "Other"}), 409, "WorkspaceNameAlreadyExists"),
            ("PATCH", mine.clone(), json!({"displayName": "mine", "description": "d"}), 200, ""),
            (
                "POST",
                format!("{mine}/assignToCapacity"),
                json!({"capacityId": demo::PAUSED_CAPACITY_ID}),
                400,
                "CapacityNotInActiveState",
            ),
            ("POST", format!("{mine}/assignToCapacity"), json!({}), 400, "InvalidInput"),
            ("POST", format!("{mine}/unassignFromCapacity"), Value::Null, 202, ""),
            ("PUT", mine.clone(), json!({}), 404, "EndpointNotFound"),
            ("DELETE", mine.clone(), Value::Null, 200, ""),
            ("DELETE", mine.clone(), Value::Null, 404, "WorkspaceNotFound"),
            ("POST", all(), json!({"displayName": "Mine"}), 201, ""),
        ],
    )
    .await;
    let filtered = client.get("/v1/workspaces?roles=Member").await;
    assert_eq!(filtered.json["value"], json!([]));
    assert_eq!(client.get("/v1/workspaces?roles=Member,Owner").await.code(), "InvalidParameter");
}

#[tokio::test]
async fn folders() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let folders = || format!("{workspace}/folders");
    let top = client.post(&folders(), json!({"displayName": "top"})).await.id();
    let (mut parent, mut chain) = (top.clone(), vec![top.clone()]);
    for level in 2..=10 {
        let made = client
            .post(&folders(), json!({"displayName": level.to_string(), "parentFolderId": parent}))
            .await;
        parent = made.id();
        chain.push(parent.clone());
    }
    let second = chain[1].clone();
    let at = |id: &str| format!("{workspace}/folders/{id}");
    let mut cases = vec![
        ("POST", folders(), json!({"displayName": "TOP"}), 409, "FolderDisplayNameAlreadyInUse"),
        (
            "POST",
            folders(),
            json!({"displayName": "top", "parentFolderId": parent}),
            400,
            "FolderDepthOutOfRange",
        ),
        ("POST", folders(), json!({"displayName": "x", "parentFolderId": NOBODY}), 404, "FolderNotFound"),
        (
            "POST",
            format!("{}/move", at(&top)),
            json!({"targetFolderId": parent}),
            400,
            "InfiniteFolderHierarchyLoop",
        ),
        ("POST", format!("{}/move", at(&second)), json!({}), 200, ""),
        ("POST", format!("{}/move", at(&second)), json!({"targetFolderId": top}), 200, ""),
        ("PATCH", at(&second), json!({"displayName": "two"}), 200, ""),
        ("PATCH", at(NOBODY), json!({"displayName": "two"}), 404, "FolderNotFound"),
        ("DELETE", at(&parent), Value::Null, 200, ""),
        ("GET", at(&parent), Value::Null, 404, "FolderNotFound"),
    ];
    for name in ["", " lead", "a/b", "a.b", "a&b", "Recycled", "tab\t", &"x".repeat(256)] {
        cases.push(("POST", folders(), json!({"displayName": name}), 400, "InvalidFolderDisplayName"));
    }
    check(&client, cases).await;
    for (query, count) in [("", 9), ("?recursive=false", 1), (&format!("?rootFolderId={second}"), 7)] {
        let listed = client.get(&format!("{}{query}", folders())).await;
        assert_eq!(listed.json["value"].as_array().unwrap().len(), count, "{query}");
    }
}

#[tokio::test]
async fn role_assignments() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let roles = || format!("{workspace}/roleAssignments");
    let own = format!("{workspace}/roleAssignments/{}", demo::CALLER_ID);
    let analyst = format!("{workspace}/roleAssignments/{}", demo::ANALYST_ID);
    let to = |id: &str, role: &str| json!({"principal": {"id": id, "type": "User"}, "role": role});
    check(
        &client,
        vec![
            ("POST", roles(), to(demo::ANALYST_ID, "Owner"), 400, "InvalidWorkspacePrincipalRole"),
            ("POST", roles(), json!({"principal": {"id": demo::ANALYST_ID}}), 400, "MissingWorkspaceRole"),
            ("POST", roles(), to(demo::ANALYST_ID, "Viewer"), 201, ""),
            (
                "POST",
                roles(),
                to(demo::ANALYST_ID, "Member"),
                409,
                "PrincipalAlreadyHasWorkspaceRolePermissions",
            ),
            ("DELETE", own.clone(), Value::Null, 400, "BadRequest"),
            ("PATCH", own.clone(), json!({"role": "Viewer"}), 400, "BadRequest"),
            ("PATCH", analyst.clone(), json!({"role": "admin"}), 200, ""),
            ("PATCH", own.clone(), json!({"role": "Member"}), 200, ""),
            ("DELETE", analyst.clone(), Value::Null, 403, "InsufficientPrivileges"),
            // A Member shares what it has; it makes nobody more than itself.
            ("POST", roles(), to(demo::TECH_LEAD_ID, "Admin"), 403, "InsufficientPrivileges"),
            ("POST", roles(), to(demo::TECH_LEAD_ID, "Member"), 201, ""),
            ("GET", analyst, Value::Null, 200, ""),
            ("GET", format!("{workspace}/roleAssignments/{NOBODY}"), Value::Null, 404, "EntityNotFound"),
        ],
    )
    .await;
}

#[tokio::test]
async fn connections() {
    let client = Client::demo(Config::default()).await;
    let before = client.hash();
    let body = json!({
        "connectivityType": "ShareableCloud", "displayName": "sql",
        "connectionDetails": {"type": "SQL", "creationMethod": "SQL", "parameters": [
            {"dataType": "Text", "name": "server", "value": "s"}, {"dataType": "Text", "name": "database", "value": "d"}]},
        "privacyLevel": "None",
        "credentialDetails": {"singleSignOnType": "None", "connectionEncryption": "NotEncrypted", "skipTestConnection": false,
            "credentials": {"credentialType": "Basic", "username": "u", "password": "hush"}},
    });
    let made = client.post("/v1/connections", body.clone()).await;
    let location = format!("http://localhost:8080/v1/connections/{}", made.id());
    assert_eq!((made.status, made.header("location")), (201, Some(location.as_str())));
    assert_eq!(made.json["connectionDetails"].to_string(), r#"{"path":"s;d","type":"SQL"}"#);
    let path = format!("/v1/connections/{}", made.id());
    check(
        &client,
        vec![
            ("POST", "/v1/connections".to_owned(), body, 409, "DuplicateConnectionName"),
            ("POST", "/v1/connections".to_owned(), json!({"displayName": "x"}), 400, "InvalidInput"),
            ("GET", path.clone(), Value::Null, 200, ""),
            ("DELETE", path.clone(), Value::Null, 200, ""),
            ("GET", path, Value::Null, 404, "EntityNotFound"),
        ],
    )
    .await;
    assert_eq!(client.hash(), before);
    let logged = format!("{:?}", client.emulator.requests());
    assert!(logged.contains("[REDACTED]") && !logged.contains("hush"), "{logged}");
}

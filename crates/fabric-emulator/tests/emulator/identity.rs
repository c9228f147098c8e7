//! Workspace identities, and what an administrator does to workspaces.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, GRAPH, NOBODY, check};

#[tokio::test]
async fn g9_an_identity_comes_and_goes_by_operations() {
    let config = Config { operation_duration: Duration::from_secs(2), ..Config::default() };
    let client = Client::demo(config).await;
    client.emulator.freeze();
    let workspace = client.workspace("W").await;
    let before = client.hash();
    let accepted = client.post(&format!("{workspace}/provisionIdentity"), Value::Null).await;
    assert_eq!((accepted.status, accepted.text.as_str()), (202, "null"));
    assert_eq!((accepted.header("retry-after"), accepted.header("etag")), (Some("5"), None));
    let exposed = "RequestId,Location,Retry-After,x-ms-operation-id";
    assert_eq!(accepted.header("access-control-expose-headers"), Some(exposed));
    let id = accepted.header("x-ms-operation-id").unwrap();
    let operation = format!("/v1/operations/{id}");
    let running = client.get(&operation).await;
    assert_eq!((&running.json["status"], running.header("retry-after")), (&json!("Running"), Some("5")));
    assert_eq!(running.header("location"), accepted.header("location"));
    assert!(client.get(&workspace).await.json.get("workspaceIdentity").is_none());

    client.emulator.advance(Duration::from_secs(2));
    let done = client.get(&operation).await;
    assert!(done.header("location").unwrap().ends_with("/result") && done.header("retry-after").is_none());
    let identity = client.get(&format!("{operation}/result")).await;
    assert_eq!((identity.status, identity.keys()), (200, vec!["applicationId", "servicePrincipalId"]));
    let info = client.get(&workspace).await;
    assert_eq!(info.json["workspaceIdentity"], identity.json);
    assert_eq!(info.keys().last(), Some(&"workspaceIdentity"));
    assert_ne!(client.hash(), before);

    let graph = Client::with(client.emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, GRAPH).await;
    let principal = identity.json["servicePrincipalId"].as_str().unwrap();
    let known = graph.get(&format!("/v1.0/servicePrincipals/{principal}")).await;
    assert_eq!(
        (&known.json["displayName"], &known.json["appId"]),
        (&json!("W"), &identity.json["applicationId"])
    );

    let accepted = client.post(&format!("{workspace}/deprovisionIdentity"), Value::Null).await;
    let operation = format!("/v1/operations/{}", accepted.header("x-ms-operation-id").unwrap());
    let running = client.get(&operation).await;
    assert_eq!((&running.json["status"], running.header("retry-after")), (&json!("Running"), Some("5")));
    client.emulator.advance(Duration::from_secs(2));
    let done = client.get(&operation).await;
    assert_eq!(done.json["status"], "Succeeded");
    assert_eq!((done.header("location"), done.header("x-ms-operation-id")), (None, None));
    let result = client.get(&format!("{operation}/result")).await;
    assert_eq!((result.status, result.code()), (400, "OperationHasNoResult"));
    assert_eq!(result.keys(), ["requestId", "errorCode", "message"]);
    assert_eq!(graph.get(&format!("/v1.0/servicePrincipals/{principal}")).await.status, 404);
    assert_eq!(client.hash(), before);
}

#[tokio::test]
async fn identities_are_refused() {
    let client = Client::demo(Config { long_running: LongRunning::Never, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let (provision, deprovision) =
        (format!("{workspace}/provisionIdentity"), format!("{workspace}/deprovisionIdentity"));
    let bare = client.post("/v1/workspaces", json!({"displayName": "Bare"})).await.id();
    let at = |id: &str| format!("/v1/workspaces/{id}/provisionIdentity");
    check(
        &client,
        vec![
            ("POST", at(&bare), Value::Null, 400, "WorkspaceHasNoCapacityAssigned"),
            ("POST", at(NOBODY), Value::Null, 404, "WorkspaceNotFound"),
            ("POST", deprovision.clone(), Value::Null, 404, "EntityNotFound"),
            ("POST", provision.clone(), Value::Null, 200, ""),
            ("POST", provision.clone(), Value::Null, 409, "WorkspaceIdentityAlreadyExists"),
            ("POST", deprovision.clone(), Value::Null, 200, ""),
        ],
    )
    .await;
    let other = "99999999-0000-4000-8000-000000000001";
    let seed =
        json!({"servicePrincipals": [{"id": other, "displayName": "Other", "appId": other, "secret": "s"}]});
    client.emulator.seed(&seed).unwrap();
    let role = json!({"principal": {"id": other, "type": "ServicePrincipal"}, "role": "Member"});
    client.post(&format!("{workspace}/roleAssignments"), role).await;
    let member = Client::with(client.emulator.clone(), other, "s", FABRIC).await;
    check(&member, vec![("POST", provision, Value::Null, 403, "InsufficientPrivileges")]).await;
}

/// Ids of an identity were drawn: two worlds that differ in them only are the same.
#[tokio::test]
async fn an_identity_counts_by_its_workspace() {
    let mut hashes = Vec::new();
    for _ in 0..2 {
        let client = Client::demo(Config::default()).await;
        let (one, two) = (client.workspace("One").await, client.workspace("Two").await);
        let made = client.post(&format!("{one}/provisionIdentity"), Value::Null).await;
        let identity = client.finish(made).await.json["servicePrincipalId"].clone();
        let role = json!({"principal": {"id": identity, "type": "ServicePrincipal"}, "role": "Viewer"});
        assert_eq!(client.post(&format!("{two}/roleAssignments"), role).await.status, 201);
        hashes.push(client.hash());
        client.send("DELETE", &one, Value::Null).await;
        let roles = client.get(&format!("{two}/roleAssignments")).await;
        assert_eq!(roles.json["value"].as_array().unwrap().len(), 1, "its roles went with it");
    }
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn deleted_workspaces_are_restored() {
    let client = Client::demo(Config { page_size: Some(2), ..Config::default() }).await;
    let (one, two) = (client.workspace("One").await, client.workspace("Two").await);
    client.item(&one, "Notebook", "n").await;
    let provisioned = client.post(&format!("{one}/provisionIdentity"), Value::Null).await;
    client.finish(provisioned).await;
    client.send("DELETE", &one, Value::Null).await;
    let three = client.workspace("Three").await;
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let restore = |path: &str| format!("/v1/admin/workspaces/{}/restore", id(path));

    let first = client.get("/v1/admin/workspaces").await;
    assert_eq!(first.keys(), ["workspaces", "continuationToken", "continuationUri"]);
    let expected = json!({"id": id(&two), "name": "Two", "type": "Workspace", "state": "Active",
        "capacityId": demo::CAPACITY_ID});
    assert_eq!(first.json["workspaces"][0].to_string(), expected.to_string());
    let next = first.json["continuationUri"].as_str().unwrap();
    let deleted = client.get(next).await.json["workspaces"].clone();
    assert_eq!((&deleted[0]["name"], &deleted[0]["state"]), (&json!("One"), &json!("Deleted")));
    for (filter, names) in [
        ("state=deleted", vec!["One"]),
        ("name=Three&type=Workspace", vec!["Three"]),
        ("type=Personal", vec![]),
        (&format!("capacityId={NOBODY}"), vec![]),
    ] {
        let found = client.get(&format!("/v1/admin/workspaces?{filter}")).await;
        let found = found.json["workspaces"].as_array().unwrap();
        assert_eq!(
            found.iter().map(|it| it["name"].as_str().unwrap()).collect::<Vec<_>>(),
            names,
            "{filter}"
        );
    }

    client.send("PATCH", &three, json!({"displayName": "one"})).await;
    let admin = json!({"newWorkspaceName": "Back", "newWorkspaceAdminPrincipal": {"id": demo::ANALYST_ID, "type": "User"}});
    check(
        &client,
        vec![
            ("POST", restore(NOBODY), json!({}), 404, "WorkspaceNotFound"),
            ("POST", restore(&two), json!({}), 400, "InvalidRestoreWorkspaceRequest"),
            ("POST", restore(&one), json!({}), 409, "WorkspaceNameAlreadyExists"),
            ("POST", restore(&one), json!({"newWorkspaceName": "Two"}), 409, "WorkspaceNameAlreadyExists"),
            (
                "POST",
                restore(&one),
                json!({"newWorkspaceName": "Back", "newWorkspaceAdminPrincipal": {"id": NOBODY, "type": "User"}}),
                400,
                "PrincipalNotFound",
            ),
            ("POST", restore(&one), admin, 200, ""),
        ],
    )
    .await;
    let back = client.get(&one).await;
    assert_eq!((back.status, &back.json["displayName"]), (200, &json!("Back")));
    assert!(back.json.get("workspaceIdentity").is_none(), "an identity is gone for good");
    assert_eq!(client.get(&format!("{one}/items")).await.json["value"][0]["displayName"], "n");
    let roles = client.get(&format!("{one}/roleAssignments")).await;
    let admins: Vec<_> = roles.json["value"].as_array().unwrap().iter().map(|role| &role["id"]).collect();
    assert_eq!(admins, [&json!(demo::CALLER_ID), &json!(demo::ANALYST_ID)]);
}

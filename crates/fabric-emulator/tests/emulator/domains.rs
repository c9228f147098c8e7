//! Domains: made by an administrator or a seed, seen by all, with workspaces in them.

use selvedge_fabric_emulator::{Config, Emulator};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, NOBODY, check};

pub(crate) const ADMIN: &str = "/v1/admin/domains";
const OTHER: &str = "99999999-0000-4000-8000-000000000001";

/// A second application, which may create workspaces and is no administrator.
async fn other(owner: &Client) -> Client {
    let seed = json!({"servicePrincipals": [
        {"id": OTHER, "displayName": "Other", "appId": OTHER, "secret": "s", "mayCreateWorkspaces": true}]});
    owner.emulator.seed(&seed).unwrap();
    Client::with(owner.emulator.clone(), OTHER, "s", FABRIC).await
}

async fn domain(client: &Client, body: Value) -> String {
    let made = client.post(ADMIN, body).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.id()
}

#[tokio::test]
async fn domains_as_recorded() {
    let client = Client::demo(Config::default()).await;
    let made = client.post(ADMIN, json!({"displayName": "fabcli000001"})).await;
    assert_eq!(
        (made.status, made.keys()),
        (201, vec!["contributorsScope", "id", "displayName", "description"])
    );
    assert_eq!(made.json["contributorsScope"], "AllTenant");
    let location = format!("http://localhost:8080{ADMIN}/{}", made.id());
    assert_eq!(made.header("location"), Some(location.as_str()));
    let body = json!({"displayName": "fabcli000002", "description": "child", "parentDomainId": made.id()});
    let child = client.post(ADMIN, body).await;
    assert_eq!(child.keys(), ["contributorsScope", "id", "displayName", "description", "parentDomainId"]);
    let one = format!("{ADMIN}/{}", made.id());
    let changed = client.send("PATCH", &one, json!({"contributorsScope": "AdminsOnly"})).await;
    let mut expected = made.json.clone();
    expected["contributorsScope"] = "AdminsOnly".into();
    assert_eq!((changed.status, changed.text), (200, expected.to_string()));
    assert_eq!(client.get(&one).await.text, expected.to_string());
    let listed = client.get(ADMIN).await;
    assert_eq!(listed.text, json!({"domains": [expected, child.json]}).to_string());

    let label = json!({"defaultLabelId": NOBODY});
    let release = client.send("PATCH", &format!("{one}?preview=false"), label).await;
    assert_eq!(release.keys(), ["id", "displayName", "description", "defaultLabelId"]);
    let off = json!({"defaultLabelId": "00000000-0000-0000-0000-000000000000"});
    let release = client.send("PATCH", &format!("{one}?preview=false"), off).await;
    assert_eq!(release.keys(), ["id", "displayName", "description"]);
}

#[tokio::test]
async fn domains_are_for_administrators_to_make() {
    let client = Client::demo(Config::default()).await;
    let root = domain(&client, json!({"displayName": "Finance"})).await;
    let sub = domain(&client, json!({"displayName": "Payroll", "parentDomainId": root})).await;
    let one = |id: &str| format!("{ADMIN}/{id}");
    let all = || ADMIN.to_owned();
    check(
        &client,
        vec![
            ("POST", all(), json!({"displayName": "fINANCE"}), 409, "EntityConflict"),
            ("POST", all(), json!({}), 400, "InvalidInput"),
            ("POST", all(), json!({"displayName": "x".repeat(41)}), 400, "InvalidInput"),
            ("POST", all(), json!({"displayName": "d", "description": "x".repeat(257)}), 400, "InvalidInput"),
            ("POST", all(), json!({"displayName": "d", "parentDomainId": NOBODY}), 404, "EntityNotFound"),
            ("POST", all(), json!({"displayName": "d", "parentDomainId": sub}), 400, "InvalidInput"),
            ("PATCH", one(&root), json!({"displayName": "Payroll"}), 409, "EntityConflict"),
            ("PATCH", one(&root), json!({"contributorsScope": "Nobody"}), 400, "InvalidInput"),
            (
                "PATCH",
                one(&root),
                json!({"contributorsScope": "SpecificUsersAndGroups"}),
                400,
                "DomainSpecificUsersScopeCannotBeEmptyError",
            ),
            ("GET", one(NOBODY), Value::Null, 404, "EntityNotFound"),
            ("PATCH", one(NOBODY), json!({}), 404, "EntityNotFound"),
            ("DELETE", one(NOBODY), Value::Null, 404, "EntityNotFound"),
            ("PATCH", one(&root), json!({"displayName": "FINANCE", "description": "Money"}), 200, ""),
            ("GET", format!("/v1/domains/{NOBODY}"), Value::Null, 404, "DomainNotFound"),
        ],
    )
    .await;
    let other = other(&client).await;
    let denied = "InsufficientPrivileges";
    check(
        &other,
        vec![
            ("GET", all(), Value::Null, 403, denied),
            ("POST", all(), json!({"displayName": "Mine"}), 403, denied),
            ("GET", one(&root), Value::Null, 403, denied),
            ("PATCH", one(&root), json!({}), 403, denied),
            ("DELETE", one(&root), Value::Null, 403, denied),
            ("POST", format!("{}/unassignAllWorkspaces", one(&root)), Value::Null, 403, denied),
            ("GET", "/v1/admin/workspaces".to_owned(), Value::Null, 403, denied),
            ("POST", format!("/v1/admin/workspaces/{NOBODY}/restore"), json!({}), 403, denied),
        ],
    )
    .await;
    let seen = other.get("/v1/domains").await;
    let expected = json!({"value": [
        {"id": root, "displayName": "FINANCE", "description": "Money"},
        {"id": sub, "displayName": "Payroll", "description": "", "parentDomainId": root}]});
    assert_eq!((seen.status, seen.text), (200, expected.to_string()));
    assert_eq!(other.get(&format!("/v1/domains/{sub}")).await.json, expected["value"][1]);

    let config = Config { tenant_admin: false, ..Config::default() };
    let nobody_special = Client::of(Emulator::new(config)).await;
    assert_eq!(nobody_special.get(ADMIN).await.code(), denied);
    let boss = "99999999-0000-4000-8000-000000000002";
    let seed = json!({"servicePrincipals": [
        {"displayName": "Boss", "appId": boss, "secret": "s", "tenantAdmin": true}]});
    nobody_special.emulator.seed(&seed).unwrap();
    let boss = Client::with(nobody_special.emulator, boss, "s", FABRIC).await;
    assert_eq!(boss.get(ADMIN).await.text, r#"{"domains":[]}"#);
}

#[tokio::test]
async fn workspaces_in_domains() {
    let client = Client::demo(Config::default()).await;
    let root = domain(&client, json!({"displayName": "Finance"})).await;
    let one = format!("{ADMIN}/{root}");
    let workspace = client.workspace("Mine").await;
    let id = workspace.rsplit('/').next().unwrap().to_owned();
    let (mine, before) = (|| workspace.clone(), client.hash());
    let ids = json!({"workspacesIds": [id]});
    check(
        &client,
        vec![
            (
                "POST",
                format!("{}/assignToDomain", mine()),
                json!({"domainId": NOBODY}),
                404,
                "DomainNotFound",
            ),
            ("POST", format!("{}/assignToDomain", mine()), json!({}), 400, "InvalidInput"),
            (
                "POST",
                format!("/v1/workspaces/{NOBODY}/assignToDomain"),
                json!({"domainId": root}),
                404,
                "WorkspaceNotFound",
            ),
            ("POST", format!("{}/assignToDomain", mine()), json!({"domainId": root}), 200, ""),
        ],
    )
    .await;
    assert_eq!(client.get(&workspace).await.json["domainId"], json!(root));
    let inside = client.get(&format!("{one}/workspaces")).await;
    assert_eq!(inside.text, json!({"value": [{"id": id, "displayName": "Mine"}]}).to_string());
    assert_eq!(client.get(&format!("{ADMIN}?nonEmptyOnly=true")).await.text, r#"{"domains":[]}"#);
    client.item(&workspace, "Lakehouse", "bronze").await;
    let non_empty = client.get(&format!("{ADMIN}?nonEmptyOnly=true")).await;
    assert_eq!(non_empty.json["domains"].as_array().unwrap().len(), 1);
    check(
        &client,
        vec![
            ("POST", format!("{}/unassignFromDomain", mine()), Value::Null, 200, ""),
            ("POST", format!("{one}/assignWorkspaces"), json!({}), 400, "InvalidInput"),
            (
                "POST",
                format!("{one}/assignWorkspaces"),
                json!({"workspacesIds": [id, NOBODY]}),
                404,
                "WorkspaceNotFound",
            ),
            ("POST", format!("{one}/assignWorkspaces"), ids.clone(), 200, ""),
            ("POST", format!("{one}/unassignWorkspaces"), ids.clone(), 200, ""),
            ("POST", format!("{one}/unassignWorkspaces"), ids.clone(), 200, ""),
            ("POST", format!("{one}/assignWorkspaces"), ids, 200, ""),
            ("POST", format!("{one}/unassignAllWorkspaces"), Value::Null, 200, ""),
            (
                "POST",
                "/v1/workspaces".into(),
                json!({"displayName": "x", "domainId": NOBODY}),
                404,
                "DomainNotFound",
            ),
            ("POST", "/v1/workspaces".into(), json!({"displayName": "In", "domainId": root}), 201, ""),
        ],
    )
    .await;
    assert!(client.get(&workspace).await.json.get("domainId").is_none());
    let inside = client.get(&format!("{one}/workspaces")).await;
    assert_eq!(inside.json["value"][0]["displayName"], "In");

    // Who administers the workspace only may be kept out of the domain.
    let other = other(&client).await;
    let theirs = other.post("/v1/workspaces", json!({"displayName": "Theirs", "domainId": root})).await;
    assert_eq!(theirs.json["domainId"], json!(root));
    let theirs = format!("/v1/workspaces/{}", theirs.id());
    client.send("PATCH", &one, json!({"contributorsScope": "AdminsOnly"})).await;
    let role = json!({"principal": {"id": OTHER, "type": "ServicePrincipal"}, "role": "Member"});
    client.post(&format!("{workspace}/roleAssignments"), role).await;
    let (domain, denied) = (json!({"domainId": root}), "InsufficientPermissionsToDomain");
    check(
        &other,
        vec![
            ("POST", format!("{theirs}/assignToDomain"), domain.clone(), 403, denied),
            ("POST", "/v1/workspaces".into(), json!({"displayName": "y", "domainId": root}), 403, denied),
            ("POST", format!("{}/assignToDomain", mine()), domain, 403, "InsufficientWorkspaceRole"),
            ("POST", format!("{}/unassignFromDomain", mine()), Value::Null, 403, "InsufficientWorkspaceRole"),
            ("POST", format!("{theirs}/unassignFromDomain"), Value::Null, 200, ""),
        ],
    )
    .await;
    check(&client, vec![("DELETE", one, Value::Null, 200, "")]).await;
    assert_eq!(client.get("/v1/domains").await.json["value"], json!([]));
    assert_ne!(client.hash(), before);
}

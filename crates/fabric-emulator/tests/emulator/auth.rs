//! What a token opens: audiences, lifetimes, roles, look-ups of principals.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, Emulator, demo};
use serde_json::json;

use crate::support::{Client, FABRIC, GRAPH, send, token};

#[tokio::test(start_paused = true)]
async fn a_token_opens_its_audience_for_its_time() {
    let emulator = Emulator::new(Config::default()).with_demo_tenant();
    let power_bi = "https://analysis.windows.net/powerbi/api/.default";
    for (scope, fabric, graph) in [(FABRIC, 200, 401), (power_bi, 200, 401), (GRAPH, 401, 200)] {
        let client = Client::with(emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, scope).await;
        assert_eq!(client.get("/v1/capacities").await.status, fabric, "{scope}");
        assert_eq!(client.get("/v1.0/users").await.status, graph, "{scope}");
    }
    let none = send(&emulator, "GET", "/v1/workspaces", &[], "").await.unwrap();
    assert_eq!((none.status, none.code()), (401, "Unauthorized"));
    let forged =
        send(&emulator, "GET", "/v1/workspaces", &[("authorization", "Bearer a.b.c")], "").await.unwrap();
    assert_eq!((forged.status, forged.code()), (401, "Unauthorized"));

    let client = Client::of(emulator).await;
    tokio::time::advance(Duration::from_secs(3598)).await;
    assert_eq!(client.get("/v1/workspaces").await.status, 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    let expired = client.get("/v1/workspaces").await;
    assert_eq!((expired.status, expired.code()), (401, "TokenExpired"));
}

#[tokio::test]
async fn graph_finds_principals() {
    let emulator = Emulator::new(Config::default()).with_demo_tenant();
    let client = Client::with(emulator, demo::CLIENT_ID, demo::CLIENT_SECRET, GRAPH).await;
    let cases = [
        ("/v1.0/users?$filter=mail%20eq%20%27twins@contoso.example%27", 2),
        (
            "/v1.0/users?$filter=mail%20eq%20%27x%27%20or%20userPrincipalName%20eq%20%27Analyst@contoso.example%27",
            1,
        ),
        ("/v1.0/users?$filter=mail%20eq%20%27nobody%27", 0),
        ("/v1.0/groups?$filter=displayName%20eq%20%27Data%20Engineering%20Team%27", 1),
    ];
    for (path, count) in cases {
        let answer = client.get(path).await;
        assert_eq!(
            (answer.status, answer.json["value"].as_array().map(Vec::len)),
            (200, Some(count)),
            "{path}"
        );
    }
    let app =
        client.get(&format!("/v1.0/servicePrincipals?$filter=appId%20eq%20%27{}%27", demo::CLIENT_ID)).await;
    assert_eq!(app.json["value"][0]["id"], demo::CALLER_ID);
    for id in [demo::ANALYST_ID, "analyst@contoso.example", "analyst%40contoso.example"] {
        let user = client.get(&format!("/v1.0/users/{id}?$select=id,mail")).await;
        assert_eq!(user.keys(), ["@odata.context", "id", "mail"], "{id}");
        assert_eq!(user.json["id"], demo::ANALYST_ID);
    }
    let plus = json!({"users": [{"displayName": "Plus", "userPrincipalName": "a+b@contoso.example"}]});
    client.emulator.seed(&plus).unwrap();
    assert_eq!(client.get("/v1.0/users/a+b@contoso.example").await.json["displayName"], "Plus");
    let missing = client.get("/v1.0/users/nobody@contoso.example").await;
    assert_eq!((missing.status, &missing.json["error"]["code"]), (404, &json!("Request_ResourceNotFound")));
}

#[tokio::test]
async fn graph_pages_and_refuses_what_it_does_not_know() {
    let emulator = Emulator::new(Config::default()).with_demo_tenant();
    let client = Client::with(emulator, demo::CLIENT_ID, demo::CLIENT_SECRET, GRAPH).await;
    let all = client.get("/v1.0/users?$select=id").await;
    assert_eq!(all.keys(), ["@odata.context", "value"]);
    let (mut next, mut seen, mut pages) = (Some("/v1.0/users?$select=id&$top=2".to_owned()), Vec::new(), 0);
    while let Some(path) = next {
        let page = client.get(&path).await;
        let users = page.json["value"].as_array().unwrap();
        next = page.json["@odata.nextLink"].as_str().map(str::to_owned);
        assert!(users.len() == 2 || (users.len() < 2 && next.is_none()), "{page:?}");
        seen.extend(users.clone());
        pages += 1;
    }
    assert_eq!((json!(seen), pages), (all.json["value"].clone(), seen.len().div_ceil(2)));
    assert!(pages > 1);
    let unsupported = "Request_UnsupportedQuery";
    for (query, code) in [
        ("users?$filter=startswith(mail,%27a%27)", unsupported),
        ("users?$search=%22displayName:a%22", unsupported),
        ("users?$orderby=displayName", unsupported),
        ("users?%24count=true", unsupported),
        ("users?$top=0", unsupported),
        ("users?$top=1000", unsupported),
        ("users?$top=many", unsupported),
        ("users?$skiptoken=x", "Directory_ExpiredPageToken"),
        ("users/analyst@contoso.example?$expand=manager", unsupported),
    ] {
        let refused = client.get(&format!("/v1.0/{query}")).await;
        assert_eq!((refused.status, &refused.json["error"]["code"]), (400, &json!(code)), "{query}");
    }
    assert_eq!(client.get("/v1.0/users?$TOP=999&api-version=1").await.status, 200);
}

#[tokio::test]
async fn groups_lend_their_role_and_connections_have_owners() {
    let owner = Client::demo(Config::default()).await;
    let (other, group) = ("99999999-0000-4000-8000-000000000001", "99999999-0000-4000-8000-000000000002");
    let seed = json!({
        "servicePrincipals": [{"id": other, "displayName": "Other", "appId": other, "secret": "s"}],
        "groups": [{"id": group, "displayName": "Group", "members": [other]}],
    });
    owner.emulator.seed(&seed).unwrap();
    let other = Client::with(owner.emulator.clone(), other, "s", FABRIC).await;
    let workspace = owner.workspace("Mine").await;
    assert_eq!(other.get(&workspace).await.status, 404);
    let body = json!({"principal": {"id": group, "type": "Group"}, "role": "Viewer"});
    assert_eq!(owner.post(&format!("{workspace}/roleAssignments"), body).await.status, 201);
    assert_eq!(other.get(&workspace).await.status, 200);

    let body = json!({"connectivityType": "ShareableCloud", "displayName": "c",
        "connectionDetails": {"type": "Web", "creationMethod": "Web", "parameters": [
            {"dataType": "Text", "name": "url", "value": "https://contoso.example"}]},
        "credentialDetails": {"credentials": {"credentialType": "Anonymous"}}});
    let made = owner.post("/v1/connections", body).await;
    let path = format!("/v1/connections/{}", made.id());
    assert_eq!((owner.get(&path).await.status, other.get(&path).await.status), (200, 404));
    let listed = |answer: crate::support::Answer| answer.json["value"].as_array().unwrap().len();
    let counts = (listed(owner.get("/v1/connections").await), listed(other.get("/v1/connections").await));
    assert_eq!(counts, (3, 2), "the demo's connections are everybody's");
}

#[tokio::test]
async fn roles_of_the_caller_are_enforced() {
    let owner = Client::demo(Config::default()).await;
    let application = "99999999-0000-4000-8000-000000000001";
    owner
        .emulator
        .seed(&json!({"servicePrincipals": [
            {"id": application, "displayName": "Other", "appId": application, "secret": "s"}
        ]}))
        .unwrap();
    let other = Client::with(owner.emulator.clone(), application, "s", FABRIC).await;
    let workspace = owner.workspace("Mine").await;
    let item = owner.item(&workspace, "Notebook", "n").await;
    let roles = format!("{workspace}/roleAssignments");
    let me = json!({"id": "99999999-0000-4000-8000-000000000001", "type": "ServicePrincipal"});
    let (no, ok) = ((404, "WorkspaceNotFound"), (200, ""));
    let (forbidden, weak) = ((403, "InsufficientPrivileges"), (403, "InsufficientWorkspaceRole"));
    // (role, read, write an item, hard delete, list roles, rename the workspace)
    let cases = [
        ("", [no, no, no, no, no]),
        ("Viewer", [ok, forbidden, forbidden, forbidden, forbidden]),
        ("Contributor", [ok, ok, weak, forbidden, forbidden]),
        ("Member", [ok, ok, weak, ok, forbidden]),
        ("Admin", [ok, ok, ok, ok, ok]),
    ];
    for (role, expected) in cases {
        if !role.is_empty() {
            let added = owner.post(&roles, json!({"principal": me, "role": role})).await;
            assert_eq!(added.status, 201, "{added:?}");
        }
        let calls = [
            ("GET", item.clone(), json!(null)),
            ("PATCH", item.clone(), json!({"description": role})),
            ("DELETE", format!("{item}?hardDelete=true"), json!(null)),
            ("GET", roles.clone(), json!(null)),
            ("PATCH", workspace.clone(), json!({"description": role})),
        ];
        for ((method, path, body), expected) in calls.into_iter().zip(expected) {
            let answer = other.send(method, &path, body).await;
            let code = if answer.status == 200 { "" } else { answer.code() };
            assert_eq!((answer.status, code), expected, "{role} {method} {path}");
        }
        let listed = other.get("/v1/workspaces").await;
        assert_eq!(listed.json["value"].as_array().unwrap().len(), usize::from(!role.is_empty()), "{role}");
        if !role.is_empty() {
            let path = format!("{roles}/99999999-0000-4000-8000-000000000001");
            assert_eq!(owner.send("DELETE", &path, json!(null)).await.status, 200);
        }
    }
    let refused = other.post("/v1/workspaces", json!({"displayName": "Theirs"})).await;
    assert_eq!((refused.status, refused.code()), (403, "InsufficientPrivileges"));
    assert_eq!(token(&owner.emulator, application, "wrong", FABRIC).await.status, 401);
}

#[tokio::test]
async fn a_missing_route_is_counted_whoever_asks() {
    let client = Client::demo(Config::default()).await;
    let anonymous = async |path: &str| send(&client.emulator, "GET", path, &[], "").await.unwrap().status;
    assert_eq!((anonymous("/v1/nothing").await, client.get("/v1/nothing").await.status), (401, 404));
    assert_eq!(anonymous("/v1/workspaces").await, 401);
    assert_eq!(client.get("/_emulator/inventory").await.json["unknownRoutes"], 2);
}

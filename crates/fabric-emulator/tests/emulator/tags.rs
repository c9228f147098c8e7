//! Tags: a tenant's or a domain's, put on workspaces and items.

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::domains::ADMIN;
use crate::support::{Client, FABRIC, GRAPH, NOBODY, check, send};

/// A tenant with a tag of its own and one of a domain.
async fn tagged() -> (Client, String, String) {
    let client = Client::demo(Config::default()).await;
    let (domain, tag) = ("99999999-0000-4000-8000-00000000000d", "99999999-0000-4000-8000-00000000000e");
    let seed = json!({
        "domains": [{"id": domain, "displayName": "Legal"}],
        "tags": [{"id": tag, "displayName": "EMEA", "domainId": domain}],
    });
    client.emulator.seed(&seed).unwrap();
    (client, domain.to_owned(), tag.to_owned())
}

#[tokio::test]
async fn tags() {
    let (client, domain, of_domain) = tagged().await;
    let expected = json!({"value": [
        {"id": demo::TAG_ID, "displayName": "Certified", "scope": {"type": "Tenant"}},
        {"id": of_domain, "displayName": "EMEA", "scope": {"type": "Domain", "domainId": domain}}]});
    assert_eq!(client.get("/v1/tags").await.text, expected.to_string());

    let workspace = client.workspace("W").await;
    let item = client.item(&workspace, "Lakehouse", "bronze").await;
    let before = client.hash();
    let tags = |ids: &[&str]| json!({"tags": ids});
    let mut cases = Vec::new();
    for target in [&workspace, &item] {
        let (apply, unapply) = (|| format!("{target}/applyTags"), || format!("{target}/unapplyTags"));
        cases.extend([
            ("POST", apply(), json!({}), 400, "InvalidInputs"),
            ("POST", apply(), tags(&[]), 400, "InvalidInputs"),
            ("POST", apply(), tags(&[demo::TAG_ID, NOBODY]), 404, "EntityNotFound"),
            ("POST", apply(), tags(&[demo::TAG_ID, &of_domain]), 400, "InvalidInputs"),
            ("POST", unapply(), tags(&[NOBODY]), 404, "EntityNotFound"),
            ("POST", apply(), tags(&[demo::TAG_ID, demo::TAG_ID]), 200, ""),
            ("POST", apply(), tags(&[demo::TAG_ID]), 200, ""),
        ]);
    }
    cases.push((
        "POST",
        format!("{workspace}/items/{NOBODY}/applyTags"),
        tags(&[demo::TAG_ID]),
        404,
        "ItemNotFound",
    ));
    check(&client, cases).await;
    let shown = json!([{"id": demo::TAG_ID, "displayName": "Certified"}]);
    for target in [&workspace, &item] {
        assert_eq!(client.get(target).await.json["tags"], shown, "{target}");
    }
    assert_eq!(client.get("/v1/workspaces").await.json["value"][0]["tags"], shown);
    let lakehouse = item.replace("/items/", "/lakehouses/");
    assert_eq!(client.get(&lakehouse).await.json["tags"], shown);
    assert_ne!(client.hash(), before);

    client.post(&format!("{workspace}/assignToDomain"), json!({"domainId": domain})).await;
    check(&client, vec![("POST", format!("{item}/applyTags"), tags(&[&of_domain]), 200, "")]).await;
    assert_eq!(client.get(&item).await.json["tags"][1]["displayName"], "EMEA");
    client.send("DELETE", &format!("{ADMIN}/{domain}"), Value::Null).await;
    assert_eq!(client.get(&item).await.json["tags"], shown, "a tag goes with its domain");
    let off = |target: &str| ("POST", format!("{target}/unapplyTags"), tags(&[demo::TAG_ID]), 200, "");
    check(&client, vec![off(&workspace), off(&item), off(&item)]).await;
    assert!(client.get(&item).await.json.get("tags").is_none());
}

/// Who may put a tag on a workspace cannot always take it off: of a user the documents ask more.
#[tokio::test]
async fn a_user_takes_tags_off_a_workspace_as_an_administrator_only() {
    let owner = Client::demo(Config::default()).await;
    let workspace = owner.workspace("W").await;
    for (name, administrator, status) in [("ada", false, 403), ("eva", true, 200)] {
        let user = json!({"displayName": name, "userPrincipalName": format!("{name}@contoso.example"),
            "password": "p", "tenantAdmin": administrator});
        owner.emulator.seed(&json!({"users": [user]})).unwrap();
        let client = Client { token: user_token(&owner, name).await, ..owner.clone() };
        let graph = Client::with(owner.emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, GRAPH).await;
        let id = graph.get(&format!("/v1.0/users/{name}@contoso.example")).await.id();
        let role = json!({"principal": {"id": id, "type": "User"}, "role": "Admin"});
        assert_eq!(owner.post(&format!("{workspace}/roleAssignments"), role).await.status, 201);
        let tags = json!({"tags": [demo::TAG_ID]});
        assert_eq!(client.post(&format!("{workspace}/applyTags"), tags.clone()).await.status, 200, "{name}");
        assert_eq!(client.post(&format!("{workspace}/unapplyTags"), tags).await.status, status, "{name}");
    }
}

async fn user_token(client: &Client, name: &str) -> String {
    let form = format!(
        "grant_type=password&client_id={}&username={name}@contoso.example&password=p&scope={FABRIC}",
        demo::CLIENT_ID
    );
    let path = format!("/{}/oauth2/v2.0/token", demo::TENANT_ID);
    let answer = send(&client.emulator, "POST", &path, &[], &form).await.unwrap();
    answer.json["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn no_more_than_ten_tags() {
    let client = Client::demo(Config::default()).await;
    let ids: Vec<String> = (0..11).map(|n| format!("99999999-0000-4000-8000-0000000000{n:02}")).collect();
    let tags: Vec<Value> = ids.iter().map(|id| json!({"id": id, "displayName": id})).collect();
    client.emulator.seed(&json!({"tags": tags})).unwrap();
    let workspace = client.workspace("W").await;
    let apply = || format!("{workspace}/applyTags");
    check(
        &client,
        vec![
            ("POST", apply(), json!({"tags": ids}), 400, "InvalidInputs"),
            ("POST", apply(), json!({"tags": ids[..10]}), 200, ""),
            ("POST", apply(), json!({"tags": ids[9..]}), 400, "InvalidInputs"),
        ],
    )
    .await;
}

//! Shortcuts: wire shapes, conflict policies, targets, refusals, and what the inventory says of them.

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check};

/// A shortcut to the top of another item's files.
fn to_files(path: &str, name: &str, workspace: &str, item: &str) -> Value {
    let one_lake = json!({"workspaceId": last(workspace), "itemId": last(item), "path": "Files"});
    json!({"path": path, "name": name, "target": {"oneLake": one_lake}})
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

/// A workspace with two lakehouses.
async fn lakehouses(client: &Client) -> (String, String, String) {
    let workspace = client.workspace("W").await;
    let bronze = client.item(&workspace, "Lakehouse", "bronze").await;
    let silver = client.item(&workspace, "Lakehouse", "silver").await;
    (workspace, bronze, silver)
}

#[tokio::test]
async fn g21_a_new_one_is_created_and_an_old_one_overwritten() {
    let client = Client::demo(Config::default()).await;
    let (workspace, bronze, silver) = lakehouses(&client).await;
    let shortcuts = format!("{silver}/shortcuts");
    let body = to_files("Files", "testShortcut", &workspace, &bronze);
    let expected = json!({"name": "testShortcut", "path": "Files", "target": {
        "type": "OneLake",
        "oneLake": {"workspaceId": last(&workspace), "itemId": last(&bronze), "path": "Files"},
    }});
    let location = format!("http://localhost:8080{shortcuts}/Files/testShortcut");
    for (policy, status) in [("GenerateUniqueName", 201), ("OverwriteOnly", 200), ("CreateOrOverwrite", 200)]
    {
        let path = format!("{shortcuts}?shortcutConflictPolicy={policy}");
        let made = client.post(&path, body.clone()).await;
        assert_eq!((made.status, &made.text), (status, &expected.to_string()), "{policy}");
        assert_eq!(made.header("location"), Some(location.as_str()), "{policy}");
        let exposed: Vec<_> = made.headers.get_all("access-control-expose-headers").iter().collect();
        assert_eq!(exposed, ["*,Authorization", "RequestId,Location"], "{policy}");
        assert_eq!(made.header("access-control-allow-origin"), Some("*"), "{policy}");
    }
    let got = client.get(&format!("{shortcuts}/Files/testShortcut")).await;
    assert_eq!((got.status, got.text), (200, expected.to_string()));
}

#[tokio::test]
async fn a_path_is_kept_as_it_was_sent_and_listed_with_a_slash() {
    let client = Client::demo(Config { page_size: Some(2), ..Config::default() }).await;
    let (workspace, bronze, silver) = lakehouses(&client).await;
    let shortcuts = format!("{silver}/shortcuts");
    for path in ["/Files", "Files/a/b c", "Tables"] {
        let made = client.post(&shortcuts, to_files(path, "s", &workspace, &bronze)).await;
        assert_eq!((made.status, &made.json["path"]), (201, &json!(path)));
    }
    let listed = client.get(&shortcuts).await;
    assert_eq!(listed.keys(), ["value", "continuationToken", "continuationUri"]);
    assert_eq!(listed.json["value"][0]["path"], "/Files");
    assert_eq!(listed.json["value"][1]["path"], "/Files/a/b c");
    for (parent, count) in [("Files", 2), ("/Files/a/", 1), ("Files/a/b%20c", 1), ("File", 0), ("Tables", 1)]
    {
        let listed = client.get(&format!("{shortcuts}?parentPath={parent}")).await;
        assert_eq!(listed.json["value"].as_array().unwrap().len(), count, "{parent}");
    }
    // Folders may be segments or escaped slashes, and the first slash may be sent.
    let get = |place: &str| ("GET", format!("{shortcuts}/{place}"), Value::Null, 200, "");
    check(
        &client,
        vec![
            get("Files/s"),
            get("/Files/s"),
            get("Files/a/b%20c/s"),
            get("Files%2Fa%2Fb%20c/s"),
            ("GET", format!("{shortcuts}/Files/a/s"), Value::Null, 404, "EntityNotFound"),
            ("GET", format!("{shortcuts}/s"), Value::Null, 404, "EndpointNotFound"),
            ("DELETE", format!("{shortcuts}//Files/s"), Value::Null, 200, ""),
            ("DELETE", format!("{shortcuts}/Files/a/b%20c/s"), Value::Null, 200, ""),
            ("DELETE", format!("{shortcuts}/Files/s"), Value::Null, 404, "EntityNotFound"),
            ("DELETE", format!("{shortcuts}/Tables/s"), Value::Null, 200, ""),
        ],
    )
    .await;
    assert_eq!(client.get(&shortcuts).await.json, json!({"value": []}));
}

#[tokio::test]
async fn refusals() {
    let client = Client::demo(Config::default()).await;
    let (workspace, bronze, silver) = lakehouses(&client).await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let shortcuts = || format!("{silver}/shortcuts");
    let with = |policy: &str| format!("{silver}/shortcuts?shortcutConflictPolicy={policy}");
    let body = || to_files("Files", "s", &workspace, &bronze);
    let target = |target: Value| json!({"path": "Files", "name": "t", "target": target});
    let one_lake = |item: &str, path: &str| {
        target(json!({"oneLake": {"workspaceId": last(&workspace), "itemId": item, "path": path}}))
    };
    let s3 = |connection: &str| json!({"location": "https://b.s3.eu-west-1.amazonaws.com", "connectionId": connection});
    check(
        &client,
        vec![
            ("POST", with("OverwriteOnly"), body(), 404, "EntityNotFound"),
            ("POST", shortcuts(), body(), 201, ""),
            ("POST", shortcuts(), body(), 409, "EntityConflict"),
            ("POST", with("abort"), to_files("/Files", "s", &workspace, &bronze), 409, "EntityConflict"),
            ("POST", with("Replace"), body(), 400, "InvalidInput"),
            ("POST", with("GenerateUniqueName"), body(), 201, ""),
            ("GET", format!("{silver}/shortcuts/Files/s_1"), Value::Null, 200, ""),
            ("POST", shortcuts(), to_files("Docs", "s", &workspace, &bronze), 400, "BadRequest"),
            ("POST", shortcuts(), to_files("", "s", &workspace, &bronze), 400, "BadRequest"),
            ("POST", shortcuts(), to_files("Files", "a/b", &workspace, &bronze), 400, "BadRequest"),
            ("POST", shortcuts(), target(json!({})), 400, "BadRequest"),
            (
                "POST",
                shortcuts(),
                target(json!({"externalDataShare": {"connectionId": NOBODY}})),
                400,
                "BadRequest",
            ),
            (
                "POST",
                shortcuts(),
                target(json!({"amazonS3": s3(demo::GITHUB_CONNECTION_ID), "adlsGen2": {}})),
                400,
                "BadRequest",
            ),
            ("POST", shortcuts(), target(json!({"amazonS3": {"location": "https://b"}})), 400, "BadRequest"),
            ("POST", shortcuts(), target(json!({"amazonS3": s3("mine")})), 400, "BadRequest"),
            ("POST", shortcuts(), target(json!({"amazonS3": s3(NOBODY)})), 400, "BadRequest"),
            ("POST", shortcuts(), target(json!({"amazonS3": s3(demo::GITHUB_CONNECTION_ID)})), 201, ""),
            ("POST", shortcuts(), one_lake(NOBODY, "Files"), 404, "EntityNotFound"),
            ("POST", shortcuts(), one_lake(last(&bronze), "Docs/x"), 400, "BadRequest"),
            ("POST", shortcuts(), one_lake(last(&notebook), "Files"), 400, "BadRequest"),
            ("POST", shortcuts(), to_files("Files", "u", "/v1/workspaces/x", &bronze), 400, "BadRequest"),
            ("POST", shortcuts(), to_files("Files", "u", NOBODY, &bronze), 404, "EntityNotFound"),
            ("GET", format!("{notebook}/shortcuts"), Value::Null, 400, "OperationNotSupportedForItem"),
            ("POST", format!("{notebook}/shortcuts"), body(), 400, "OperationNotSupportedForItem"),
            ("GET", format!("{workspace}/items/{NOBODY}/shortcuts"), Value::Null, 404, "ItemNotFound"),
            ("POST", format!("{silver}/shortcuts/bulkCreate"), json!({}), 400, "InvalidInput"),
            ("POST", format!("{workspace}/unassignFromCapacity"), Value::Null, 202, ""),
            ("GET", shortcuts(), Value::Null, 403, "FeatureNotAvailable"),
        ],
    )
    .await;
    let refused = client.post(&format!("{bronze}/shortcuts"), one_lake(NOBODY, "Files")).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn refusals_say_what_users_of_the_service_have_read() {
    let client = Client::demo(Config::default()).await;
    let (workspace, bronze, silver) = lakehouses(&client).await;
    let shortcuts = format!("{silver}/shortcuts");
    let body = to_files("Files", "s", &workspace, &bronze);
    client.post(&shortcuts, body.clone()).await;
    let detail = |answer: &crate::support::Answer| answer.json["moreDetails"][0].clone();
    let conflict = client.post(&shortcuts, body).await;
    let message = "Shortcut operation set to abort and shortcut with same name already exists.";
    assert_eq!(detail(&conflict), json!({"errorCode": "ShorcutsOperationNotAllowed", "message": message}));
    let missing = client.post(&shortcuts, to_files("Files", "t", &workspace, NOBODY)).await;
    let message = format!("Item '{NOBODY}' is not found in workspace '{}'.", last(&workspace));
    assert_eq!(detail(&missing), json!({"errorCode": "NotFound", "message": message}));
    let mut nowhere = to_files("Files", "t", &workspace, &bronze);
    nowhere["target"]["oneLake"]["path"] = "Docs".into();
    let nowhere = client.post(&shortcuts, nowhere).await;
    assert_eq!(detail(&nowhere)["message"], "Target path doesn't exist");
}

#[tokio::test]
async fn many_are_created_by_one_operation_each_on_its_own() {
    for (long_running, status) in [(LongRunning::Table, 202), (LongRunning::Never, 200)] {
        let client = Client::demo(Config { long_running, ..Config::default() }).await;
        let (workspace, bronze, silver) = lakehouses(&client).await;
        let mut transformed = to_files("Tables", "t", &workspace, &bronze);
        transformed["transform"] = json!({"type": "csvToDelta", "properties": {"delimiter": ","}});
        let twin = to_files("Files", "s", &workspace, &bronze);
        let body = json!({"createShortcutRequests": [twin, twin, transformed]});
        let answer = client.post(&format!("{silver}/shortcuts/bulkCreate"), body).await;
        assert_eq!(answer.status, status);
        let made = client.finish(answer).await;
        let value = made.json["value"].as_array().unwrap();
        let statuses: Vec<_> = value.iter().map(|entry| &entry["status"]).collect();
        assert_eq!(statuses, ["Succeeded", "Failed", "Succeeded"]);
        assert_eq!(value[0]["request"], json!({"path": "Files", "name": "s"}));
        assert_eq!(value[1]["error"]["errorCode"], "ShorcutsOperationNotAllowed");
        assert_eq!(value[2]["result"]["transform"]["type"], "csvToDelta");
        let listed = client.get(&format!("{silver}/shortcuts?parentPath=Tables")).await;
        assert_eq!(listed.json["value"][0]["isShortcutTransform"], true);
    }
    let client = Client::demo(Config::default()).await;
    let (workspace, ..) = lakehouses(&client).await;
    let reset = client.post(&format!("{workspace}/onelake/resetShortcutCache"), Value::Null).await;
    assert_eq!(reset.status, 202);
    assert_eq!(client.finish(reset).await.json["status"], "Succeeded");
}

#[tokio::test]
async fn the_inventory_names_targets_and_not_their_ids() {
    let mut hashes = Vec::new();
    for path in ["Files", "/Files"] {
        let client = Client::demo(Config::default()).await;
        let (workspace, bronze, silver) = lakehouses(&client).await;
        let before = client.hash();
        let made =
            client.post(&format!("{silver}/shortcuts"), to_files(path, "s", &workspace, &bronze)).await;
        assert_eq!(made.status, 201);
        let held = client.hash();
        assert_ne!(held, before);
        hashes.push(held);
        assert_eq!(
            client.send("DELETE", &format!("{silver}/shortcuts/Files/s"), Value::Null).await.status,
            200
        );
        assert_eq!(client.hash(), before);
    }
    assert_eq!(hashes[0], hashes[1]);
}

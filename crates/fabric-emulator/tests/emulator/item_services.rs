//! What single types of items offer: tables, SQL endpoints, restore points, connections.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check, definition};

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn a_loaded_table_is_there_and_its_endpoint_learns_of_it() {
    let client =
        Client::demo(Config { long_running: LongRunning::Never, page_size: Some(1), ..Config::default() })
            .await;
    let workspace = client.workspace("W").await;
    let id = last(&client.item(&workspace, "Lakehouse", "l").await).to_owned();
    let tables = format!("{workspace}/lakehouses/{id}/tables");
    assert_eq!(client.get(&tables).await.json, json!({"data": []}));
    let before = client.hash();
    let body = json!({"relativePath": "Files/a.csv", "pathType": "File", "mode": "Overwrite",
        "formatOptions": {"format": "Csv", "header": true, "delimiter": ","}});
    for table in ["one", "two", "ONE"] {
        // The documents know no other answer than 202.
        let accepted = client.post(&format!("{tables}/{table}/load"), body.clone()).await;
        assert_eq!((accepted.status, accepted.text.as_str()), (202, "null"));
        assert_eq!(client.finish(accepted).await.json["status"], "Succeeded");
    }
    assert_ne!(client.hash(), before);
    let first = client.get(&tables).await;
    assert_eq!(first.keys(), ["data", "continuationToken", "continuationUri"]);
    let location = format!("abfss://{}@onelake.dfs.fabric.microsoft.com/{id}/Tables/one", last(&workspace));
    assert_eq!(
        first.json["data"],
        json!([{"type": "Managed", "name": "one", "location": location, "format": "Delta"}])
    );
    let second = client.get(first.json["continuationUri"].as_str().unwrap()).await;
    assert_eq!((second.keys(), &second.json["data"][0]["name"]), (vec!["data"], &json!("two")));

    let endpoint = client.get(&format!("{workspace}/sqlEndpoints")).await.json["value"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let refresh = format!("{workspace}/sqlEndpoints/{endpoint}/refreshMetadata");
    for (body, expected) in [
        (Value::Null, ["Success", "Success"]),
        (json!({"timeout": {"timeUnit": "Minutes", "value": 2}}), ["NotRun", "NotRun"]),
        (json!({"recreateTables": true}), ["Success", "Success"]),
    ] {
        let answer = client.post(&refresh, body).await;
        assert_eq!((answer.status, answer.keys()), (200, vec!["value"]));
        let statuses: Vec<_> =
            answer.json["value"].as_array().unwrap().iter().map(|table| &table["status"]).collect();
        assert_eq!(statuses, expected);
        assert!(answer.json["value"][0]["endDateTime"].as_str().unwrap().ends_with('Z'));
    }
    // What was loaded since is new to it again.
    let accepted = client.post(&format!("{tables}/two/load"), body).await;
    client.finish(accepted).await;
    let answer = client.post(&refresh, Value::Null).await;
    let statuses = [&answer.json["value"][0]["status"], &answer.json["value"][1]["status"]];
    assert_eq!(statuses, ["NotRun", "Success"]);
    let string = client.get(&format!("{workspace}/sqlEndpoints/{endpoint}/connectionString")).await;
    assert!(
        string.json["connectionString"].as_str().unwrap().ends_with(".datawarehouse.fabric.microsoft.com")
    );
}

#[tokio::test]
async fn tables_are_checked() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let id = last(&client.item(&workspace, "Lakehouse", "l").await).to_owned();
    let notebook = last(&client.item(&workspace, "Notebook", "n").await).to_owned();
    let body = json!({"displayName": "s", "creationPayload": {"enableSchemas": true}});
    let schemas = client.post(&format!("{workspace}/lakehouses"), body).await.id();
    let tables = |id: &str| format!("{workspace}/lakehouses/{id}/tables");
    let load = |id: &str, table: &str| format!("{}/{table}/load", tables(id));
    let body = |change: Value| {
        let mut body = json!({"relativePath": "Files/a", "pathType": "Folder"});
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        body
    };
    let unsupported = "UnsupportedOperationForSchemasEnabledLakehouse";
    check(
        &client,
        vec![
            ("POST", load(&id, "t"), body(json!({})), 202, ""),
            ("POST", load(&id, "a-b"), body(json!({})), 400, "InvalidInput"),
            ("POST", load(&id, "t"), json!({"pathType": "File"}), 400, "InvalidInput"),
            ("POST", load(&id, "t"), json!({"relativePath": "Files/a"}), 400, "InvalidInput"),
            ("POST", load(&id, "t"), body(json!({"mode": "Replace"})), 400, "InvalidInput"),
            ("POST", load(&id, "t"), body(json!({"formatOptions": {"format": "Xml"}})), 400, "InvalidInput"),
            ("GET", tables(&id) + "?maxResults=many", Value::Null, 400, "InvalidInput"),
            ("GET", tables(&schemas), Value::Null, 400, unsupported),
            ("POST", load(&schemas, "t"), body(json!({})), 400, unsupported),
            ("GET", tables(&notebook), Value::Null, 404, "ItemNotFound"),
            ("GET", tables(NOBODY), Value::Null, 404, "ItemNotFound"),
            (
                "POST",
                format!("{workspace}/sqlEndpoints/{id}/refreshMetadata"),
                Value::Null,
                404,
                "ItemNotFound",
            ),
            (
                "GET",
                format!("{workspace}/warehouses/{id}/connectionString"),
                Value::Null,
                404,
                "ItemNotFound",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn restore_points_of_a_warehouse() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let id = last(&client.item(&workspace, "Warehouse", "w").await).to_owned();
    let warehouse = format!("{workspace}/warehouses/{id}");
    let string = client.get(&format!("{warehouse}/connectionString")).await;
    let expected = client.get(&warehouse).await.json["properties"]["connectionString"].clone();
    assert_eq!(string.json, json!({"connectionString": expected}));
    let of_guest = |tenant| format!("{warehouse}/connectionString?guestTenantId={tenant}");
    assert_eq!(client.get(&of_guest(demo::TENANT_ID)).await.text, string.text);
    assert_eq!(client.get(&of_guest(NOBODY)).await.code(), "InvalidGuestTenantId");

    let points = || format!("{warehouse}/restorePoints");
    let before = client.hash();
    let accepted = client.post(&points(), json!({"displayName": "before", "description": "d"})).await;
    assert_eq!(accepted.status, 202);
    let made = client.finish(accepted).await;
    assert_eq!(made.keys(), ["id", "displayName", "description", "creationMode", "creationDetails"]);
    let details = &made.json["creationDetails"];
    assert_eq!(details["eventInitiator"]["type"], "ServicePrincipal");
    assert!(details["eventDateTime"].as_str().unwrap().ends_with('Z'));
    let one = format!("{}/{}", points(), made.id());
    assert!(made.id().parse::<u64>().is_ok_and(|id| id > 1_700_000_000_000), "{}", made.id());
    let other = client.post(&points(), Value::Null).await;
    let other = client.finish(other).await;
    assert_ne!(other.id(), made.id());
    let named = client.send("PATCH", &one, json!({"displayName": "after"})).await;
    assert_eq!((&named.json["displayName"], &named.json["description"]), (&json!("after"), &json!("d")));
    assert_eq!(client.get(&one).await.text, named.text);
    assert_eq!(client.get(&points()).await.json["value"].as_array().unwrap().len(), 2);
    let restored = client.post(&format!("{one}/restore"), Value::Null).await;
    assert_eq!(restored.status, 202);
    assert_eq!(client.finish(restored).await.json["status"], "Succeeded");
    check(
        &client,
        vec![
            ("POST", points(), json!({"displayName": "x".repeat(129)}), 400, "InvalidInput"),
            ("PATCH", one.clone(), json!({"description": "x".repeat(513)}), 400, "InvalidInput"),
            ("GET", format!("{}/1", points()), Value::Null, 404, "RestorePointNotFound"),
            ("POST", format!("{}/1/restore", points()), Value::Null, 404, "RestorePointNotFound"),
            ("PATCH", format!("{}/1", points()), json!({}), 404, "RestorePointNotFound"),
            ("DELETE", one.clone(), Value::Null, 200, ""),
            ("DELETE", one, Value::Null, 404, "RestorePointNotFound"),
            ("DELETE", format!("{}/{}", points(), other.id()), Value::Null, 200, ""),
        ],
    )
    .await;
    assert_eq!(client.hash(), before);
}

#[tokio::test]
async fn one_restore_point_is_made_or_gone_back_to_at_a_time() {
    let takes = Duration::from_secs(30);
    let client = Client::demo(Config { operation_duration: takes, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    client.post(&format!("{workspace}/warehouses"), json!({"displayName": "w"})).await;
    client.emulator.advance(takes);
    let id = client.get(&format!("{workspace}/warehouses")).await.json["value"][0]["id"].clone();
    let points = format!("{workspace}/warehouses/{}/restorePoints", id.as_str().unwrap());
    one_at_a_time(&client, &points, "RestorePointCreationAlreadyInProgress", takes).await;
    let point = client.get(&points).await.json["value"][0]["id"].clone();
    let restore = format!("{points}/{}/restore", point.as_str().unwrap());
    one_at_a_time(&client, &restore, "RestorePointRestorationAlreadyInProgress", takes).await;
}

/// A post to `path` is refused with `code` while another is under way, which takes so long.
async fn one_at_a_time(client: &Client, path: &str, code: &str, takes: Duration) {
    let post = |status, code| vec![("POST", path.to_owned(), Value::Null, status, code)];
    check(client, post(202, "")).await;
    check(client, post(409, code)).await;
    client.emulator.advance(takes);
    check(client, post(202, "")).await;
    client.emulator.advance(takes);
}

#[tokio::test]
async fn a_semantic_model_is_bound_and_unbound() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let body = json!({"displayName": "m", "definition": definition("model.bim", "e30=")});
    let made = client.post(&format!("{workspace}/semanticModels"), body).await;
    let id = client.finish(made).await.id();
    let bind = || format!("{workspace}/semanticModels/{id}/bindConnection");
    let connections = format!("{workspace}/items/{id}/connections");
    let before = client.hash();
    let source = json!({"type": "SQL", "path": "contoso.database.windows.net;sales"});
    let bound = |connection: &str| json!({"connectionBinding": {"id": connection, "connectivityType": "ShareableCloud", "connectionDetails": source}});
    for connection in [demo::AZURE_DEVOPS_CONNECTION_ID, demo::GITHUB_CONNECTION_ID] {
        let answer = client.post(&bind(), bound(connection)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    }
    let expected = json!({"value": [{"connectivityType": "ShareableCloud", "displayName": "Demo GitHub",
        "id": demo::GITHUB_CONNECTION_ID, "connectionDetails": source}]});
    assert_eq!(client.get(&connections).await.text, expected.to_string());
    assert_ne!(client.hash(), before);
    let unbound = json!({"connectionBinding": {"connectivityType": "None", "connectionDetails": source}});
    let lakehouse = client.item(&workspace, "Lakehouse", "l").await;
    let warehouse = client.item(&workspace, "Warehouse", "w").await;
    let typed = |item: &str| format!("{workspace}/semanticModels/{}/bindConnection", last(item));
    check(
        &client,
        vec![
            ("POST", bind(), json!({}), 400, "InvalidRequest"),
            (
                "POST",
                bind(),
                json!({"connectionBinding": {"id": demo::GITHUB_CONNECTION_ID}}),
                400,
                "InvalidRequest",
            ),
            ("POST", bind(), bound(NOBODY), 400, "InvalidRequest"),
            ("POST", typed(&lakehouse), bound(demo::GITHUB_CONNECTION_ID), 404, "ItemNotFound"),
            ("POST", bind(), unbound, 200, ""),
            ("GET", format!("{lakehouse}/connections"), Value::Null, 200, ""),
            ("GET", format!("{warehouse}/connections"), Value::Null, 400, "OperationNotSupportedForItem"),
        ],
    )
    .await;
    assert_eq!(client.get(&connections).await.json, json!({"value": []}));
    let refused = client.get(&format!("{warehouse}/connections")).await;
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message"]);
    let endpoints = client.get(&format!("{workspace}/managedPrivateEndpoints")).await;
    assert_eq!((endpoints.status, endpoints.text.as_str()), (200, r#"{"value":[]}"#));
}

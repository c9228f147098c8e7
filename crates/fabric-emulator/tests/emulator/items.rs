//! The rules of the world about items: names, types, capacities, children and definitions.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check, definition};

#[tokio::test]
async fn items() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let bare = format!(
        "/v1/workspaces/{}",
        client.post("/v1/workspaces", json!({"displayName": "Bare"})).await.id()
    );
    let items = || format!("{workspace}/items");
    let lakehouse = client.item(&workspace, "Lakehouse", "bronze").await;
    client.item(&workspace, "Notebook", "n").await;
    let of = |kind: &str, name: &str| json!({"type": kind, "displayName": name});
    let with =
        |kind: &str, definition: Value| json!({"type": kind, "displayName": "w", "definition": definition});
    let twice = json!({"parts": [
        {"path": "a", "payload": "", "payloadType": "InlineBase64"},
        {"path": "a", "payload": "", "payloadType": "InlineBase64"},
    ]});
    let vso = json!({"parts": [{"path": "a", "payload": "", "payloadType": "VSOBase64"}]});
    check(
        &client,
        vec![
            ("POST", items(), of("lakehouse", "BRONZE"), 400, "ItemDisplayNameAlreadyInUse"),
            ("POST", items(), of("DataPipeline", "bronze"), 201, ""),
            ("POST", items(), of("Lakehouse", "two words"), 400, "InvalidInput"),
            ("POST", items(), of("Lakehouse", "hy-phen"), 400, "InvalidInput"),
            ("POST", items(), of("Notebook", "two-words and"), 202, ""),
            ("POST", items(), of("Nonsense", "x"), 400, "InvalidItemType"),
            ("POST", items(), of("Dashboard", "x"), 400, "UnsupportedItemType"),
            ("POST", items(), of("Report", "x"), 400, "MissingDefinition"),
            ("POST", items(), of("Notebook", &"x".repeat(257)), 400, "InvalidInput"),
            (
                "POST",
                items(),
                json!({"type": "Notebook", "displayName": "x", "description": "x".repeat(257)}),
                400,
                "InvalidInput",
            ),
            (
                "POST",
                items(),
                json!({"type": "Notebook", "displayName": "x", "folderId": NOBODY}),
                404,
                "FolderNotFound",
            ),
            ("POST", items(), with("Warehouse", definition("a", "")), 400, "OperationNotSupportedForItem"),
            ("POST", items(), with("Notebook", json!({"parts": []})), 400, "MissingDefinitionParts"),
            ("POST", items(), with("Notebook", definition("a", "no base64!")), 400, "CorruptedPayload"),
            ("POST", items(), with("Notebook", definition(".platform", "e30=")), 400, "InvalidPlatformFile"),
            ("POST", items(), with("Notebook", twice), 400, "InvalidDefinitionParts"),
            ("POST", items(), with("Notebook", vso), 400, "UnsupportedPayloadType"),
            ("POST", format!("{bare}/items"), of("Lakehouse", "l"), 403, "FeatureNotAvailable"),
            ("POST", format!("{bare}/items"), with("Report", definition("definition.pbir", "e30=")), 202, ""),
            ("GET", format!("{workspace}/items?type=nonsense"), Value::Null, 400, "InvalidItemType"),
            ("GET", format!("{workspace}/items/{NOBODY}"), Value::Null, 404, "ItemNotFound"),
            ("PATCH", lakehouse.clone(), json!({"displayName": "a b"}), 400, "InvalidInput"),
            ("PATCH", lakehouse.clone(), json!({"displayName": "silver"}), 200, ""),
        ],
    )
    .await;
    let both = json!({"type": "Notebook", "displayName": "x", "definition": definition("a", ""), "creationPayload": {}});
    let both = client.post(&items(), both).await;
    assert_eq!((both.status, both.code()), (400, "RequestWithDefinitionAndCreationPayloadNotSupported"));
}

#[tokio::test]
async fn on_a_paused_capacity() {
    let client = Client::demo(Config::default()).await;
    let workspace = "55555555-0000-4000-8000-000000000001";
    let item = "55555555-0000-4000-8000-000000000002";
    let seed = json!({"workspaces": [{"id": workspace, "displayName": "Paused", "capacityId": demo::PAUSED_CAPACITY_ID,
        "items": [{"id": item, "type": "DataPipeline", "displayName": "p"}]}]});
    client.emulator.seed(&seed).unwrap();
    let workspace = format!("/v1/workspaces/{workspace}");
    let item = format!("{workspace}/items/{item}");
    let update = json!({"definition": definition("pipeline-content.json", "e30=")});
    let paused = "CapacityNotInActiveState";
    check(
        &client,
        vec![
            (
                "POST",
                format!("{workspace}/items"),
                json!({"type": "Notebook", "displayName": "n"}),
                400,
                paused,
            ),
            ("POST", format!("{item}/getDefinition"), Value::Null, 400, paused),
            ("POST", format!("{item}/updateDefinition"), update, 400, paused),
            ("GET", item.clone(), Value::Null, 200, ""),
            (
                "POST",
                format!("{workspace}/assignToCapacity"),
                json!({"capacityId": demo::CAPACITY_ID}),
                202,
                "",
            ),
            ("POST", format!("{item}/getDefinition"), Value::Null, 200, ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_lakehouse_brings_its_sql_endpoint() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let before = client.hash();
    let lakehouse = client.item(&workspace, "Lakehouse", "bronze").await;
    client.send("PATCH", &lakehouse, json!({"displayName": "silver"})).await;
    let endpoints = client.get(&format!("{workspace}/items?type=SQLEndpoint")).await;
    assert_eq!(endpoints.json["value"][0]["displayName"], "silver");
    let endpoint = format!("{workspace}/items/{}", endpoints.json["value"][0]["id"].as_str().unwrap());
    check(
        &client,
        vec![
            ("DELETE", endpoint.clone(), Value::Null, 400, "UnsupportedItemType"),
            ("POST", format!("{endpoint}/getDefinition"), Value::Null, 400, "OperationNotSupportedForItem"),
            ("DELETE", format!("{lakehouse}?hardDelete=true"), Value::Null, 200, ""),
            ("GET", endpoint, Value::Null, 404, "ItemNotFound"),
        ],
    )
    .await;
    assert_eq!(client.hash(), before);
}

#[tokio::test(start_paused = true)]
async fn names_stay_reserved_after_a_delete() {
    for status in [409, 400] {
        let config = Config {
            name_reservation: Duration::from_secs(20),
            reservation_status: status,
            ..Config::default()
        };
        let client = Client::demo(config).await;
        let workspace = client.workspace("W").await;
        let item = client.item(&workspace, "DataPipeline", "p").await;
        client.send("DELETE", &format!("{item}?hardDelete=true"), Value::Null).await;
        let again = json!({"type": "DataPipeline", "displayName": "P"});
        let refused = client.post(&format!("{workspace}/items"), again.clone()).await;
        assert_eq!((refused.status, refused.code()), (status, "ItemDisplayNameNotAvailableYet"));
        assert_eq!(refused.json["isRetriable"], true);
        let other = client
            .post(&format!("{workspace}/items"), json!({"type": "Lakehouse", "displayName": "p"}))
            .await;
        assert_eq!(other.status, 201, "reserved by type");
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(client.post(&format!("{workspace}/items"), again).await.status, 201);
    }
}

#[tokio::test]
async fn definitions_are_stored_as_the_service_stores_them() {
    let config = Config { long_running: LongRunning::Never, ..Config::default() };
    let client = Client::demo(config).await;
    let workspace = client.workspace("W").await;
    let job = r#"{"defaultLakehouseArtifactId":"","z":1,"a":[2]}"#;
    let tidy =
        "{\r\n  \"defaultLakehouseArtifactId\": null,\r\n  \"z\": 1,\r\n  \"a\": [\r\n    2\r\n  ]\r\n}";
    let ipynb = r#"{"cells":[{"cell_type":"code","source":"print(1)"}]}"#;
    // (type, part, sent, asked with, answered format, answered part, answered content)
    let cases = [
        (
            "SparkJobDefinition",
            "SparkJobDefinitionV1.json",
            job,
            "",
            Value::Null,
            "SparkJobDefinitionV1.json",
            tidy,
        ),
        ("VariableLibrary", "variables.json", job, "", Value::Null, "variables.json", job),
        ("Notebook", "notebook-content.py", "print(1)", "", Value::Null, "notebook-content.py", "print(1)"),
        (
            "Notebook",
            "notebook-content.ipynb",
            ipynb,
            "?format=fabricGitSource",
            Value::Null,
            "notebook-content.py",
            "# Fabric notebook source\n\n# CELL ********************\n\nprint(1)\n\n",
        ),
        (
            "Notebook",
            "notebook-content.py",
            "print(1)",
            "?format=ipynb",
            json!("ipynb"),
            "notebook-content.ipynb",
            "print(1)",
        ),
    ];
    for (number, (kind, part, sent, query, format, answered_part, answered)) in cases.into_iter().enumerate()
    {
        use base64::Engine as _;
        let base64 = &base64::engine::general_purpose::STANDARD;
        let body = json!({"type": kind, "displayName": format!("x{number}"), "definition": definition(part, &base64.encode(sent))});
        let item = client.post(&format!("{workspace}/items"), body).await;
        let path = format!("{workspace}/items/{}/getDefinition{query}", item.id());
        let definition = client.post(&path, Value::Null).await.json["definition"].clone();
        assert_eq!(definition.get("format").cloned().unwrap_or_default(), format, "{kind} {query}");
        assert_eq!(definition["parts"][0]["path"], answered_part, "{kind} {query}");
        let content = base64.decode(definition["parts"][0]["payload"].as_str().unwrap()).unwrap();
        let content = String::from_utf8(content).unwrap();
        if format == "ipynb" {
            let notebook: Value = serde_json::from_str(&content).unwrap();
            assert_eq!(notebook["cells"][0]["source"], json!([answered]));
        } else {
            assert_eq!(content, answered, "{kind} {query}");
        }
    }
}

#[tokio::test]
async fn items_move_with_their_children() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let folder = client.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await.id();
    let lakehouse = client.item(&workspace, "Lakehouse", "l").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let endpoints = client.get(&format!("{workspace}/sqlEndpoints")).await;
    let endpoint = endpoints.json["value"][0]["id"].as_str().unwrap().to_owned();
    let moved = client.post(&format!("{lakehouse}/move"), json!({"targetFolderId": folder})).await;
    let kinds: Vec<_> = moved.json["value"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!((moved.status, kinds), (200, vec![&json!("Lakehouse"), &json!("SQLEndpoint")]));
    assert_eq!(client.get(&lakehouse).await.json["folderId"], folder.as_str());
    let id = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let bulk = format!("{workspace}/items/bulkMove");
    let both = vec![id(&lakehouse), id(&notebook)];
    check(
        &client,
        vec![
            ("POST", format!("{workspace}/items/{endpoint}/move"), json!({}), 400, "CannotMoveChildOnly"),
            ("POST", bulk.clone(), json!({"items": []}), 400, "InvalidInput"),
            ("POST", bulk.clone(), json!({"items": vec![NOBODY; 51]}), 400, "InvalidInput"),
            ("POST", bulk.clone(), json!({"items": [both[1], NOBODY]}), 404, "ItemNotFound"),
            ("POST", bulk.clone(), json!({"items": both, "targetFolderId": NOBODY}), 404, "FolderNotFound"),
            ("POST", bulk.clone(), json!({"items": both, "targetFolderId": ""}), 200, ""),
        ],
    )
    .await;
    assert_eq!(client.get(&lakehouse).await.json.get("folderId"), None);
}

#[tokio::test]
async fn a_child_takes_a_name_too() {
    for child_delay in [Duration::ZERO, Duration::from_secs(30)] {
        let client =
            Client::demo(Config { child_delay, long_running: LongRunning::Never, ..Config::default() }).await;
        let workspace = client.workspace("W").await;
        let items = || format!("{workspace}/items");
        let new = |kind: &str, name: &str| json!({"type": kind, "displayName": name});
        let eventhouse = client.item(&workspace, "Eventhouse", "house").await;
        check(
            &client,
            vec![
                ("POST", items(), new("KQLDatabase", "HOUSE"), 400, "ItemDisplayNameAlreadyInUse"),
                ("POST", items(), new("KQLDatabase", "base"), 201, ""),
                ("POST", items(), new("Eventhouse", "base"), 400, "ItemDisplayNameAlreadyInUse"),
                (
                    "PATCH",
                    eventhouse.clone(),
                    json!({"displayName": "Base"}),
                    400,
                    "ItemDisplayNameAlreadyInUse",
                ),
                ("PATCH", eventhouse.clone(), json!({"displayName": "House"}), 200, ""),
                ("POST", items(), new("Lakehouse", "house"), 201, ""),
            ],
        )
        .await;
    }
}

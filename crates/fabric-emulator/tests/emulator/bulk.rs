//! Definitions in bulk: what is exported can be imported, and an import keeps to the rules.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use crate::support::{Client, check, definition};

#[tokio::test]
async fn what_is_exported_in_bulk_can_be_imported() {
    let base64 = &STANDARD;
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let folder = client.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await.id();
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let notebook_id = notebook.rsplit('/').next().unwrap();
    let content = format!(r#"{{"properties":{{"activities":[{{"notebookId":"{notebook_id}"}}]}}}}"#);
    let body = json!({"type": "DataPipeline", "displayName": "p", "folderId": folder,
        "definition": definition("pipeline-content.json", &base64.encode(content))});
    let pipeline = client.post(&format!("{workspace}/items"), body).await.id();
    client.item(&workspace, "Warehouse", "no_definition").await;
    let export = format!("{workspace}/items/bulkExportDefinitions?beta=true");
    let all = client.finish(client.post(&export, json!({"mode": "All"})).await).await;
    assert_eq!(all.keys(), ["itemDefinitionsIndex", "definitionParts"]);
    let index = json!([{"id": notebook_id, "rootPath": "/n.Notebook"}, {"id": pipeline, "rootPath": "/f/p.DataPipeline"}]);
    assert_eq!(all.json["itemDefinitionsIndex"], index);
    let parts = all.json["definitionParts"].as_array().unwrap();
    let paths: Vec<_> = parts.iter().map(|part| part["path"].as_str().unwrap()).collect();
    let expected = [
        "/n.Notebook/.platform",
        "/n.Notebook/notebook-content.py",
        "/f/p.DataPipeline/.platform",
        "/f/p.DataPipeline/pipeline-content.json",
    ];
    assert_eq!(paths, expected);

    // Into another workspace: logical ids of the export become ids of the new items.
    let exported: Value =
        serde_json::from_slice(&base64.decode(parts[0]["payload"].as_str().unwrap()).unwrap()).unwrap();
    let logical = exported["config"]["logicalId"].as_str().unwrap();
    let mut sent = parts.clone();
    let content = format!(r#"{{"notebookId":"{logical}"}}"#);
    sent[3]["payload"] = base64.encode(content).into();
    let other = client.workspace("Other").await;
    let import = format!("{other}/items/bulkImportDefinitions?beta=true");
    let imported = client.finish(client.post(&import, json!({"definitionParts": sent})).await).await;
    let details = imported.json["importItemDefinitionsDetails"].as_array().unwrap();
    let operations: Vec<_> = details.iter().map(|item| (&item["itemType"], &item["operationType"])).collect();
    assert_eq!(
        operations,
        [(&json!("Notebook"), &json!("Create")), (&json!("DataPipeline"), &json!("Create"))]
    );
    let path = format!("{other}/items/{}/getDefinition", details[1]["itemId"].as_str().unwrap());
    let read = client.post(&path, Value::Null).await;
    let payload = base64.decode(read.json["definition"]["parts"][0]["payload"].as_str().unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload["notebookId"], details[0]["itemId"]);
    assert_eq!(client.get(&format!("{other}/folders")).await.json["value"][0]["displayName"], "f");

    // Again: paired by logical id, or by name where that is allowed.
    let again = client.finish(client.post(&import, json!({"definitionParts": sent})).await).await;
    assert_eq!(again.json["importItemDefinitionsDetails"][0]["operationType"], "Update");
    assert_eq!(again.json["importItemDefinitionsDetails"][0]["itemId"], details[0]["itemId"]);
    let platform = json!({"metadata": {"type": "Notebook", "displayName": "n"}}).to_string();
    let unnamed = json!([{"path": "/n.Notebook/.platform", "payload": base64.encode(platform), "payloadType": "InlineBase64"}, sent[1]]);
    let stray = json!([{"path": "/readme.md", "payload": "", "payloadType": "InlineBase64"}]);
    check(
        &client,
        vec![
            ("POST", import.clone(), json!({"definitionParts": unnamed}), 400, "DuplicateDisplayNameAndType"),
            ("POST", import.clone(), json!({"definitionParts": stray}), 400, "InvalidFilesPath"),
            ("POST", import.clone(), json!({"definitionParts": [sent[1]]}), 400, "InvalidPlatformFile"),
            ("POST", import.clone(), json!({"definitionParts": []}), 400, "MissingDefinitionParts"),
            ("POST", import.clone(), json!({}), 400, "InvalidInput"),
            ("POST", export.clone(), json!({"mode": "Some"}), 400, "InvalidInput"),
            (
                "POST",
                export.clone(),
                json!({"mode": "Selective", "items": [{"id": pipeline}, {"id": pipeline}]}),
                400,
                "ItemReferencedMoreThanOnce",
            ),
        ],
    )
    .await;
    let body = json!({"definitionParts": unnamed, "options": {"allowPairingByName": true}});
    let by_name = client.finish(client.post(&import, body).await).await;
    assert_eq!(by_name.json["importItemDefinitionsDetails"][0]["itemId"], details[0]["itemId"]);
}

#[tokio::test]
async fn an_import_keeps_to_the_rules_of_a_create() {
    let base64 = |text: String| STANDARD.encode(text);
    let item = |kind: &str, name: &str, logical: u8| {
        let platform = json!({
            "metadata": {"type": kind, "displayName": name},
            "config": {"logicalId": format!("00000000-0000-4000-8000-0000000000{logical:02}")},
        });
        let part = |path: &str, text: String| json!({"path": format!("/{name}.{kind}/{path}"), "payload": base64(text), "payloadType": "InlineBase64"});
        [part(".platform", platform.to_string()), part("content.json", "{}".to_owned())]
    };
    let body = |items: &[[Value; 2]]| json!({"definitionParts": items.concat()});
    let client = Client::demo(Config { max_items: 2, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let import = || format!("{workspace}/items/bulkImportDefinitions?beta=true");
    let three = [item("Reflex", "a", 1), item("Reflex", "b", 2), item("Reflex", "c", 3)];
    check(
        &client,
        vec![
            ("POST", import(), body(&three), 400, "WorkspaceItemsLimitExceeded"),
            (
                "POST",
                import(),
                body(&[item("Reflex", "a", 1), item("Reflex", "b", 1)]),
                400,
                "InvalidPlatformFile",
            ),
            ("POST", import(), body(&[item("Warehouse", "a", 1)]), 400, "OperationNotSupportedForItem"),
            (
                "POST",
                import(),
                body(&[item("Eventhouse", "a", 1), item("KQLDatabase", "a", 2)]),
                400,
                "DuplicateDisplayNameAndType",
            ),
        ],
    )
    .await;
}

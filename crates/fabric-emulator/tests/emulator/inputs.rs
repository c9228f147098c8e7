//! Inputs that mean nothing are refused, not passed over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check, definition};

const INPUT: &str = "InvalidInput";

#[tokio::test]
async fn parts_lie_below_their_item() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let pipeline = client.item(&workspace, "DataPipeline", "p").await;
    let refused = "InvalidDefinitionParts";
    let cases = [
        ("../a", 400, refused),
        ("a/../../b", 400, refused),
        ("a/..", 400, refused),
        ("..\\a", 400, refused),
        ("/a", 400, refused),
        ("a//b", 400, refused),
        ("a/", 400, refused),
        ("./a", 400, refused),
        ("a/b..c", 200, ""),
        ("...", 200, ""),
    ];
    for (path, status, code) in cases {
        let body = json!({"definition": definition(path, "e30=")});
        check(&client, vec![("POST", format!("{pipeline}/updateDefinition"), body, status, code)]).await;
        let created = if status == 200 { 201 } else { status };
        let body =
            json!({"type": "DataPipeline", "displayName": path, "definition": definition(path, "e30=")});
        check(&client, vec![("POST", format!("{workspace}/items"), body, created, code)]).await;
    }
}

#[tokio::test]
async fn a_platform_file_is_of_the_items_type() {
    let client = Client::demo(Config { long_running: LongRunning::Never, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    for (metadata, status, code) in [
        (json!({"type": "Report", "displayName": "other"}), 400, "InvalidPlatformFile"),
        (json!({"type": "notebook", "displayName": "other"}), 200, ""),
        (json!({"displayName": "another"}), 200, ""),
    ] {
        let platform = STANDARD.encode(json!({"metadata": metadata}).to_string());
        let mut body = json!({"definition": definition("notebook-content.py", "YQ==")});
        let parts = body["definition"]["parts"].as_array_mut().unwrap();
        parts.push(definition(".platform", &platform)["parts"][0].clone());
        let update = |query: &str| format!("{notebook}/updateDefinition{query}");
        check(&client, vec![("POST", update("?updateMetadata=true"), body.clone(), status, code)]).await;
        // Nobody looks at it without that.
        check(&client, vec![("POST", update(""), body, 200, "")]).await;
    }
    assert_eq!(client.get(&notebook).await.json["displayName"], "another");
}

#[tokio::test]
async fn names_can_be_shown() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let item = client.item(&workspace, "DataPipeline", "p").await;
    let mut cases = Vec::new();
    for name in ["a\0b", "a\nb", "a\u{7f}", "\u{85}a"] {
        let named = || json!({"displayName": name, "type": "DataPipeline"});
        cases.extend([
            ("POST", "/v1/workspaces".to_owned(), named(), 400, INPUT),
            ("PATCH", workspace.clone(), named(), 400, INPUT),
            ("POST", format!("{workspace}/items"), named(), 400, INPUT),
            ("POST", format!("{workspace}/dataPipelines"), named(), 400, INPUT),
            ("PATCH", item.clone(), named(), 400, INPUT),
            ("POST", format!("{workspace}/folders"), named(), 400, "InvalidFolderDisplayName"),
        ]);
    }
    cases.push(("PATCH", item.clone(), json!({"displayName": "größe 🧵"}), 200, ""));
    check(&client, cases).await;
}

#[tokio::test]
async fn a_cosmos_database_keeps_its_name() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let item = client.item(&workspace, "CosmosDBDatabase", "c").await.replace("items", "cosmosDbDatabases");
    let refused = "CosmosDBDatabaseDisplayNameCannotBeChanged";
    check(
        &client,
        vec![
            ("PATCH", item.clone(), json!({"displayName": "d"}), 400, refused),
            ("PATCH", item.clone(), json!({"displayName": "c", "description": "same"}), 200, ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn memory_is_of_a_size_there_is() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let made = client.post(&format!("{workspace}/environments"), json!({"displayName": "env"})).await;
    let compute = |beta: &str| format!("{workspace}/environments/{}/staging/sparkcompute{beta}", made.id());
    let mut cases = Vec::new();
    for name in ["driverMemory", "executorMemory"] {
        let body = |size: Value| json!({name: size});
        cases.extend([
            ("PATCH", compute("?beta=false"), body(json!("30g")), 400, INPUT),
            ("PATCH", compute(""), body(json!("28G")), 400, INPUT),
            ("PATCH", compute(""), body(json!(28)), 400, INPUT),
            ("PATCH", compute("?beta=false"), body(json!("400g")), 200, ""),
            ("PATCH", compute("?beta=true"), body(json!("30g")), 200, ""),
        ]);
    }
    check(&client, cases).await;
}

#[tokio::test]
async fn a_selection_is_of_something() {
    let client = Client::demo(Config { long_running: LongRunning::Never, ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let item = client.item(&workspace, "DataPipeline", "p").await;
    let id = item.rsplit('/').next().unwrap();
    let export = || format!("{workspace}/items/bulkExportDefinitions?beta=true");
    check(
        &client,
        vec![
            ("POST", export(), json!({"mode": "Selective"}), 400, INPUT),
            ("POST", export(), json!({"mode": "Selective", "items": []}), 400, INPUT),
            ("POST", export(), json!({"mode": "Selective", "items": [{"id": id}]}), 200, ""),
            ("POST", export(), json!({"mode": "All"}), 200, ""),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_principal_is_of_a_type_there_is() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let roles = || format!("{workspace}/roleAssignments");
    let to = |kind: &str| json!({"principal": {"id": demo::ANALYST_ID, "type": kind}, "role": "Viewer"});
    check(
        &client,
        vec![
            ("POST", roles(), to("Robot"), 400, INPUT),
            ("POST", roles(), to(""), 400, INPUT),
            // The wrong one is put right.
            ("POST", roles(), to("serviceprincipal"), 201, ""),
        ],
    )
    .await;
    let given = client.get(&format!("{}/{}", roles(), demo::ANALYST_ID)).await;
    assert_eq!(given.json["principal"]["type"], "User");
}

#[tokio::test]
async fn what_is_not_found_is_said_in_words() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    for (path, what) in [
        (format!("{workspace}/roleAssignments/{NOBODY}"), "role assignment"),
        (format!("{workspace}/spark/pools/{NOBODY}"), "spark pool"),
        (format!("/v1/deploymentPipelines/{NOBODY}"), "deployment pipeline"),
        (format!("{workspace}/items/{NOBODY}"), "item"),
    ] {
        let answer = client.get(&path).await;
        assert_eq!(answer.json["message"], format!("The requested {what} could not be found"), "{path}");
    }
}

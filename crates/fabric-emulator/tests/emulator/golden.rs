//! Wire shapes as recorded from the service: status, keys in their order, headers.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Answer, Client, definition};

const OCTETS: Option<&str> = Some("application/octet-stream");
const JSON: Option<&str> = Some("application/json; charset=utf-8");

fn check_common(answer: &Answer) {
    for (name, value) in [
        ("cache-control", "no-store, must-revalidate, no-cache"),
        ("pragma", "no-cache"),
        ("x-frame-options", "deny"),
        ("x-content-type-options", "nosniff"),
        ("request-redirected", "true"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    assert!(answer.header("requestid").is_some() && answer.header("content-encoding").is_none());
}

#[tokio::test]
async fn g1_g2_g3_workspaces_and_capacities() {
    let client = Client::demo(Config::default()).await;
    let body = json!({"displayName": "fabcli000002", "capacityId": demo::CAPACITY_ID});
    let made = client.post("/v1/workspaces", body).await;
    check_common(&made);
    assert_eq!((made.status, made.header("content-type")), (201, JSON));
    assert_eq!(made.keys(), ["id", "displayName", "description", "type", "capacityId", "capacityRegion"]);
    assert_eq!((&made.json["description"], &made.json["type"]), (&json!(""), &json!("Workspace")));
    let location = format!("http://localhost:8080/v1/workspaces/{}", made.id());
    assert_eq!(made.header("location"), Some(location.as_str()));
    assert_eq!(made.header("access-control-expose-headers"), Some("RequestId,Location"));

    let got = client.get(&format!("/v1/workspaces/{}", made.id())).await;
    let mut expected = made.json.clone();
    expected["oneLakeEndpoints"] = json!({
        "blobEndpoint": "https://westeurope-onelake.blob.fabric.microsoft.com",
        "dfsEndpoint": "https://westeurope-onelake.dfs.fabric.microsoft.com",
    });
    expected["capacityAssignmentProgress"] = "Completed".into();
    assert_eq!((got.status, got.text), (200, expected.to_string()));

    let capacities = client.get("/v1/capacities").await;
    assert_eq!((capacities.status, capacities.keys()), (200, vec!["value"]));
    let first = &capacities.json["value"][0];
    assert_eq!(
        first.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["id", "displayName", "sku", "region", "state"]
    );
}

#[tokio::test]
async fn g4_g18_folders() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let made = client.post(&format!("{workspace}/folders"), json!({"displayName": "fabcli000003"})).await;
    assert_eq!((made.status, made.keys()), (201, vec!["id", "displayName", "workspaceId"]));
    let folder = format!("{workspace}/folders/{}", made.id());
    assert_eq!(made.header("location"), Some(format!("http://localhost:8080{folder}").as_str()));

    let body = json!({"displayName": "inner", "parentFolderId": made.id()});
    let inner = client.post(&format!("{workspace}/folders"), body).await;
    assert_eq!(inner.keys(), ["id", "displayName", "parentFolderId", "workspaceId"]);
    let refused = client.send("DELETE", &folder, Value::Null).await;
    assert_eq!((refused.status, refused.code()), (400, "FolderNotEmpty"));
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message", "relatedResource"]);
    assert_eq!(refused.json["message"], "The requested folder was not empty.");
    assert_eq!(refused.json["relatedResource"], json!({"resourceId": made.id(), "resourceType": "Folder"}));
}

#[tokio::test]
async fn g5_g8_a_notebook_is_an_operation_with_a_result() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let body = json!({"displayName": "fabcli000004", "type": "Notebook", "folderId": null,
        "definition": definition("notebook-content.py", "cHJpbnQoMSk=")});
    let accepted = client.post(&format!("{workspace}/items"), body).await;
    assert_eq!(
        (accepted.status, accepted.text.as_str(), accepted.header("content-type")),
        (202, "null", JSON)
    );
    let id = accepted.header("x-ms-operation-id").unwrap().to_owned();
    let host = "https://wabi-us-central-b-primary-redirect.analysis.windows.net";
    assert_eq!(accepted.header("location"), Some(format!("{host}/v1/operations/{id}").as_str()));
    assert_eq!((accepted.header("retry-after"), accepted.header("etag")), (Some("20"), Some("\"\"")));
    let exposed = "RequestId,Location,Retry-After,ETag,x-ms-operation-id";
    assert_eq!(accepted.header("access-control-expose-headers"), Some(exposed));

    let polled = client.get(&format!("/v1/operations/{id}")).await;
    assert_eq!(polled.keys(), ["status", "createdTimeUtc", "lastUpdatedTimeUtc", "percentComplete", "error"]);
    assert_eq!((&polled.json["percentComplete"], &polled.json["error"]), (&json!(100), &Value::Null));
    let created = polled.json["createdTimeUtc"].as_str().unwrap();
    assert_eq!((created.len(), created.ends_with('Z')), (27, false), "{created}");
    assert_eq!(polled.header("location"), Some(format!("{host}/v1/operations/{id}/result").as_str()));
    assert_eq!((polled.header("retry-after"), polled.header("x-ms-operation-id")), (None, Some(id.as_str())));
    let result = client.get(&format!("/v1/operations/{id}/result")).await;
    assert_eq!((result.status, result.header("content-type")), (200, Some("application/json")));
    assert_eq!(result.keys(), ["id", "type", "displayName", "description", "workspaceId"]);
}

#[tokio::test]
async fn g7_an_operation_that_runs_names_itself() {
    let client =
        Client::demo(Config { operation_duration: Duration::from_secs(5), ..Config::default() }).await;
    let workspace = client.workspace("W").await;
    let accepted =
        client.post(&format!("{workspace}/items"), json!({"type": "Notebook", "displayName": "n"})).await;
    let (id, location) =
        (accepted.header("x-ms-operation-id").unwrap(), accepted.header("location").unwrap());
    let polled = client.get(&format!("/v1/operations/{id}")).await;
    assert_eq!(
        (polled.header("location"), polled.header("x-ms-operation-id"), polled.header("retry-after")),
        (Some(location), Some(id), Some("20"))
    );
    assert_eq!(polled.keys(), ["status", "createdTimeUtc", "lastUpdatedTimeUtc", "percentComplete", "error"]);
    assert_eq!(
        (&polled.json["status"], &polled.json["percentComplete"], &polled.json["error"]),
        (&json!("Running"), &Value::Null, &Value::Null)
    );
    assert_eq!(polled.json["createdTimeUtc"], polled.json["lastUpdatedTimeUtc"]);
}

#[tokio::test]
async fn g6_g14_g15_g16_a_pipeline_is_answered_at_once() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let folder = client.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await.id();
    let content = definition("pipeline-content.json", &STANDARD.encode(r#"{"properties":{}}"#));
    let body = json!({"displayName": "p", "type": "DataPipeline", "description": "", "folderId": folder, "definition": content});
    let made = client.post(&format!("{workspace}/items"), body).await;
    assert_eq!((made.status, made.header("location"), made.header("etag")), (201, None, Some("\"\"")));
    assert_eq!(made.keys(), ["id", "type", "displayName", "description", "workspaceId", "folderId"]);

    let item = format!("{workspace}/items/{}", made.id());
    let got = client.post(&format!("{item}/getDefinition"), Value::Null).await;
    assert_eq!((got.status, got.keys()), (200, vec!["definition"]));
    let definition = got.json["definition"].as_object().unwrap();
    assert_eq!(definition.keys().collect::<Vec<_>>(), ["parts"]);
    let paths: Vec<_> = definition["parts"].as_array().unwrap().iter().map(|part| &part["path"]).collect();
    assert_eq!(paths, ["pipeline-content.json", ".platform"]);
    let decode = |part: usize| {
        String::from_utf8(STANDARD.decode(definition["parts"][part]["payload"].as_str().unwrap()).unwrap())
            .unwrap()
    };
    assert_eq!(decode(0), "{\r\n  \"properties\": {}\r\n}");
    let platform: Value = serde_json::from_str(&decode(1)).unwrap();
    assert_eq!(platform["metadata"], json!({"type": "DataPipeline", "displayName": "p", "description": ""}));
    assert_eq!(platform["config"]["logicalId"], "00000000-0000-0000-0000-000000000000");

    let renamed = json!({"definition": {"parts": [
        {"path": "pipeline-content.json", "payload": "e30=", "payloadType": "InlineBase64"},
        {"path": ".platform", "payload": STANDARD.encode(
            r#"{"metadata":{"type":"DataPipeline","displayName":"q","description":"d"}}"#), "payloadType": "InlineBase64"},
    ]}});
    for (query, name) in [("", "p"), ("?updateMetadata=True", "q")] {
        let updated = client.post(&format!("{item}/updateDefinition{query}"), renamed.clone()).await;
        assert_eq!(
            (updated.status, updated.text.as_str(), updated.header("content-type")),
            (200, "", OCTETS)
        );
        assert_eq!(client.get(&item).await.json["displayName"], name, "{query}");
    }
    let deleted = client.send("DELETE", &item, Value::Null).await;
    assert_eq!((deleted.status, deleted.text.as_str(), deleted.header("content-type")), (200, "", OCTETS));
    let gone = client.send("DELETE", &item, Value::Null).await;
    assert_eq!((gone.status, gone.code()), (404, "ItemNotFound"));
}

#[tokio::test]
async fn g9_an_update_is_an_operation_without_a_result() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let item = client.item(&workspace, "Notebook", "n").await;
    let body = json!({"definition": definition("notebook-content.py", "cHJpbnQoMSk=")});
    let accepted = client.post(&format!("{item}/updateDefinition"), body).await;
    let id = accepted.header("x-ms-operation-id").unwrap();
    let polled = client.get(&format!("/v1/operations/{id}")).await;
    assert_eq!(polled.json["status"], "Succeeded");
    assert_eq!((polled.header("location"), polled.header("x-ms-operation-id")), (None, None));
    let result = client.get(&format!("/v1/operations/{id}/result")).await;
    assert_eq!((result.status, result.code()), (400, "OperationHasNoResult"));
    assert_eq!(result.keys(), ["requestId", "errorCode", "message"]);
    assert_eq!(result.json["message"], "The operation has no result");
}

#[tokio::test]
async fn g10_throttled() {
    let client = Client::demo(Config::default()).await;
    client.emulator.inject("GET */folders=429,retry-after=58".parse().unwrap());
    let workspace = client.workspace("W").await;
    let refused = client.get(&format!("{workspace}/folders?recursive=True")).await;
    assert_eq!(
        (refused.status, refused.code(), refused.header("retry-after")),
        (429, "RequestBlocked", Some("58"))
    );
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message", "isRetriable"]);
    assert_eq!(refused.json["isRetriable"], true);
    let message = refused.json["message"].as_str().unwrap();
    assert!(message.starts_with("Request is blocked by the upstream service until: "), "{message}");
    assert!(message.ends_with(" (UTC)"), "{message}");
    for absent in ["cache-control", "pragma", "strict-transport-security"] {
        assert_eq!(refused.header(absent), None);
    }
}

#[tokio::test]
async fn g11_g12_role_assignments() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let roles = format!("{workspace}/roleAssignments");
    let group = demo::DATA_ENGINEERING_ID;
    let body = json!({"principal": {"id": group, "type": "User"}, "role": "member"});
    let added = client.post(&roles, body).await;
    assert_eq!(added.status, 201);
    assert_eq!(added.header("location"), Some(format!("http://localhost:8080{roles}/{group}").as_str()));
    let expected = json!({"id": group, "principal": {"id": group, "type": "Group"}, "role": "Member"});
    assert_eq!(added.text, expected.to_string());

    let nobody = "00000000-0000-4000-8000-000000000000";
    let body = json!({"principal": {"id": nobody, "type": "User"}, "role": "Viewer"});
    let refused = client.post(&roles, body).await;
    assert_eq!((refused.status, refused.code()), (400, "PrincipalNotFound"));
    assert_eq!(refused.keys(), ["requestId", "errorCode", "moreDetails", "message", "relatedResource"]);
    let related = json!([{"relatedResource": {"resourceId": nobody, "resourceType": "Principal"}}]);
    assert_eq!(refused.json["moreDetails"], related);
    assert_eq!(refused.json["relatedResource"]["resourceType"], "Workspace");
}

#[tokio::test]
async fn g13_g17_lakehouse_and_capacity() {
    let client = Client::demo(Config { child_delay: Duration::from_secs(18), ..Config::default() }).await;
    let workspace = client.post("/v1/workspaces", json!({"displayName": "W"})).await.id();
    let workspace = format!("/v1/workspaces/{workspace}");
    let body = json!({"capacityId": demo::CAPACITY_ID});
    let assigned = client.post(&format!("{workspace}/assignToCapacity"), body).await;
    assert_eq!((assigned.status, assigned.text.as_str(), assigned.header("content-type")), (202, "", OCTETS));
    assert_eq!((assigned.header("location"), assigned.header("x-ms-operation-id")), (None, None));

    let body = json!({"displayName": "bronze", "type": "Lakehouse"});
    let made = client.post(&format!("{workspace}/items"), body).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.keys(), ["id", "type", "displayName", "description", "workspaceId"]);
    let id = made.id();
    let got = client.get(&format!("{workspace}/lakehouses/{id}")).await;
    let one_lake =
        format!("https://onelake.dfs.fabric.microsoft.com/{}/{id}", &workspace["/v1/workspaces/".len()..]);
    let expected = json!({
        "oneLakeTablesPath": format!("{one_lake}/Tables"),
        "oneLakeFilesPath": format!("{one_lake}/Files"),
        "sqlEndpointProperties": {"connectionString": null, "id": null, "provisioningStatus": "InProgress"},
    });
    assert_eq!((got.status, got.json["properties"].to_string()), (200, expected.to_string()));
}

#[tokio::test]
async fn g24_the_active_value_set_of_a_variable_library() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let made = json!({"type": "VariableLibrary", "displayName": "v",
        "definition": definition("valueSets/production.json", "e30=")});
    let made = client.post(&format!("{workspace}/items"), made).await;
    let library = format!("{workspace}/items/{}", made.id());
    // The names of collections are the same whatever their case.
    let library = library.replace("/items/", "/VariableLibraries/");
    let body = json!({"properties": {"activeValueSetName": "Default value set"}});
    let patched = client.send("PATCH", &library, body).await;
    let expected = json!({"$type": "VariableLibraryProperties", "activeValueSetName": "Default value set"});
    assert_eq!((patched.status, patched.json["properties"].to_string()), (200, expected.to_string()));
    let body = json!({"properties": {"activeValueSetName": "production"}});
    client.send("PATCH", &library, body).await;
    let active = || async { client.get(&library).await.json["properties"]["activeValueSetName"].clone() };
    assert_eq!(active().await, "production");
    let body = json!({"properties": {"activeValueSetName": "staging"}});
    assert_eq!(client.send("PATCH", &library, body).await.code(), "InvalidInput");
    assert_eq!(active().await, "production");
}

#[tokio::test]
async fn g25_a_folder_moves() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let folders = format!("{workspace}/folders");
    let target = client.post(&folders, json!({"displayName": "target"})).await.id();
    let moved = client.post(&folders, json!({"displayName": "moved"})).await.id();
    let answer = client.post(&format!("{folders}/{moved}/move"), json!({"targetFolderId": target})).await;
    assert_eq!(
        (answer.status, answer.keys()),
        (200, vec!["id", "displayName", "parentFolderId", "workspaceId"])
    );
    assert_eq!(answer.json["parentFolderId"], target.as_str());
}

#[tokio::test]
async fn locations_use_the_name_the_client_used() {
    let client = Client::demo(Config::default()).await;
    for (path, base) in [
        ("https://api.fabric.microsoft.com/v1/workspaces", "https://api.fabric.microsoft.com"),
        ("/v1/workspaces", "http://localhost:8080"),
    ] {
        let made = client.post(path, json!({"displayName": base})).await;
        assert_eq!(made.header("location"), Some(format!("{base}/v1/workspaces/{}", made.id()).as_str()));
    }
}

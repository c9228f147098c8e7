//! Environments: staging, libraries, publish.

use std::time::Duration;

use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use crate::support::{Client, check, send};

#[tokio::test]
async fn g22_an_environment_without_libraries() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let made = client.post(&format!("{workspace}/environments"), json!({"displayName": "env"})).await;
    assert_eq!((made.status, made.header("etag")), (201, Some("\"\"")));
    let environment = format!("{workspace}/environments/{}", made.id());
    let refused = client.get(&format!("{environment}/libraries?beta=false")).await;
    assert_eq!((refused.status, refused.code()), (404, "EnvironmentLibrariesNotFound"));
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message", "isRetriable"]);

    let published = client.post(&format!("{environment}/staging/publish?beta=False"), json!({})).await;
    assert_eq!((published.status, published.keys()), (200, vec!["publishDetails"]));
    let details = &published.json["publishDetails"];
    assert_eq!(details["state"], "Success");
    assert!(details["endTime"].as_str().unwrap().ends_with('Z'), "{details}");
    // A trailing slash is no other path.
    let listed = client.get(&format!("{workspace}/environments/")).await;
    assert_eq!(listed.json["value"][0]["properties"]["publishDetails"]["state"], "Success");
}

#[tokio::test]
async fn what_is_staged_is_in_force_when_its_publish_is_over() {
    let config = Config { operation_duration: Duration::from_secs(600), ..Config::default() };
    let client = Client::demo(config).await;
    let workspace = client.workspace("W").await;
    let id = client.post(&format!("{workspace}/environments"), json!({"displayName": "env"})).await.id();
    let environment = format!("{workspace}/environments/{id}");
    let path = |rest: &str| format!("{environment}{rest}");
    let send_octets = async |method: &str, rest: &str, body: &str| {
        let authorization = format!("Bearer {}", client.token);
        let headers =
            [("authorization", authorization.as_str()), ("content-type", "application/octet-stream")];
        send(&client.emulator, method, &path(rest), &headers, body).await.unwrap()
    };
    assert_eq!(send_octets("POST", "/staging/libraries/tools-1.0.whl", "wheel").await.status, 200);
    let yml = "dependencies:\n- pip:\n  - polars==1.30.0\n  - duckdb==1.4.0\n";
    assert_eq!(send_octets("POST", "/staging/libraries/importExternalLibraries", yml).await.status, 200);
    let refused = send_octets("POST", "/staging/libraries/notes.txt", "").await;
    assert_eq!((refused.status, refused.code()), (400, "EnvironmentValidationFailed"));
    let gone = json!({"name": "duckdb", "version": "1.4.0"});
    let remove = path("/staging/libraries/removeExternalLibrary");
    assert_eq!(client.post(&remove, gone).await.status, 200);
    let exported = client.get(&path("/staging/libraries/exportExternalLibraries")).await;
    assert_eq!(exported.text, "dependencies:\n- pip:\n  - polars==1.30.0\n");
    assert_eq!(exported.header("content-type"), Some("application/octet-stream"));

    let change = json!({"driverCores": 4, "sparkProperties": [{"key": "a", "value": "b"}]});
    let staged = client.send("PATCH", &path("/staging/sparkcompute?beta=false"), change).await;
    assert_eq!((staged.status, &staged.json["driverCores"]), (200, &json!(4)));
    let preview = client.get(&path("/staging/sparkcompute?beta=true")).await;
    assert_eq!(preview.json["sparkProperties"], json!({"a": "b"}));
    assert_eq!(client.get(&path("/sparkcompute?beta=false")).await.json["driverCores"], 8);

    let accepted = client.post(&path("/staging/publish?beta=false"), Value::Null).await;
    assert_eq!((accepted.status, accepted.header("retry-after")), (202, Some("120")));
    let state = async || client.get(&environment).await.json["properties"]["publishDetails"]["state"].clone();
    assert_eq!(state().await, "Running");
    check(
        &client,
        vec![
            ("POST", path("/staging/publish?beta=true"), Value::Null, 400, "InvalidEnvironmentPublish"),
            ("GET", path("/libraries?beta=false"), Value::Null, 404, "EnvironmentLibrariesNotFound"),
            (
                "PATCH",
                path("/staging/sparkcompute?beta=true"),
                json!({"sparkProperties": []}),
                400,
                "InvalidInput",
            ),
        ],
    )
    .await;
    client.emulator.advance(Duration::from_secs(600));
    assert_eq!(state().await, "Success");
    let libraries = client.get(&path("/libraries?beta=false")).await;
    let expected = json!([
        {"libraryType": "Custom", "name": "tools-1.0.whl"},
        {"libraryType": "External", "name": "polars", "version": "1.30.0"},
    ]);
    assert_eq!(libraries.json["libraries"], expected);
    let preview = client.get(&path("/libraries?beta=true")).await;
    assert_eq!(preview.json["customLibraries"]["wheelFiles"], json!(["tools-1.0.whl"]));
    assert_eq!(client.get(&path("/sparkcompute?beta=false")).await.json["driverCores"], 4);
    let result = client.finish(accepted).await;
    assert_eq!(result.json["publishDetails"]["state"], "Success");
}

#[tokio::test]
async fn a_cancelled_publish_leaves_what_was_in_force() {
    let config = Config { operation_duration: Duration::from_secs(600), ..Config::default() };
    let client = Client::demo(config).await;
    let workspace = client.workspace("W").await;
    let id = client.post(&format!("{workspace}/environments"), json!({"displayName": "env"})).await.id();
    let path = |rest: &str| format!("{workspace}/environments/{id}/{rest}");
    let refused = client.post(&path("staging/cancelPublish"), Value::Null).await;
    assert_eq!((refused.status, refused.code()), (400, "InvalidEnvironmentCancel"));
    client.send("PATCH", &path("staging/sparkcompute"), json!({"driverCores": 16})).await;
    client.post(&path("staging/publish"), Value::Null).await;
    let cancelled = client.post(&path("staging/cancelPublish"), Value::Null).await;
    assert_eq!(cancelled.json["publishDetails"]["state"], "Cancelled");
    client.emulator.advance(Duration::from_secs(600));
    assert_eq!(client.get(&path("sparkcompute")).await.json["driverCores"], 8);
    assert_eq!(client.get(&path("staging/sparkcompute")).await.json["driverCores"], 16);
}

#[tokio::test]
async fn a_definition_stages_its_spark_compute() {
    use base64::Engine as _;
    let yml = "enable_native_execution_engine: false\ndriver_cores: 4\ndriver_memory: 28g\n\
               dynamic_executor_allocation: {enabled: true, min_executors: 1, max_executors: 2}\n\
               spark_conf: [spark.a: b, spark.c: true]\nruntime_version: 1.3\n";
    let definition = |yml: &str| {
        let payload = base64::engine::general_purpose::STANDARD.encode(yml);
        json!({"parts": [{"path": "Setting/Sparkcompute.yml", "payload": payload, "payloadType": "InlineBase64"}]})
    };
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let new = |name: &str, yml: &str| json!({"displayName": name, "definition": definition(yml)});
    let environments = format!("{workspace}/environments");
    let made = client.finish(client.post(&environments, new("env", yml)).await).await;
    let environment = format!("{environments}/{}", made.id());
    client.post(&format!("{environment}/staging/publish"), Value::Null).await;
    let published = client.get(&format!("{environment}/sparkcompute?beta=false")).await.json;
    assert_eq!((&published["driverCores"], &published["driverMemory"]), (&json!(4), &json!("28g")));
    assert_eq!(
        published["dynamicExecutorAllocation"],
        json!({"enabled": true, "minExecutors": 1, "maxExecutors": 2})
    );
    assert_eq!(
        published["sparkProperties"],
        json!([{"key": "spark.a", "value": "b"}, {"key": "spark.c", "value": "true"}])
    );
    assert_eq!((&published["runtimeVersion"], &published["executorCores"]), (&json!("1.3"), &json!(8)));
    let broken = new("broken", "driver_cores: many");
    check(&client, vec![("POST", environments.clone(), broken, 400, "InvalidDefinitionParts")]).await;
}

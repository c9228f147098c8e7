//! A tenant with something of every kind, and all that can be read of a tenant.

use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_fabric_emulator::{Config, Emulator, LongRunning, demo, operations};
use serde_json::{Value, json};

use crate::connections;
use crate::deployments::Sales;
use crate::entra::certificates::certificate;
use crate::support::{Client, VAULT, definition, send};

pub(super) const RESERVED: Duration = Duration::from_secs(600);
pub(super) const CHILD: Duration = Duration::from_secs(5);
pub(super) const JOB: Duration = Duration::from_secs(100);
pub(super) const PUBLISH: Duration = Duration::from_secs(200);
pub(super) const ASSIGNMENT: Duration = Duration::from_secs(300);

pub(super) fn config() -> Config {
    Config {
        name_reservation: RESERVED,
        child_delay: CHILD,
        job_duration: JOB,
        capacity_assignment: ASSIGNMENT,
        ..Config::default()
    }
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn typed(item: &str, collection: &str) -> String {
    item.replace("/items/", &format!("/{collection}/"))
}

pub(super) async fn set(client: &Client, settings: Value) {
    let answer = client.send("POST", "/_emulator/settings", settings).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

async fn ok(client: &Client, method: &str, path: &str, body: Value) -> Value {
    let answer = client.send(method, path, body).await;
    client.finish(answer).await.json
}

/// At a clock that stands still: nothing is under way that could not be written down, and much is still to come.
pub(super) async fn tenant() -> Client {
    let sales = Sales::new(Config { child_delay: Duration::ZERO, ..config() }).await;
    let client = sales.client.clone();
    client.emulator.freeze();
    sales.deployed(sales.order(0, 1)).await;
    client.emulator.inject("POST */deploy=operation-fails,times=1".parse().unwrap());
    assert_eq!(client.post(&sales.deploy(), sales.order(0, 1)).await.status, 202);
    tenant_wide(&client, &sales.dev).await;
    items(&client, &sales.dev).await;
    vault(&client).await;
    environment(&client, &sales.dev).await;
    git(&client).await;

    // Things that are gone, and things that are to come.
    let notebook = client.item(&sales.dev, "Notebook", "gone").await;
    ok(&client, "DELETE", &notebook, Value::Null).await;
    let deleted = client.workspace("Deleted").await;
    client.item(&deleted, "Lakehouse", "kept").await;
    ok(&client, "DELETE", &deleted, Value::Null).await;
    set(&client, json!({"childDelay": "5s"})).await;
    client.item(&sales.dev, "Lakehouse", "late").await;
    let moving = client.workspace("Moving").await;
    let capacity = json!({"capacityId": demo::CAPACITY_ID});
    let assigned = client.post(&format!("{moving}/assignToCapacity"), capacity).await;
    assert_eq!(assigned.status, 202, "{assigned:?}");
    set(&client, json!({"longRunning": "none"})).await;
    client
}

async fn tenant_wide(client: &Client, dev: &str) {
    let domain = ok(client, "POST", "/v1/admin/domains", json!({"displayName": "Finance"})).await;
    let part = json!({"displayName": "Tax", "parentDomainId": domain["id"]});
    let part = ok(client, "POST", "/v1/admin/domains", part).await;
    ok(client, "POST", &format!("{dev}/assignToDomain"), json!({"domainId": part["id"]})).await;
    ok(client, "POST", &format!("{dev}/applyTags"), json!({"tags": [demo::TAG_ID]})).await;
    ok(client, "POST", &format!("{dev}/provisionIdentity"), Value::Null).await;
    let roles = format!("{dev}/roleAssignments");
    let group = json!({"principal": {"id": demo::DATA_ENGINEERING_ID, "type": "Group"}, "role": "Viewer"});
    ok(client, "POST", &roles, group).await;
    let connection = connections::made(client, "sales").await;
    let analyst = json!({"principal": {"id": demo::ANALYST_ID, "type": "User"}, "role": "User"});
    ok(client, "POST", &format!("{connection}/roleAssignments"), analyst).await;
    let pool = json!({"name": "big", "nodeFamily": "MemoryOptimized", "nodeSize": "Large",
        "autoScale": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 3},
        "dynamicExecutorAllocation": {"enabled": false}});
    let pool = ok(client, "POST", &format!("{dev}/spark/pools"), pool).await;
    let settings = json!({"pool": {"defaultPool": {"id": pool["id"]}}});
    ok(client, "PATCH", &format!("{dev}/spark/settings"), settings).await;
}

async fn items(client: &Client, dev: &str) {
    let bronze = client.item(dev, "Lakehouse", "tin").await;
    let warehouse = client.item(dev, "Warehouse", "store").await;
    client.item(dev, "SQLDatabase", "orders").await;
    let audit = json!({"state": "Enabled", "retentionDays": 10});
    ok(client, "PATCH", &format!("{}/settings/sqlAudit", typed(&warehouse, "warehouses")), audit).await;
    let library = json!({"type": "VariableLibrary", "displayName": "variables",
        "definition": definition("valueSets/prod.json", "e30=")});
    let library = ok(client, "POST", &format!("{dev}/items"), library).await;
    let library = format!("{dev}/items/{}", library["id"].as_str().unwrap());
    let value_set = json!({"properties": {"activeValueSetName": "prod"}});
    ok(client, "PATCH", &typed(&library, "variableLibraries"), value_set).await;
    ok(client, "POST", &format!("{bronze}/applyTags"), json!({"tags": [demo::TAG_ID]})).await;
    let one_lake = json!({"workspaceId": last(dev), "itemId": last(&bronze), "path": "Files"});
    let shortcut = json!({"path": "Files", "name": "s", "target": {"oneLake": one_lake}});
    ok(client, "POST", &format!("{bronze}/shortcuts"), shortcut).await;
    let load = json!({"relativePath": "Files/a.csv", "pathType": "File", "mode": "Overwrite",
        "formatOptions": {"format": "Csv", "header": true, "delimiter": ","}});
    let tables = format!("{}/tables", typed(&bronze, "lakehouses"));
    ok(client, "POST", &format!("{tables}/one/load"), load.clone()).await;
    for endpoint in ids(&client.get(&format!("{dev}/sqlEndpoints")).await.json) {
        ok(client, "POST", &format!("{dev}/sqlEndpoints/{endpoint}/refreshMetadata"), Value::Null).await;
    }
    ok(client, "POST", &format!("{tables}/two/load"), load).await;
    let points = format!("{}/restorePoints", typed(&warehouse, "warehouses"));
    ok(client, "POST", &points, json!({"displayName": "before"})).await;

    let schedule = json!({"enabled": true, "configuration": {"type": "Cron", "startDateTime": "2024-01-23T00:00:00",
        "endDateTime": "2024-10-07T23:59:00", "localTimeZoneId": "Central Standard Time", "interval": 10}});
    for (kind, job) in [("DataPipeline", "Execute"), ("Notebook", "RunNotebook")] {
        let item = client.item(dev, kind, &format!("{kind} that runs")).await;
        ok(client, "POST", &format!("{item}/jobs/{job}/schedules"), schedule.clone()).await;
        assert_eq!(client.post(&format!("{item}/jobs/{job}/instances"), json!({})).await.status, 202);
        client.emulator.advance(JOB);
        client.emulator.inject("POST */instances=operation-fails,times=1".parse().unwrap());
        assert_eq!(client.post(&format!("{item}/jobs/{job}/instances"), json!({})).await.status, 202);
    }
    let model = json!({"displayName": "m", "definition": definition("model.bim", "e30=")});
    let model = ok(client, "POST", &format!("{dev}/semanticModels"), model).await;
    let model = format!("{dev}/semanticModels/{}", model["id"].as_str().unwrap());
    let binding = json!({"connectionBinding": {"id": demo::GITHUB_CONNECTION_ID, "connectivityType": "ShareableCloud",
        "connectionDetails": {"type": "SQL", "path": "contoso.database.windows.net;sales"}}});
    assert_eq!(client.post(&format!("{model}/bindConnection"), binding).await.status, 200);
    // Bytes that are no text.
    let binary =
        json!({"type": "Report", "displayName": "r", "definition": definition("logo.png", "iVBORw0K/wD+")});
    ok(client, "POST", &format!("{dev}/items"), binary).await;
}

/// An application with a certificate, and a second vault with a secret of two versions, one that is deleted and one that was recovered.
async fn vault(client: &Client) {
    let secret = |name: &str| json!({"name": name, "value": "first", "notBefore": "2026-01-01T00:00:00Z", "tags": {"a": "b"}});
    let signer = json!({"displayName": "Signer", "certificates": [certificate().pem()]});
    let seed = json!({"servicePrincipals": [signer], "vaults": [{"name": "finance", "authorization": "AccessPolicies",
        "access": [{"principalId": demo::CALLER_ID, "permissions": ["get", "set", "delete", "recover"]}],
        "secrets": [secret("kept"), secret("gone"), secret("back")]}]});
    client.emulator.seed(&seed).unwrap();
    let client = Client::with(client.emulator.clone(), demo::CLIENT_ID, demo::CLIENT_SECRET, VAULT).await;
    let path = |rest: &str| format!("https://finance.vault.azure.net{rest}?api-version=7.6");
    ok(&client, "PUT", &path("/secrets/kept"), json!({"value": "second", "contentType": "text/plain"})).await;
    ok(&client, "DELETE", &path("/secrets/gone"), Value::Null).await;
    ok(&client, "DELETE", &path("/secrets/back"), Value::Null).await;
    ok(&client, "POST", &path("/deletedsecrets/back/recover"), Value::Null).await;
}

/// Published once, and in the middle of another publish.
async fn environment(client: &Client, dev: &str) {
    let environment = typed(&client.item(dev, "Environment", "env").await, "environments");
    let path = |rest: &str| format!("{environment}/staging/{rest}");
    let authorization = format!("Bearer {}", client.token);
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/octet-stream")];
    let yml = "dependencies:\n- pip:\n  - polars==1.30.0\n";
    for (rest, body) in [("libraries/tools-1.0.whl", "wheel"), ("libraries/importExternalLibraries", yml)] {
        let answer = send(&client.emulator, "POST", &path(rest), &headers, body).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    ok(client, "POST", &path("publish?beta=true"), json!({})).await;
    ok(client, "PATCH", &path("sparkcompute?beta=false"), json!({"driverCores": 4})).await;
    set(client, json!({"operationDuration": "200s"})).await;
    ok(client, "POST", &path("publish?beta=true"), json!({})).await;
    set(client, json!({"operationDuration": "0s"})).await;
}

/// Committed, and with a change that is not.
async fn git(client: &Client) {
    let workspace = client.workspace("Git").await;
    let notebook = client.item(&workspace, "Notebook", "n").await;
    let call = |name: &str| format!("{workspace}/git/{name}");
    let connect = json!({
        "gitProviderDetails": {"ownerName": "contoso", "gitProviderType": "GitHub", "repositoryName": "data",
            "branchName": "main", "directoryName": "fabric"},
        "myGitCredentials": {"source": "ConfiguredConnection", "connectionId": demo::GITHUB_CONNECTION_ID},
    });
    ok(client, "POST", &call("connect"), connect).await;
    let initialized = ok(client, "POST", &call("initializeConnection"), json!({})).await;
    let commit = json!({"mode": "All", "workspaceHead": initialized["workspaceHead"]});
    ok(client, "POST", &call("commitToGit"), commit).await;
    ok(client, "PATCH", &notebook, json!({"description": "changed"})).await;
}

fn ids(json: &Value) -> Vec<String> {
    let lists = json.as_object().into_iter().flat_map(|json| json.values()).filter_map(Value::as_array);
    let id = |entry: &Value| Some(entry.get("id").or(entry.get("name"))?.as_str()?.to_owned());
    lists.flatten().filter_map(id).collect()
}

/// The answers to every operation that reads, for everything in the tenant that it could be about.
pub(super) async fn answers(client: &Client, operation_ids: &[String]) -> BTreeMap<String, (u16, Value)> {
    let mut answers = BTreeMap::new();
    for operation in operations() {
        let reads = operation.method == "GET" || operation.path.ends_with("/items/{itemId}/getDefinition");
        if !reads {
            continue;
        }
        let mut paths = vec![String::new()];
        for segment in operation.path.split('/').skip(1) {
            let mut longer = Vec::new();
            for path in &paths {
                let values = match segment {
                    "{operationId}" if path == "/v1/operations" => operation_ids.to_vec(),
                    "{jobType}" => vec!["RunNotebook".to_owned()],
                    "{shortcutPath}" => vec!["Files".to_owned()],
                    "{shortcutName}" => vec!["s".to_owned()],
                    parameter if parameter.starts_with('{') => {
                        ids(&read(client, "GET", path, &mut answers).await.1)
                    }
                    fixed => vec![fixed.to_owned()],
                };
                longer.extend(values.iter().map(|value| format!("{path}/{value}")));
            }
            paths = longer;
        }
        let mut statuses = Vec::new();
        for path in paths {
            statuses.push(read(client, operation.method, &path, &mut answers).await.0);
        }
        assert!(
            operation.item_type.is_some() || statuses.contains(&200),
            "nothing is read of {}: {statuses:?}",
            operation.path
        );
    }
    answers
}

async fn read(
    client: &Client,
    method: &str,
    path: &str,
    answers: &mut BTreeMap<String, (u16, Value)>,
) -> (u16, Value) {
    let key = format!("{method} {path}");
    if let Some(known) = answers.get(&key) {
        return known.clone();
    }
    let mut answer = client.send(method, path, Value::Null).await;
    if let Some(json) = answer.json.as_object_mut() {
        json.shift_remove("requestId");
    }
    let read = (answer.status, answer.json);
    answers.insert(key, read.clone());
    read
}

/// Another emulator with the same settings, empty.
pub(super) fn other() -> Emulator {
    Emulator::new(Config { long_running: LongRunning::Never, ..config() })
}

//! What a role in the workspace lets its holder do with shortcuts, jobs, tables, pools and their like.

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, FABRIC, NOBODY, check, definition};

const OTHER: &str = "99999999-0000-4000-8000-000000000001";

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

#[tokio::test]
async fn readers_read_and_only_writers_write() {
    let owner = Client::demo(Config::default()).await;
    let seed =
        json!({"servicePrincipals": [{"id": OTHER, "displayName": "Other", "appId": OTHER, "secret": "s"}]});
    owner.emulator.seed(&seed).unwrap();
    let other = Client::with(owner.emulator.clone(), OTHER, "s", FABRIC).await;
    let workspace = owner.workspace("W").await;
    let lakehouse = owner.item(&workspace, "Lakehouse", "l").await;
    let notebook = owner.item(&workspace, "Notebook", "n").await;
    let warehouse = owner.item(&workspace, "Warehouse", "w").await;
    let body =
        json!({"type": "SemanticModel", "displayName": "m", "definition": definition("model.bim", "e30=")});
    let model = owner.post(&format!("{workspace}/items"), body).await;
    let model = owner.finish(model).await.id();
    let endpoint = owner.get(&format!("{workspace}/sqlEndpoints")).await.json["value"][0]["id"].clone();
    let endpoint = format!("{workspace}/sqlEndpoints/{}", endpoint.as_str().unwrap());
    let tables = format!("{workspace}/lakehouses/{}/tables", last(&lakehouse));
    let points = format!("{workspace}/warehouses/{}/restorePoints", last(&warehouse));
    let run = owner.post(&format!("{notebook}/jobs/RunNotebook/instances"), Value::Null).await;
    let run = format!("{notebook}/jobs/instances/{}", last(run.header("location").unwrap()));

    // The one write whose refusal has another code.
    let typed_run = format!("{workspace}/notebooks/{}/jobs/execute/instances", last(&notebook));

    let reads = [
        format!("{lakehouse}/shortcuts"),
        format!("{notebook}/jobs/instances"),
        run.clone(),
        format!("{notebook}/jobs/RunNotebook/schedules"),
        format!("{workspace}/spark/settings"),
        format!("{workspace}/spark/pools"),
        format!("{workspace}/managedPrivateEndpoints"),
        tables.clone(),
        points.clone(),
        format!("{endpoint}/connectionString"),
    ];
    let schedule = json!({"enabled": true, "configuration": {"type": "Cron", "startDateTime": "2024-01-23T00:00:00",
        "endDateTime": "2024-10-07T23:59:00", "localTimeZoneId": "UTC", "interval": 10}});
    let load = json!({"relativePath": "Files/a", "pathType": "File"});
    let target =
        json!({"oneLake": {"workspaceId": last(&workspace), "itemId": last(&lakehouse), "path": "Files"}});
    let source = json!({"connectionBinding": {"connectivityType": "None", "connectionDetails": {"type": "SQL", "path": "p"}}});
    let writes = [
        ("POST", format!("{lakehouse}/shortcuts"), json!({"path": "Files", "name": "s", "target": target})),
        ("POST", format!("{lakehouse}/shortcuts/bulkCreate"), json!({"createShortcutRequests": [{}]})),
        ("DELETE", format!("{lakehouse}/shortcuts/Files/s"), Value::Null),
        ("POST", format!("{workspace}/onelake/resetShortcutCache"), Value::Null),
        ("POST", format!("{notebook}/jobs/RunNotebook/instances"), Value::Null),
        ("POST", format!("{run}/cancel"), Value::Null),
        ("POST", format!("{notebook}/jobs/RunNotebook/schedules"), schedule),
        ("POST", format!("{tables}/t/load"), load),
        ("POST", format!("{endpoint}/refreshMetadata"), Value::Null),
        ("POST", points.clone(), Value::Null),
        ("DELETE", format!("{points}/1"), Value::Null),
        ("POST", format!("{workspace}/semanticModels/{model}/bindConnection"), source),
        // Reading these takes the right to write.
        ("GET", format!("{lakehouse}/connections"), Value::Null),
    ];
    let git = json!({"gitProviderDetails": {"gitProviderType": "GitHub", "ownerName": "o", "repositoryName": "r",
            "branchName": "main", "directoryName": ""},
        "myGitCredentials": {"source": "ConfiguredConnection", "connectionId": demo::GITHUB_CONNECTION_ID}});
    let administers = [
        ("PATCH", format!("{workspace}/spark/settings"), json!({"automaticLog": {"enabled": false}})),
        ("POST", format!("{workspace}/spark/pools"), json!({})),
        ("DELETE", format!("{workspace}/spark/pools/{NOBODY}"), Value::Null),
        ("POST", format!("{workspace}/git/connect"), git),
        ("POST", format!("{workspace}/git/initializeConnection"), Value::Null),
        ("POST", format!("{workspace}/git/disconnect"), Value::Null),
    ];
    let roles = format!("{workspace}/roleAssignments");
    for role in ["", "Viewer", "Contributor"] {
        if !role.is_empty() {
            let body = json!({"principal": {"id": OTHER, "type": "ServicePrincipal"}, "role": role});
            assert_eq!(owner.post(&roles, body).await.status, 201);
        }
        for path in &reads {
            let answer = other.get(path).await;
            assert_eq!(answer.status, if role.is_empty() { 404 } else { 200 }, "{role} {path}");
        }
        if role == "Viewer" {
            let answer = other.post(&typed_run, Value::Null).await;
            assert_eq!((answer.status, answer.code()), (403, "MissingMinimalPermissions"));
        }
        let refusal = match role {
            "" => Some((404, "WorkspaceNotFound")),
            "Viewer" => Some((403, "InsufficientPrivileges")),
            _ => None,
        };
        for (method, path, body) in writes.clone() {
            match refusal {
                Some((status, code)) => check(&other, vec![(method, path, body, status, code)]).await,
                None => assert_ne!(other.send(method, &path, body).await.status, 403, "{method} {path}"),
            }
        }
        let (status, code) = refusal.unwrap_or((403, "InsufficientPrivileges"));
        for (method, path, body) in administers.clone() {
            check(&other, vec![(method, path, body, status, code)]).await;
        }
        owner.send("DELETE", &format!("{roles}/{OTHER}"), Value::Null).await;
    }
}

#[tokio::test]
async fn a_shortcut_leads_nowhere_its_maker_cannot_look() {
    let owner = Client::demo(Config::default()).await;
    let seed =
        json!({"servicePrincipals": [{"id": OTHER, "displayName": "Other", "appId": OTHER, "secret": "s"}]});
    owner.emulator.seed(&seed).unwrap();
    let other = Client::with(owner.emulator.clone(), OTHER, "s", FABRIC).await;
    let shared = owner.workspace("Shared").await;
    let own = owner.workspace("Own").await;
    let (from, to) = (owner.item(&shared, "Lakehouse", "l").await, owner.item(&own, "Lakehouse", "l").await);
    let body = json!({"principal": {"id": OTHER, "type": "ServicePrincipal"}, "role": "Contributor"});
    assert_eq!(owner.post(&format!("{shared}/roleAssignments"), body).await.status, 201);
    let target = json!({"oneLake": {"workspaceId": last(&own), "itemId": last(&to), "path": "Files"}});
    let body = json!({"path": "Files", "name": "s", "target": target});
    let path = format!("{from}/shortcuts");
    check(&other, vec![("POST", path.clone(), body.clone(), 404, "EntityNotFound")]).await;
    check(&owner, vec![("POST", path, body, 201, "")]).await;
}

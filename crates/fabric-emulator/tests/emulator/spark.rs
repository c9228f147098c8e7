//! Spark of a workspace: pools and settings.

use selvedge_fabric_emulator::Config;
use serde_json::{Value, json};

use crate::support::{Client, NOBODY, check};

fn pool(name: &str) -> Value {
    json!({"name": name, "nodeFamily": "MemoryOptimized", "nodeSize": "small",
        "autoScale": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 3},
        "dynamicExecutorAllocation": {"enabled": false, "minExecutors": 1, "maxExecutors": 1}})
}

#[tokio::test]
async fn g20_nothing_without_a_capacity() {
    let client = Client::demo(Config::default()).await;
    let id = client.post("/v1/workspaces", json!({"displayName": "W"})).await.id();
    let spark = format!("/v1/workspaces/{id}/spark");
    let refused = client.get(&format!("{spark}/settings")).await;
    assert_eq!((refused.status, refused.code()), (400, "WorkspaceHasNoCapacityAssigned"));
    assert_eq!(refused.keys(), ["requestId", "errorCode", "message"]);
    assert_eq!(refused.json["message"], "A workspace with a capacity assigned is required for the operation");
    check(
        &client,
        vec![
            ("PATCH", format!("{spark}/settings"), json!({}), 400, "WorkspaceHasNoCapacityAssigned"),
            ("GET", format!("{spark}/pools"), Value::Null, 400, "WorkspaceHasNoCapacityAssigned"),
            ("POST", format!("{spark}/pools"), pool("p"), 400, "WorkspaceHasNoCapacityAssigned"),
        ],
    )
    .await;
}

#[tokio::test]
async fn g23_a_pool_without_dynamic_allocation_shows_no_bounds() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let pools = format!("{workspace}/spark/pools");
    let starter = json!({"id": "00000000-0000-0000-0000-000000000000", "type": "Workspace", "name": "Starter Pool",
        "nodeFamily": "MemoryOptimized", "nodeSize": "Medium",
        "autoScale": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 10},
        "dynamicExecutorAllocation": {"enabled": true, "minExecutors": 1, "maxExecutors": 9}});
    assert_eq!(client.get(&pools).await.text, json!({"value": [starter]}).to_string());

    let before = client.hash();
    let made = client.post(&pools, pool("fabcli000003")).await;
    let expected = json!({"id": made.id(), "type": "Workspace", "name": "fabcli000003",
        "nodeFamily": "MemoryOptimized", "nodeSize": "Small",
        "autoScale": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 3},
        "dynamicExecutorAllocation": {"enabled": false}});
    assert_eq!((made.status, &made.text), (201, &expected.to_string()));
    let one = format!("{pools}/{}", made.id());
    assert_eq!(made.header("location"), Some(format!("http://localhost:8080{one}").as_str()));
    assert_eq!(made.header("access-control-expose-headers"), Some("RequestId,Location"));
    assert_eq!(client.get(&one).await.text, made.text);
    assert_eq!(client.get(&pools).await.text, json!({"value": [starter, expected]}).to_string());
    assert_ne!(client.hash(), before);
    let held = &client.emulator.inventory().world["workspaces"][0]["spark"]["pools"][0];
    assert_eq!((&held["name"], &held["id"]), (&json!("fabcli000003"), &Value::Null));

    let renamed = client.send("PATCH", &one, json!({"name": "newName"})).await;
    assert_eq!((renamed.status, &renamed.json["name"]), (200, &json!("newName")));
    assert_eq!(renamed.json["autoScale"], expected["autoScale"]);
    assert_eq!(client.send("DELETE", &one, Value::Null).await.status, 200);
    assert_eq!(client.hash(), before);
}

#[tokio::test]
async fn pools_are_checked() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let pools = || format!("{workspace}/spark/pools");
    let with = |key: &str, value: Value| {
        let mut body = pool("q");
        body[key] = value;
        body
    };
    let starter = format!("{}/00000000-0000-0000-0000-000000000000", pools());
    let mut cases = vec![
        ("POST", pools(), pool("p"), 201, ""),
        ("POST", pools(), pool("P"), 409, "EntityConflict"),
        ("GET", starter.clone(), Value::Null, 200, ""),
        ("PATCH", starter.clone(), json!({"nodeSize": "Small"}), 400, "InvalidInput"),
        ("DELETE", starter, Value::Null, 400, "InvalidInput"),
        ("GET", format!("{}/{NOBODY}", pools()), Value::Null, 404, "EntityNotFound"),
        ("PATCH", format!("{}/{NOBODY}", pools()), json!({}), 404, "EntityNotFound"),
        ("DELETE", format!("{}/{NOBODY}", pools()), Value::Null, 404, "EntityNotFound"),
    ];
    for name in ["", "a.b", "starter pool", &"x".repeat(65)] {
        cases.push(("POST", pools(), pool(name), 400, "InvalidInput"));
    }
    for (key, value) in [
        ("nodeFamily", json!("ComputeOptimized")),
        ("nodeFamily", Value::Null),
        ("nodeSize", json!("Tiny")),
        ("nodeSize", Value::Null),
        ("autoScale", json!({"enabled": true, "minNodeCount": 0, "maxNodeCount": 1})),
        ("autoScale", json!({"enabled": true, "minNodeCount": 3, "maxNodeCount": 2})),
        ("autoScale", json!({"enabled": true})),
        ("dynamicExecutorAllocation", json!({"enabled": true})),
        ("dynamicExecutorAllocation", json!({"enabled": true, "minExecutors": 2, "maxExecutors": 1})),
        ("dynamicExecutorAllocation", Value::Null),
    ] {
        cases.push(("POST", pools(), with(key, value), 400, "InvalidInput"));
    }
    check(&client, cases).await;
}

#[tokio::test]
async fn settings_change_member_by_member() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let settings = format!("{workspace}/spark/settings");
    let starter =
        json!({"name": "Starter Pool", "type": "Workspace", "id": "00000000-0000-0000-0000-000000000000"});
    let mut expected = json!({
        "automaticLog": {"enabled": true},
        "highConcurrency": {"notebookInteractiveRunEnabled": true, "notebookPipelineRunEnabled": false},
        "pool": {"customizeComputeEnabled": true, "defaultPool": starter,
            "starterPool": {"maxNodeCount": 10, "maxExecutors": 9}},
        "environment": {"runtimeVersion": "1.3"},
        "job": {"conservativeJobAdmissionEnabled": false, "sessionTimeoutInMinutes": 20},
    });
    assert_eq!(client.get(&settings).await.text, expected.to_string());
    let before = client.hash();

    let made = client.post(&format!("{workspace}/spark/pools"), pool("own")).await;
    let patch = json!({"automaticLog": {"enabled": false}, "unknown": 1, "highConcurrency": null,
        "pool": {"defaultPool": {"name": "OWN", "type": "Workspace"}, "starterPool": {"maxNodeCount": 4, "maxExecutors": 3}}});
    let patched = client.send("PATCH", &settings, patch).await;
    expected["automaticLog"]["enabled"] = false.into();
    expected["pool"]["defaultPool"] = json!({"name": "own", "type": "Workspace", "id": made.id()});
    expected["pool"]["starterPool"] = json!({"maxNodeCount": 4, "maxExecutors": 3});
    assert_eq!((patched.status, &patched.text), (200, &expected.to_string()));
    let listed = client.get(&format!("{workspace}/spark/pools")).await;
    assert_eq!(listed.json["value"][0]["autoScale"]["maxNodeCount"], 4);

    // A pool that goes leaves the starter pool in its place.
    let pool = format!("{workspace}/spark/pools/{}", made.id());
    assert_eq!(client.send("DELETE", &pool, Value::Null).await.status, 200);
    assert_eq!(client.get(&settings).await.json["pool"]["defaultPool"], starter);
    assert_ne!(client.hash(), before);
    let back = json!({"automaticLog": {"enabled": true}, "pool": {"defaultPool": {"id": starter["id"]},
        "starterPool": {"maxNodeCount": 10, "maxExecutors": 9}}});
    client.send("PATCH", &settings, back).await;
    assert_eq!(client.hash(), before);
    check(
        &client,
        vec![
            (
                "PATCH",
                settings.clone(),
                json!({"pool": {"defaultPool": {"name": "own"}}}),
                400,
                "InvalidInput",
            ),
            (
                "PATCH",
                settings.clone(),
                json!({"pool": {"starterPool": {"maxNodeCount": 0}}}),
                400,
                "InvalidInput",
            ),
            ("PATCH", settings, json!({"automaticLog": {"enabled": "yes"}}), 400, "InvalidInput"),
        ],
    )
    .await;
}

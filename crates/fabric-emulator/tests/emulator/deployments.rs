//! Deployments through a pipeline: what they copy, and what they tell of it.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, LongRunning, demo};
use serde_json::{Value, json};

use crate::pipelines::{assign, id_in, pipeline};
use crate::support::{Client, check, definition};

/// Three stages of which the first two have workspaces, and an item of several kinds in the first.
pub(crate) struct Sales {
    pub(crate) client: Client,
    pub(crate) pipeline: String,
    pub(crate) stages: Vec<String>,
    pub(crate) dev: String,
    pub(crate) test: String,
}

impl Sales {
    pub(crate) async fn new(config: Config) -> Self {
        let client = Client::demo(config).await;
        let (pipeline, stages) = pipeline(&client).await;
        let (dev, test) = (client.workspace("Dev").await, client.workspace("Test").await);
        assign(&client, &stages[0], &dev).await;
        assign(&client, &stages[1], &test).await;
        client.item(&dev, "Lakehouse", "bronze").await;
        client.item(&dev, "Warehouse", "gold").await;
        let folder = client.post(&format!("{dev}/folders"), json!({"displayName": "Jobs"})).await.id();
        let inner = json!({"displayName": "Nightly", "parentFolderId": folder});
        let inner = client.post(&format!("{dev}/folders"), inner).await.id();
        let notebook = json!({"type": "Notebook", "displayName": "load", "description": "d", "folderId": inner,
            "definition": definition("notebook-content.py", "cHJpbnQoMSk=")});
        let notebook = client.post(&format!("{dev}/items"), notebook).await;
        client.finish(notebook).await;
        client.post(&format!("{dev}/folders"), json!({"displayName": "Empty"})).await;
        Self { client, pipeline, stages, dev, test }
    }

    pub(crate) fn order(&self, from: usize, to: usize) -> Value {
        json!({"sourceStageId": id_in(&self.stages[from]), "targetStageId": id_in(&self.stages[to])})
    }

    pub(crate) fn deploy(&self) -> String {
        format!("{}/deploy", self.pipeline)
    }

    /// Deploys, and returns the result of the operation.
    pub(crate) async fn deployed(&self, order: Value) -> Value {
        let accepted = self.client.post(&self.deploy(), order).await;
        assert_eq!(accepted.status, 202, "{accepted:?}");
        self.client.finish(accepted).await.json
    }

    /// Names, types, descriptions and folders of what a workspace holds.
    pub(crate) async fn held(&self, workspace: &str) -> Vec<String> {
        let folders = self.client.get(&format!("{workspace}/folders")).await.json;
        let folder = |id: &Value| {
            let found = folders["value"].as_array().unwrap().iter().find(|folder| folder["id"] == *id);
            found.map_or("-", |folder| folder["displayName"].as_str().unwrap()).to_owned()
        };
        let items = self.client.get(&format!("{workspace}/items")).await.json;
        let items = items["value"].as_array().unwrap().iter();
        let mut held: Vec<String> = items
            .map(|item| {
                let text = |key: &str| item[key].as_str().unwrap();
                format!(
                    "{}.{} {} {}",
                    text("displayName"),
                    text("type"),
                    text("description"),
                    folder(&item["folderId"])
                )
            })
            .collect();
        held.sort();
        held
    }

    pub(crate) async fn item(&self, workspace: &str, name: &str, kind: &str) -> Value {
        let items = self.client.get(&format!("{workspace}/items?type={kind}")).await.json;
        items["value"].as_array().unwrap().iter().find(|item| item["displayName"] == name).unwrap().clone()
    }
}

#[tokio::test]
async fn everything_is_copied_to_the_next_stage() {
    let sales = Sales::new(Config::default()).await;
    let client = &sales.client;
    let mut order = sales.order(0, 1);
    order["note"] = "first".into();
    let accepted = client.post(&sales.deploy(), order.clone()).await;
    let (operation, deployment) =
        (accepted.header("x-ms-operation-id").unwrap(), accepted.header("deployment-id").unwrap().to_owned());
    assert_ne!(operation, deployment);
    assert_eq!((accepted.status, accepted.text.as_str(), accepted.header("etag")), (202, "null", None));
    let result = client.finish(accepted).await;
    let keys = [
        "id",
        "type",
        "status",
        "lastUpdatedTime",
        "executionStartTime",
        "executionEndTime",
        "sourceStageId",
        "targetStageId",
        "executionPlan",
        "note",
        "preDeploymentDiffInformation",
        "performedBy",
    ];
    assert_eq!(result.keys(), keys);
    assert_eq!((&result.json["id"], &result.json["status"]), (&json!(deployment), &json!("Succeeded")));
    assert_eq!(result.json["note"], json!({"content": "first"}));
    let counts = json!({"newItemsCount": 3, "differentItemsCount": 0, "noDifferenceItemsCount": 0});
    assert_eq!(result.json["preDeploymentDiffInformation"], counts);
    assert_eq!(result.json["performedBy"], json!({"id": demo::CALLER_ID, "type": "ServicePrincipal"}));
    let bronze = sales.item(&sales.dev, "bronze", "Lakehouse").await;
    let step = json!({"index": 0, "description": "LakehouseDeployment", "status": "Succeeded",
        "preDeploymentDiffState": "New", "sourceAndTarget": {"sourceItemId": bronze["id"],
            "sourceItemDisplayName": "bronze", "itemType": "Lakehouse"}});
    assert_eq!(result.json["executionPlan"]["steps"][0].to_string(), step.to_string());
    assert_eq!(result.json["executionPlan"]["steps"].as_array().unwrap().len(), 3, "a child is no step");

    let got = client.get(&format!("{}/operations/{deployment}", sales.pipeline)).await;
    assert_eq!(got.text, result.text);
    let listed = client.get(&format!("{}/operations", sales.pipeline)).await.json;
    let mut summary = result.json.clone();
    summary.as_object_mut().unwrap().shift_remove("executionPlan");
    assert_eq!(listed, json!({"value": [summary]}));

    let held = sales.held(&sales.test).await;
    assert_eq!(held, sales.held(&sales.dev).await);
    assert_eq!(
        held,
        ["bronze.Lakehouse  -", "bronze.SQLEndpoint  -", "gold.Warehouse  -", "load.Notebook d Nightly"]
    );
    let folders = client.get(&format!("{}/folders", sales.test)).await.json;
    assert_eq!(folders["value"].as_array().unwrap().len(), 2, "an empty folder stays behind");
    let copy = sales.item(&sales.test, "load", "Notebook").await;
    let copied = format!("{}/items/{}", sales.test, copy["id"].as_str().unwrap());
    let read = client.post(&format!("{copied}/getDefinition"), Value::Null).await;
    let read = client.finish(read).await.json;
    assert_eq!(read["definition"]["parts"][0]["payload"], "cHJpbnQoMSk=");

    let items = client.get(&format!("{}/items", sales.stages[1])).await.json;
    let of =
        |name: &str| items["value"].as_array().unwrap().iter().find(|item| item["itemDisplayName"] == name);
    let copied = of("load").unwrap();
    let notebook = sales.item(&sales.dev, "load", "Notebook").await;
    let expected = json!({"itemId": copy["id"], "itemDisplayName": "load", "itemType": "Notebook",
        "sourceItemId": notebook["id"], "lastDeploymentTime": result.json["lastUpdatedTime"]});
    assert_eq!(copied.to_string(), expected.to_string());
    let items = client.get(&format!("{}/items", sales.stages[0])).await.json;
    assert_eq!(items["value"][0]["targetItemId"], sales.item(&sales.test, "bronze", "Lakehouse").await["id"]);
    assert!(items["value"][0].get("lastDeploymentTime").is_none());
}

#[tokio::test]
async fn what_is_the_same_is_told_from_what_differs() {
    let sales = Sales::new(Config::default()).await;
    let client = &sales.client;
    sales.deployed(sales.order(0, 1)).await;
    let before = client.hash();
    let again = sales.deployed(sales.order(0, 1)).await;
    let counts = json!({"newItemsCount": 0, "differentItemsCount": 0, "noDifferenceItemsCount": 3});
    assert_eq!((&again["preDeploymentDiffInformation"], client.hash()), (&counts, before));

    let notebook = sales.item(&sales.dev, "load", "Notebook").await["id"].clone();
    let target = sales.item(&sales.test, "load", "Notebook").await["id"].clone();
    let one = format!("{}/items/{}", sales.dev, notebook.as_str().unwrap());
    let update = json!({"definition": definition("notebook-content.py", "cHJpbnQoMik=")});
    let updated = client.post(&format!("{one}/updateDefinition"), update).await;
    client.finish(updated).await;
    client.post(&format!("{one}/move"), json!({})).await;
    client.item(&sales.dev, "DataPipeline", "late").await;
    let mut order = sales.order(0, 1);
    order["items"] = json!([{"sourceItemId": notebook, "itemType": "notebook"}]);
    let selected = sales.deployed(order).await;
    let step = &selected["executionPlan"]["steps"][0];
    assert_eq!(step["preDeploymentDiffState"], "Different");
    let items = json!({"sourceItemId": notebook, "sourceItemDisplayName": "load", "targetItemId": target,
        "targetItemDisplayName": "load", "itemType": "Notebook"});
    assert_eq!(step["sourceAndTarget"].to_string(), items.to_string());
    assert_eq!(selected["executionPlan"]["steps"].as_array().unwrap().len(), 1);
    let held = sales.held(&sales.test).await;
    assert!(held.contains(&"load.Notebook d -".to_owned()), "it has moved to the root: {held:?}");
    assert!(!held.iter().any(|item| item.starts_with("late")), "{held:?}");
    assert_eq!(
        sales.item(&sales.test, "load", "Notebook").await["id"],
        target,
        "written over, not made anew"
    );
}

#[tokio::test]
async fn one_deployment_at_a_time() {
    let sales = Sales::new(Config {
        operation_duration: Duration::from_secs(5),
        long_running: LongRunning::Never,
        ..Config::default()
    })
    .await;
    let client = &sales.client;
    client.emulator.freeze();
    // Only a fault makes an operation of what is answered at once: it is the one that fails.
    client.emulator.inject("POST */deploy=operation-fails,times=1".parse().unwrap());
    let accepted = client.post(&sales.deploy(), sales.order(0, 1)).await;
    let deployment = accepted.header("deployment-id").unwrap();
    let one = format!("{}/operations/{deployment}", sales.pipeline);
    let running = client.get(&one).await;
    assert_eq!(running.json["status"], "Running");
    assert!(running.json.get("executionEndTime").is_none());
    let body = json!({"workspaceId": id_in(&sales.test)});
    check(
        client,
        vec![
            ("POST", sales.deploy(), sales.order(0, 1), 409, "Conflict"),
            ("POST", format!("{}/unassignWorkspace", sales.stages[0]), Value::Null, 409, "Conflict"),
            ("POST", format!("{}/assignWorkspace", sales.stages[2]), body, 409, "Conflict"),
            ("DELETE", sales.pipeline.clone(), Value::Null, 409, "Conflict"),
        ],
    )
    .await;
    client.emulator.advance(Duration::from_secs(5));
    let failed = client.get(&one).await.json;
    assert_eq!(failed["status"], "Failed");
    let step = &failed["executionPlan"]["steps"][0];
    assert_eq!((&step["status"], &step["error"]["errorCode"]), (&json!("Failed"), &json!("UnknownError")));
    assert_eq!(failed["executionEndTime"], failed["lastUpdatedTime"]);
    assert_ne!(failed["executionEndTime"], failed["executionStartTime"]);
    assert_eq!(sales.held(&sales.test).await, Vec::<String>::new());

    let at_once = client.post(&sales.deploy(), sales.order(0, 1)).await;
    assert_eq!((at_once.status, at_once.header("deployment-id")), (200, None));
    assert_eq!(at_once.json["status"], "Succeeded");
    assert_eq!(sales.held(&sales.test).await, sales.held(&sales.dev).await);
}

#[tokio::test]
async fn the_last_twenty_are_listed() {
    let sales = Sales::new(Config { long_running: LongRunning::Never, ..Config::default() }).await;
    let client = &sales.client;
    let mut ids = Vec::new();
    for _ in 0..21 {
        ids.push(client.post(&sales.deploy(), sales.order(0, 1)).await.id());
    }
    let listed = client.get(&format!("{}/operations", sales.pipeline)).await.json;
    let listed: Vec<_> =
        listed["value"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(listed, ids[1..]);
    assert_eq!(client.get(&format!("{}/operations/{}", sales.pipeline, ids[0])).await.status, 200);
}

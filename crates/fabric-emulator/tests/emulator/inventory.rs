//! The inventory hash: the same for the same world, different for a different one, blind to everything else.

use selvedge_fabric_emulator::{Config, demo};
use serde_json::{Value, json};

use crate::support::{Client, definition};

/// The steps of a small deployment. They do not depend on each other, and none holds an id the server draws.
async fn step(client: &Client, workspace: &str, number: usize) {
    let (path, body) = match number {
        0 => ("folders", json!({"displayName": "f"})),
        1 => ("items", json!({"type": "Lakehouse", "displayName": "bronze"})),
        2 => ("items", json!({"type": "Lakehouse", "displayName": "silver", "description": "d"})),
        3 => {
            let definition = definition("notebook-content.py", "cHJpbnQoMSk=");
            ("items", json!({"type": "Notebook", "displayName": "n", "definition": definition}))
        }
        _ => (
            "roleAssignments",
            json!({"principal": {"id": demo::ANALYST_ID, "type": "User"}, "role": "Viewer"}),
        ),
    };
    let answer = client.post(&format!("{workspace}/{path}"), body).await;
    client.finish(answer).await;
}

/// Every order of five things, by Heap's algorithm.
fn permutations(things: &mut Vec<usize>, size: usize, found: &mut Vec<Vec<usize>>) {
    if size <= 1 {
        found.push(things.clone());
        return;
    }
    for at in 0..size {
        permutations(things, size - 1, found);
        things.swap(if size.is_multiple_of(2) { at } else { 0 }, size - 1);
    }
}

#[tokio::test]
async fn neither_order_nor_ids_nor_reads_change_it() {
    let mut orders = Vec::new();
    permutations(&mut (0..5).collect(), 5, &mut orders);
    assert_eq!(orders.len(), 120);
    let mut hashes = std::collections::BTreeSet::new();
    for order in orders {
        let client = Client::demo(Config::default()).await;
        let workspace = client.workspace("W").await;
        for number in order {
            step(&client, &workspace, number).await;
            client.get(&format!("{workspace}/items")).await;
        }
        let before = client.hash();
        for path in ["items", "folders", "roleAssignments", "git/connection"] {
            assert_eq!(client.get(&format!("{workspace}/{path}")).await.status, 200, "{path}");
        }
        client.emulator.clear_requests();
        assert_eq!(client.hash(), before);
        hashes.insert(before);
    }
    assert_eq!(hashes.len(), 1);
}

#[tokio::test]
async fn every_change_changes_it_and_its_undo_restores_it() {
    let client = Client::demo(Config::default()).await;
    let workspace = client.workspace("W").await;
    let item = client.item(&workspace, "DataPipeline", "p").await;
    let folder = client.post(&format!("{workspace}/folders"), json!({"displayName": "f"})).await.id();
    let folder = format!("{workspace}/folders/{folder}");
    let analyst = format!("{workspace}/roleAssignments/{}", demo::ANALYST_ID);
    let role = json!({"principal": {"id": demo::ANALYST_ID, "type": "User"}, "role": "Viewer"});
    client.post(&format!("{workspace}/roleAssignments"), role.clone()).await;
    let old = json!({"definition": definition("pipeline-content.json", "e30=")});
    let new = json!({"definition": definition("pipeline-content.json", "eyJhIjoxfQ==")});
    let update = format!("{item}/updateDefinition");
    client.post(&update, old.clone()).await;
    let connect = json!({"gitProviderDetails": {"gitProviderType": "GitHub", "ownerName": "o", "repositoryName": "r",
            "branchName": "main", "directoryName": ""},
        "myGitCredentials": {"source": "ConfiguredConnection", "connectionId": demo::GITHUB_CONNECTION_ID}});
    let cases = [
        (
            "PATCH",
            workspace.clone(),
            json!({"description": "x"}),
            "PATCH",
            workspace.clone(),
            json!({"description": ""}),
        ),
        (
            "PATCH",
            item.clone(),
            json!({"displayName": "q"}),
            "PATCH",
            item.clone(),
            json!({"displayName": "p"}),
        ),
        (
            "PATCH",
            item.clone(),
            json!({"description": "x"}),
            "PATCH",
            item.clone(),
            json!({"description": ""}),
        ),
        (
            "PATCH",
            folder.clone(),
            json!({"displayName": "g"}),
            "PATCH",
            folder.clone(),
            json!({"displayName": "f"}),
        ),
        (
            "PATCH",
            analyst.clone(),
            json!({"role": "Member"}),
            "PATCH",
            analyst.clone(),
            json!({"role": "Viewer"}),
        ),
        ("DELETE", analyst, Value::Null, "POST", format!("{workspace}/roleAssignments"), role),
        ("POST", update.clone(), new, "POST", update, old),
        (
            "POST",
            format!("{workspace}/unassignFromCapacity"),
            Value::Null,
            "POST",
            format!("{workspace}/assignToCapacity"),
            json!({"capacityId": demo::CAPACITY_ID}),
        ),
        (
            "POST",
            format!("{workspace}/git/connect"),
            connect,
            "POST",
            format!("{workspace}/git/disconnect"),
            Value::Null,
        ),
    ];
    for (method, path, body, undo, undo_path, undo_body) in cases {
        let before = client.hash();
        let done = client.send(method, &path, body).await;
        assert!(done.status < 300, "{method} {path}: {done:?}");
        assert_ne!(client.hash(), before, "{method} {path}");
        let undone = client.send(undo, &undo_path, undo_body).await;
        assert!(undone.status < 300, "{undo} {undo_path}: {undone:?}");
        assert_eq!(client.hash(), before, "{undo} {undo_path}");
    }
}

#[tokio::test]
async fn only_a_hard_delete_leaves_no_trace() {
    for (recovery, query, traceless) in
        [(true, "", false), (true, "?hardDelete=true", true), (false, "", true)]
    {
        let client = Client::demo(Config { item_recovery: recovery, ..Config::default() }).await;
        let start = client.hash();
        let workspace = client.workspace("W").await;
        let before = client.hash();
        let item = client.item(&workspace, "Lakehouse", "l").await;
        assert_eq!(client.send("DELETE", &format!("{item}{query}"), Value::Null).await.status, 200);
        assert_eq!(client.hash() == before, traceless, "recovery {recovery}, {query}");
        // The workspace takes its recycle bin along; an empty one is nothing that anybody could remove.
        assert_eq!(client.send("DELETE", &workspace, Value::Null).await.status, 200);
        assert_eq!(client.hash() == start, traceless, "recovery {recovery}, {query}");
        let inventory = client.get("/_emulator/inventory").await;
        assert_eq!(inventory.json["emptyDeletedWorkspaces"], u64::from(traceless));
        let held = inventory.json["world"]["deletedWorkspaces"].as_array().unwrap().len();
        assert_eq!(held, usize::from(!traceless));
    }
}

#[tokio::test]
async fn a_seeded_item_made_again_is_not_the_same() {
    let client = Client::demo(Config::default()).await;
    let id = "77777777-0000-4000-8000-000000000001";
    let seed = json!({"workspaces": [{"displayName": "W", "capacityId": demo::CAPACITY_ID,
        "items": [{"id": id, "type": "DataPipeline", "displayName": "p"}]}]});
    client.emulator.seed(&seed).unwrap();
    let workspace = client.get("/v1/workspaces").await.json["value"][0]["id"].as_str().unwrap().to_owned();
    let workspace = format!("/v1/workspaces/{workspace}");
    let before = client.hash();
    client.send("DELETE", &format!("{workspace}/items/{id}?hardDelete=true"), Value::Null).await;
    client.item(&workspace, "DataPipeline", "p").await;
    assert_ne!(client.hash(), before);
}

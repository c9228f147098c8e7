//! Items of all types, under `/items`.

use std::time::Duration;

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("items: made, read, changed, deleted", lifecycle),
        scenario("items: definitions", definitions),
        scenario("items: refused", refused),
        scenario("items: moved", moved),
        scenario("items: moved together", moved_together),
        scenario("items: that come with others", children),
        scenario("items: too many", too_many).configured(|config| config.max_items = 1),
        scenario("items: name reserved", name_reserved)
            .configured(|config| config.name_reservation = Duration::from_secs(20)),
        scenario("items: connections", connections),
        scenario("items: identity", identity),
    ]
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/items");
    let folder = id(&session.post(&format!("{workspace}/folders"), json!({"displayName": "Folder"}))?)?;
    let body = json!({"type": "DataPipeline", "displayName": "Copy", "description": "d", "folderId": folder});
    let one = format!("{all}/{}", id(&session.post(&all, body)?)?);
    item(session, &workspace, "Lakehouse", "Bronze")?;
    let listed = session.list(&all)?;
    check(listed.len() >= 2, "both items are listed", &json!(listed))?;
    session.list(&format!("{all}?type=DataPipeline&recursive=true&rootFolderId={folder}"))?;
    session.get(&one)?;
    let changed = session.patch(&one, json!({"displayName": "Copy 2", "description": ""}))?;
    check(changed["displayName"] == "Copy 2", "the name is changed", &changed)?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "ItemNotFound")?;
    let hard = item(session, &workspace, "DataPipeline", "For good")?;
    session.delete(&format!("{all}/{hard}?hardDelete=true"))?;
    Ok(())
}

fn definitions(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/items");
    for (kind, part) in [("Notebook", "notebook-content.py"), ("DataPipeline", "pipeline-content.json")] {
        let body = json!({"type": kind, "displayName": kind, "definition": definition(part)});
        let one = format!("{all}/{}", id(&session.post(&all, body)?)?);
        let read = session.post(&format!("{one}/getDefinition"), NOTHING)?;
        session.post(&format!("{one}/updateDefinition?updateMetadata=true"), read)?;
        session.post(&format!("{one}/updateDefinition"), json!({"definition": definition(part)}))?;
    }
    let notebook = session.list(&format!("{all}?type=Notebook"))?;
    let notebook = id(notebook.first().unwrap_or(&NOTHING))?;
    session.post(&format!("{all}/{notebook}/getDefinition?format=ipynb"), NOTHING)?;
    let warehouse = item(session, &workspace, "Warehouse", "Warehouse")?;
    let target = |of: &str, call: &str| format!("{all}/{of}/{call}");
    let cases = [
        (target(&warehouse, "getDefinition"), NOTHING, "OperationNotSupportedForItem"),
        (
            target(&warehouse, "updateDefinition"),
            json!({"definition": definition("a")}),
            "OperationNotSupportedForItem",
        ),
        (target(&notebook, "updateDefinition"), json!({}), "MissingDefinition"),
        (
            target(&notebook, "updateDefinition"),
            json!({"definition": {"parts": [{"path": "a", "payload": "%", "payloadType": "InlineBase64"}]}}),
            "CorruptedPayload",
        ),
    ];
    for (target, body, code) in cases {
        session.refused("POST", &target, body, code)?;
    }
    Ok(())
}

fn refused(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/items");
    let lakehouse = item(session, &workspace, "Lakehouse", "Taken")?;
    item(session, &workspace, "Lakehouse", "Other")?;
    let broken = json!({"parts": [{"path": "a", "payload": "%", "payloadType": "InlineBase64"}]});
    let cases = [
        (
            "POST",
            all.clone(),
            json!({"type": "Lakehouse", "displayName": "taken"}),
            "ItemDisplayNameAlreadyInUse",
        ),
        ("POST", all.clone(), json!({"type": "Riverhouse", "displayName": "a"}), "InvalidItemType"),
        (
            "POST",
            all.clone(),
            json!({"type": "Lakehouse", "displayName": "a", "folderId": NOBODY}),
            "FolderNotFound",
        ),
        (
            "POST",
            all.clone(),
            json!({"type": "Notebook", "displayName": "a", "definition": broken}),
            "CorruptedPayload",
        ),
        ("POST", all.clone(), json!({"type": "Report", "displayName": "a"}), "MissingDefinition"),
        ("GET", format!("{all}?type=Riverhouse"), NOTHING, "InvalidItemType"),
        ("GET", format!("{all}?rootFolderId={NOBODY}"), NOTHING, "FolderNotFound"),
        (
            "PATCH",
            format!("{all}/{lakehouse}"),
            json!({"displayName": "Other"}),
            "ItemDisplayNameAlreadyInUse",
        ),
    ];
    for (method, target, body, code) in cases {
        session.refused(method, &target, body, code)?;
    }
    let bare = id(&session.post("/v1/workspaces", json!({"displayName": "Without a capacity"}))?)?;
    let lakehouse = json!({"type": "Lakehouse", "displayName": "a"});
    session.refused("POST", &format!("/v1/workspaces/{bare}/items"), lakehouse, "FeatureNotAvailable")
}

fn moved(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let folder = id(&session.post(&format!("{workspace}/folders"), json!({"displayName": "Folder"}))?)?;
    let lakehouse = item(session, &workspace, "Lakehouse", "Bronze")?;
    let target = format!("{workspace}/items/{lakehouse}/move");
    session.post(&target, json!({"targetFolderId": folder}))?;
    let at = session.get(&format!("{workspace}/items/{lakehouse}"))?;
    check(at["folderId"] == *folder, "the item is in the folder", &at)?;
    session.post(&target, json!({}))?;
    session.refused("POST", &target, json!({"targetFolderId": NOBODY}), "FolderNotFound")?;
    session.refused("POST", &format!("{workspace}/items/{NOBODY}/move"), json!({}), "ItemNotFound")
}

fn moved_together(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let folder = id(&session.post(&format!("{workspace}/folders"), json!({"displayName": "Folder"}))?)?;
    let one = item(session, &workspace, "Lakehouse", "One")?;
    let two = item(session, &workspace, "DataPipeline", "Two")?;
    let target = format!("{workspace}/items/bulkMove");
    let moved = session.post(&target, json!({"items": [one, two], "targetFolderId": folder}))?;
    check(moved["value"].as_array().is_some_and(|it| it.len() >= 2), "both are moved", &moved)?;
    session.post(&target, json!({"items": [two]}))?;
    session.refused("POST", &target, json!({"items": [one, NOBODY]}), "ItemNotFound")?;
    session.refused("POST", &target, json!({"items": [one], "targetFolderId": NOBODY}), "FolderNotFound")
}

/// A lakehouse's SQL endpoint goes where the lakehouse goes.
fn children(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/items");
    let lakehouse = item(session, &workspace, "Lakehouse", "Bronze")?;
    session.wait(600)?;
    let endpoints = session.list(&format!("{all}?type=SQLEndpoint"))?;
    let endpoint = id(endpoints.first().unwrap_or(&NOTHING))?;
    session.refused("POST", &format!("{all}/{endpoint}/move"), json!({}), "CannotMoveChildOnly")?;
    let both = json!({"items": [lakehouse, endpoint]});
    session.post(&format!("{all}/bulkMove"), both)?;
    let alone = json!({"items": [endpoint]});
    session.refused("POST", &format!("{all}/bulkMove"), alone, "CannotMoveChildOnly")?;
    session.refused("DELETE", &format!("{all}/{endpoint}"), NOTHING, "UnsupportedItemType")?;
    session.refused(
        "PATCH",
        &format!("{all}/{endpoint}"),
        json!({"displayName": "Other"}),
        "OperationNotSupportedForItem",
    )
}

fn too_many(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    item(session, &workspace, "DataPipeline", "One")?;
    let another = json!({"type": "DataPipeline", "displayName": "Two"});
    session.refused("POST", &format!("{workspace}/items"), another, "WorkspaceItemsLimitExceeded")
}

fn name_reserved(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let all = format!("{workspace}/items");
    let pipeline = json!({"type": "DataPipeline", "displayName": "One"});
    let one = id(&session.post(&all, pipeline.clone())?)?;
    session.delete(&format!("{all}/{one}"))?;
    session.refused("POST", &all, pipeline.clone(), "ItemDisplayNameNotAvailableYet")?;
    session.wait(30)?;
    session.post(&all, pipeline)?;
    Ok(())
}

fn connections(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let one = format!("{workspace}/items/{}", item(session, &workspace, "DataPipeline", "Copy")?);
    session.list(&format!("{one}/connections"))?;
    session.refused("GET", &format!("{workspace}/items/{NOBODY}/connections"), NOTHING, "ItemNotFound")
}

fn identity(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let one = format!("{workspace}/items/{}", item(session, &workspace, "Lakehouse", "Bronze")?);
    session
        .post(&format!("{one}/identities/default/assign?beta=true"), json!({"assignmentType": "Caller"}))?;
    session.get(&format!("{one}?include=DefaultIdentity"))?;
    Ok(())
}

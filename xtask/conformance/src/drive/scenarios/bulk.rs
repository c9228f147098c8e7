//! Definitions of many items at once.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("bulk: exported", exported),
        scenario("bulk: exported and imported", imported),
        scenario("bulk: refused", refused),
    ]
}

const EXPORT: &str = "items/bulkExportDefinitions?beta=true";
const IMPORT: &str = "items/bulkImportDefinitions?beta=true";

/// A workspace with a notebook and a pipeline in a folder, and the notebook's id.
fn filled(session: &mut Session<'_>) -> Step<(String, String)> {
    let workspace = workspace_named(session, "Source")?;
    let folder = id(&session.post(&format!("{workspace}/folders"), json!({"displayName": "Folder"}))?)?;
    let all = format!("{workspace}/items");
    let notebook = json!({
        "type": "Notebook", "displayName": "Load", "definition": definition("notebook-content.py"),
    });
    let pipeline = json!({
        "type": "DataPipeline", "displayName": "Copy", "folderId": folder,
        "definition": definition("pipeline-content.json"),
    });
    let notebook = id(&session.post(&all, notebook)?)?;
    session.post(&all, pipeline)?;
    Ok((workspace, notebook))
}

fn exported(session: &mut Session<'_>) -> Step {
    let (workspace, notebook) = filled(session)?;
    let target = format!("{workspace}/{EXPORT}");
    let all = session.post(&target, json!({"mode": "All"}))?;
    check(all["itemDefinitionsIndex"].as_array().is_some_and(|it| it.len() == 2), "both are exported", &all)?;
    session.post(&target, json!({"mode": "Selective", "items": [{"id": notebook}]}))?;
    Ok(())
}

fn imported(session: &mut Session<'_>) -> Step {
    let (source, _) = filled(session)?;
    let exported = session.post(&format!("{source}/{EXPORT}"), json!({"mode": "All"}))?;
    let target = format!("{}/{IMPORT}", workspace_named(session, "Target")?);
    let parts = &exported["definitionParts"];
    let made = session.post(&target, json!({"definitionParts": parts}))?;
    let details = made["importItemDefinitionsDetails"].as_array().map_or(0, Vec::len);
    check(details == 2, "both are imported", &made)?;
    session.post(&target, json!({"definitionParts": parts, "options": {"allowPairingByName": true}}))?;
    Ok(())
}

fn refused(session: &mut Session<'_>) -> Step {
    let (workspace, notebook) = filled(session)?;
    let twice = json!({"mode": "Selective", "items": [{"id": notebook}, {"id": notebook}]});
    session.refused("POST", &format!("{workspace}/{EXPORT}"), twice, "ItemReferencedMoreThanOnce")?;
    let exported = session.post(&format!("{workspace}/{EXPORT}"), json!({"mode": "All"}))?;
    let parts = exported["definitionParts"].as_array().cloned().unwrap_or_default();
    let mut parts =
        parts.into_iter().filter(|part| part["path"].as_str().is_some_and(|it| it.contains("Copy")));
    let (mut doubled, mut second) = (Vec::new(), Vec::new());
    for part in parts.by_ref() {
        let elsewhere = part["path"].as_str().unwrap_or_default().replace("/Folder/", "/Other/");
        second.push(json!({"path": elsewhere, "payload": part["payload"], "payloadType": "InlineBase64"}));
        doubled.push(part);
    }
    doubled.append(&mut second);
    let body = json!({"definitionParts": doubled});
    session.refused("POST", &format!("{workspace}/{IMPORT}"), body, "DuplicateDisplayNameAndType")?;
    let part = json!({"path": "nowhere.txt", "payload": "e30=", "payloadType": "InlineBase64"});
    let body = json!({"definitionParts": [part]});
    session.refused("POST", &format!("{workspace}/{IMPORT}"), body, "InvalidFilesPath")
}

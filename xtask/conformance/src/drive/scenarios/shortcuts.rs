//! Shortcuts of a lakehouse.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("shortcuts: made, read, overwritten, deleted", lifecycle),
        scenario("shortcuts: to other stores", to_other_stores),
        scenario("shortcuts: made together", together),
        scenario("shortcuts: cache", cache),
        scenario("shortcuts: refused", refused),
    ]
}

/// Two lakehouses: the path of the first one's shortcuts, and a target in the second.
fn lakehouses(session: &mut Session<'_>) -> Step<(String, Value)> {
    let workspace = workspace(session)?;
    let from = item(session, &workspace, "Lakehouse", "Bronze")?;
    let to = item(session, &workspace, "Lakehouse", "Silver")?;
    let target = json!({"oneLake": {"workspaceId": id_in(&workspace), "itemId": to, "path": "Files"}});
    Ok((format!("{workspace}/items/{from}/shortcuts"), target))
}

fn shortcut(name: &str, target: &Value) -> Value {
    json!({"path": "Files", "name": name, "target": target})
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let (all, target) = lakehouses(session)?;
    session.post(&all, shortcut("one", &target))?;
    let deeper = json!({"path": "Files/deep/er", "name": "two", "target": target});
    session.post_or_refused(&all, deeper, "BadRequest")?;
    session.post(&format!("{all}?shortcutConflictPolicy=CreateOrOverwrite"), shortcut("one", &target))?;
    let renamed = session
        .post(&format!("{all}?shortcutConflictPolicy=GenerateUniqueName"), shortcut("one", &target))?;
    check(renamed["name"] != "one", "the second one has another name", &renamed)?;
    session.list(&all)?;
    session.list(&format!("{all}?parentPath=Files"))?;
    session.get(&format!("{all}/Files/one"))?;
    session.delete(&format!("{all}/Files/one"))?;
    session.refused_somehow("GET", &format!("{all}/Files/one"), NOTHING)
}

fn to_other_stores(session: &mut Session<'_>) -> Step {
    let (all, _) = lakehouses(session)?;
    let connection = demo::GITHUB_CONNECTION_ID;
    let adls = json!({"adlsGen2": {
        "location": "https://contoso.dfs.core.windows.net", "subpath": "/container/folder", "connectionId": connection,
    }});
    let amazon = json!({"amazonS3": {
        "location": "https://bucket.s3.us-west-2.amazonaws.com", "subpath": "/folder", "connectionId": connection,
    }});
    for (name, target) in [("adls", adls), ("s3", amazon)] {
        session.post(&all, shortcut(name, &target))?;
        session.get(&format!("{all}/Files/{name}"))?;
    }
    Ok(())
}

fn together(session: &mut Session<'_>) -> Step {
    let (all, target) = lakehouses(session)?;
    let body = json!({"createShortcutRequests": [shortcut("one", &target), shortcut("two", &target)]});
    session.post(&format!("{all}/bulkCreate?shortcutConflictPolicy=Abort"), body)?;
    Ok(())
}

fn cache(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    session.post(&format!("{workspace}/onelake/resetShortcutCache"), NOTHING)?;
    Ok(())
}

fn refused(session: &mut Session<'_>) -> Step {
    let (all, target) = lakehouses(session)?;
    session.post(&all, shortcut("one", &target))?;
    session.refused_somehow(
        "POST",
        &format!("{all}?shortcutConflictPolicy=Abort"),
        shortcut("one", &target),
    )?;
    let mut nowhere = target;
    nowhere["oneLake"]["itemId"] = NOBODY.into();
    session.refused_somehow("POST", &all, shortcut("two", &nowhere))
}

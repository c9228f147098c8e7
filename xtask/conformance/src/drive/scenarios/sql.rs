//! What speaks SQL: endpoints, warehouses, tables of lakehouses.

use std::time::Duration;

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("SQL endpoints: read", endpoints),
        scenario("SQL endpoints: refreshed", refreshed),
        scenario("SQL endpoints: connection string", endpoint_connection_string),
        scenario("warehouses: connection string", connection_string),
        scenario("lakehouses: tables", tables),
        scenario("semantic models: bound", bound),
    ]
}

/// The path of the SQL endpoint that comes with a lakehouse.
fn endpoint(session: &mut Session<'_>) -> Step<String> {
    let workspace = workspace(session)?;
    session.post(&format!("{workspace}/lakehouses"), json!({"displayName": "Bronze"}))?;
    session.emulator.advance(Duration::from_secs(600));
    let all = format!("{workspace}/sqlEndpoints");
    let listed = session.list(&all)?;
    Ok(format!("{all}/{}", id(listed.first().unwrap_or(&NOTHING))?))
}

fn endpoints(session: &mut Session<'_>) -> Step {
    endpoint(session)?;
    Ok(())
}

fn refreshed(session: &mut Session<'_>) -> Step {
    let one = endpoint(session)?;
    session.post(&format!("{one}/refreshMetadata"), NOTHING)?;
    session.post(
        &format!("{one}/refreshMetadata"),
        json!({"recreateTables": false, "timeout": {"timeUnit": "Minutes", "value": 2}}),
    )?;
    Ok(())
}

fn endpoint_connection_string(session: &mut Session<'_>) -> Step {
    let one = endpoint(session)?;
    session.get(&format!("{one}/connectionString"))?;
    Ok(())
}

fn connection_string(session: &mut Session<'_>) -> Step {
    let all = format!("{}/warehouses", workspace(session)?);
    let one = id(&session.post(&all, json!({"displayName": "Sales"}))?)?;
    session.get(&format!("{all}/{one}/connectionString"))?;
    Ok(())
}

fn tables(session: &mut Session<'_>) -> Step {
    let all = format!("{}/lakehouses", workspace(session)?);
    let one = id(&session.post(&all, json!({"displayName": "Bronze"}))?)?;
    session.list_of(&format!("{all}/{one}/tables?maxResults=10"), "data")?;
    Ok(())
}

fn bound(session: &mut Session<'_>) -> Step {
    let all = format!("{}/semanticModels", workspace(session)?);
    let body = json!({"displayName": "Model", "definition": definition("model.bim")});
    let one = id(&session.post(&all, body)?)?;
    let binding = json!({
        "id": demo::GITHUB_CONNECTION_ID, "connectivityType": "ShareableCloud",
        "connectionDetails": {"type": "SQL", "path": "contoso.database.windows.net;sales"},
    });
    session.post(&format!("{all}/{one}/bindConnection"), json!({"connectionBinding": binding}))?;
    Ok(())
}

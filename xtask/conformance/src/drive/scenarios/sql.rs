//! What speaks SQL: endpoints, warehouses, tables of lakehouses.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("SQL endpoints: read", endpoints),
        scenario("SQL endpoints: refreshed", refreshed),
        scenario("SQL endpoints: connection string", endpoint_connection_string),
        scenario("SQL endpoints: audit", |session| {
            let one = endpoint(session)?;
            audited(session, &one)
        }),
        scenario("warehouses: audit", warehouse_audit),
        scenario("SQL databases: audit", database_audit),
        scenario("warehouses: connection string", connection_string),
        scenario("warehouses: restore points", restore_points),
        scenario("warehouses: one restore point at a time", one_at_a_time),
        scenario("lakehouses: tables", tables),
        scenario("lakehouses: tables loaded", loaded),
        scenario("lakehouses: tables of schemas loaded", loaded_into_a_schema),
        scenario("semantic models: bound", bound),
    ]
}

/// The path of the SQL endpoint that comes with a lakehouse.
fn endpoint(session: &mut Session<'_>) -> Step<String> {
    let workspace = workspace(session)?;
    session.post(&format!("{workspace}/lakehouses"), json!({"displayName": "Bronze"}))?;
    session.wait(600)?;
    let all = format!("{workspace}/sqlEndpoints");
    let listed = session.list(&all)?;
    Ok(format!("{all}/{}", id(listed.first().unwrap_or(&NOTHING))?))
}

fn endpoints(session: &mut Session<'_>) -> Step {
    let one = endpoint(session)?;
    session.get(&one)?;
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
    let guest = format!("{one}/connectionString?guestTenantId={NOBODY}");
    session.refused("GET", &guest, NOTHING, "InvalidGuestTenantId")
}

fn warehouse_audit(session: &mut Session<'_>) -> Step {
    let all = format!("{}/warehouses", workspace(session)?);
    let one = id(&session.post(&all, json!({"displayName": "Sales"}))?)?;
    audited(session, &format!("{all}/{one}"))
}

/// The audit settings of a warehouse or an SQL endpoint, whose groups are set on their own.
fn audited(session: &mut Session<'_>, one: &str) -> Step {
    let settings = format!("{one}/settings/sqlAudit");
    session.get(&settings)?;
    session.post(&format!("{settings}/setAuditActionsAndGroups"), json!(["BATCH_COMPLETED_GROUP"]))?;
    let changed = session.patch(&settings, json!({"state": "Enabled", "retentionDays": 10}))?;
    check(changed["auditActionsAndGroups"] == json!(["BATCH_COMPLETED_GROUP"]), "the group stays", &changed)
}

fn database_audit(session: &mut Session<'_>) -> Step {
    let all = format!("{}/sqlDatabases", workspace(session)?);
    let one = id(&session.post(&all, json!({"displayName": "Orders"}))?)?;
    let settings = format!("{all}/{one}/settings/sqlAudit");
    session.get(&settings)?;
    let change = json!({"state": "Enabled", "predicateExpression": "statement not like '[select ]%'"});
    let changed = session.patch(&settings, change)?;
    check(changed["state"] == "Enabled", "the audit is on", &changed)
}

fn connection_string(session: &mut Session<'_>) -> Step {
    let all = format!("{}/warehouses", workspace(session)?);
    let one = id(&session.post(&all, json!({"displayName": "Sales"}))?)?;
    session.get(&format!("{all}/{one}/connectionString"))?;
    let guest = format!("{all}/{one}/connectionString?guestTenantId={NOBODY}");
    session.refused("GET", &guest, NOTHING, "InvalidGuestTenantId")
}

fn restore_points(session: &mut Session<'_>) -> Step {
    let warehouses = format!("{}/warehouses", workspace(session)?);
    let warehouse = id(&session.post(&warehouses, json!({"displayName": "Sales"}))?)?;
    let all = format!("{warehouses}/{warehouse}/restorePoints");
    let made = session.post(&all, json!({"displayName": "Before", "description": "d"}))?;
    let one = format!("{all}/{}", id(&made)?);
    session.list(&all)?;
    session.get(&one)?;
    session.patch(&one, json!({"displayName": "Just before"}))?;
    session.post(&format!("{one}/restore"), NOTHING)?;
    session.delete(&one)?;
    let none = "RestorePointNotFound";
    session.refused("GET", &one, NOTHING, none)?;
    session.refused("DELETE", &one, NOTHING, none)?;
    session.refused("PATCH", &one, json!({"displayName": "a"}), none)?;
    session.refused("POST", &format!("{one}/restore"), NOTHING, none)
}

/// Only while the first one is under way is another refused.
fn one_at_a_time(session: &mut Session<'_>) -> Step {
    let warehouses = format!("{}/warehouses", workspace(session)?);
    let warehouse = id(&session.post(&warehouses, json!({"displayName": "Sales"}))?)?;
    let all = format!("{warehouses}/{warehouse}/restorePoints");
    let body = json!({"displayName": "Before"});
    session.post_unfinished(&all, body.clone())?;
    session.post_or_refused(&all, body, "RestorePointCreationAlreadyInProgress")?;
    session.wait(60)?;
    let restore = format!("{all}/{}/restore", id(session.list(&all)?.first().unwrap_or(&NOTHING))?);
    session.post_unfinished(&restore, NOTHING)?;
    session.post_or_refused(&restore, NOTHING, "RestorePointRestorationAlreadyInProgress")
}

fn load() -> Value {
    json!({
        "relativePath": "Files/orders.csv", "pathType": "File", "mode": "Overwrite",
        "formatOptions": {"format": "Csv", "header": true, "delimiter": ","},
    })
}

fn loaded(session: &mut Session<'_>) -> Step {
    let all = format!("{}/lakehouses", workspace(session)?);
    let one = id(&session.post(&all, json!({"displayName": "Bronze"}))?)?;
    session.post(&format!("{all}/{one}/tables/orders/load"), load())?;
    let tables = session.list_of(&format!("{all}/{one}/tables"), "data")?;
    check(tables.iter().any(|table| table["name"] == "orders"), "the table is there", &json!(tables))
}

fn loaded_into_a_schema(session: &mut Session<'_>) -> Step {
    let all = format!("{}/lakehouses", workspace(session)?);
    let body = json!({"displayName": "Bronze", "creationPayload": {"enableSchemas": true}});
    let one = id(&session.post(&all, body)?)?;
    session.post(&format!("{all}/{one}/schemas/dbo/tables/orders/load?beta=true"), load())?;
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
    let bind = format!("{all}/{one}/bindConnection");
    session.post(&bind, json!({"connectionBinding": binding}))?;
    session.refused("POST", &bind, json!({}), "InvalidRequest")
}

//! `…/settings/sqlAudit` of warehouses, SQL endpoints and SQL databases.

use serde_json::json;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::wire::Reply;
use crate::world::SqlAuditPatch;

macro_rules! audit {
    ($of:literal, $rest:literal) => {
        concat!("/v1/workspaces/{workspaceId}/", $of, "/settings/sqlAudit", $rest)
    };
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", audit!("warehouses/{itemId}", ""), Spec, get),
    Row::new("PATCH", audit!("warehouses/{itemId}", ""), Spec, update),
    Row::new("POST", audit!("warehouses/{itemId}", "/setAuditActionsAndGroups"), Spec, set_groups),
    Row::new("GET", audit!("sqlEndpoints/{itemId}", ""), Spec, get),
    Row::new("PATCH", audit!("sqlEndpoints/{itemId}", ""), Spec, update),
    Row::new("POST", audit!("sqlEndpoints/{itemId}", "/setAuditActionsAndGroups"), Spec, set_groups),
    Row::new("GET", audit!("sqlDatabases/{sqlDatabaseId}", ""), Spec, get),
    Row::new("PATCH", audit!("sqlDatabases/{sqlDatabaseId}", ""), Spec, update),
];

fn get(call: &mut Call<'_>) -> Answer {
    let (workspace, _, item) = call.typed_item()?;
    let audit = &item.contents.sql_audit;
    let mut json = json!({
        "state": audit.state,
        "retentionDays": audit.retention_days,
        "auditActionsAndGroups": audit.groups,
    });
    if item.kind == "SQLDatabase" {
        let endpoint = format!("https://onelake.blob.fabric.microsoft.com/{workspace}/{}/Audit/", item.id);
        json["storageEndpoint"] = endpoint.into();
        json["predicateExpression"] = audit.predicate.clone().into();
    }
    Ok(Reply::json(200, json))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (_, _, item) = call.typed_item()?;
    let is_database = item.kind == "SQLDatabase";
    let patch: SqlAuditPatch = call.request.parse()?;
    let patch = if is_database { patch } else { patch.of_a_warehouse() };
    call.world().update_sql_audit(caller, workspace, id, patch)?;
    get(call)
}

fn set_groups(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    call.typed_item()?;
    let groups = SqlAuditPatch::groups(call.request.parse_list()?);
    call.world().update_sql_audit(caller, workspace, id, groups)?;
    Ok(Reply::empty(200))
}

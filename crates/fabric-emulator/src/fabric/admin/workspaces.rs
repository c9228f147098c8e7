//! `/v1/admin/workspaces`

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::principals::PrincipalBody;
use super::super::tags::tags_json;
use super::super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::wire::{Incoming, Reply};
use crate::world::Workspace;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RestoreBody {
    new_workspace_name: Option<String>,
    new_workspace_admin_principal: Option<PrincipalBody>,
}

pub(in crate::fabric) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/admin/workspaces", Spec, list),
    Row::new("POST", "/v1/admin/workspaces/{workspaceId}/restore", Spec, restore),
];

/// Every workspace of the tenant, deleted ones included, whoever has a role in it.
fn list(call: &mut Call<'_>) -> Answer {
    let (caller, request) = (call.caller, call.request);
    let world = call.world();
    world.check_tenant_admin(caller)?;
    let active = world.workspaces.iter().map(|workspace| workspace_json(workspace, "Active"));
    let deleted = world.deleted_workspaces.iter().map(|workspace| workspace_json(workspace, "Deleted"));
    let listed = active.chain(deleted).filter(|workspace| is_wanted(request, workspace)).collect();
    call.list_as("workspaces", listed)
}

fn restore(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.workspace()?);
    let body: RestoreBody = call.request.parse()?;
    let admin = body.new_workspace_admin_principal.map(|principal| principal.id);
    call.world().restore_workspace(caller, id, body.new_workspace_name, admin)?;
    Ok(Reply::empty(200))
}

/// Whether a workspace is what the filters in the query ask for, each of which may be left out.
fn is_wanted(request: &Incoming, workspace: &Value) -> bool {
    ["type", "capacityId", "name", "state"].iter().all(|member| {
        let wanted = request.query(member);
        wanted
            .is_none_or(|wanted| workspace[member].as_str().is_some_and(|is| is.eq_ignore_ascii_case(wanted)))
    })
}

fn workspace_json(workspace: &Workspace, state: &str) -> Value {
    let mut json =
        json!({"id": workspace.id, "name": workspace.display_name, "type": "Workspace", "state": state});
    if let Some(capacity) = workspace.capacity {
        json["capacityId"] = json!(capacity);
    }
    if let Some(domain) = workspace.domain {
        json["domainId"] = json!(domain);
    }
    if !workspace.tags.is_empty() {
        json["tags"] = tags_json(&workspace.tags);
    }
    json
}

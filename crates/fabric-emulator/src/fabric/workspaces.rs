//! `/v1/workspaces`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::identity::identity_json;
use super::tags::tags_json;
use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::wire::Reply;
use crate::world::{ApiError, Role, Workspace, World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkspaceBody {
    display_name: Option<String>,
    description: Option<String>,
    capacity_id: Option<Uuid>,
    domain_id: Option<Uuid>,
}

const ALL: &str = "/v1/workspaces";
const ONE: &str = "/v1/workspaces/{workspaceId}";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Recorded, list),
    Row::new("POST", ALL, Recorded, create),
    Row::new("GET", ONE, Recorded, get),
    Row::new("PATCH", ONE, Recorded, update),
    Row::new("DELETE", ONE, Recorded, delete),
    Row::new("POST", "/v1/workspaces/{workspaceId}/assignToCapacity", Recorded, assign_capacity),
    Row::new("POST", "/v1/workspaces/{workspaceId}/unassignFromCapacity", Recorded, unassign_capacity),
];

fn list(call: &mut Call<'_>) -> Answer {
    let caller = call.caller;
    // The documents call a role that there is not otherwise here than where roles are given.
    let invalid = |error| ApiError { code: "InvalidParameter", ..error };
    let roles = match call.request.query("roles") {
        Some(roles) => {
            let roles = roles.split(',').map(|role| Role::read(role.trim()));
            Some(roles.collect::<Result<Vec<_>, _>>().map_err(invalid)?)
        }
        None => None,
    };
    let world = call.world();
    let listed = world
        .workspaces_of(caller)
        .filter(|(_, role)| roles.as_ref().is_none_or(|roles| roles.contains(role)))
        .map(|(workspace, _)| workspace_json(world, workspace))
        .collect();
    call.list(listed)
}

fn create(call: &mut Call<'_>) -> Answer {
    let caller = call.caller;
    let body: WorkspaceBody = call.request.parse()?;
    let name = body.display_name.unwrap_or_default();
    let description = body.description.unwrap_or_default();
    if let Some(domain) = body.domain_id {
        call.world().check_contributor(caller, domain)?;
    }
    let id = call.world().create_workspace(caller, &name, &description, body.capacity_id)?.id;
    if body.domain_id.is_some() {
        call.world().set_domain(caller, id, body.domain_id)?;
    }
    let json = render(call, id)?;
    call.created(id, json)
}

fn get(call: &mut Call<'_>) -> Answer {
    let id = call.workspace()?;
    let mut json = render(call, id)?;
    if let Some(region) = json["capacityRegion"].as_str() {
        let region = region.to_lowercase().replace(' ', "");
        json["oneLakeEndpoints"] = json!({
            "blobEndpoint": format!("https://{region}-onelake.blob.fabric.microsoft.com"),
            "dfsEndpoint": format!("https://{region}-onelake.dfs.fabric.microsoft.com"),
        });
        let (caller, world) = (call.caller, call.world());
        let done = world.workspace(caller, id, Role::Viewer)?.assigned <= world.now;
        json["capacityAssignmentProgress"] = if done { "Completed" } else { "InProgress" }.into();
    }
    let caller = call.caller;
    if let Some(identity) = call.world().workspace(caller, id, Role::Viewer)?.identity {
        json["workspaceIdentity"] = identity_json(identity);
    }
    Ok(Reply::json(200, json))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.workspace()?);
    let body: WorkspaceBody = call.request.parse()?;
    call.world().update_workspace(caller, id, body.display_name, body.description)?;
    Ok(Reply::json(200, render(call, id)?))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.workspace()?);
    call.world().delete_workspace(caller, id)?;
    Ok(Reply::empty(200))
}

fn assign_capacity(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.workspace()?);
    let body: WorkspaceBody = call.request.parse()?;
    let capacity = body.capacity_id.ok_or_else(|| ApiError::invalid("capacityId", "is required"))?;
    call.world().assign_capacity(caller, id, capacity)?;
    Ok(Reply::empty(202))
}

fn unassign_capacity(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.workspace()?);
    call.world().unassign_capacity(caller, id)?;
    Ok(Reply::empty(202))
}

fn render(call: &mut Call<'_>, id: Uuid) -> Result<Value, ApiError> {
    let caller = call.caller;
    let world = call.world();
    Ok(workspace_json(world, world.workspace(caller, id, Role::Viewer)?))
}

fn workspace_json(world: &World, workspace: &Workspace) -> Value {
    let mut json = json!({
        "id": workspace.id,
        "displayName": workspace.display_name,
        "description": workspace.description,
        "type": "Workspace",
    });
    if let Some(capacity) = workspace.capacity.and_then(|id| world.capacity(id)) {
        json["capacityId"] = json!(capacity.id);
        json["capacityRegion"] = json!(capacity.region);
    }
    // Where these two stand among the others nobody has recorded.
    if let Some(domain) = workspace.domain {
        json["domainId"] = json!(domain);
    }
    if !workspace.tags.is_empty() {
        json["tags"] = tags_json(&workspace.tags);
    }
    json
}

//! `/v1/workspaces`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call};
use crate::wire::Reply;
use crate::world::{ApiError, Role, Workspace, World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkspaceBody {
    display_name: Option<String>,
    description: Option<String>,
    capacity_id: Option<Uuid>,
}

pub(super) fn collection(call: &mut Call<'_>, method: &str) -> Answer {
    let caller = call.caller;
    match method {
        "GET" => {
            let roles = match call.request.query("roles") {
                Some(roles) => Some(
                    roles.split(',').map(|role| Role::read(role.trim())).collect::<Result<Vec<_>, _>>()?,
                ),
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
        "POST" => {
            let body: WorkspaceBody = call.request.parse()?;
            let name = body.display_name.unwrap_or_default();
            let description = body.description.unwrap_or_default();
            let id = call.world().create_workspace(caller, &name, &description, body.capacity_id)?.id;
            let json = render(call, id, Role::Viewer)?;
            call.created(id, json)
        }
        _ => call.unknown(),
    }
}

pub(super) fn route(call: &mut Call<'_>, id: Uuid, method: &str, rest: &[&str]) -> Answer {
    let caller = call.caller;
    match (method, rest) {
        ("GET", []) => {
            let mut json = render(call, id, Role::Viewer)?;
            if let Some(region) = json["capacityRegion"].as_str() {
                let region = region.to_lowercase().replace(' ', "");
                json["oneLakeEndpoints"] = json!({
                    "blobEndpoint": format!("https://{region}-onelake.blob.fabric.microsoft.com"),
                    "dfsEndpoint": format!("https://{region}-onelake.dfs.fabric.microsoft.com"),
                });
                json["capacityAssignmentProgress"] = "Completed".into();
            }
            Ok(Reply::json(200, json))
        }
        ("PATCH", []) => {
            let body: WorkspaceBody = call.request.parse()?;
            call.world().update_workspace(caller, id, body.display_name, body.description)?;
            Ok(Reply::json(200, render(call, id, Role::Viewer)?))
        }
        ("DELETE", []) => {
            call.world().delete_workspace(caller, id)?;
            Ok(Reply::empty(200))
        }
        ("POST", ["assigntocapacity"]) => {
            let body: WorkspaceBody = call.request.parse()?;
            let capacity = body.capacity_id.ok_or_else(|| ApiError::invalid("capacityId", "is required"))?;
            call.world().assign_capacity(caller, id, capacity)?;
            Ok(Reply::empty(202))
        }
        ("POST", ["unassignfromcapacity"]) => {
            call.world().unassign_capacity(caller, id)?;
            Ok(Reply::empty(202))
        }
        _ => call.unknown(),
    }
}

fn render(call: &mut Call<'_>, id: Uuid, least: Role) -> Result<Value, ApiError> {
    let caller = call.caller;
    let world = call.world();
    Ok(workspace_json(world, world.workspace(caller, id, least)?))
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
    json
}

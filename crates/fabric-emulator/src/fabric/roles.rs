//! `/v1/workspaces/{id}/roleAssignments`

use serde::Deserialize;
use serde_json::{Value, json};

use super::principals::{PrincipalBody, principal_json};
use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::wire::Reply;
use crate::world::{ApiError, Assignment, Role, World};

#[derive(Deserialize)]
struct RoleBody {
    principal: Option<PrincipalBody>,
    role: Option<String>,
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/workspaces/{workspaceId}/roleAssignments", Recorded, list),
    Row::new("POST", "/v1/workspaces/{workspaceId}/roleAssignments", Recorded, add),
    Row::new("GET", ONE, Recorded, get),
    Row::new("PATCH", ONE, Recorded, update),
    Row::new("DELETE", ONE, Recorded, delete),
];
const ONE: &str = "/v1/workspaces/{workspaceId}/roleAssignments/{workspaceRoleAssignmentId}";
const ID: &str = "workspaceRoleAssignmentId";

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let world = call.world();
    let assignments = world.assignments(caller, workspace)?;
    let listed = assignments.iter().map(|assignment| assignment_json(world, assignment)).collect();
    call.list(listed)
}

fn add(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: RoleBody = call.request.parse()?;
    let principal = body.principal.ok_or_else(|| ApiError::invalid("principal", "is required"))?;
    let role = read_role(body.role)?;
    let added = call.world().add_role(caller, workspace, principal.id, role)?;
    let json = assignment_json(call.world(), &added);
    call.created(principal.id, json)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id(ID)?);
    let world = call.world();
    let assignment = world.assignment(caller, workspace, id)?;
    Ok(Reply::json(200, assignment_json(world, assignment)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id(ID)?);
    let role = read_role(call.request.parse::<RoleBody>()?.role)?;
    let changed = call.world().update_role(caller, workspace, id, role)?;
    Ok(Reply::json(200, assignment_json(call.world(), &changed)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id(ID)?);
    call.world().delete_role(caller, workspace, id)?;
    Ok(Reply::empty(200))
}

fn read_role(role: Option<String>) -> Result<Role, ApiError> {
    let missing = || ApiError::new(400, "MissingWorkspaceRole", "The workspace role is missing");
    Role::read(&role.ok_or_else(missing)?)
}

fn assignment_json(world: &World, assignment: &Assignment) -> Value {
    json!({
        "id": assignment.principal,
        "principal": principal_json(world, assignment.principal),
        "role": assignment.role.name(),
    })
}

//! `/v1/workspaces/{id}/roleAssignments`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call};
use crate::wire::Reply;
use crate::world::{ApiError, Assignment, PrincipalKind, Role, World, guid};

#[derive(Deserialize)]
struct RoleBody {
    principal: Option<PrincipalBody>,
    role: Option<String>,
}

#[derive(Deserialize)]
struct PrincipalBody {
    id: Uuid,
}

pub(super) fn route(call: &mut Call<'_>, workspace: Uuid, method: &str, rest: &[&str]) -> Answer {
    let caller = call.caller;
    match (method, rest) {
        ("GET", []) => {
            let world = call.world();
            let assignments = world.assignments(caller, workspace)?;
            let listed = assignments.iter().map(|assignment| assignment_json(world, assignment)).collect();
            call.list(listed)
        }
        ("POST", []) => {
            let body: RoleBody = call.request.parse()?;
            let principal = body.principal.ok_or_else(|| ApiError::invalid("principal", "is required"))?;
            let role = read_role(body.role)?;
            let added = call.world().add_role(caller, workspace, principal.id, role)?;
            let json = assignment_json(call.world(), &added);
            call.created(principal.id, json)
        }
        ("GET", [id]) => {
            let id = guid("roleAssignmentId", id)?;
            let world = call.world();
            let assignment = world.assignment(caller, workspace, id)?;
            Ok(Reply::json(200, assignment_json(world, assignment)))
        }
        ("PATCH", [id]) => {
            let id = guid("roleAssignmentId", id)?;
            let role = read_role(call.request.parse::<RoleBody>()?.role)?;
            let changed = call.world().update_role(caller, workspace, id, role)?;
            Ok(Reply::json(200, assignment_json(call.world(), &changed)))
        }
        ("DELETE", [id]) => {
            call.world().delete_role(caller, workspace, guid("roleAssignmentId", id)?)?;
            Ok(Reply::empty(200))
        }
        _ => call.unknown(),
    }
}

fn read_role(role: Option<String>) -> Result<Role, ApiError> {
    let missing = || ApiError::new(400, "MissingWorkspaceRole", "The workspace role is missing");
    Role::read(&role.ok_or_else(missing)?)
}

fn assignment_json(world: &World, assignment: &Assignment) -> Value {
    let kind = world.principal(assignment.principal).map_or(PrincipalKind::User, |principal| principal.kind);
    json!({
        "id": assignment.principal,
        "principal": {"id": assignment.principal, "type": kind.name()},
        "role": assignment.role.name(),
    })
}

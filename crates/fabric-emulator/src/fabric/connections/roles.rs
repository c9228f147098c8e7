//! `/v1/connections/{id}/roleAssignments`

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::principals::{PrincipalBody, principal_json};
use super::super::{Answer, Call, Row};
use super::ID;
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::Reply;
use crate::world::{ApiError, ConnectionAssignment, ConnectionRole, World};

#[derive(Deserialize)]
struct RoleBody {
    principal: Option<PrincipalBody>,
    role: Option<String>,
}

const ALL: &str = "/v1/connections/{connectionId}/roleAssignments";
const ONE: &str = "/v1/connections/{connectionId}/roleAssignments/{connectionRoleAssignmentId}";
const ASSIGNMENT: &str = "connectionRoleAssignmentId";

pub(in crate::fabric) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Recorded, list),
    Row::new("POST", ALL, Recorded, add),
    Row::new("GET", ONE, Spec, get),
    Row::new("PATCH", ONE, Recorded, update),
    Row::new("DELETE", ONE, Recorded, delete),
];

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    let world = call.world();
    let assignments = world.connection_assignments(caller, id)?;
    let listed = assignments.iter().map(|assignment| assignment_json(world, assignment)).collect();
    call.list(listed)
}

fn add(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    let body: RoleBody = call.request.parse()?;
    let principal = body.principal.ok_or_else(|| missing("principal"))?.id;
    let role = ConnectionRole::read(&body.role.ok_or_else(|| missing("role"))?)?;
    let added = call.world().add_connection_role(caller, id, principal, role)?;
    let json = assignment_json(call.world(), &added);
    call.created(principal, json)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, id, principal) = (call.caller, call.id(ID)?, call.id(ASSIGNMENT)?);
    let world = call.world();
    let assignment = world.connection_assignment(caller, id, principal)?;
    Ok(Reply::json(200, assignment_json(world, &assignment)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, id, principal) = (call.caller, call.id(ID)?, call.id(ASSIGNMENT)?);
    let body: RoleBody = call.request.parse()?;
    let role = ConnectionRole::read(&body.role.ok_or_else(|| missing("role"))?)?;
    let changed = call.world().update_connection_role(caller, id, principal, role)?;
    Ok(Reply::json(200, assignment_json(call.world(), &changed)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, id, principal) = (call.caller, call.id(ID)?, call.id(ASSIGNMENT)?);
    call.world().delete_connection_role(caller, id, principal)?;
    Ok(Reply::empty(200))
}

fn missing(parameter: &str) -> ApiError {
    ApiError::new(400, "BadRequest", "Missing required parameter")
        .because("InvalidParameter", format!("The {parameter} field is required"))
}

fn assignment_json(world: &World, assignment: &ConnectionAssignment) -> Value {
    json!({
        "id": assignment.principal,
        "principal": principal_json(world, assignment.principal),
        "role": assignment.role.name(),
    })
}

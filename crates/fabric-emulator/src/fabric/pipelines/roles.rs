//! `/v1/deploymentPipelines/{id}/roleAssignments`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::principals::{PrincipalBody, principal_json};
use super::super::{Answer, Call, Row};
use super::ID;
use crate::catalogue::Evidence::Spec;
use crate::wire::Reply;
use crate::world::{ApiError, World};

#[derive(Deserialize)]
struct RoleBody {
    principal: Option<PrincipalBody>,
    role: Option<String>,
}

const ALL: &str = "/v1/deploymentPipelines/{deploymentPipelineId}/roleAssignments";

pub(in crate::fabric) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Spec, list),
    Row::new("POST", ALL, Spec, add),
    Row::new(
        "DELETE",
        "/v1/deploymentPipelines/{deploymentPipelineId}/roleAssignments/{principalId}",
        Spec,
        delete,
    ),
];

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline) = (call.caller, call.id(ID)?);
    let world: &World = call.world();
    let admins = world.pipeline(caller, pipeline)?.admins.iter();
    let listed = admins.map(|admin| assignment_json(world, *admin)).collect();
    call.list(listed)
}

/// 200 and no 201: the one role assignment of Fabric's that is not created.
fn add(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline) = (call.caller, call.id(ID)?);
    let body: RoleBody = call.request.parse()?;
    let principal = body.principal.ok_or_else(|| ApiError::invalid("principal", "is required"))?.id;
    match body.role {
        Some(role) if role.eq_ignore_ascii_case("Admin") => {}
        Some(_) => return Err(ApiError::invalid("role", "must be Admin")),
        None => return Err(ApiError::invalid("role", "is required")),
    }
    call.world().add_pipeline_admin(caller, pipeline, principal)?;
    Ok(Reply::json(200, assignment_json(call.world(), principal)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, principal) = (call.caller, call.id(ID)?, call.id("principalId")?);
    call.world().remove_pipeline_admin(caller, pipeline, principal)?;
    Ok(Reply::empty(200))
}

fn assignment_json(world: &World, principal: Uuid) -> Value {
    json!({"id": principal, "principal": principal_json(world, principal), "role": "Admin"})
}

//! `/v1/workspaces/{id}/warehouses/{id}/restorePoints`

use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::operations::{Busy, Long};
use crate::wire::{Reply, timestamp};
use crate::world::{ApiError, RestorePoint, RestorePointInput, Role, World};

const ALL: &str = "/v1/workspaces/{workspaceId}/warehouses/{warehouseId}/restorePoints";
const ONE: &str = "/v1/workspaces/{workspaceId}/warehouses/{warehouseId}/restorePoints/{restorePointId}";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Spec, list),
    Row::new("POST", ALL, Spec, create).long(),
    Row::new("GET", ONE, Spec, get),
    Row::new("PATCH", ONE, Spec, update),
    Row::new("DELETE", ONE, Spec, delete),
    Row::new(
        "POST",
        "/v1/workspaces/{workspaceId}/warehouses/{warehouseId}/restorePoints/{restorePointId}/restore",
        Spec,
        restore,
    )
    .long(),
];

fn list(call: &mut Call<'_>) -> Answer {
    let (_, world, warehouse) = call.typed_item()?;
    let points = warehouse.contents.restore_points.iter().map(|point| json_of(world, point)).collect();
    call.list(points)
}

fn create(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    call.typed_item()?;
    let new: RestorePointInput = call.request.parse()?;
    call.world().check_new_restore_point(caller, workspace, id, &new)?;
    let busy = Busy::RestorePoint(id);
    if call.state.operations.is_busy(busy) {
        return Err(in_progress("RestorePointCreationAlreadyInProgress", "creation"));
    }
    let effect = move |world: &mut World| {
        let point = world.create_restore_point(caller, workspace, id, new)?;
        Ok(Some(json_of(world, &point)))
    };
    call.run(Long::CreateRestorePoint, Some(busy), Box::new(effect), |point| {
        Reply::json(201, point.unwrap_or_default())
    })
}

fn get(call: &mut Call<'_>) -> Answer {
    let point = point(call, Role::Viewer)?;
    Ok(Reply::json(200, json_of(call.world(), &point)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (point, request) = (call.parameter("restorePointId").to_owned(), call.request);
    call.typed_item()?;
    let point = call.world().update_restore_point(caller, workspace, id, &point, request.parse()?)?;
    Ok(Reply::json(200, json_of(call.world(), &point)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let point = call.parameter("restorePointId").to_owned();
    call.typed_item()?;
    call.world().delete_restore_point(caller, workspace, id, &point)?;
    Ok(Reply::empty(200))
}

fn restore(call: &mut Call<'_>) -> Answer {
    point(call, Role::Contributor)?;
    let busy = Busy::Restoration(call.item()?);
    if call.state.operations.is_busy(busy) {
        return Err(in_progress("RestorePointRestorationAlreadyInProgress", "restoration"));
    }
    call.run(Long::Restore, Some(busy), Box::new(|_: &mut World| Ok(None)), |_| Reply::empty(200))
}

/// The status is that of a git operation in progress, and a guess as that one is.
fn in_progress(code: &'static str, what: &str) -> ApiError {
    ApiError::new(409, code, format!("A restore point {what} is already in progress")).retriable(true)
}

/// The restore point in the path.
fn point(call: &mut Call<'_>, least: Role) -> Result<RestorePoint, ApiError> {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let point = call.parameter("restorePointId").to_owned();
    call.typed_item()?;
    Ok(call.world().restore_point(caller, workspace, id, &point, least)?.clone())
}

/// All of them are made by somebody: the ones that the service makes by itself are not emulated.
fn json_of(world: &World, point: &RestorePoint) -> Value {
    let initiator = world.principal(point.initiator).map(|principal| {
        json!({"id": principal.id, "displayName": principal.display_name, "type": principal.kind.name()})
    });
    json!({
        "id": point.id.to_string(),
        "displayName": point.display_name,
        "description": point.description,
        "creationMode": "UserDefined",
        "creationDetails": {
            "eventDateTime": format!("{}Z", timestamp(point.created)),
            "eventInitiator": initiator,
        },
    })
}

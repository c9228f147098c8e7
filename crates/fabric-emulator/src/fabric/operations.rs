//! `/v1/operations/{id}`

use http::header;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::operations::OperationState;
use crate::wire::{OPERATION_ID, Reply};
use crate::world::{ApiError, Role, guid};

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/operations/{operationId}", Recorded, poll),
    Row::new("GET", "/v1/operations/{operationId}/result", Recorded, result),
];

/// `Location` is the operation itself while it runs, its result once there is one, and absent otherwise.
fn poll(call: &mut Call<'_>) -> Answer {
    let id = visible(call)?;
    let operations = &call.state.operations;
    let (Some(state), Some(body)) = (operations.state(id), operations.poll(id)) else {
        return Err(not_found(id));
    };
    let retry_after = operations.retry_after(id).unwrap_or_default();
    let location = call.operation_location(guid("operationId", id)?);
    let reply = Reply::json(200, body);
    Ok(match state {
        OperationState::Running | OperationState::Other(_) => reply
            .header(header::LOCATION, location)
            .header(header::RETRY_AFTER, retry_after.to_string())
            .header(OPERATION_ID, id),
        OperationState::Succeeded(Some(_)) => {
            reply.header(header::LOCATION, format!("{location}/result")).header(OPERATION_ID, id)
        }
        OperationState::Succeeded(None) | OperationState::Failed(_) => reply,
    })
}

fn result(call: &mut Call<'_>) -> Answer {
    let id = visible(call)?;
    match call.state.operations.state(id) {
        None => Err(not_found(id)),
        Some(OperationState::Succeeded(Some(result))) => {
            // Without the length that other answers have.
            Ok(Reply::json(200, result.clone())
                .header(header::CONTENT_TYPE, "application/json")
                .header(header::TRANSFER_ENCODING, "chunked"))
        }
        Some(OperationState::Succeeded(None)) => {
            Err(ApiError::new(400, "OperationHasNoResult", "The operation has no result"))
        }
        Some(OperationState::Running | OperationState::Failed(_) | OperationState::Other(_)) => {
            Err(ApiError::new(400, "OperationNotSucceeded", "The operation did not succeed"))
        }
    }
}

/// The operation in the path, if the caller started it or could have: who may not write in its workspace learns nothing
/// of it.
fn visible<'c>(call: &'c Call<'_>) -> Result<&'c str, ApiError> {
    let id = call.parameter("operationId");
    let operation = id.parse().ok().and_then(|id| call.state.operations.all().get(&id));
    let operation = operation.ok_or_else(|| not_found(id))?;
    let world = &call.state.world;
    let writes = |workspace| world.workspace(call.caller, workspace, Role::Contributor).is_ok();
    match operation.caller == call.caller || operation.workspace.is_some_and(writes) {
        true => Ok(id),
        false => Err(not_found(id)),
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::new(404, "OperationNotFound", "The requested operation could not be found")
        .about(id, "Operation")
}

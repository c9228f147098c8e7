//! `/v1/operations/{id}`

use http::header;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::operations::OperationState;
use crate::wire::{OPERATION_ID, Reply};
use crate::world::{ApiError, guid};

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/operations/{operationId}", Recorded, poll),
    Row::new("GET", "/v1/operations/{operationId}/result", Recorded, result),
];

/// `Location` is the operation itself while it runs, its result once there is one, and absent otherwise.
fn poll(call: &mut Call<'_>) -> Answer {
    let id = call.parameter("operationId");
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
    let id = call.parameter("operationId");
    match call.state.operations.state(id) {
        None => Err(not_found(id)),
        Some(OperationState::Succeeded(Some(result))) => {
            Ok(Reply::json(200, result.clone()).header(header::CONTENT_TYPE, "application/json"))
        }
        Some(OperationState::Succeeded(None)) => {
            Err(ApiError::new(400, "OperationHasNoResult", "The operation has no result"))
        }
        Some(OperationState::Running | OperationState::Failed(_) | OperationState::Other(_)) => {
            Err(ApiError::new(400, "OperationNotSucceeded", "The operation did not succeed"))
        }
    }
}

fn not_found(id: &str) -> ApiError {
    ApiError::new(404, "OperationNotFound", "The requested operation could not be found")
        .about(id, "Operation")
}

//! Errors nobody meant, in the dialect of the service that was asked.

use bytes::Bytes;
use http::Response;
use serde_json::json;

use crate::wire::{Api, Reply, fabric_error};
use crate::world::ApiError;

pub(crate) fn injected(api: Api, status: u16) -> Response<Bytes> {
    let error = plausible(status);
    let body = match api {
        Api::Fabric | Api::Admin => return fabric_error(&error, None),
        Api::Graph => {
            let code = if status == 401 { "InvalidAuthenticationToken" } else { error.code };
            json!({"error": {"code": code, "message": error.message}})
        }
        Api::Vault => vault_error(status, &error.message),
        Api::Entra | Api::Workload => {
            json!({"error": "temporarily_unavailable", "error_description": error.message})
        }
    };
    Reply::json(status, body).plain()
}

/// The codes of a vault. What a 403 or 409 is about, the inner one says.
fn vault_error(status: u16, message: &str) -> serde_json::Value {
    let (code, inner) = match status {
        400 => ("BadParameter", None),
        401 => ("Unauthorized", None),
        403 => ("Forbidden", Some("ForbiddenByRbac")),
        404 => ("SecretNotFound", None),
        409 => ("Conflict", Some("ObjectIsBeingDeleted")),
        429 => ("Throttled", None),
        503 => ("ServiceUnavailable", None),
        _ => ("InternalServerError", None),
    };
    let mut error = json!({"code": code, "message": message});
    if let Some(inner) = inner {
        error["innererror"] = json!({"code": inner});
    }
    json!({"error": error})
}

fn plausible(status: u16) -> ApiError {
    let (code, message) = match status {
        400 => ("BadRequest", "The request is invalid"),
        401 => ("TokenExpired", "Access token has expired, resubmit with a new access token"),
        403 => (
            "InsufficientPrivileges",
            "The caller does not have sufficient permissions to perform this operation",
        ),
        404 => ("EntityNotFound", "The requested resource could not be found"),
        409 => ("Conflict", "The request conflicts with the current state of the resource"),
        429 => ("RequestBlocked", "Request is blocked by the upstream service"),
        430 => ("TooManyRequestsForCapacity", "The capacity has too many requests"),
        _ => ("UnknownError", "An unexpected error occurred while processing the request"),
    };
    let error = ApiError::new(status, code, message);
    if matches!(status, 429 | 430) { error.retriable(true) } else { error }
}

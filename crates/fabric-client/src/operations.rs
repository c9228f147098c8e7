//! Long-running operations, as they are read. [`Client::wait`](crate::Client::wait) does the waiting.

use crate::{ApiError, Call, OperationId, error::ErrorBody};
use http::StatusCode;
use serde_json::Value;

/// The state of an operation, as far as waiting for it goes.
pub(crate) enum State {
    Running,
    Succeeded,
    Failed(ApiError),
}

impl State {
    /// Reads the state. A status that is absent or unknown means that the operation has not ended.
    pub(crate) fn read(mut operation: Value) -> Self {
        let status = operation["status"].as_str().unwrap_or_default();
        if status.eq_ignore_ascii_case("Succeeded") {
            Self::Succeeded
        } else if status.eq_ignore_ascii_case("Failed") {
            let error = ErrorBody::read(operation["error"].take());
            Self::Failed(ApiError::from_body(error, StatusCode::OK))
        } else {
            Self::Running
        }
    }
}

/// `GET /operations/{id}`.
pub(crate) fn get(id: OperationId) -> Call<Value> {
    Call::get("operations.get", format!("/operations/{id}"))
}

/// `GET /operations/{id}/result`: the answer that the request would have had, had it been answered at once.
pub(crate) fn result(id: OperationId) -> Call<Value> {
    Call::get("operations.result", format!("/operations/{id}/result"))
}

//! `/_emulator/snapshot`

use http::header;
use serde_json::json;

use super::with_sources;
use crate::emulator::Shared;
use crate::service::BoxError;
use crate::snapshot::Snapshot;
use crate::wire::{Incoming, Reply};

pub(super) fn take(shared: &Shared) -> Result<Reply, BoxError> {
    Ok(match shared.snapshot() {
        Ok(snapshot) => {
            let json = serde_json::to_vec(&snapshot)?;
            Reply::bytes(200, json.into()).header(header::CONTENT_TYPE, "application/json; charset=utf-8")
        }
        Err(under_way) => Reply::json(409, json!({"error": with_sources(&under_way)})),
    })
}

pub(super) fn restore(shared: &Shared, request: &Incoming) -> Result<(), BoxError> {
    shared.restore(&Snapshot::from_json(&request.body)?);
    Ok(())
}

//! Every `tracing` event of this crate. Names and fields are a contract with those who read logs.

use crate::{StepId, TransactionId};

pub(crate) fn started(id: TransactionId, steps: usize) {
    tracing::info!(transaction = %id, steps, "Transaction started");
}

pub(crate) fn committed(id: TransactionId) {
    tracing::info!(transaction = %id, "Transaction committed");
}

pub(crate) fn rolling_back(id: TransactionId, reason: &str) {
    tracing::warn!(transaction = %id, reason, "Rolling back transaction {id}");
}

pub(crate) fn cleaning_up(id: TransactionId, step: StepId, change: &str) {
    tracing::info!(transaction = %id, step = step.number(), change, "Cleaning up");
}

pub(crate) fn undo_failed(id: TransactionId, step: StepId, change: &str, reason: &str) {
    tracing::error!(transaction = %id, step = step.number(), change, reason, "Failed to clean up");
}

pub(crate) fn rolled_back(id: TransactionId, remaining: usize) {
    tracing::info!(transaction = %id, remaining, "Rollback finished");
}

pub(crate) fn no_record(path: &str) {
    tracing::warn!(path, "A journal without one whole record: nothing was sent for it, unless it was cut");
}

pub(crate) fn torn_tail(path: &str, bytes: usize) {
    tracing::warn!(path, bytes, "Discarding the torn last record of a journal");
}

#[cfg(feature = "object-store")]
pub(crate) fn lease_not_renewed(subject: &str, error: &object_store::Error) {
    tracing::warn!(subject, %error, "Failed to renew a lease");
}

//! Every `tracing` span and event of this crate. Names and fields are a contract with those who read logs and traces.
//!
//! Fields that are not ours are of OpenTelemetry's conventions for CI/CD (<https://opentelemetry.io/docs/specs/semconv/cicd/>).

use std::fmt::Display;

use tracing::{Span, field};

use crate::{Error, StepId, TransactionId, Verdict};

/// What a process does for a transaction. `selvedge.transaction.verdict` is `committed`, `rolled_back`, `left` or `open`.
pub(crate) fn transaction(id: TransactionId, steps: usize) -> Span {
    tracing::info_span!(
        "transaction",
        selvedge.transaction.id = %id,
        selvedge.transaction.steps = steps,
        selvedge.transaction.verdict = field::Empty,
        error.type = field::Empty,
    )
}

/// Tells the span how the transaction stands.
pub(crate) fn transaction_ended(span: &Span, ended: &Result<Verdict, Error>) {
    let verdict = match ended {
        Ok(Verdict::Committed) => "committed",
        Ok(Verdict::RolledBack { .. }) => "rolled_back",
        Ok(Verdict::Left { .. }) => "left",
        Err(_) => "open",
    };
    span.record("selvedge.transaction.verdict", verdict);
    if verdict != "committed" {
        span.record("error.type", verdict);
    }
}

/// The work on one step, shown as its change. `selvedge.step.direction` is `forward` or `back`, `cicd.pipeline.task.run.result` is
/// `success`, `failure` or `cancellation`.
pub(crate) fn step(step: StepId, change: &impl Display, direction: &'static str) -> Span {
    tracing::info_span!(
        "step",
        otel.name = %change,
        cicd.pipeline.task.name = %change,
        cicd.pipeline.task.run.id = step.number(),
        cicd.pipeline.task.run.result = field::Empty,
        selvedge.step.direction = direction,
        error.type = field::Empty,
    )
}

/// Tells the span how the work ended: `success`, `failure` or `cancellation`.
pub(crate) fn step_ended(span: &Span, result: &'static str) {
    span.record("cicd.pipeline.task.run.result", result);
    if result == "failure" {
        span.record("error.type", result);
    }
}

pub(crate) fn started(id: TransactionId, steps: usize) {
    tracing::info!(name: "transaction.started", transaction = %id, steps, "Transaction started");
}

pub(crate) fn committed(id: TransactionId) {
    tracing::info!(name: "transaction.committed", transaction = %id, "Transaction committed");
}

pub(crate) fn rolling_back(id: TransactionId, reason: &str) {
    tracing::warn!(name: "transaction.rolling_back", transaction = %id, reason, "Rolling back transaction {id}");
}

pub(crate) fn cleaning_up(id: TransactionId, step: StepId, change: &str) {
    tracing::info!(name: "step.cleaning_up", transaction = %id, step = step.number(), change, "Cleaning up");
}

pub(crate) fn undo_failed(id: TransactionId, step: StepId, change: &str, reason: &str) {
    tracing::error!(name: "step.undo_failed", transaction = %id, step = step.number(), change, reason, "Failed to clean up");
}

pub(crate) fn rolled_back(id: TransactionId, remaining: usize) {
    tracing::info!(name: "transaction.rolled_back", transaction = %id, remaining, "Rollback finished");
}

pub(crate) fn no_record(path: &str) {
    tracing::warn!(name: "journal.empty", path, "A journal without one whole record: nothing was sent for it, unless it was cut");
}

pub(crate) fn torn_tail(path: &str, bytes: usize) {
    tracing::warn!(name: "journal.torn", path, bytes, "Discarding the torn last record of a journal");
}

#[cfg(feature = "object-store")]
pub(crate) fn lease_not_renewed(subject: &str, error: &object_store::Error) {
    tracing::warn!(name: "lease.not_renewed", subject, %error, "Failed to renew a lease");
}

//! Every span and event of the program itself. Names and fields are a contract with those who read logs and traces.
//!
//! Fields that are not ours are of OpenTelemetry's conventions for CI/CD (<https://opentelemetry.io/docs/specs/semconv/cicd/>).

use std::time::Duration;

use selvedge_rollback::TransactionId;
use tracing::{Span, field};

use crate::{exit, report};

/// A run of `deploy`, from reading its files to its verdict; of kind server, shown as `deploy PRODUCT`. `cicd.pipeline.result` is
/// `success`, `failure`, `cancellation`, or `error` where nothing was begun; `cicd.pipeline.run.id` is also the transaction's id, and the
/// trace's where there is no `TRACEPARENT`.
pub(crate) fn deployment(run: TransactionId, is_dry: bool) -> Span {
    tracing::info_span!(
        "deployment",
        otel.kind = "server",
        otel.name = "deploy",
        cicd.pipeline.name = field::Empty,
        cicd.pipeline.run.id = %run,
        cicd.pipeline.result = field::Empty,
        deployment.environment.name = field::Empty,
        selvedge.dry_run = is_dry,
        error.type = field::Empty,
    )
}

/// What is deployed is known: told within its span.
pub(crate) fn deployment_started(product: &str, environment: &str) {
    let span = Span::current();
    // Its name for people: what is done, and to what.
    span.record("otel.name", format!("deploy {product}"));
    span.record("cicd.pipeline.name", product);
    span.record("deployment.environment.name", environment);
    tracing::info!(name: "deployment.started", product, environment, "Deployment started");
}

/// Configuration files make no sense: so many problems.
pub(crate) fn configuration_refused(problems: usize) {
    tracing::info!(name: "configuration.refused", problems, "Configuration refused");
}

/// How it ended: told within its span.
pub(crate) fn deployment_ended(ended: &anyhow::Result<u8>, took: Duration) {
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let span = Span::current();
    let code = ended.as_ref().map_or_else(report::exit_code, |code| *code);
    let result = match code {
        exit::DONE => "success",
        exit::INTERRUPTED => "cancellation",
        exit::USAGE | exit::DENIED | exit::LOCKED => "error",
        _ => "failure",
    };
    span.record("cicd.pipeline.result", result);
    match ended {
        Ok(_) => tracing::info!(name: "deployment.completed", result, duration_ms, "Deployment completed"),
        Err(error) => {
            span.record("error.type", format!("exit_{code}"));
            tracing::info!(
                name: "deployment.failed",
                result,
                exit_code = code,
                duration_ms,
                error = %error,
                "Deployment failed"
            );
        }
    }
}

/// The CI system has no summary, or none of its outputs, of this run.
pub(crate) fn ci_untold(error: &anyhow::Error) {
    tracing::warn!(name: "ci.untold", error = format!("{error:#}"), "The CI system could not be told how it ended");
}

/// Spans did not arrive, or sending them took too long.
pub(crate) fn telemetry_incomplete(spans: u64, calls: u64, within: Duration) {
    tracing::warn!(
        name: "telemetry.incomplete",
        spans,
        calls,
        "Not all telemetry could be sent within {} s", within.as_secs()
    );
}

/// Calls were beyond the pace.
pub(crate) fn telemetry_paced(calls: u64) {
    tracing::info!(name: "telemetry.paced", calls, "Calls that came too fast have no spans");
}

/// A component that a health check asked is not well, or not as it was before. Endpoints say that it fails, and nothing of why.
pub(crate) fn health_failed(component: &'static str, error: &str) {
    tracing::warn!(name: "health.failed", component, error, "Health check failed");
}

/// It is well again.
pub(crate) fn health_recovered(component: &'static str) {
    tracing::info!(name: "health.recovered", component, "Health check passes again");
}

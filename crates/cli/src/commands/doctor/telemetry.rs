//! Whether telemetry arrives where it goes to.

use selvedge_rollback::describe;

use super::Check;
use crate::run::App;
use crate::telemetry;

/// One check, where `FEATURE_USE_TELEMETRY` is on. No deployment depends on it: it warns at most.
pub(super) async fn look(app: &App) -> Option<Check> {
    if !telemetry::is_on(&app.settings, &app.flags) {
        return None;
    }
    let check = match telemetry::ask(app).await {
        Ok(()) => Check::ok("telemetry", "each place that it goes to takes it"),
        Err(error) => Check::warn(
            "telemetry",
            describe(&*error),
            "look at what OTEL_EXPORTER_OTLP_ENDPOINT or APPLICATIONINSIGHTS_CONNECTION_STRING names; deployments go on without",
        ),
    };
    Some(Check { section: "telemetry", ..check })
}

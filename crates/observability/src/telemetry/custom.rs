//! Events under the names that people count them by, in Application Insights and in the queries of dashboards.

/// The attribute by which a log record is an event of its own: of Application Insights', and of the Azure Monitor exporter of
/// OpenTelemetry's collector.
/// <https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/azuremonitorexporter>
pub(crate) const EVENT: &str = "microsoft.custom_event.name";

/// What the libraries say that is heard although it is below `info`.
pub(super) const QUIET: &str = "secret.retrieved";

/// The event's name there, for what the libraries say under this name.
pub(super) fn of_event(name: &str) -> Option<&'static str> {
    Some(match name {
        "deployment.started" => "deployment_started",
        "deployment.completed" => "deployment_completed",
        "deployment.failed" => "deployment_failed",
        "resilience.retry" => "retry_attempted",
        "resilience.breaker_opened" => "circuit_breaker_opened",
        "resilience.breaker_closed" => "circuit_breaker_closed",
        "transaction.rolled_back" => "transaction_rolled_back",
        QUIET => "secret_accessed",
        _ => return None,
    })
}

/// The same for a span that has closed.
pub(super) fn of_span(name: &str, direction: Option<&str>, result: Option<&str>) -> Option<&'static str> {
    match (name, direction, result) {
        ("step", Some("forward"), Some("success")) => Some("resource_created"),
        ("step", Some("back"), Some("success")) => Some("resource_deleted"),
        ("call", ..) => Some("api_call"),
        _ => None,
    }
}

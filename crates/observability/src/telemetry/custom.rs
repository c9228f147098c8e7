//! Events under the names that people count them by, in Application Insights and in the queries of dashboards.
//!
//! `cargo xtask codegen` reads the constants of [`Custom`] and writes them into `docs/telemetry.md`.

use super::fields::Fields;
use opentelemetry::Value;

/// The attribute by which a log record is an event of its own: of Application Insights', and of the Azure Monitor exporter of
/// OpenTelemetry's collector.
/// <https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/exporter/azuremonitorexporter>
pub(crate) const EVENT: &str = "microsoft.custom_event.name";

/// What is said of a figure that somebody who embeds this measured: it becomes the figure, and no log record.
pub(super) const MEASURED: &str = "track.metric";

/// What is said as an attempt ends: a figure, too.
pub(super) const ATTEMPTED: &str = "attempt.ended";

/// An event of somebody who embeds this, which says in its field `event` how it is called.
const TRACKED: &str = "track.event";

/// Whether what is called so is heard although it is below `info`.
pub(super) fn is_quiet(name: &str) -> bool {
    ["secret.retrieved", MEASURED, ATTEMPTED].contains(&name)
}

/// An event by the name that it is counted by.
struct Custom {
    name: &'static str,
    /// The event or the span that it is.
    of: &'static str,
    /// What a span's fields have to be.
    when: &'static [(&'static str, &'static str)],
}

/// For what the libraries say.
const OF_EVENTS: [Custom; 8] = [
    Custom { name: "deployment_started", of: "deployment.started", when: &[] },
    Custom { name: "deployment_completed", of: "deployment.completed", when: &[] },
    Custom { name: "deployment_failed", of: "deployment.failed", when: &[] },
    Custom { name: "retry_attempted", of: "resilience.retry", when: &[] },
    Custom { name: "circuit_breaker_opened", of: "resilience.breaker_opened", when: &[] },
    Custom { name: "circuit_breaker_closed", of: "resilience.breaker_closed", when: &[] },
    Custom { name: "transaction_rolled_back", of: "transaction.rolled_back", when: &[] },
    Custom { name: "secret_accessed", of: "secret.retrieved", when: &[] },
];

/// For spans that close. A collector has the spans; these go to Application Insights alone.
const OF_SPANS: [Custom; 3] = [
    Custom {
        name: "resource_created",
        of: "step",
        when: &[("selvedge.step.direction", "forward"), ("cicd.pipeline.task.run.result", "success")],
    },
    Custom {
        name: "resource_deleted",
        of: "step",
        when: &[("selvedge.step.direction", "back"), ("cicd.pipeline.task.run.result", "success")],
    },
    Custom { name: "api_call", of: "call", when: &[] },
];

/// The event's name there, for what is said under this name.
pub(super) fn of_event(name: &str, fields: &mut Fields) -> Option<Value> {
    if name == TRACKED {
        return fields.take("event");
    }
    OF_EVENTS.iter().find(|custom| custom.of == name).map(|custom| custom.name.into())
}

/// The same for a span that has closed.
pub(super) fn of_span(name: &str, fields: &Fields) -> Option<&'static str> {
    let is = |&(key, value): &(&str, &str)| fields.get(key).is_some_and(|found| found.as_str() == value);
    OF_SPANS.iter().find(|custom| custom.of == name && custom.when.iter().all(is)).map(|custom| custom.name)
}

//! A log line as JSON, in the shape that the predecessor's monitoring runbook promises: `docs/operations/logs.md`.

use std::fmt;

use selvedge_observability::telemetry::event_name;
use serde_json::{Map, Value, json};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields as _, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use super::Run;

/// Fields of spans that events name otherwise: one name each, by which lines are looked for.
const RENAMED: [(&str, &str); 3] = [
    ("selvedge.transaction.id", "transaction"),
    ("cicd.pipeline.task.run.id", "step"),
    ("cicd.pipeline.task.name", "change"),
];

/// Writes an object a line; spans keep their fields as [`JsonFields`].
pub(super) struct Line(pub(super) Run);

impl<S> FormatEvent<S, JsonFields> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut own = String::new();
        JsonFields::new().format_fields(Writer::new(&mut own), event)?;
        let mut own = object(&own);
        let message = own.shift_remove("message").unwrap_or_else(|| json!(""));
        let mut details = Map::new();
        let spans =
            context.event_scope().into_iter().flat_map(tracing_subscriber::registry::Scope::from_root);
        for span in spans {
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                details.extend(object(&fields.fields).into_iter().filter_map(renamed));
            }
        }
        // What the event says is nearer.
        details.extend(own);
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let line = json!({
            "timestamp": timestamp,
            "level": metadata.level().as_str(),
            "correlation_id": self.0.correlation,
            "operation": event_name(metadata).unwrap_or(metadata.target()),
            "message": message,
            "details": details,
            "tags": { "environment": self.0.environment, "version": env!("CARGO_PKG_VERSION") },
        });
        writeln!(writer, "{line}")
    }
}

fn object(json: &str) -> Map<String, Value> {
    // They were written as JSON. Should they be none, the line is worth more than its fields.
    serde_json::from_str(json).unwrap_or_default()
}

/// A span's field as it stands in a line. What only says how a trace shows the span is left out.
fn renamed((key, value): (String, Value)) -> Option<(String, Value)> {
    if key.starts_with("otel.") {
        return None;
    }
    let known = RENAMED.iter().find(|(from, _)| *from == key).map(|(_, to)| (*to).to_owned());
    Some((known.unwrap_or(key), value))
}

//! Diagnostics: `tracing` events to stderr, as text or JSON.

mod json;

use std::{
    fmt,
    io::{self, Write},
};

use anyhow::Context as _;
use selvedge_observability::telemetry::TelemetryLayer;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter, Layer,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{JsonFields, Writer},
        time::{FormatTime as _, SystemTime},
    },
    layer::SubscriberExt as _,
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{
    settings::{Log, LogFormat},
    text,
};

/// What every JSON line says of the run.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// What lines and traces of one run have in common.
    pub(crate) correlation: String,
    /// What this installation calls itself.
    pub(crate) environment: String,
}

/// Sends the events of this process to stderr from now on.
///
/// # Errors
/// Somebody has done so before.
pub(crate) fn init(log: &Log, run: Run, telemetry: Option<TelemetryLayer>) -> anyhow::Result<()> {
    let level = log.level.as_deref().unwrap_or(match log.format {
        // What a rollback does is shown as progress already.
        LogFormat::Text => "warn,selvedge_rollback=off",
        LogFormat::Json => "info",
    });
    let filter = EnvFilter::try_new(directives(level)).context("parse the log level")?;
    let telemetry = telemetry.map(TelemetryLayer::filtered);
    tracing_subscriber::registry()
        .with(telemetry)
        .with(lines(log.format, run, io::stderr).with_filter(filter))
        .try_init()
        .context("start logging")
}

/// Writes each event to what `to` gives.
fn lines<S, W>(
    format: LogFormat,
    run: Run,
    to: impl Fn() -> W + Send + Sync + 'static,
) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Write + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(false);
    match format {
        LogFormat::Text => {
            let writer = move || Escaped { to: to(), escape: text::one_line };
            layer.event_format(TextLine).with_writer(writer).boxed()
        }
        LogFormat::Json => {
            // JSON escapes control characters itself.
            let writer = move || Escaped { to: to(), escape: text::document };
            layer.fmt_fields(JsonFields::new()).event_format(json::Line(run)).with_writer(writer).boxed()
        }
    }
}

/// A line for people: time, level, message, fields. Not the spans around it: they are several times as long as what is said, and events
/// name the transaction, the step or the request that they are about. No colours: an escape sequence in a line is then never ours, and can
/// be escaped wherever it comes from.
struct TextLine;

impl<S, N> FormatEvent<S, N> for TextLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        SystemTime.format_time(&mut writer)?;
        write!(writer, " {:>5} ", event.metadata().level())?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// The filter for `level`: a level is for us, and other crates are heard from `warn` on. Python's names of levels,
/// which the predecessor took, are understood; anything else is directives of `tracing_subscriber` already.
pub(crate) fn directives(level: &str) -> String {
    match level.to_lowercase().as_str() {
        "off" => "off".to_owned(),
        "critical" | "error" => "error".to_owned(),
        "warning" | "warn" => "warn".to_owned(),
        level @ ("info" | "debug" | "trace") => format!("warn,selvedge={level}"),
        _ => level.to_owned(),
    }
}

/// Keeps each event on one line that neither a terminal nor a CI runner obeys. tracing-subscriber escapes the
/// message, but not the fields, and lets line breaks through. It writes each event with one call.
struct Escaped<W> {
    to: W,
    escape: fn(&str) -> String,
}

impl<W: Write> Write for Escaped<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let line = (self.escape)(String::from_utf8_lossy(event).trim_end_matches('\n'));
        self.to.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written when `emit` runs.
    fn written(format: LogFormat, emit: impl FnOnce()) -> String {
        let written = Written::default();
        let to = written.clone();
        let run = Run { correlation: "of-the-run".to_owned(), environment: "here\n##vso[x]".to_owned() };
        let lines = lines(format, run, move || to.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), emit);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    /// An event whose message and field come from outside, in a span of the same kind.
    fn hostile() {
        let span = tracing::info_span!("step", name = "lost", selvedge.transaction.id = "7\n::error::z");
        let _within = span.entered();
        tracing::warn!(name = %"x\x1b[2J\r\nERROR forged", "##vso[task.setvariable]\n::error::y");
    }

    #[test]
    fn an_event_stays_one_harmless_line() {
        let text = written(LogFormat::Text, hostile);
        let (_, text) = text.split_once(' ').unwrap();
        let expected = " WARN # #vso[task.setvariable]\\n::error::y name=x\\u{1b}[2J\\r\\nERROR forged\n";
        assert_eq!(text, expected);

        let line = written(LogFormat::Json, hostile);
        assert!(!line.contains("##vso[") && !line.contains('\x1b'), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["details"]["name"], "x\x1b[2J\r\nERROR forged");
        assert_eq!(event["details"]["transaction"], "7\n::error::z");
    }

    #[test]
    fn a_json_line_has_the_promised_keys_and_no_others() {
        let line = written(LogFormat::Json, || {
            let span = tracing::info_span!(
                "step",
                otel.name = "x",
                cicd.pipeline.task.run.id = 3,
                late = tracing::field::Empty
            );
            span.record("late", true);
            let _within = span.entered();
            tracing::info!(name: "resilience.retry", delay_ms = 20_u64, rate = 0.5, "Retrying {}", 1);
        });
        let mut event: serde_json::Value = serde_json::from_str(&line).unwrap();
        let timestamp = event["timestamp"].take();
        time::OffsetDateTime::parse(
            timestamp.as_str().unwrap(),
            &time::format_description::well_known::Rfc3339,
        )
        .unwrap();
        assert!(timestamp.as_str().unwrap().ends_with('Z'));
        let expected = serde_json::json!({
            "timestamp": null,
            "level": "INFO",
            "correlation_id": "of-the-run",
            "operation": "resilience.retry",
            "message": "Retrying 1",
            "details": { "step": 3, "late": true, "delay_ms": 20, "rate": 0.5 },
            "tags": { "environment": "here\n# #vso[x]", "version": env!("CARGO_PKG_VERSION") },
        });
        assert_eq!(event, expected);

        let nameless = written(LogFormat::Json, || tracing::error!(target: "hyper::client", answer = 42));
        let nameless: serde_json::Value = serde_json::from_str(&nameless).unwrap();
        assert_eq!((&nameless["operation"], &nameless["message"]), (&"hyper::client".into(), &"".into()));
    }

    #[test]
    fn levels() {
        for (level, expected) in [
            ("INFO", "warn,selvedge=info"),
            ("WARNING", "warn"),
            ("CRITICAL", "error"),
            ("selvedge_rollback=trace,warn", "selvedge_rollback=trace,warn"),
        ] {
            assert_eq!(directives(level), expected);
            assert!(EnvFilter::try_new(directives(level)).is_ok());
        }
    }
}

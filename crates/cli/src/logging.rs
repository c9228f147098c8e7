//! Diagnostics: `tracing` events to stderr, as text or JSON.

use std::io::{self, Write};

use anyhow::Context as _;
use selvedge_observability::telemetry::{TelemetryFilter, TelemetryLayer};
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    settings::{Log, LogFormat},
    text,
};

/// Sends the events of this process to stderr from now on.
///
/// # Errors
/// Somebody has done so before.
pub(crate) fn init(log: &Log, telemetry: Option<TelemetryLayer>) -> anyhow::Result<()> {
    let level = log.level.as_deref().unwrap_or(match log.format {
        // What a rollback does is shown as progress already.
        LogFormat::Text => "warn,selvedge_rollback=off",
        LogFormat::Json => "info",
    });
    let filter = EnvFilter::try_new(directives(level)).context("parse the log level")?;
    // No colours: an escape sequence in a line is then never ours, and can be escaped wherever it comes from.
    let lines = tracing_subscriber::fmt::layer().with_ansi(false);
    let lines = match log.format {
        LogFormat::Text => {
            let writer = || Escaped { to: io::stderr(), escape: text::one_line };
            lines.with_target(false).with_writer(writer).boxed()
        }
        LogFormat::Json => {
            // JSON escapes control characters itself.
            let writer = || Escaped { to: io::stderr(), escape: text::document };
            lines.json().with_writer(writer).boxed()
        }
    };
    let telemetry = telemetry.map(|layer| layer.with_filter(TelemetryFilter));
    tracing_subscriber::registry()
        .with(telemetry)
        .with(lines.with_filter(filter))
        .try_init()
        .context("start logging")
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

    /// What is written for an event whose message and field come from outside.
    fn hostile_event(json: bool) -> String {
        let written = Written::default();
        let to = written.clone();
        let escape = if json { text::document } else { text::one_line };
        let writer = move || Escaped { to: to.clone(), escape };
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_target(false).without_time();
        let emit =
            || tracing::warn!(name = %"x\x1b[2J\r\nERROR forged", "##vso[task.setvariable]\n::error::y");
        if json {
            tracing::subscriber::with_default(subscriber.json().with_writer(writer).finish(), emit);
        } else {
            tracing::subscriber::with_default(subscriber.with_writer(writer).finish(), emit);
        }
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn an_event_stays_one_harmless_line() {
        let text = hostile_event(false);
        let expected = " WARN # #vso[task.setvariable]\\n::error::y name=x\\u{1b}[2J\\r\\nERROR forged\n";
        assert_eq!(text, expected);

        let line = hostile_event(true);
        assert!(!line.contains("##vso[") && !line.contains('\x1b'), "{line}");
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(event["fields"]["name"], "x\x1b[2J\r\nERROR forged");
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

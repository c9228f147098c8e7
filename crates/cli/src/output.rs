//! What goes to stdout, and how: results only; progress and errors go to stderr.

use std::{
    io::{self, Write as _},
    sync::OnceLock,
};

use clap::ValueEnum;
use selvedge_observability::redact::Redacting;
use serde_json::Value;

use crate::{exit, query::Query, redaction::redactor};

/// How a command prints its result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// One JSON object a line, as it happens
    Jsonl,
}

/// When to colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    Always,
    Never,
}

impl Color {
    /// Whether to colour a stream; `no_color` is the variable of <https://no-color.org>.
    pub(crate) fn enabled(self, no_color: Option<&str>, is_terminal: bool) -> bool {
        match self {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && no_color.is_none_or(str::is_empty),
        }
    }
}

/// What `--query` picks of every JSON result, where it is given.
static QUERY: OnceLock<Query> = OnceLock::new();

/// From now on, of a JSON result only what the query finds is printed.
pub(crate) fn only(query: Query) {
    // There is one command line, and so one query.
    QUERY.get_or_init(|| query);
}

/// Whoever read stdout has left, as in `selvedge flags | head -1`. Not a failure; [`crate::report`] stays quiet.
///
/// A type of its own because a broken pipe to a *server* is a failure. A command that changes something must not
/// return it before its verdict is reached: it keeps its own exit code and stops writing.
#[derive(Debug, thiserror::Error)]
#[error("write to stdout: the reader is gone")]
pub(crate) struct ReaderGone;

/// Stderr for people, without secrets.
pub(crate) fn stderr() -> Redacting<io::Stderr> {
    Redacting::new(io::stderr(), redactor().clone())
}

/// The exit code of a result that was `told`. Who asked for the code, where it says something, may not care for the text.
///
/// # Errors
/// It could not be told.
pub(crate) fn coded(told: anyhow::Result<()>, code: u8) -> anyhow::Result<u8> {
    match told {
        Err(error) if code == exit::DONE || !error.is::<ReaderGone>() => Err(error),
        _ => Ok(code),
    }
}

/// Writes `text` and a line break to stdout, at once.
///
/// # Errors
/// [`ReaderGone`], or the [`io::Error`] of stdout.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    exactly(&redactor().redact(text))
}

/// As [`line`], for a JSON document: it stays one. Of a line of which the query finds nothing, nothing is printed.
///
/// # Errors
/// As [`line`], or the query does not work on it.
pub(crate) fn document(format: Format, mut value: Value) -> anyhow::Result<()> {
    // Before the query: what that makes of a secret, as a string in a string, is not recognised.
    redactor().redact_json(&mut value);
    let value = picked(value)?;
    match format {
        Format::Jsonl if value.is_null() => Ok(()),
        Format::Jsonl => exactly(&harmless(&value.to_string())),
        Format::Text | Format::Json => exactly(&harmless(&format!("{value:#}"))),
    }
}

/// As [`document`], for one that is asked for with a secret in it.
///
/// # Errors
/// As [`document`].
pub(crate) fn exact_document(value: Value) -> anyhow::Result<()> {
    exactly(&picked(value)?.to_string())
}

fn picked(value: Value) -> anyhow::Result<Value> {
    match QUERY.get() {
        Some(query) => query.pick(&value),
        None => Ok(value),
    }
}

/// The same JSON, without what CI runners obey anywhere in a line: `##[` and `##vso[`. Two of these signs stand in strings alone, where one
/// may be written as an escape. No line of JSON begins with `::`.
fn harmless(json: &str) -> String {
    json.replace("##", "#\\u0023")
}

/// As [`line`], for what is of no use unless it is exact: the records of a journal, what signs in to the emulator, and a value that was asked
/// to be shown.
///
/// # Errors
/// As [`line`].
pub(crate) fn exactly(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(ReaderGone.into()),
        Err(error) => Err(anyhow::Error::from(error).context("write to stdout")),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_no_command_and_means_the_same() {
        for text in ["##vso[task.complete]x", "a ##[error]b", "###[", "####", "#\\#", "\\##[x]"] {
            let document = serde_json::json!({ text: [text] });
            let written = harmless(&format!("{document:#}"));
            assert!(!written.contains("##"), "{written}");
            assert_eq!(serde_json::from_str::<Value>(&written).unwrap(), document);
        }
    }

    #[test]
    fn colour_only_where_wanted() {
        for (color, no_color, terminal, enabled) in [
            (Color::Auto, None, true, true),
            (Color::Auto, None, false, false),
            (Color::Auto, Some("1"), true, false),
            (Color::Auto, Some(""), true, true),
            (Color::Always, Some("1"), false, true),
            (Color::Never, None, true, false),
        ] {
            assert_eq!(color.enabled(no_color, terminal), enabled, "{color:?} {no_color:?} {terminal}");
        }
    }
}

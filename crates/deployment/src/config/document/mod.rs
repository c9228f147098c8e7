//! A YAML or JSON file as a tree that knows the line and column of every value.
//!
//! Scalars keep the text that was written: what type a value has is for its key to say, so `name: 0123` stays
//! `0123` and `branch: no` stays `no`.

use std::path::Path;

use serde::de::IgnoredAny;

use super::Diagnostic;
use super::file::whole;
use crate::desired::Location;

mod build;

/// A value and where it begins. The place of a collection is that of its key, where it has one.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) value: Value,
}

/// What was written.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Text; `plain` if it was written without quotes, and so may be a number, a truth value or nothing.
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and its value. Keys are unique in their map.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: u64,
    pub(super) column: u64,
    pub(super) value: Node,
}

impl Node {
    /// Whether nothing was written, or `null`.
    pub(super) fn is_null(&self) -> bool {
        const NULL: [&str; 5] = ["", "~", "null", "Null", "NULL"];
        matches!(&self.value, Value::Scalar { text, plain: true } if NULL.contains(&text.as_str()))
    }
}

/// Reads YAML. What could not be read at all is a null.
pub(super) fn yaml(file: &Path, text: &str, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    build::document(file, text, problems)
}

/// Reads JSON.
pub(super) fn json(file: &Path, text: &str, problems: &mut Vec<Diagnostic>) -> Option<Node> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        // The end of a line has column 0 there.
        let column = Some(error.column() as u64).filter(|column| *column > 0);
        let at = Location { line: Some(error.line() as u64), column, ..whole(file) };
        // The position is in front already.
        let message = error.to_string();
        let message = message.split(" at line ").next().unwrap_or_default();
        problems.push(
            Diagnostic::error(at, format!("is not JSON: {message}")).with_help("correct the syntax there"),
        );
        return None;
    }
    // JSON is YAML, and the YAML parser is the one that tells where each value stands.
    build::document(file, text, problems)
}

#[cfg(test)]
mod tests;

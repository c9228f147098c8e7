//! Checks of requests and answers, and what they find.

mod request;
mod response;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::Deserialize;

use crate::spec::{Schemas, Specs, Typed};

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// A JSON pointer into the body, or `query:NAME`, `path:NAME`, `header:NAME`, `status`.
    pub(crate) at: String,
    pub(crate) kind: Kind,
    /// The value itself where it is one of a list: an error code, a member of an enumeration, a name nobody knows.
    pub(crate) value: Option<String>,
    pub(crate) message: String,
}

/// The ways to break a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// No such operation.
    Operation,
    /// A status that the operation does not list.
    Status,
    /// A body where none is documented, none where one is, or one that is not JSON.
    Body,
    /// `null`, which no schema allows.
    Null,
    Type,
    /// Not there, and required.
    Missing,
    /// A property, or a query parameter, that nothing names.
    UnknownProperty,
    /// Not in the enumeration. All of Fabric's are open (`modelAsString`): a reader must accept more values. But what
    /// is checked here is what this project sends, and it has no reason to send what Microsoft does not name.
    Value,
    Format,
    /// Too long, too many, not of the pattern.
    Limit,
    /// An error code that neither the operation nor the overlay lists.
    ErrorCode,
}

/// Which part of an exchange is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Request,
    Answer(u16),
    /// What `GET /v1/operations/{operationId}/result` gave for an operation that answered 202.
    Result,
}

/// A request or an answer that is not as documented.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Violation {
    /// Method and path template; what was sent, where there is no such operation.
    pub(crate) operation: String,
    pub(crate) side: Side,
    pub(crate) finding: Finding,
}

/// Without the message, which differs from one value to the next.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Finding { at, kind, .. } = &self.finding;
        let at = if at.is_empty() { "body" } else { at };
        write!(f, "{} {}: {at} [{kind}]", self.operation, self.side)
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("request"),
            Self::Answer(status) => write!(f, "-> {status}"),
            Self::Result => f.write_str("-> result"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Operation => "operation",
            Self::Status => "status",
            Self::Body => "body",
            Self::Null => "null",
            Self::Type => "type",
            Self::Missing => "missing",
            Self::UnknownProperty => "unknown-property",
            Self::Value => "value",
            Self::Format => "format",
            Self::Limit => "limit",
            Self::ErrorCode => "error-code",
        })
    }
}

impl Finding {
    fn new(at: impl Into<String>, kind: Kind, message: impl Into<String>) -> Self {
        Self { at: at.into(), kind, value: None, message: message.into() }
    }

    fn about(mut self, value: &str) -> Self {
        self.value = Some(value.to_owned());
        self
    }
}

/// What is wrong with a value that travels as text, at `at`.
fn text(schemas: &Schemas, typed: &Typed, at: &str, text: &str) -> anyhow::Result<Vec<Finding>> {
    let mut found = schemas.check(typed.schema, &typed.value(text))?;
    for finding in &mut found {
        finding.at = format!("{at}{}", finding.at);
    }
    Ok(found)
}

impl Specs {
    fn violations(operation: &str, side: Side, found: Vec<Finding>) -> Vec<Violation> {
        let violation = |finding| Violation { operation: operation.to_owned(), side, finding };
        found.into_iter().map(violation).collect()
    }

    fn no_operation(&self, method: &str, path: &str, side: Side) -> Vec<Violation> {
        if self.leaves_out(path) {
            return Vec::new();
        }
        let found = Finding::new("", Kind::Operation, "no document describes it");
        Self::violations(&format!("{method} {path}"), side, vec![found])
    }
}

//! What is wrong with a configuration, where, and what to do about it.

use std::fmt;

use serde::Serialize;

use crate::desired::Location;

/// One problem.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Diagnostic {
    /// Whether it stands in the way.
    pub severity: Severity,
    /// Where.
    pub at: Location,
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// Whether a problem stands in the way of a deployment.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

impl Diagnostic {
    /// An error.
    pub fn error(at: Location, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, at, message.into())
    }

    /// A warning.
    pub fn warning(at: Location, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, at, message.into())
    }

    fn new(severity: Severity, mut at: Location, message: String) -> Self {
        at.key = printable(&at.key);
        Self { severity, at, message: printable(&message), help: None }
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(printable(&help.into()));
        self
    }
}

/// `path:line:column: key: message`
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", printable(&self.at.to_string()), self.message)
    }
}

/// All problems found; at least one is an error.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The problems, errors and warnings, in the order they were given.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// How many are errors.
    pub fn errors(&self) -> usize {
        self.iter().filter(|problem| problem.severity == Severity::Error).count()
    }
}

impl From<Vec<Diagnostic>> for Diagnostics {
    fn from(problems: Vec<Diagnostic>) -> Self {
        Self(problems)
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors() {
            1 => f.write_str("the configuration has an error"),
            count => write!(f, "the configuration has {count} errors"),
        }
    }
}

impl std::error::Error for Diagnostics {}

/// The text on one line and without characters that steer a terminal or a log: files are read before they are trusted.
fn printable(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return text.to_owned();
    }
    text.chars().map(|c| if steers(c) { c.escape_default().to_string() } else { c.to_string() }).collect()
}

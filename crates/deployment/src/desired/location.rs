//! Where something was read.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

/// A place in a configuration file.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Location {
    /// The file, as it was named to us.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The column in characters, from 1.
    pub column: Option<u64>,
    /// The key, dotted: `users[1].email`; empty for the file as a whole.
    pub key: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        Ok(())
    }
}

/// A value and the place it was read from.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// The place.
    pub at: Location,
}

//! The audit trail: who changed what, when, and what became of it; one JSON object a line.
//!
//! Each line ends with a hash over the line before's hash and the line itself, so that a line that is changed, left out or put in is
//! found by [`verify`]. The hash has no key: whoever can write the file can write all of it anew. What proves more than that is a copy of
//! the last hash, kept where the writer of the file cannot change it.
//!
//! Several processes may write to one trail: each append holds a lock of the operating system, on a file beside the trail, for as long
//! as it takes to read the last line and to write the next. Each is durable when [`AuditLog::append`] returns.
//!
//! A file that has grown too large becomes `<name>.<n>.jsonl`, and the new one begins with a record that carries its last hash. A last
//! line that was not written to its end is taken out by the next append, and kept as the text of a record of its own.

mod batch;
mod chain;
mod disk;
mod event;
mod family;
mod log;
mod read;
mod record;
mod tail;
#[cfg(test)]
mod tests;
mod verify;

use std::io;
use std::path::PathBuf;

pub use event::{EventType, Fields};
pub use log::{AuditConfig, AuditLog};
pub use read::{Records, read};
pub use record::{About, GitContext, Outcome, Record};
pub use verify::{FileReport, Problem, Report, verify};

/// Why the audit trail could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("could not {what} the audit trail `{}`", path.display())]
pub struct AuditError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl AuditError {
    fn new(what: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        Self { what, path: path.into(), source }
    }
}

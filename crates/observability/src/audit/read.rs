//! Reading the records of a trail, for people and programs.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{AuditError, disk, family};

/// Records, oldest first, and how many lines are none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    /// Each as it stands in the trail.
    pub records: Vec<Map<String, Value>>,
    /// Lines that cannot be read: [`verify`](super::verify()) tells which.
    pub unreadable: usize,
}

/// The records of the trail at `path` since a time, from all of its files. What has no time that can be read is there in any case.
///
/// # Errors
///
/// When a file cannot be read.
pub fn read(path: &Path, since: Option<OffsetDateTime>) -> Result<Records, AuditError> {
    let _lock = disk::lock_shared(path);
    let members = family::members(path).map_err(|source| AuditError::new("read", path, source))?;
    let mut found = Records::default();
    for member in members {
        let failed = |source| AuditError::new("read", &member, source);
        let mut lines = BufReader::new(File::open(&member).map_err(failed)?);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).map_err(failed)? > 0 {
            match serde_json::from_slice::<Map<String, Value>>(&line) {
                Ok(record) if is_since(&record, since) => found.records.push(record),
                Ok(_) => {}
                Err(_) => found.unreadable += 1,
            }
            line.clear();
        }
    }
    Ok(found)
}

fn is_since(record: &Map<String, Value>, since: Option<OffsetDateTime>) -> bool {
    let at = record.get("timestamp").and_then(Value::as_str);
    let at = at.and_then(|at| OffsetDateTime::parse(at, &Rfc3339).ok());
    match (at, since) {
        (Some(at), Some(since)) => at >= since,
        _ => true,
    }
}

//! Checking a trail: whether each line follows from the one before it, across files.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::tail::{Last, Tail, digest};
use super::{AuditError, EventType, chain, disk, family};

/// So many problems are told; the rest is counted.
const TOLD: usize = 100;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The files, oldest first.
    pub files: Vec<FileReport>,
    /// What is worth knowing and no sign of a change: a torn last line, lines of another program.
    pub notes: Vec<String>,
    /// What does not follow; at most a hundred of them.
    pub problems: Vec<Problem>,
    /// How many more of these there are.
    pub more_problems: usize,
    /// The hash of the last line. A copy of it, kept elsewhere, shows later whether lines are missing at the end.
    pub last_chain: Option<String>,
}

/// One file of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// Where it is.
    pub path: PathBuf,
    /// How many whole lines it has.
    pub records: usize,
}

/// A line that does not follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

/// How a file ends, for the one that follows it.
struct End {
    name: String,
    hash: String,
}

impl Report {
    /// Whether nothing was changed, left out or put in.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.problems.is_empty()
    }

    /// How many records there are.
    #[must_use]
    pub fn records(&self) -> usize {
        self.files.iter().map(|file| file.records).sum()
    }

    fn problem(&mut self, path: &Path, line: usize, problem: impl Into<String>) {
        if self.problems.len() < TOLD {
            self.problems.push(Problem { path: path.to_owned(), line, problem: problem.into() });
        } else {
            self.more_problems += 1;
        }
    }
}

/// Checks the trail at `path` with the files that it was before; of a file that was set aside, those up to it.
///
/// # Errors
///
/// When a file cannot be read.
pub fn verify(path: &Path) -> Result<Report, AuditError> {
    let _lock = disk::lock_shared(path);
    let failed = |source| AuditError::new("read", path, source);
    let members = family::members(path).map_err(failed)?;
    let mut report = Report::default();
    let mut before = None;
    for (number, member) in members.iter().enumerate() {
        let is_last = number + 1 == members.len();
        let end = file(&mut report, member, before.as_ref(), is_last);
        before = Some(end.map_err(|source| AuditError::new("read", member, source))?);
    }
    Ok(report)
}

fn file(report: &mut Report, path: &Path, before: Option<&End>, is_last: bool) -> io::Result<End> {
    let name = family::name(path);
    let mut file = File::open(path)?;
    let tail = Tail::read(&mut file)?;
    io::Seek::rewind(&mut file)?;
    let mut lines = BufReader::new(io::Read::take(&mut file, tail.whole));
    // The recorded hash of the line before, not the computed one: one changed line is one problem.
    let mut last: Option<String> = None;
    let (mut records, mut foreign, mut torn) = (0, 0, 0);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        let text = str::from_utf8(line.strip_suffix(b"\n").unwrap_or(&line)).ok();
        records += 1;
        match text.and_then(chain::split) {
            None if last.is_none() && foreign + 1 == records && text.is_some_and(is_object) => foreign += 1,
            None => {
                report.problem(path, records, "is not a line of an audit trail: it was changed or put in")
            }
            Some((json, hash)) => {
                let start = match &last {
                    Some(last) => Some(last.clone()),
                    None if foreign > 0 => {
                        let problem = "has no hash, and lines after it have one: it was changed or put in";
                        (1..=foreign).for_each(|line| report.problem(path, line, problem));
                        foreign = 0;
                        None
                    }
                    None => start(report, path, records, &json, before),
                };
                if start.is_some_and(|start| chain::next(&start, &json) != hash) || !is_object(&json) {
                    let problem = "does not follow from the line before it: it was changed, put in or moved, \
                                   or a line before it was left out";
                    report.problem(path, records, problem);
                }
                torn += usize::from(event(&json).as_deref() == Some(EventType::AuditLineTorn.name()));
                last = Some(hash.to_owned());
            }
        }
        line.clear();
    }
    drop(lines);
    if foreign > 0 {
        report.notes.push(format!("{name}: {foreign} lines without a hash, of another program: not checked"));
    }
    if torn > 0 {
        report.notes.push(format!("{name}: {torn} records of lines that were not written to their end"));
    }
    match tail.torn.len() {
        0 => {}
        bytes if is_last => report.notes.push(format!(
            "{name}: line {} was not written to its end ({bytes} bytes); all before it is checked",
            records + 1
        )),
        _ => report.problem(path, records + 1, "is cut off, and another file follows this one"),
    }
    report.files.push(FileReport { path: path.to_owned(), records });
    let hash = match (tail.last, last) {
        (Last::Chained(hash), _) => hash,
        _ => digest(&mut file)?,
    };
    if records > 0 {
        report.last_chain = Some(hash.clone());
    }
    Ok(End { name, hash })
}

/// What the first line of a file has to follow. `None`: that cannot be said, or is wrong and was told.
fn start(report: &mut Report, path: &Path, line: usize, json: &str, before: Option<&End>) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let continues = text("event_type") == EventType::AuditTrailRotated.name();
    let previous = text("previous_file");
    match before {
        None if continues => {
            let name = family::name(path);
            report.notes.push(format!("{name}: goes on from {previous}, which is not here"));
            Some(text("previous_chain").to_owned())
        }
        None => Some(String::new()),
        Some(End { name, .. }) if !continues => {
            report.problem(path, line, format!("does not go on from {name}: lines before it were left out"));
            None
        }
        Some(End { name, .. }) if previous != name => {
            report.problem(path, line, format!("goes on from {previous}, which is missing after {name}"));
            None
        }
        Some(End { name, hash }) if text("previous_chain") != hash => {
            let problem = format!("does not follow from the end of {name}, which was changed or cut off");
            report.problem(path, line, problem);
            None
        }
        Some(End { hash, .. }) => Some(hash.clone()),
    }
}

fn is_object(json: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(json).is_ok()
}

fn event(json: &str) -> Option<String> {
    let object: Map<String, Value> = serde_json::from_str(json).ok()?;
    object.get("event_type")?.as_str().map(str::to_owned)
}

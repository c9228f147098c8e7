//! Writing the trail.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::batch::Batch;
use super::tail::{Last, Tail, digest};
use super::{About, AuditError, EventType, GitContext, Outcome, Record, disk, family};
use crate::redact::Redactor;

/// Where a trail is and what stands in all of its records.
#[derive(Clone, Debug)]
pub struct AuditConfig {
    /// The file. Its folder is made, where there is none, for its owner's eyes only.
    pub path: PathBuf,
    /// How long a file may become, in bytes, before the next one is begun. A record is never cut for it.
    pub max_size: u64,
    /// The program and its version.
    pub version: String,
}

/// A trail that records are added to. Cheap to make: nothing is opened until the first record.
pub struct AuditLog {
    config: AuditConfig,
    redactor: Redactor,
    git: OnceLock<GitContext>,
    ask_git: Box<dyn Fn() -> GitContext + Send + Sync>,
    /// How long the lock is waited for.
    pub(super) patience: Duration,
    /// Whether it was waited for in vain: who holds it has stopped, and is not waited for once more each time.
    is_stuck: AtomicBool,
}

/// What a new file follows.
struct Before {
    name: String,
    hash: String,
    is_chained: bool,
}

impl AuditLog {
    /// The trail of `config`. `redactor` sees every text before it is written; `git` is asked once, before the first record.
    pub fn new(
        config: AuditConfig,
        redactor: Redactor,
        git: impl Fn() -> GitContext + Send + Sync + 'static,
    ) -> Self {
        Self {
            config,
            redactor,
            git: OnceLock::new(),
            ask_git: Box::new(git),
            patience: disk::AT_MOST,
            is_stuck: AtomicBool::new(false),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.config.path
    }

    /// Whether records can be added. Makes the folder and an empty file, where there are none.
    ///
    /// # Errors
    ///
    /// When they cannot.
    pub fn check(&self) -> Result<(), AuditError> {
        let open = || {
            disk::create_dir(disk::folder(self.path()))?;
            drop(self.lock()?);
            disk::open(self.path()).map(drop)
        };
        open().map_err(|source| AuditError::new("open", self.path(), source))
    }

    /// Adds a record. It is durable when this returns; this thread waits for that.
    ///
    /// # Errors
    ///
    /// When it could not be written. What was there before is there still, and nothing of the record is.
    pub fn append(&self, record: &Record<'_>) -> Result<(), AuditError> {
        self.add(record).map_err(|source| AuditError::new("write", self.path(), source))
    }

    fn add(&self, record: &Record<'_>) -> io::Result<()> {
        let path = self.path();
        disk::create_dir(disk::folder(path))?;
        let _lock = self.lock()?;
        // What precedes it has the same time, and nothing that was written before has a later one.
        let now = OffsetDateTime::now_utc();
        let mut file = disk::open(path)?;
        let tail = Tail::read(&mut file)?;
        if tail.is_unbroken && matches!(tail.last, Last::Chained(_)) {
            file.write_all(b"\n")?;
        }
        let torn = (!tail.torn.is_empty()).then(|| self.torn(now, record.about, &tail.torn));
        if torn.is_some() {
            file.set_len(tail.whole)?;
        }
        let lines = || torn.iter().cloned().chain([self.redacted(record, now)]);
        let (mut batch, is_first) = match &tail.last {
            Last::Chained(hash) => (Batch::after(hash), false),
            Last::None => (Batch::after(""), true),
            Last::Foreign => {
                let hash = digest(&mut file)?;
                return self.begin_file(file, now, record.about, hash, false, lines());
            }
        };
        if is_first && let Some(before) = self.newest()? {
            batch = self.continued(now, record.about, &before);
        }
        lines().for_each(|line| batch.push(&line));
        let is_full = tail.whole.saturating_add(batch.bytes.len() as u64) > self.config.max_size;
        match tail.last {
            Last::Chained(hash) if is_full => self.begin_file(file, now, record.about, hash, true, lines()),
            _ => put(&mut file, &batch.bytes, is_first.then_some(path)),
        }
    }

    fn lock(&self) -> io::Result<File> {
        let patience = if self.is_stuck.load(Ordering::Relaxed) { Duration::ZERO } else { self.patience };
        let locked = disk::lock(self.path(), patience);
        let timed_out = |error: &io::Error| error.kind() == io::ErrorKind::TimedOut;
        self.is_stuck.store(locked.as_ref().is_err_and(timed_out), Ordering::Relaxed);
        locked
    }

    /// Sets the file aside and begins the next one with these lines.
    fn begin_file(
        &self,
        full: File,
        now: OffsetDateTime,
        about: &About,
        hash: String,
        is_chained: bool,
        lines: impl Iterator<Item = Map<String, Value>>,
    ) -> io::Result<()> {
        let path = self.path();
        // What follows stands on it.
        full.sync_all()?;
        drop(full);
        let number = family::numbers(path)?.last().map_or(1, |last| last + 1);
        let aside = family::rotated(path, number);
        disk::rename(path, &aside)?;
        let before = Before { name: family::name(&aside), hash, is_chained };
        let mut batch = self.continued(now, about, &before);
        lines.for_each(|line| batch.push(&line));
        put(&mut disk::open(path)?, &batch.bytes, Some(path))
    }

    /// The newest of the files that were set aside: a process may have died right after it did that.
    fn newest(&self) -> io::Result<Option<Before>> {
        let Some(number) = family::numbers(self.path())?.last().copied() else { return Ok(None) };
        let path = family::rotated(self.path(), number);
        let mut file = File::open(&path)?;
        let (hash, is_chained) = match Tail::read(&mut file)?.last {
            Last::Chained(hash) => (hash, true),
            Last::None | Last::Foreign => (digest(&mut file)?, false),
        };
        Ok(Some(Before { name: family::name(&path), hash, is_chained }))
    }

    /// The first line of a file that goes on where another ended.
    fn continued(&self, now: OffsetDateTime, about: &About, before: &Before) -> Batch {
        let Before { name, hash, is_chained } = before;
        let fields =
            json!({ "previous_file": name, "previous_chain": hash, "previous_is_chained": is_chained });
        let mut batch = Batch::after(hash);
        batch.push(&self.own(EventType::AuditTrailRotated, now, about, fields));
        batch
    }

    /// What is kept of a line that was not written to its end.
    fn torn(&self, now: OffsetDateTime, about: &About, torn: &[u8]) -> Map<String, Value> {
        // It was redacted as a whole; a part of it might be taken for something else.
        let text = self.redactor.redact(&String::from_utf8_lossy(torn)).into_owned();
        self.own(EventType::AuditLineTorn, now, about, json!({ "bytes": torn.len(), "text": text }))
    }

    /// A record about the trail itself.
    fn own(&self, event: EventType, now: OffsetDateTime, about: &About, fields: Value) -> Map<String, Value> {
        let about = &About { transaction: None, ..about.clone() };
        let fields = members(fields);
        let record = Record { event, outcome: Outcome::Done, step: None, about, fields };
        record.to_json(now, self.git(), &self.config.version)
    }

    fn redacted(&self, record: &Record<'_>, now: OffsetDateTime) -> Map<String, Value> {
        let mut json = Value::from(record.to_json(now, self.git(), &self.config.version));
        self.redactor.redact_json(&mut json);
        members(json)
    }

    fn git(&self) -> &GitContext {
        self.git.get_or_init(&self.ask_git)
    }
}

/// The members of a JSON object.
fn members(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

/// Adds whole lines, or nothing. `new`: the file has just been made, so that its name has to become durable, too.
fn put(file: &mut File, bytes: &[u8], new: Option<&Path>) -> io::Result<()> {
    let length = file.metadata()?.len();
    if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_data()) {
        // What cannot be taken out here is taken out by the next append, as what a process leaves that dies.
        drop(file.set_len(length));
        return Err(error);
    }
    new.map_or(Ok(()), |path| disk::sync_dir(disk::folder(path)))
}

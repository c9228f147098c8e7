//! The audit trail of this program: who changed what in Fabric, and what became of it. docs/audit.md tells its records.
//!
//! It is written once per change, when it is known what became of it, and never stands in the way of a deployment that runs: what
//! cannot be written is counted and told.

mod change;
mod git;
mod trail;
mod watch;

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use selvedge_observability::audit::{About, AuditConfig, AuditError, AuditLog, EventType, Outcome, Record};
use selvedge_rollback::describe;
use serde_json::{Map, Value, json};

use crate::flags::Stage;
use crate::redaction::redactor;
use crate::report::ExitWith;
use crate::run::App;

pub(crate) use trail::Trail;
pub(crate) use watch::Watch;

/// Where records of one run go. `None`: nowhere, by the settings.
pub(crate) struct Audit {
    log: Option<AuditLog>,
    /// Whether nothing may be changed that is not in the trail.
    is_required: bool,
    state: Mutex<State>,
}

/// How the writing goes.
#[derive(Default)]
struct State {
    /// Something was written.
    has_begun: bool,
    /// It could not be begun, and that was told.
    is_off: bool,
    /// Records that could not be written since the last that could.
    lost: usize,
    /// All of them.
    lost_in_all: usize,
    why: String,
}

/// The file of the trail, where there is one.
pub(crate) fn path(app: &App) -> Option<PathBuf> {
    let file = &app.settings.audit.file;
    (!file.as_os_str().is_empty()).then(|| app.root.join(file))
}

impl Audit {
    /// The trail that the settings name. At the stage `target` it must be writable, before anything is sent.
    ///
    /// # Errors
    ///
    /// When it has to be and is not; exit code 2.
    pub(crate) fn open(app: &App) -> anyhow::Result<Self> {
        let git = git::Question::of(app);
        Self::at(path(app), app.settings.audit.max_size, app.flags.stage, git)
    }

    fn at(path: Option<PathBuf>, max_size: u64, stage: Stage, git: git::Question) -> anyhow::Result<Self> {
        let log = path.map(|path| {
            let config = AuditConfig { path, max_size, version: env!("CARGO_PKG_VERSION").to_owned() };
            AuditLog::new(config, redactor().clone(), move || git.ask())
        });
        let is_required = stage == Stage::Target;
        if let Some(log) = log.as_ref().filter(|_| is_required) {
            log.check().with_context(required)?;
        }
        Ok(Self { log, is_required, state: Mutex::default() })
    }

    /// Writes the first record of a run.
    ///
    /// # Errors
    ///
    /// As [`Audit::open`]. Elsewhere it is one warning, and the rest of the run is not written either.
    fn begin(&self, record: &Record<'_>) -> anyhow::Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        match log.append(record) {
            Ok(()) => self.state().has_begun = true,
            Err(error) if self.is_required => return Err(error).with_context(required),
            Err(error) => {
                self.state().is_off = true;
                tracing::warn!("This run is not in the audit trail: {}", describe(&error));
            }
        }
        Ok(())
    }

    /// Writes a record. Where that fails it is one warning now, and one at the end.
    fn write(&self, record: &Record<'_>) {
        let mut state = self.state();
        let Some(log) = self.log.as_ref().filter(|_| !state.is_off) else { return };
        let gap = |count: usize| Record {
            event: EventType::AuditRecordsLost,
            outcome: Outcome::Failed,
            step: None,
            about: record.about,
            fields: members(json!({ "count": count })),
        };
        let written = match state.lost {
            0 => log.append(record),
            lost => log.append(&gap(lost)).and_then(|()| {
                state.lost = 0;
                log.append(record)
            }),
        };
        if let Err(error) = written {
            state.lose(&error);
        }
    }

    /// Writes what is no change of Fabric, where anything is written at all.
    pub(crate) fn note(&self, event: EventType, outcome: Outcome, fields: Value) {
        self.write(&Record { event, outcome, step: None, about: &About::default(), fields: members(fields) });
    }

    /// Tells what is missing, once the run is over.
    pub(crate) fn close(&self) {
        let state = self.state();
        if let (Some(log), 1..) = (&self.log, state.lost_in_all) {
            let (count, path) = (state.lost_in_all, log.path().display());
            tracing::warn!("{count} records of this run are not in the audit trail `{path}`: {}", state.why);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn lose(&mut self, error: &AuditError) {
        self.lost += 1;
        self.lost_in_all += 1;
        self.why = describe(error);
        if self.lost_in_all == 1 {
            tracing::warn!("A record is not in the audit trail, and the deployment goes on: {}", self.why);
        }
    }
}

fn required() -> ExitWith {
    ExitWith::usage("write the audit trail, which HARDENING_STAGE=target needs")
        .help("set audit.file to a file that can be written")
}

/// The members of a JSON object.
fn members(value: Value) -> Map<String, Value> {
    if let Value::Object(members) = value { members } else { Map::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(path: PathBuf, stage: Stage) -> anyhow::Result<Audit> {
        Audit::at(Some(path), u64::MAX, stage, git::Question::default())
    }

    fn record(about: &About) -> Record<'_> {
        Record {
            event: EventType::DeploymentStarted,
            outcome: Outcome::Started,
            step: None,
            about,
            fields: Map::new(),
        }
    }

    #[test]
    fn a_trail_that_cannot_be_written_stops_only_the_stage_that_needs_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("audit"), "").unwrap();
        let path = folder.path().join("audit/audit_trail.jsonl");
        let error = audit(path.clone(), Stage::Target).err().unwrap();
        assert_eq!(crate::report::report(&error, false), crate::exit::USAGE);
        for stage in [Stage::Current, Stage::Intermediate] {
            let audit = audit(path.clone(), stage).unwrap();
            audit.begin(&record(&About::default())).unwrap();
            assert!(audit.state().is_off);
        }
        // It was fine before anything was read, and is not any more.
        let fine = folder.path().join("other/audit_trail.jsonl");
        let audit = audit(fine.clone(), Stage::Target).unwrap();
        std::fs::remove_file(&fine).unwrap();
        std::fs::create_dir(&fine).unwrap();
        let error = audit.begin(&record(&About::default())).unwrap_err();
        assert_eq!(crate::report::report(&error, false), crate::exit::USAGE);
    }

    #[test]
    fn what_could_not_be_written_is_counted_in_the_trail_too() {
        let folder = tempfile::tempdir().unwrap();
        let (path, away) = (folder.path().join("audit_trail.jsonl"), folder.path().join("away"));
        let (audit, about) = (audit(path.clone(), Stage::Current).unwrap(), About::default());
        audit.begin(&record(&about)).unwrap();
        std::fs::rename(&path, &away).unwrap();
        std::fs::create_dir(&path).unwrap();
        audit.write(&record(&about));
        audit.write(&record(&about));
        assert_eq!(audit.state().lost_in_all, 2);
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(&away, &path).unwrap();
        audit.write(&record(&about));
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!((&lines[1]["event_type"], &lines[1]["count"]), (&"audit_records_lost".into(), &2.into()));
        assert_eq!(audit.state().lost, 0);
    }
}

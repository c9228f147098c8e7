//! Jobs of items: runs on demand, and their schedules.
//!
//! What a job does is not emulated. A run takes the time that the configuration says and then ends as it is told to.

mod schedule;

use std::time::Duration;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, Role, World, same_name};
use crate::clock::later;
pub(crate) use schedule::{Schedule, ScheduleInput};

/// Runs that are over and still known of one item.
const MAX_OVER: usize = 100;

/// The types of jobs that items of a type have, as Microsoft's documents and clients call them. `Execute` is the newer
/// name of most; other types of items take `DefaultJob` only.
const JOB_TYPES: &[(&str, &[&str])] = &[
    ("CopyJob", &["Execute"]),
    ("DataPipeline", &["Pipeline", "Execute"]),
    ("Dataflow", &["Refresh", "Execute", "ApplyChanges", "Publish"]),
    ("Lakehouse", &["TableMaintenance", "RefreshMaterializedLakeViews"]),
    ("Notebook", &["RunNotebook", "Execute"]),
    ("SparkJobDefinition", &["sparkjob"]),
];

/// One run.
#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) id: Uuid,
    pub(crate) job_type: &'static str,
    /// The request id of the answer that started it.
    pub(crate) root_activity: Uuid,
    pub(crate) started: OffsetDateTime,
    ends: OffsetDateTime,
    /// How it is when it is over.
    outcome: JobStatus,
}

/// What a run asks for.
pub(crate) struct JobRun<'a> {
    pub(crate) job_type: &'a str,
    pub(crate) takes: Duration,
    pub(crate) fails: bool,
    pub(crate) root_activity: Uuid,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobStatus {
    NotStarted,
    InProgress,
    Completed,
    Failed,
    Cancelled,
}

impl JobStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NotStarted => "NotStarted",
            Self::InProgress => "InProgress",
            Self::Completed => "Completed",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }
}

impl Job {
    /// Where it stands. The first tenth of its time passes before it starts: recorded ones had not after 3 s.
    pub(crate) fn status(&self, now: OffsetDateTime) -> JobStatus {
        if now >= self.ends {
            self.outcome
        } else if (now - self.started) * 10 < self.ends - self.started {
            JobStatus::NotStarted
        } else {
            JobStatus::InProgress
        }
    }

    /// When it ended, if it has.
    pub(crate) fn ended(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        (now >= self.ends).then_some(self.ends)
    }
}

impl World {
    pub(crate) fn job(&self, caller: Uuid, workspace: Uuid, item: Uuid, id: Uuid) -> Result<&Job, ApiError> {
        let item = self.workspace(caller, workspace, Role::Viewer)?.item(item)?;
        // Nobody recorded this code: it follows that of a schedule which is not there.
        let missing = || {
            ApiError::new(404, "JobInstanceNotFound", "The requested item job instance not found")
                .retriable(false)
        };
        item.contents.jobs.iter().find(|job| job.id == id).ok_or_else(missing)
    }

    /// Starts a run; returns its id.
    pub(crate) fn run_job(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        run: &JobRun<'_>,
    ) -> Result<Uuid, ApiError> {
        let now = self.now;
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let kind = target.item(item)?.kind;
        let job = Job {
            id: Uuid::new_v4(),
            job_type: job_type(kind, run.job_type)?,
            root_activity: run.root_activity,
            started: now,
            ends: later(now, run.takes),
            outcome: if run.fails { JobStatus::Failed } else { JobStatus::Completed },
        };
        self.check_item_runs(target, kind)?;
        let id = job.id;
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        let jobs = &mut item.contents.jobs;
        jobs.push(job);
        let over = jobs.iter().filter(|job| job.ended(now).is_some()).count();
        let mut forgotten = over.saturating_sub(MAX_OVER);
        jobs.retain(|job| {
            let forget = forgotten > 0 && job.ended(now).is_some();
            forgotten -= usize::from(forget);
            !forget
        });
        Ok(id)
    }

    /// Ends a run before its time.
    pub(crate) fn cancel_job(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
        id: Uuid,
    ) -> Result<(), ApiError> {
        let now = self.now;
        self.workspace(caller, workspace, Role::Contributor)?;
        if self.job(caller, workspace, item, id)?.ended(now).is_some() {
            let message = "The job instance has already completed";
            return Err(ApiError::new(400, "JobAlreadyCompleted", message).retriable(false));
        }
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(item)?;
        for job in item.contents.jobs.iter_mut().filter(|job| job.id == id) {
            job.ends = now;
            job.outcome = JobStatus::Cancelled;
        }
        Ok(())
    }
}

/// The type of job that is asked for, if items of the type have it.
fn job_type(kind: &str, asked: &str) -> Result<&'static str, ApiError> {
    let of_kind = JOB_TYPES.iter().find(|(of, _)| *of == kind).map(|(_, types)| *types);
    let mut known = of_kind.unwrap_or_default().iter().copied().chain(["DefaultJob"]);
    known.find(|known| same_name(known, asked)).ok_or_else(|| {
        ApiError::new(400, "InvalidJobType", "The requested job type is invalid")
            .because("InvalidParameter", format!("`{asked}` is no job of items of type {kind}"))
    })
}

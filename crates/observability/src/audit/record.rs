//! One record: what happened, to what, and by whom.

use serde_json::{Map, Value};
use time::OffsetDateTime;

use super::EventType;
use crate::timestamp;

/// Where the files came from that are deployed, as Git says. Asked once by whoever makes the [`AuditLog`](super::AuditLog).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitContext {
    /// The commit that is checked out.
    pub commit: String,
    /// The branch; `HEAD` where none is checked out.
    pub branch: String,
    /// Whoever commits here.
    pub user: String,
}

impl Default for GitContext {
    /// Where there is no repository, and no Git.
    fn default() -> Self {
        let unknown = || "unknown".to_owned();
        Self { commit: unknown(), branch: unknown(), user: unknown() }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It begins.
    Started,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It may have been done.
    InDoubt,
    /// It was proven not to be done.
    NotDone,
    /// Something of somebody else's stands in its place.
    Foreign,
    /// It is not waited for.
    Halted,
    /// It was taken back.
    Undone,
    /// It was gone already when it was to be taken back.
    AlreadyGone,
    /// It was left, because somebody has changed it since or because it holds something that stays.
    Kept,
    /// It could not be taken back.
    UndoFailed,
    /// An operator left it.
    Skipped,
    /// Everything was taken back.
    RolledBack,
    /// Something is left.
    Left,
    /// It was stopped at once, or its process could not go on: it is open.
    Open,
    /// An operator has ended it where it stood.
    Abandoned,
}

impl Outcome {
    /// Its name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
            Self::NotDone => "not_done",
            Self::Foreign => "foreign",
            Self::Halted => "halted",
            Self::Undone => "undone",
            Self::AlreadyGone => "already_gone",
            Self::Kept => "kept",
            Self::UndoFailed => "undo_failed",
            Self::Skipped => "skipped",
            Self::RolledBack => "rolled_back",
            Self::Left => "left",
            Self::Open => "open",
            Self::Abandoned => "abandoned",
        }
    }
}

/// What the records of one run have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The transaction; `None` where there is none.
    pub transaction: Option<String>,
    /// Who acts, as far as that is known.
    pub principal: Option<String>,
    /// The environment that is deployed to.
    pub environment: Option<String>,
}

/// What happened. Its time is that of the append.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// What.
    pub event: EventType,
    /// What became of it.
    pub outcome: Outcome,
    /// The step of the plan, where it is about one.
    pub step: Option<u32>,
    /// What it has in common with others.
    pub about: &'a About,
    /// The members of its own.
    pub fields: Map<String, Value>,
}

/// What every record has, besides those of its event.
const COMMON: [&str; 11] = [
    "timestamp",
    "event_type",
    "git_commit",
    "git_branch",
    "git_user",
    "transaction_id",
    "step",
    "principal",
    "outcome",
    "environment",
    "version",
];

impl Record<'_> {
    /// As it stands in the trail, but for its hash. The members of its own never take the place of those that every record has.
    pub(super) fn to_json(&self, now: OffsetDateTime, git: &GitContext, version: &str) -> Map<String, Value> {
        let mut json = Map::new();
        // RFC 3339: the order of the texts is that of the times.
        json.insert("timestamp".into(), format!("{}Z", timestamp(now)).into());
        json.insert("event_type".into(), self.event.name().into());
        let own = self.fields.iter().filter(|(name, _)| !COMMON.contains(&name.as_str()) && *name != "chain");
        json.extend(own.map(|(name, value)| (name.clone(), value.clone())));
        let About { transaction, principal, environment } = self.about;
        let common: [(&str, Value); 9] = [
            ("git_commit", git.commit.as_str().into()),
            ("git_branch", git.branch.as_str().into()),
            ("git_user", git.user.as_str().into()),
            ("transaction_id", transaction.clone().into()),
            ("step", self.step.into()),
            ("principal", principal.clone().into()),
            ("outcome", self.outcome.name().into()),
            ("environment", environment.clone().into()),
            ("version", version.into()),
        ];
        json.extend(common.into_iter().map(|(name, value)| (name.to_owned(), value)));
        json
    }
}

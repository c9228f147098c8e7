//! What a deployment shows while it runs: the same events as text for people and as lines of JSON for programs.
//!
//! Progress goes to stderr, except for `--output jsonl`, where each event is a line of the result.

mod json;
mod order;
mod parts;
mod table;
mod text;

use std::io::IsTerminal as _;

use selvedge_deployment::change::Change;
use selvedge_deployment::config::Diagnostic;
use selvedge_rollback::{Event, Observer, StepId};

use crate::output::Format;
use crate::run::App;

pub(crate) use json::{Jsonl, result};
pub(crate) use parts::PartDiff;
pub(crate) use table::table;
pub(crate) use text::{Text, seconds};

/// Shows what happens.
pub(crate) enum Progress {
    Text(Text),
    Jsonl(Jsonl),
    /// `--output json`: the one document at the end says everything.
    Quiet,
}

impl Progress {
    pub(crate) fn new(app: &App) -> Self {
        match app.output {
            Format::Text => {
                let is_terminal = std::io::stderr().is_terminal();
                Self::Text(Text::new(app.color_stderr, app.quiet, is_terminal, app.job.system()))
            }
            Format::Json => Self::Quiet,
            Format::Jsonl => Self::Jsonl(Jsonl),
        }
    }

    /// For what is no deployment.
    pub(crate) fn of_command(app: &App) -> Self {
        let mut progress = Self::new(app);
        if let Self::Text(text) = &mut progress {
            text.plain();
        }
        progress
    }

    /// A numbered step of the deployment has begun.
    pub(crate) fn stage(&self, stage: Stage) {
        if let Self::Text(text) = self {
            text.stage(stage);
        }
    }

    /// These steps will be made. Lines about them stand in their order, though several are made at the same time.
    pub(crate) fn expect(&self, steps: impl IntoIterator<Item = StepId>) {
        if let Self::Text(text) = self {
            text.expect(steps);
        }
    }

    /// Something is in order.
    pub(crate) fn fine(&self, message: &str) {
        if let Self::Text(text) = self {
            text.fine(message);
        }
    }

    /// Something is worth knowing.
    pub(crate) fn note(&self, message: &str) {
        if let Self::Text(text) = self {
            text.note(message);
        }
    }

    /// Something is odd, and does not stand in the way.
    pub(crate) fn warn(&self, warning: &Diagnostic) {
        match self {
            Self::Text(text) => text.warn(warning),
            Self::Jsonl(lines) => lines.warn(warning),
            Self::Quiet => {}
        }
    }
}

impl Observer<Change> for Progress {
    fn on(&self, event: &Event<'_, Change>) {
        match self {
            Self::Text(text) => text.on(event),
            Self::Jsonl(lines) => lines.on(event),
            Self::Quiet => {}
        }
    }
}

/// The numbered steps of a deployment, by the predecessor's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    Prerequisites,
    Naming,
    Workspace,
    Items,
    Users,
    GitConnection,
    GitCommit,
    Summary,
}

impl Stage {
    /// How many there are.
    const COUNT: u8 = Self::Summary as u8 + 1;

    /// The stage that makes `change`.
    pub(crate) fn of(change: &Change) -> Self {
        match change {
            Change::CreateWorkspace { .. }
            | Change::DescribeWorkspace { .. }
            | Change::RenameWorkspace { .. }
            | Change::DeleteWorkspace { .. }
            | Change::AssignCapacity { .. }
            | Change::UnassignCapacity { .. }
            | Change::CreateFolder { .. }
            | Change::MoveFolder { .. }
            | Change::DeleteFolder { .. } => Self::Workspace,
            Change::CreateItem { .. }
            | Change::RenameItem { .. }
            | Change::MoveItem { .. }
            | Change::DeleteItem { .. }
            | Change::DescribeItem { .. }
            | Change::UpdateDefinition { .. }
            | Change::PromoteItems(_) => Self::Items,
            Change::AddRole { .. } | Change::ChangeRole { .. } | Change::RemoveRole { .. } => Self::Users,
            Change::CreateConnection { .. }
            | Change::ConnectGit { .. }
            | Change::InitializeGit { .. }
            | Change::DisconnectGit { .. } => Self::GitConnection,
            Change::UpdateFromGit { .. } | Change::CommitToGit { .. } => Self::GitCommit,
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Prerequisites => "Validating Prerequisites",
            Self::Naming => "Validating Naming Standards",
            Self::Workspace => "Creating Workspace",
            Self::Items => "Creating Fabric Items",
            Self::Users => "Adding Users to Workspace",
            Self::GitConnection => "Connecting to Git Repository",
            Self::GitCommit => "Committing to Git",
            Self::Summary => "Deployment Summary",
        }
    }
}

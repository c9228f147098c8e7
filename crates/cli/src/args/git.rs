//! `selvedge git`: the predecessor's `sync_fabric_git.py`, and what it lacked.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `selvedge git`
#[derive(Debug, Args)]
pub(crate) struct GitArgs {
    /// The same as --output json
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// The predecessor's --output
    #[arg(long, global = true, value_enum, value_name = "FORMAT", hide = true)]
    pub(crate) output_format: Option<OutputFormat>,
    /// The project's folder; without it, the one that this folder belongs to
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) project: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) action: GitAction,
}

/// How the predecessor printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Text,
    Json,
}

/// What to do with a workspace's Git connection.
#[derive(Debug, Subcommand)]
pub(crate) enum GitAction {
    /// Show what a workspace is connected to, and how the two differ
    Status(InWorkspace),
    /// Connect a workspace to a branch and directory of a repository
    Connect(ConnectArgs),
    /// Compare a connected workspace with its repository for the first time
    Initialize(InitializeArgs),
    /// Commit everything in a workspace to its repository
    Commit(CommitArgs),
    /// Update a workspace from its repository
    Update(UpdateFromGitArgs),
    /// Take a workspace's connection away; both sides keep their content
    Disconnect(InWorkspace),
    /// The predecessor's command line: one of the above by --action
    Sync(SyncArgs),
}

/// Names one workspace, in either way.
#[derive(Debug, Args)]
pub(crate) struct InWorkspace {
    /// The workspace's id or name
    #[arg(value_name = "WORKSPACE", required_unless_present = "named")]
    workspace: Option<String>,
    /// The same
    #[arg(long = "workspace", value_name = "WORKSPACE", conflicts_with = "workspace")]
    named: Option<String>,
}

impl InWorkspace {
    /// What was typed.
    pub(crate) fn word(&self) -> &str {
        self.workspace.as_deref().or(self.named.as_deref()).unwrap_or_default()
    }
}

/// `selvedge git connect`
#[derive(Debug, Args)]
pub(crate) struct ConnectArgs {
    #[command(flatten)]
    pub(crate) of: InWorkspace,
    #[command(flatten)]
    pub(crate) to: Repository,
    /// Which side wins where both have content: none (nothing is done), remote (the repository) or workspace
    #[arg(long, value_enum, default_value_t, hide_possible_values = true, value_name = "SIDE")]
    pub(crate) prefer: Side,
    /// The comment of the commit, with --prefer workspace
    #[arg(short = 'm', long, value_name = "TEXT")]
    pub(crate) commit_message: Option<String>,
}

/// A branch and a directory of a repository.
#[derive(Debug, Args)]
pub(crate) struct Repository {
    /// Where the repository is
    #[arg(long, value_enum, ignore_case = true, default_value_t, value_name = "PROVIDER")]
    pub(crate) git_provider: Provider,
    /// The user or organization that it belongs to
    #[arg(long, value_name = "NAME")]
    pub(crate) organization: String,
    /// The project that it belongs to (Azure DevOps)
    #[arg(long, value_name = "NAME")]
    pub(crate) git_project: Option<String>,
    /// Its name
    #[arg(long, value_name = "NAME")]
    pub(crate) repository: String,
    /// The branch
    #[arg(long, default_value = "main", value_name = "NAME")]
    pub(crate) branch: String,
    /// The directory, from the root of the repository
    #[arg(long, default_value = "/", value_name = "PATH")]
    pub(crate) directory: String,
    /// The id of the connection that holds the credentials; without it, FABRIC_GIT_CONNECTION_ID, or one for exactly this repository, or a new
    /// one with GITHUB_TOKEN
    #[arg(long, value_name = "ID")]
    pub(crate) connection: Option<uuid::Uuid>,
}

/// Where a repository is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    #[default]
    #[value(name = "GitHub")]
    GitHub,
    #[value(name = "AzureDevOps")]
    AzureDevOps,
}

/// Which side wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    /// Neither: where both have content, nothing is done
    #[default]
    None,
    /// The repository
    Remote,
    /// The workspace
    Workspace,
}

/// `selvedge git initialize`
#[derive(Debug, Args)]
pub(crate) struct InitializeArgs {
    #[command(flatten)]
    pub(crate) of: InWorkspace,
    /// Which side wins where both have content: none (nothing is done), remote (the repository) or workspace
    #[arg(long, value_enum, default_value_t, hide_possible_values = true, value_name = "SIDE")]
    pub(crate) prefer: Side,
    /// The comment of the commit, with --prefer workspace
    #[arg(short = 'm', long, value_name = "TEXT")]
    pub(crate) commit_message: Option<String>,
}

/// `selvedge git commit`
#[derive(Debug, Args)]
pub(crate) struct CommitArgs {
    #[command(flatten)]
    pub(crate) of: InWorkspace,
    /// The commit's comment, at most 300 characters [default: Automated sync from WORKSPACE workspace]
    #[arg(short = 'm', long, value_name = "TEXT")]
    pub(crate) commit_message: Option<String>,
}

/// `selvedge git update`
#[derive(Debug, Args)]
pub(crate) struct UpdateFromGitArgs {
    #[command(flatten)]
    pub(crate) of: InWorkspace,
    /// Which side wins where both have changed an item: none (nothing is done), remote (the repository) or workspace
    #[arg(long, value_enum, default_value_t, hide_possible_values = true, value_name = "SIDE")]
    pub(crate) prefer: Side,
}

/// `selvedge git sync`
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// The workspace's id or name
    #[arg(long, value_name = "WORKSPACE")]
    pub(crate) workspace: String,
    /// What to do: sync-to-workspace (`git update`), sync-to-git (`git commit`), init-git (`git connect`) or status
    #[arg(long, value_enum, hide_possible_values = true, value_name = "ACTION")]
    pub(crate) action: SyncAction,
    /// The commit's comment [default: Automated sync from WORKSPACE workspace]
    #[arg(long, value_name = "TEXT")]
    pub(crate) commit_message: Option<String>,
    /// init-git: where the repository is
    #[arg(
        long,
        value_enum,
        ignore_case = true,
        required_if_eq("action", "init-git"),
        value_name = "PROVIDER"
    )]
    pub(crate) git_provider: Option<Provider>,
    /// init-git: the user or organization that it belongs to
    #[arg(long, required_if_eq("action", "init-git"), value_name = "NAME")]
    pub(crate) organization: Option<String>,
    /// init-git: the project that it belongs to (Azure DevOps)
    #[arg(long, value_name = "NAME")]
    pub(crate) git_project: Option<String>,
    /// init-git: its name
    #[arg(long, required_if_eq("action", "init-git"), value_name = "NAME")]
    pub(crate) repository: Option<String>,
    /// init-git: the branch
    #[arg(long, default_value = "main", value_name = "NAME")]
    pub(crate) branch: String,
    /// init-git: the directory, from the root of the repository
    #[arg(long, default_value = "/", value_name = "PATH")]
    pub(crate) directory: String,
}

/// What the predecessor could do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SyncAction {
    /// `selvedge git update`
    SyncToWorkspace,
    /// `selvedge git commit`
    SyncToGit,
    /// `selvedge git connect`
    InitGit,
    /// `selvedge git status`
    Status,
}

impl SyncArgs {
    /// The command that it stands for.
    pub(crate) fn stands_for(&self) -> GitAction {
        let of = InWorkspace { workspace: Some(self.workspace.clone()), named: None };
        let commit_message = self.commit_message.clone();
        match self.action {
            SyncAction::SyncToWorkspace => GitAction::Update(UpdateFromGitArgs { of, prefer: Side::None }),
            SyncAction::SyncToGit => GitAction::Commit(CommitArgs { of, commit_message }),
            SyncAction::Status => GitAction::Status(of),
            SyncAction::InitGit => GitAction::Connect(ConnectArgs {
                of,
                to: Repository {
                    git_provider: self.git_provider.unwrap_or_default(),
                    organization: self.organization.clone().unwrap_or_default(),
                    git_project: self.git_project.clone(),
                    repository: self.repository.clone().unwrap_or_default(),
                    branch: self.branch.clone(),
                    directory: self.directory.clone(),
                    connection: None,
                },
                prefer: Side::None,
                commit_message,
            }),
        }
    }
}

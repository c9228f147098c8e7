//! A workspace's connection to a Git repository.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/git>.

use crate::{Call, ConnectionId, Lro, WorkspaceId, open_enum::open_enum, workspaces};
use selvedge_resilience::Effect;
use serde::{Deserialize, Serialize};

open_enum! {
    /// How far a workspace is connected.
    ConnectionState {
        /// Not at all.
        NOT_CONNECTED = "NotConnected",
        /// To a repository, without having been compared with it.
        CONNECTED = "Connected",
        /// Ready to commit and update.
        INITIALIZED = "ConnectedAndInitialized",
    }
}

open_enum! {
    /// What must be done after [`initialize`] so that workspace and repository are equal.
    RequiredAction {
        /// Nothing.
        NONE = "None",
        /// The repository's content must be taken over.
        UPDATE_FROM_GIT = "UpdateFromGit",
        /// The workspace's content must be committed.
        COMMIT_TO_GIT = "CommitToGit",
    }
}

/// The repository, branch and folder that a workspace is connected to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gitProviderType", rename_all_fields = "camelCase")]
pub enum Provider {
    /// A repository of Azure DevOps.
    AzureDevOps {
        /// The organization.
        organization_name: String,
        /// The project.
        project_name: String,
        /// The repository.
        repository_name: String,
        /// The branch.
        branch_name: String,
        /// The folder.
        directory_name: String,
    },
    /// A repository of GitHub.
    GitHub {
        /// The user or organization.
        owner_name: String,
        /// The repository.
        repository_name: String,
        /// The branch.
        branch_name: String,
        /// The folder.
        directory_name: String,
    },
}

/// Whose rights are used on the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all_fields = "camelCase")]
pub enum Credentials {
    /// The caller's own; not for service principals.
    Automatic,
    /// Those of a connection.
    ConfiguredConnection {
        /// The connection.
        connection_id: ConnectionId,
    },
    /// None.
    None,
}

/// A workspace's connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// How far it is.
    pub git_connection_state: ConnectionState,
    /// To what, where there is one.
    pub git_provider_details: Option<Provider>,
    /// The last synchronization, where there was one.
    pub git_sync_details: Option<SyncDetails>,
}

/// A synchronization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncDetails {
    /// The commit that the workspace is at.
    pub head: Option<String>,
    /// When it was, as the service writes it.
    pub last_sync_time: Option<String>,
}

/// What to connect to, and with whose rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connect {
    /// The repository.
    pub git_provider_details: Provider,
    /// The rights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub my_git_credentials: Option<Credentials>,
}

/// Which side wins when both have content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitializationStrategy {
    /// Neither: refuse.
    None,
    /// The repository.
    PreferRemote,
    /// The workspace.
    #[default]
    PreferWorkspace,
}

/// Which side wins where both have changed an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConflictPolicy {
    /// The repository.
    PreferRemote,
    /// The workspace.
    PreferWorkspace,
}

/// What to take over from the repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// The commit that the caller believes the workspace to be at: refused where it is another.
    pub workspace_head: Option<String>,
    /// The commit to take over.
    pub remote_commit_hash: String,
    /// Who wins where both have changed an item. `None`: the update is refused then.
    pub conflicts: Option<ConflictPolicy>,
    /// Whether items of the workspace may be overwritten by incoming ones of the same name.
    pub allow_override: bool,
}

/// What [`initialize`] found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Initialized {
    /// What must be done next.
    pub required_action: RequiredAction,
    /// The commit that the workspace is at; `None` before the first.
    pub workspace_head: Option<String>,
    /// The repository's newest commit.
    pub remote_commit_hash: Option<String>,
}

/// How workspace and repository differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GitStatus {
    /// The commit that the workspace is at.
    pub workspace_head: Option<String>,
    /// The repository's newest commit.
    pub remote_commit_hash: Option<String>,
    /// What differs.
    #[serde(default)]
    pub changes: Vec<Change>,
}

/// An item that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Which.
    pub item_metadata: ChangedItem,
    /// `Added`, `Deleted` or `Modified` in the repository.
    pub remote_change: Option<String>,
    /// `Added`, `Deleted` or `Modified` in the workspace.
    pub workspace_change: Option<String>,
    /// `None`, `Conflict` or `SameChanges`.
    pub conflict_type: Option<String>,
}

/// The item of a [`Change`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangedItem {
    /// Its ids.
    pub item_identifier: ItemIdentifier,
    /// Its type.
    pub item_type: Option<String>,
    /// Its name.
    pub display_name: Option<String>,
}

/// An item by one of its ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemIdentifier {
    /// The id in the workspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The id in the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
}

/// What to commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Commit {
    /// Everything, or the `items`.
    pub mode: CommitMode,
    /// The commit that the caller believes the workspace to be at: refused where it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_head: Option<String>,
    /// The message, at most 300 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The items of a selective commit.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub items: Vec<ItemIdentifier>,
}

/// How much to commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CommitMode {
    /// Every change.
    All,
    /// The changes of the items named.
    Selective,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Initialize {
    initialization_strategy: InitializationStrategy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct UpdateBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_head: Option<&'a str>,
    remote_commit_hash: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict_resolution: Option<Resolution>,
    options: Options,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resolution {
    /// The only one there is.
    conflict_resolution_type: &'static str,
    conflict_resolution_policy: ConflictPolicy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    allow_override_items: bool,
}

/// Reads the connection of a workspace.
#[must_use]
pub fn connection(workspace: WorkspaceId) -> Call<Connection> {
    Call::get("git.connection", path(workspace, "connection"))
}

/// Connects a workspace. An error answer does not prove that it is not connected.
#[must_use]
pub fn connect(workspace: WorkspaceId, connect: &Connect) -> Call<()> {
    Call::post("git.connect", path(workspace, "connect")).json(connect).without_result()
}

/// Disconnects a workspace; both sides keep their content.
#[must_use]
pub fn disconnect(workspace: WorkspaceId) -> Call<()> {
    Call::post("git.disconnect", path(workspace, "disconnect"))
        .with_effect(Effect::Idempotent)
        .without_result()
}

/// Compares a connected workspace with its repository for the first time.
#[must_use]
pub fn initialize(workspace: WorkspaceId, strategy: Option<InitializationStrategy>) -> Lro<Initialized> {
    let call = Call::post("git.initialize", path(workspace, "initializeConnection"));
    Lro::new(match strategy {
        Some(initialization_strategy) => call.json(&Initialize { initialization_strategy }),
        None => call,
    })
}

/// Compares a workspace with its repository. A GET that may be long-running.
#[must_use]
pub fn status(workspace: WorkspaceId) -> Lro<GitStatus> {
    Lro::new(Call::get("git.status", path(workspace, "status")))
}

/// Commits the workspace's changes. This cannot be undone.
#[must_use]
pub fn commit(workspace: WorkspaceId, commit: &Commit) -> Lro<()> {
    let call = Call::post("git.commit", path(workspace, "commitToGit")).json(commit);
    Lro::new(call.without_result())
}

/// Takes what the repository holds over into the workspace. This cannot be undone.
#[must_use]
pub fn update(workspace: WorkspaceId, update: &Update) -> Lro<()> {
    let body = UpdateBody {
        workspace_head: update.workspace_head.as_deref(),
        remote_commit_hash: &update.remote_commit_hash,
        conflict_resolution: update.conflicts.map(|conflict_resolution_policy| Resolution {
            conflict_resolution_type: "Workspace",
            conflict_resolution_policy,
        }),
        options: Options { allow_override_items: update.allow_override },
    };
    let call = Call::post("git.update", path(workspace, "updateFromGit")).json(&body);
    Lro::new(call.without_result())
}

fn path(workspace: WorkspaceId, verb: &str) -> String {
    format!("{}/git/{verb}", workspaces::path(workspace))
}

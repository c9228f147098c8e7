//! One write to Fabric, what reverses it, and what it gives back: all of it data.

mod display;
mod receipt;
mod undo;

use selvedge_fabric_client::git::{ConflictPolicy, InitializationStrategy, Provider};
use selvedge_fabric_client::{CapacityId, ConnectionId, FolderId, ItemId, PrincipalId, WorkspaceId};
use selvedge_rollback::StepId;
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::desired::{PrincipalKind, Role};
use crate::promotion::Promotion;

pub use receipt::{LeftOut, Made, Receipt, Ref};
pub use undo::Undo;

/// One write to Fabric that is intended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// Makes the workspace.
    CreateWorkspace {
        /// Its display name.
        name: String,
        /// Its description.
        description: Option<String>,
    },
    /// Overwrites the workspace's description.
    DescribeWorkspace {
        /// The workspace.
        workspace: WorkspaceId,
        /// Its display name, for people.
        name: String,
        /// The new description.
        description: String,
    },
    /// Gives the workspace another name.
    RenameWorkspace {
        /// The workspace.
        workspace: WorkspaceId,
        /// Its display name so far.
        name: String,
        /// Its new one.
        to: String,
    },
    /// Removes the workspace. Cannot be undone.
    DeleteWorkspace {
        /// The workspace.
        workspace: WorkspaceId,
        /// Its display name.
        name: String,
        /// Whether it may go with what it holds. Otherwise it is not removed while it holds an item.
        with_items: bool,
    },
    /// Assigns the workspace to a capacity.
    AssignCapacity {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The capacity.
        capacity: CapacityId,
    },
    /// Takes the workspace off its capacity.
    UnassignCapacity {
        /// The workspace.
        workspace: WorkspaceId,
        /// Its display name, for people.
        name: String,
    },
    /// Makes a folder.
    CreateFolder {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The folder it stands in; `None` at the top level.
        parent: Option<Ref<FolderId>>,
        /// Its own name.
        name: String,
        /// The whole path, for people.
        path: String,
    },
    /// Moves a folder, with all that is in it.
    MoveFolder {
        /// The workspace.
        workspace: WorkspaceId,
        /// The folder.
        folder: FolderId,
        /// The folder to move it into; `None` for the top.
        to: Option<Ref<FolderId>>,
        /// Its path so far, for people.
        path: String,
        /// Its path then, for people.
        target: String,
    },
    /// Removes a folder, which must be empty by then. Cannot be undone: one made anew has another id.
    DeleteFolder {
        /// The workspace.
        workspace: WorkspaceId,
        /// The folder.
        folder: FolderId,
        /// Its display name.
        name: String,
        /// Its path, for people.
        path: String,
    },
    /// Makes an item.
    CreateItem {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The folder; `None` at the top level.
        folder: Option<Ref<FolderId>>,
        /// Fabric's item type.
        item_type: String,
        /// Its display name.
        name: String,
        /// Its description.
        description: Option<String>,
        /// Its content.
        definition: Option<Definition>,
    },
    /// Gives an item another name.
    RenameItem {
        /// The workspace.
        workspace: WorkspaceId,
        /// The item.
        item: ItemId,
        /// Its type, for people.
        item_type: String,
        /// Its display name so far.
        name: String,
        /// Its new one.
        to: String,
    },
    /// Moves an item into another folder.
    MoveItem {
        /// The workspace.
        workspace: WorkspaceId,
        /// The item.
        item: ItemId,
        /// Its type, for people.
        item_type: String,
        /// Its display name, for people.
        name: String,
        /// The folder to move it into; `None` for the top.
        to: Option<Ref<FolderId>>,
        /// That folder's path, for people.
        target: String,
    },
    /// Removes an item, into the recycle bin where the tenant has one. Cannot be undone.
    DeleteItem {
        /// The workspace.
        workspace: WorkspaceId,
        /// The item.
        item: ItemId,
        /// Its type.
        item_type: String,
        /// Its display name.
        name: String,
    },
    /// Overwrites an item's description.
    DescribeItem {
        /// The workspace.
        workspace: WorkspaceId,
        /// The item.
        item: ItemId,
        /// Its type, for people.
        item_type: String,
        /// Its display name, for people.
        name: String,
        /// The new description.
        description: String,
    },
    /// Overwrites an item's content.
    UpdateDefinition {
        /// The workspace.
        workspace: WorkspaceId,
        /// The item.
        item: ItemId,
        /// Its type, for people.
        item_type: String,
        /// Its display name, for people.
        name: String,
        /// The new content.
        definition: Definition,
    },
    /// Gives a principal a role.
    AddRole {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// Who.
        principal: PrincipalId,
        /// What kind of principal.
        principal_kind: PrincipalKind,
        /// The role.
        role: Role,
        /// The principal as the configuration names it, for people.
        label: String,
    },
    /// Gives a principal another role.
    ChangeRole {
        /// The workspace.
        workspace: WorkspaceId,
        /// Who.
        principal: PrincipalId,
        /// The new role.
        role: Role,
        /// The principal as the configuration names it, for people.
        label: String,
    },
    /// Takes a principal's role away.
    RemoveRole {
        /// The workspace.
        workspace: WorkspaceId,
        /// Who.
        principal: PrincipalId,
        /// What kind of principal.
        principal_kind: PrincipalKind,
        /// The principal as it was named, for people.
        label: String,
    },
    /// Makes the connection that holds the credentials of a Git provider.
    CreateConnection {
        /// Its display name.
        name: String,
        /// The repository's address.
        url: String,
        /// The name of the secret that holds the token. Never the token.
        secret: String,
    },
    /// Connects the workspace to a branch and directory of a repository.
    ConnectGit {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The repository, branch and directory.
        provider: Provider,
        /// The connection that holds the credentials.
        connection: Ref<ConnectionId>,
    },
    /// Makes the workspace and the repository compare each other for the first time.
    InitializeGit {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The step that connects it. `None`: it was connected before, and then initializing cannot be undone.
        connected_by: Option<StepId>,
        /// Which side wins where both have content. In a deployment the workspace does: its content comes from files.
        #[serde(default, skip_serializing_if = "is_usual")]
        strategy: InitializationStrategy,
    },
    /// Takes what the repository holds over into the workspace. Cannot be undone.
    UpdateFromGit {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The commit that was shown; `None`: the newest.
        commit: Option<String>,
        /// Which side wins where both have changed an item; `None`: nothing is taken over then.
        conflicts: Option<ConflictPolicy>,
    },
    /// Takes the workspace's connection away; both sides keep their content. Cannot be undone.
    DisconnectGit {
        /// The workspace.
        workspace: WorkspaceId,
        /// The repository, branch and directory that it is connected to.
        provider: Provider,
    },
    /// Commits everything in the workspace to the repository. Cannot be undone.
    CommitToGit {
        /// The workspace.
        workspace: Ref<WorkspaceId>,
        /// The commit's comment.
        comment: String,
    },
    /// Copies items of a stage of a deployment pipeline over those of the stage beside it. Cannot be undone.
    PromoteItems(Box<Promotion>),
}

/// Left out of journals: those of older versions have no word for it.
fn is_usual(strategy: &InitializationStrategy) -> bool {
    *strategy == InitializationStrategy::default()
}

impl Change {
    /// Whether the change overwrites something that somebody may have made by hand.
    #[must_use]
    pub fn overwrites(&self) -> bool {
        matches!(
            self,
            Self::DescribeWorkspace { .. }
                | Self::RenameWorkspace { .. }
                | Self::DeleteWorkspace { .. }
                | Self::MoveFolder { .. }
                | Self::DeleteFolder { .. }
                | Self::RenameItem { .. }
                | Self::MoveItem { .. }
                | Self::DeleteItem { .. }
                | Self::DescribeItem { .. }
                | Self::UpdateDefinition { .. }
                | Self::ChangeRole { .. }
                | Self::RemoveRole { .. }
                | Self::UnassignCapacity { .. }
                | Self::UpdateFromGit { .. }
                | Self::DisconnectGit { .. }
                | Self::PromoteItems(_)
                | Self::AssignCapacity { workspace: Ref::Id(_), .. }
        )
    }

    /// Whether it can be undone.
    #[must_use]
    pub fn reversible(&self) -> bool {
        !matches!(
            self,
            Self::CommitToGit { .. }
                | Self::UpdateFromGit { .. }
                | Self::DisconnectGit { .. }
                | Self::InitializeGit { connected_by: None, .. }
                | Self::DeleteWorkspace { .. }
                | Self::DeleteFolder { .. }
                | Self::DeleteItem { .. }
                | Self::PromoteItems(_)
        )
    }

    /// The name of the secret that it takes to make it.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::CreateConnection { secret, .. } => Some(secret),
            _ => None,
        }
    }

    /// The steps whose results it uses.
    #[must_use]
    pub fn uses(&self) -> Vec<StepId> {
        let (workspace, folder, connection) = match self {
            Self::AssignCapacity { workspace, .. }
            | Self::AddRole { workspace, .. }
            | Self::InitializeGit { workspace, .. }
            | Self::UpdateFromGit { workspace, .. }
            | Self::CommitToGit { workspace, .. } => (Some(workspace), None, None),
            Self::CreateFolder { workspace, parent, .. } => (Some(workspace), parent.as_ref(), None),
            Self::MoveFolder { to, .. } | Self::MoveItem { to, .. } => (None, to.as_ref(), None),
            Self::CreateItem { workspace, folder, .. } => (Some(workspace), folder.as_ref(), None),
            Self::ConnectGit { workspace, connection, .. } => (Some(workspace), None, Some(connection)),
            Self::CreateWorkspace { .. }
            | Self::DescribeWorkspace { .. }
            | Self::RenameWorkspace { .. }
            | Self::DeleteWorkspace { .. }
            | Self::UnassignCapacity { .. }
            | Self::DeleteFolder { .. }
            | Self::RenameItem { .. }
            | Self::DeleteItem { .. }
            | Self::DescribeItem { .. }
            | Self::UpdateDefinition { .. }
            | Self::ChangeRole { .. }
            | Self::RemoveRole { .. }
            | Self::DisconnectGit { .. }
            | Self::CreateConnection { .. }
            | Self::PromoteItems(_) => (None, None, None),
        };
        let connected_by = match self {
            Self::InitializeGit { connected_by, .. } => *connected_by,
            _ => None,
        };
        let (workspace, folder) = (workspace.and_then(Ref::step), folder.and_then(Ref::step));
        let steps = [workspace, folder, connection.and_then(Ref::step), connected_by];
        steps.into_iter().flatten().collect()
    }
}

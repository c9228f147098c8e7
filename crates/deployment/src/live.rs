//! The state that is there, as plain data: what was read from Fabric before anything is planned.

use selvedge_fabric_client::git::Provider;
use selvedge_fabric_client::{CapacityId, ConnectionId, FolderId, ItemId, PrincipalId, WorkspaceId};

use crate::definition::Definition;
use crate::desired::{Location, PrincipalKind, Role};

/// What is there. `Default` is an empty tenant.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// The workspace of the desired name, if there is one.
    pub workspace: Option<LiveWorkspace>,
    /// Its folders.
    pub folders: Vec<LiveFolder>,
    /// Its items.
    pub items: Vec<LiveItem>,
    /// Who has which role in it.
    pub roles: Vec<(PrincipalId, Role)>,
    /// Its Git connection, where the desired state has one.
    pub git: LiveGit,
    /// The capacities that the caller may use, by id. `None` where that was not read.
    pub capacities: Option<Vec<LiveCapacity>>,
    /// The connections that the caller may use. Read only where the workspace is to be connected to Git.
    pub connections: Vec<LiveConnection>,
}

/// The workspace.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its description.
    pub description: String,
    /// The capacity it is assigned to.
    pub capacity: Option<CapacityId>,
}

/// A folder.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveFolder {
    /// Its id.
    pub id: FolderId,
    /// Its path from the top, segments joined by `/`.
    pub path: String,
}

/// An item.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveItem {
    /// Its id.
    pub id: ItemId,
    /// Fabric's item type.
    pub item_type: String,
    /// Its display name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// The folder it is in.
    pub folder: Option<FolderId>,
    /// Its content; read only where the desired state has one for it.
    pub definition: Option<Definition>,
}

/// The workspace's Git connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveGit {
    /// What it is connected to.
    pub provider: Option<Provider>,
    /// Whether the connection has been initialized.
    pub initialized: bool,
    /// Whether the workspace holds changes that are not committed.
    pub uncommitted: bool,
}

/// A capacity that the caller may use.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveCapacity {
    /// Its id.
    pub id: CapacityId,
    /// Its display name.
    pub name: String,
    /// Whether it runs.
    pub active: bool,
}

/// A connection that the caller may use.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveConnection {
    /// Its id.
    pub id: ConnectionId,
    /// Its display name.
    pub name: String,
    /// What it connects to: for a Git provider, the repository's address.
    pub path: String,
}

/// A desired role whose principal has been found.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedRole {
    /// The object id.
    pub principal: PrincipalId,
    /// What kind of principal.
    pub kind: PrincipalKind,
    /// The role.
    pub role: Role,
    /// The principal as the configuration names it.
    pub label: String,
    /// Where it is declared.
    pub at: Location,
}

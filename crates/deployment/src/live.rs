//! The state that is there, as plain data: what was read from Fabric before anything is planned.

use selvedge_fabric_client::git::Provider;
use selvedge_fabric_client::{CapacityId, ConnectionId, FolderId, ItemId, PrincipalId, WorkspaceId};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

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
    pub roles: Vec<LiveRole>,
    /// Its Git connection, where the desired state has one.
    pub git: LiveGit,
    /// The capacities that the caller may use, by id. `None` where that was not read.
    pub capacities: Option<Vec<LiveCapacity>>,
    /// The connections that the caller may use. Read only where the workspace is to be connected to Git.
    pub connections: Vec<LiveConnection>,
}

impl Live {
    /// SHA-256, in lower-case hexadecimal, of what is in the workspace, in whatever order it was listed: another one where anything that
    /// was read has changed since. Capacities and connections, which are the tenant's, have no part in it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        // Each as text, so that a list has an order that is its own.
        fn lines<T: Serialize>(all: &[T]) -> Vec<String> {
            let text = |one: &T| serde_json::to_string(one).unwrap_or_default();
            let mut lines: Vec<_> = all.iter().map(text).collect();
            lines.sort_unstable();
            lines
        }
        let parts = [
            lines(self.workspace.as_slice()),
            lines(&self.folders),
            lines(&self.items),
            lines(&self.roles),
            lines(std::slice::from_ref(&self.git)),
        ];
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            for line in part {
                hash.update((line.len() as u64).to_be_bytes());
                hash.update(line);
            }
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The workspace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveWorkspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its description.
    pub description: String,
    /// The capacity it is assigned to.
    pub capacity: Option<CapacityId>,
}

/// A folder.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveFolder {
    /// Its id.
    pub id: FolderId,
    /// Its path from the top, segments joined by `/`.
    pub path: String,
}

/// An item.
#[derive(Clone, Debug, PartialEq, Serialize)]
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

/// A role that a principal has.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveRole {
    /// Who.
    pub principal: PrincipalId,
    /// What kind of principal, as the service says it.
    pub kind: String,
    /// The role.
    pub role: Role,
    /// The principal's display name, where the service says it.
    pub name: Option<String>,
}

/// The workspace's Git connection.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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

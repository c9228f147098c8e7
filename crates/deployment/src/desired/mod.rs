//! The state a team wants, as plain data: what the configuration files say, checked and resolved.

use serde::Serialize;
use uuid::Uuid;

use crate::definition::Definition;

mod folder;
mod location;
mod principal;

pub use folder::{FolderPath, FolderPathError};
pub use location::{Located, Location};
pub use principal::{PrincipalKind, PrincipalRef, strongest};
pub use selvedge_fabric_client::roles::Role;

/// Everything one deployment of one product to one environment is to make true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Desired {
    /// The product's display name, as in `product.name`.
    pub product: String,
    /// The environment, as given on the command line: `dev`, `test`, `prod`.
    pub environment: String,
    /// The workspace that holds everything below.
    pub workspace: DesiredWorkspace,
    /// Folders to exist, each once, parents before their children.
    pub folders: Vec<FolderPath>,
    /// Items to exist, in the order of the file; no two share type and name.
    pub items: Vec<DesiredItem>,
    /// Who is to have a role, each principal once.
    pub roles: Vec<DesiredRole>,
    /// The Git connection; `None` leaves the workspace's connection alone.
    pub git: Option<DesiredGit>,
}

/// The workspace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DesiredWorkspace {
    /// Display name, by the project's `naming_patterns.workspace`.
    pub name: String,
    /// Description; `None` leaves the live one alone.
    pub description: Option<String>,
    /// The capacity to assign; `None` leaves the live assignment alone.
    pub capacity: Option<Located<Uuid>>,
    /// Where the product, and so the workspace's name, is declared.
    pub at: Location,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DesiredItem {
    /// Fabric's `ItemType`, an open set: `Lakehouse`, `Notebook`, ...
    pub kind: String,
    /// Display name.
    pub name: String,
    /// Description; `None` leaves the live one alone.
    pub description: Option<String>,
    /// The folder it belongs in; `None` is the top level of the workspace.
    pub folder: Option<FolderPath>,
    /// Its content; `None` leaves the content to Fabric and to people.
    pub definition: Option<Definition>,
    /// Where it is declared.
    pub at: Location,
}

/// A role of one principal in the workspace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DesiredRole {
    /// Who.
    pub principal: PrincipalRef,
    /// What kind of principal that is.
    pub kind: PrincipalKind,
    /// The role.
    pub role: Role,
    /// Where it is declared.
    pub at: Location,
}

/// The Git connection of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DesiredGit {
    /// The repository.
    pub provider: GitProvider,
    /// The branch.
    pub branch: String,
    /// The directory in the repository, with a leading `/`.
    pub directory: String,
    /// The Fabric connection that holds the Git credentials, where the project names one.
    pub connection: Option<Uuid>,
    /// Whether to commit the workspace at the end.
    pub commit: bool,
    /// The comment of that commit.
    pub commit_message: String,
    /// Where it is declared.
    pub at: Location,
}

impl DesiredGit {
    /// A directory as Fabric wants it: from the root of the repository. `None` where it is none.
    #[must_use]
    pub fn directory_of(text: &str) -> Option<String> {
        let path = text.trim_matches('/');
        let is_none =
            path.split('/').any(|part| part == "..") || path.contains(|c: char| c.is_control() || c == '\\');
        (!is_none).then(|| format!("/{path}"))
    }
}

/// A repository at a Git provider that Fabric knows.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub enum GitProvider {
    /// GitHub.
    GitHub {
        /// The user or organisation.
        owner: String,
        /// The repository.
        repository: String,
    },
    /// Azure DevOps.
    AzureDevOps {
        /// The organisation.
        organization: String,
        /// The project.
        project: String,
        /// The repository.
        repository: String,
    },
}

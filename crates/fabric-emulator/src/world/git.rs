//! The git connection of a workspace: NotConnected, Connected, ConnectedAndInitialized.
//!
//! Repositories are simulated: one head and one set of items per provider, repository, branch and directory, empty at
//! first. An item is the same one on both sides when type and name are the same, so a rename is a removal and an
//! addition. Nobody has recorded the service here: this follows Microsoft's OpenAPI documents.

use time::OffsetDateTime;
use uuid::Uuid;

use super::git_tree::{Change, Tree, changes, digest, tree_of};
use super::{ApiError, Definition, PrincipalKind, Role, Workspace, World};

/// A connection to a git directory.
#[derive(Clone)]
pub(crate) struct Git {
    pub(crate) provider: Provider,
    pub(crate) credentials: Credentials,
    pub(crate) initialized: bool,
    /// The commit the workspace was last in step with.
    pub(crate) head: Option<String>,
    pub(crate) synced: Option<OffsetDateTime>,
    /// The directory's head when the workspace last looked: at initialization, commit or update.
    pub(super) seen: Option<String>,
    /// What workspace and directory had in common at that commit.
    pub(super) base: Tree,
}

/// The git directory, as the connect request described it.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) details: serde_json::Value,
    /// The type of connection that holds credentials for it.
    pub(crate) connection_kind: &'static str,
    /// The same text for the same directory.
    pub(crate) key: String,
}

/// How the caller authenticates to the git provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    None,
    Automatic,
    Configured(Uuid),
}

/// A git directory and what was committed to it.
#[derive(Clone)]
pub(crate) struct Remote {
    pub(crate) head: String,
    pub(super) items: Tree,
}

/// One item as it stands in a git directory.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) logical_id: Uuid,
    pub(super) kind: &'static str,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) folder: String,
    pub(super) definition: Definition,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InitializationStrategy {
    None,
    PreferRemote,
    PreferWorkspace,
}

impl Remote {
    fn new(key: &str) -> Self {
        Self { head: digest(&[key]), items: Tree::new() }
    }
}

fn not_connected() -> ApiError {
    ApiError::new(400, "WorkspaceNotConnectedToGit", "The workspace is not connected to git")
}

impl World {
    /// The connection of a workspace that can work with git now: connected, on an active capacity.
    fn git(&self, caller: Uuid, workspace: Uuid, least: Role) -> Result<(&Workspace, &Git), ApiError> {
        let workspace = self.workspace(caller, workspace, least)?;
        let git = workspace.git.as_ref().ok_or_else(not_connected)?;
        self.check_git_runs(workspace)?;
        Ok((workspace, git))
    }

    pub(super) fn initialized_git(
        &self,
        caller: Uuid,
        workspace: Uuid,
    ) -> Result<(&Workspace, &Git), ApiError> {
        let (workspace, git) = self.git(caller, workspace, Role::Contributor)?;
        match git.initialized {
            true => Ok((workspace, git)),
            false => {
                let message = "The git connection of the workspace is not initialized";
                Err(ApiError::new(400, "WorkspaceGitConnectionNotInitialized", message))
            }
        }
    }

    fn check_git_runs(&self, workspace: &Workspace) -> Result<(), ApiError> {
        self.check_runs(workspace, || {
            let message = "A workspace with a capacity assigned is required for the operation";
            ApiError::new(400, "WorkspaceHasNoCapacityAssigned", message)
        })
    }

    pub(super) fn git_mut(&mut self, caller: Uuid, workspace: Uuid) -> Result<&mut Git, ApiError> {
        self.workspace_mut(caller, workspace, Role::Contributor)?.git.as_mut().ok_or_else(not_connected)
    }

    /// The directory as it stands; one that nobody has committed to is empty.
    pub(crate) fn remote(&self, provider: &Provider) -> Remote {
        self.remotes.get(&provider.key).cloned().unwrap_or_else(|| Remote::new(&provider.key))
    }

    pub(crate) fn connect_git(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        provider: Provider,
        credentials: Option<Credentials>,
    ) -> Result<(), ApiError> {
        let target = self.workspace(caller, workspace, Role::Admin)?;
        if target.git.is_some() {
            let message = "The workspace is already connected to git";
            return Err(
                ApiError::new(409, "WorkspaceAlreadyConnectedToGit", message).about(workspace, "Workspace")
            );
        }
        self.check_git_runs(target)?;
        // Azure DevOps signs users on by itself when nothing else is said; GitHub does not.
        let credentials = credentials.unwrap_or(match provider.connection_kind {
            "AzureDevOpsSourceControl" => Credentials::Automatic,
            _ => Credentials::None,
        });
        self.check_credentials(caller, &provider, credentials)?;
        self.workspace_mut(caller, workspace, Role::Admin)?.git = Some(Git {
            provider,
            credentials,
            initialized: false,
            head: None,
            synced: None,
            seen: None,
            base: Tree::new(),
        });
        Ok(())
    }

    /// A service principal has no sign-on of its own at a git provider: it needs a connection.
    fn check_credentials(
        &self,
        caller: Uuid,
        provider: &Provider,
        credentials: Credentials,
    ) -> Result<(), ApiError> {
        match credentials {
            Credentials::Configured(id) => {
                let missing = |_| ApiError::not_found("ConnectionNotFound", id, "Connection");
                match self.connection(caller, id).map_err(missing)?.kind == provider.connection_kind {
                    true => Ok(()),
                    false => {
                        let message = "The connection does not match the git provider";
                        Err(ApiError::new(400, "ConnectionMismatch", message).about(id, "Connection"))
                    }
                }
            }
            _ if self.principal(caller).is_some_and(|known| known.kind == PrincipalKind::User) => Ok(()),
            _ => {
                let message = "The operation is not supported for the principal type";
                Err(ApiError::new(400, "PrincipalTypeNotSupported", message))
            }
        }
    }

    pub(crate) fn disconnect_git(&mut self, caller: Uuid, workspace: Uuid) -> Result<(), ApiError> {
        let workspace = self.workspace_mut(caller, workspace, Role::Admin)?;
        workspace.git.take().map(drop).ok_or_else(not_connected)
    }

    pub(crate) fn git_credentials(&self, caller: Uuid, workspace: Uuid) -> Result<Credentials, ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        target.git.as_ref().map(|git| git.credentials).ok_or_else(not_connected)
    }

    pub(crate) fn set_git_credentials(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        credentials: Credentials,
    ) -> Result<(), ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let git = target.git.as_ref().ok_or_else(not_connected)?;
        // Anybody may have none: <https://learn.microsoft.com/rest/api/fabric/core/git/update-my-git-credentials>.
        if credentials != Credentials::None {
            self.check_credentials(caller, &git.provider, credentials)?;
        }
        self.git_mut(caller, workspace)?.credentials = credentials;
        Ok(())
    }

    /// What initializing would ask for next: `None`, `CommitToGit` or `UpdateFromGit`.
    pub(crate) fn plan_initialization(
        &self,
        caller: Uuid,
        workspace: Uuid,
        strategy: InitializationStrategy,
    ) -> Result<&'static str, ApiError> {
        let (workspace, git) = self.git(caller, workspace, Role::Admin)?;
        if git.initialized {
            let message = "The git connection of the workspace is already initialized";
            return Err(ApiError::new(400, "WorkspaceGitConnectionAlreadyInitialized", message));
        }
        let (ours, theirs) = (tree_of(workspace), self.remote(&git.provider).items);
        match (ours.is_empty(), theirs.is_empty(), strategy) {
            _ if ours == theirs => Ok("None"),
            (false, true, _) => Ok("CommitToGit"),
            (true, false, _) => Ok("UpdateFromGit"),
            (_, _, InitializationStrategy::PreferRemote) => Ok("UpdateFromGit"),
            (_, _, InitializationStrategy::PreferWorkspace) => Ok("CommitToGit"),
            (_, _, InitializationStrategy::None) => {
                let message = "Both the workspace and the git directory have content: an initialization policy is required";
                Err(ApiError::new(400, "MissingInitializationPolicy", message))
            }
        }
    }

    /// Returns what is to be done next, the workspace's head and the directory's.
    pub(crate) fn initialize_git(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        strategy: InitializationStrategy,
    ) -> Result<(&'static str, Option<String>, String), ApiError> {
        let action = self.plan_initialization(caller, workspace, strategy)?;
        let (_, git) = self.git(caller, workspace, Role::Admin)?;
        let remote = self.remote(&git.provider);
        let now = self.now;
        let git = self.git_mut(caller, workspace)?;
        git.initialized = true;
        git.seen = Some(remote.head.clone());
        // A workspace that is preferred counts as based on what the directory holds: all that differs is its change.
        let prefers_workspace =
            strategy == InitializationStrategy::PreferWorkspace && action == "CommitToGit";
        if action == "None" || prefers_workspace {
            git.step(&remote, now);
        }
        Ok((action, git.head.clone(), remote.head))
    }

    /// The heads of both sides and what differs.
    pub(crate) fn git_status(
        &self,
        caller: Uuid,
        workspace: Uuid,
    ) -> Result<(Option<String>, String, Vec<Change>), ApiError> {
        let (workspace, git) = self.initialized_git(caller, workspace)?;
        let remote = self.remote(&git.provider);
        let changes = changes(workspace, &git.base, &tree_of(workspace), &remote.items);
        Ok((git.head.clone(), remote.head, changes))
    }
}

impl Git {
    pub(super) fn step(&mut self, remote: &Remote, now: OffsetDateTime) {
        self.head = Some(remote.head.clone());
        self.seen.clone_from(&self.head);
        self.base = remote.items.clone();
        self.synced = Some(now);
    }
}

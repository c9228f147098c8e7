//! The workspace's Git connection: connected, initialized, committed.
//!
//! <https://learn.microsoft.com/rest/api/fabric/core/git>

use selvedge_fabric_client::git::{
    self, Commit, CommitMode, ConflictPolicy, Connect, Connection, ConnectionState, Credentials, GitStatus,
    InitializationStrategy, Initialized, Provider, RequiredAction, Update,
};
use selvedge_fabric_client::{Accepted, ConnectionId, ResultKind, Started, WorkspaceId};
use selvedge_rollback::{Found, Progress, Undone};

use super::failure::{conflict, not_verified, once, operation, read};
use super::{Attempt, Fabric, Secrets, operation_text};
use crate::change::{Receipt, Ref, Undo};
use crate::repository::Place;

impl<S: Secrets> Fabric<S> {
    async fn git_connection(&self, workspace: WorkspaceId) -> Attempt<Connection> {
        self.client.send(git::connection(workspace)).await.map_err(read)
    }

    async fn git_status(&self, workspace: WorkspaceId) -> Attempt<GitStatus> {
        self.client.run(git::status(workspace)).await.map_err(read)
    }

    pub(super) async fn invert_connect_git(&self, workspace: &Ref<WorkspaceId>) -> Attempt<Undo> {
        if let Ref::Id(workspace) = workspace
            && let Some(provider) = self.git_connection(*workspace).await?.git_provider_details
        {
            return Err(conflict(format!(
                "the workspace was connected to {} since the plan was made",
                Place::from(&provider)
            )));
        }
        Ok(Undo::Disconnect)
    }

    pub(super) async fn connect_git(
        &self,
        workspace: WorkspaceId,
        provider: &Provider,
        connection: ConnectionId,
    ) -> Attempt<Progress<Receipt>> {
        let connect = Connect {
            git_provider_details: provider.clone(),
            my_git_credentials: Some(Credentials::ConfiguredConnection { connection_id: connection }),
        };
        self.client.send(git::connect(workspace, &connect)).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_git(&self, workspace: WorkspaceId, ours: &Provider) -> Attempt<Found<Receipt>> {
        Ok(match &self.git_connection(workspace).await?.git_provider_details {
            None => Found::Absent,
            Some(live) if Place::from(live) == Place::from(ours) => Found::Done(Receipt::Done),
            Some(live) => Found::Foreign(format!("the workspace is connected to {}", Place::from(live))),
        })
    }

    pub(super) async fn disconnect_git(&self, workspace: WorkspaceId, ours: &Provider) -> Attempt<Undone> {
        match &self.git_connection(workspace).await?.git_provider_details {
            None => return Ok(Undone::AlreadyGone),
            Some(live) if Place::from(live) != Place::from(ours) => {
                return Ok(Undone::Kept(format!(
                    "the workspace was connected to {} since",
                    Place::from(live)
                )));
            }
            Some(_) => {}
        }
        match self.client.send(git::disconnect(workspace).once()).await {
            Ok(()) => {}
            Err(error) if error.code().is_some_and(|code| code.as_str() == "WorkspaceNotConnectedToGit") => {}
            Err(error) => return Err(once(error)),
        }
        match &self.git_connection(workspace).await?.git_provider_details {
            None => Ok(Undone::Reversed),
            Some(_) => Err(not_verified("the workspace is still connected to Git")),
        }
    }

    /// Disconnects it for good.
    pub(super) async fn leave_git(
        &self,
        workspace: WorkspaceId,
        provider: &Provider,
    ) -> Attempt<Progress<Receipt>> {
        match self.disconnect_git(workspace, provider).await? {
            Undone::Kept(reason) => Err(conflict(reason)),
            _ => Ok(Progress::Done(Receipt::Done)),
        }
    }

    pub(super) async fn find_git_left(
        &self,
        workspace: WorkspaceId,
        provider: &Provider,
    ) -> Attempt<Found<Receipt>> {
        Ok(match &self.git_connection(workspace).await?.git_provider_details {
            None => Found::Done(Receipt::Done),
            Some(live) if Place::from(live) == Place::from(provider) => Found::Absent,
            Some(live) => Found::Foreign(format!("the workspace is connected to {}", Place::from(live))),
        })
    }

    pub(super) async fn initialize_git(
        &self,
        workspace: WorkspaceId,
        strategy: InitializationStrategy,
    ) -> Attempt<Progress<Receipt>> {
        let call = git::initialize(workspace, Some(strategy));
        match self.client.start(call).await.map_err(once)? {
            Started::Done(initialized) => may_go_on(&initialized, strategy).map(Progress::Done),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    pub(super) async fn git_initialized(
        &self,
        accepted: &Accepted,
        strategy: InitializationStrategy,
    ) -> Attempt<Receipt> {
        let initialized =
            self.client.wait::<Initialized>(accepted, ResultKind::Json).await.map_err(operation)?;
        may_go_on(&initialized, strategy)
    }

    pub(super) async fn find_git_initialized(&self, workspace: WorkspaceId) -> Attempt<Found<Receipt>> {
        let initialized = is_initialized(&self.git_connection(workspace).await?);
        Ok(if initialized { Found::Done(Receipt::Done) } else { Found::Absent })
    }

    pub(super) async fn commit_to_git(
        &self,
        workspace: WorkspaceId,
        comment: &str,
    ) -> Attempt<Progress<Receipt>> {
        let status = self.git_status(workspace).await?;
        if has_remote_changes(&status) {
            return Err(repository_holds_more());
        }
        if !has_workspace_changes(&status) {
            return Ok(Progress::Done(Receipt::Done));
        }
        let commit = Commit {
            mode: CommitMode::All,
            workspace_head: status.workspace_head,
            comment: Some(comment.to_owned()),
            items: Vec::new(),
        };
        match self.client.start(git::commit(workspace, &commit)).await.map_err(once)? {
            Started::Done(()) => Ok(Progress::Done(Receipt::Done)),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    /// `commit` is the one that was shown to whoever agreed: another is not taken over in its place.
    pub(super) async fn update_from_git(
        &self,
        workspace: WorkspaceId,
        commit: Option<&str>,
        conflicts: Option<ConflictPolicy>,
    ) -> Attempt<Progress<Receipt>> {
        let status = self.git_status(workspace).await?;
        if !has_remote_changes(&status) {
            return Ok(Progress::Done(Receipt::Done));
        }
        let Some(remote) = status.remote_commit_hash else {
            return Err(conflict("the repository has changes, and Fabric does not say of which commit"));
        };
        if let Some(shown) = commit.filter(|shown| *shown != remote) {
            return Err(conflict(format!("the repository has moved on since, from {shown} to {remote}")));
        }
        let update = Update {
            workspace_head: status.workspace_head,
            remote_commit_hash: remote,
            conflicts,
            // Who asked for the update was shown what it overwrites.
            allow_override: true,
        };
        match self.client.start(git::update(workspace, &update)).await.map_err(once)? {
            Started::Done(()) => Ok(Progress::Done(Receipt::Done)),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    pub(super) async fn find_update(&self, workspace: WorkspaceId) -> Attempt<Found<Receipt>> {
        let updated = !has_remote_changes(&self.git_status(workspace).await?);
        Ok(if updated { Found::Done(Receipt::Done) } else { Found::Absent })
    }

    /// A commit or an update has ended.
    pub(super) async fn git_synchronized(&self, accepted: &Accepted) -> Attempt<Receipt> {
        self.client.wait::<()>(accepted, ResultKind::None).await.map_err(operation)?;
        Ok(Receipt::Done)
    }

    pub(super) async fn find_commit(&self, workspace: WorkspaceId) -> Attempt<Found<Receipt>> {
        let committed = !has_workspace_changes(&self.git_status(workspace).await?);
        Ok(if committed { Found::Done(Receipt::Done) } else { Found::Absent })
    }
}

/// A repository that holds more than the workspace would lose it by a commit.
///
/// The step counts as not done then: undoing the connection takes back that it was initialized.
fn may_go_on(initialized: &Initialized, strategy: InitializationStrategy) -> Attempt<Receipt> {
    let will_commit = strategy == InitializationStrategy::PreferWorkspace;
    if will_commit && initialized.required_action == RequiredAction::UPDATE_FROM_GIT {
        Err(repository_holds_more())
    } else {
        Ok(Receipt::Done)
    }
}

fn repository_holds_more() -> super::Fail {
    conflict("the repository holds changes that the workspace does not: update the workspace from Git first")
}

pub(crate) fn is_initialized(connection: &Connection) -> bool {
    connection.git_connection_state == ConnectionState::INITIALIZED
}

pub(crate) fn has_workspace_changes(status: &GitStatus) -> bool {
    status.changes.iter().any(|change| change.workspace_change.is_some())
}

pub(crate) fn has_remote_changes(status: &GitStatus) -> bool {
    status.changes.iter().any(|change| change.remote_change.is_some())
}

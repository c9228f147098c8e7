//! The workspace's Git connection: connected, initialized, committed.
//!
//! <https://learn.microsoft.com/rest/api/fabric/core/git>

use selvedge_fabric_client::git::{
    self, Commit, CommitMode, Connect, Connection, ConnectionState, Credentials, GitStatus,
    InitializationStrategy, Initialized, Provider, RequiredAction,
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

    pub(super) async fn initialize_git(&self, workspace: WorkspaceId) -> Attempt<Progress<Receipt>> {
        // What is deployed comes from files here, not from the repository: the workspace wins.
        let call = git::initialize(workspace, Some(InitializationStrategy::PreferWorkspace));
        match self.client.start(call).await.map_err(once)? {
            Started::Done(initialized) => initialized_for_commit(&initialized).map(Progress::Done),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    pub(super) async fn git_initialized(&self, accepted: &Accepted) -> Attempt<Receipt> {
        let initialized =
            self.client.wait::<Initialized>(accepted, ResultKind::Json).await.map_err(operation)?;
        initialized_for_commit(&initialized)
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

    pub(super) async fn committed_to_git(&self, accepted: &Accepted) -> Attempt<Receipt> {
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
fn initialized_for_commit(initialized: &Initialized) -> Attempt<Receipt> {
    if initialized.required_action == RequiredAction::UPDATE_FROM_GIT {
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

fn has_remote_changes(status: &GitStatus) -> bool {
    status.changes.iter().any(|change| change.remote_change.is_some())
}

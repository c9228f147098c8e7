//! The assignment of a workspace to a capacity. The service accepts it and carries it out by itself.

use std::time::Duration;

use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{CapacityId, WorkspaceId};
use selvedge_rollback::{Failure, Found, Progress, Reach, Undone};
use tokio::time::Instant;

use super::failure::{once, read, unseen};
use super::{Attempt, Fabric, Fail, Secrets, TargetError};
use crate::change::{Receipt, Ref, Undo};

impl<S: Secrets> Fabric<S> {
    pub(super) async fn invert_assign_capacity(&self, workspace: &Ref<WorkspaceId>) -> Attempt<Undo> {
        let before = match workspace {
            Ref::Id(id) => self.client.send(workspaces::get(*id)).await.map_err(read)?.capacity_id,
            // It is a workspace that this transaction makes, without one.
            Ref::Step(_) => None,
        };
        Ok(Undo::RestoreCapacity { before })
    }

    pub(super) async fn assign_capacity(
        &self,
        workspace: WorkspaceId,
        capacity: CapacityId,
    ) -> Attempt<Progress<Receipt>> {
        let call = workspaces::assign_to_capacity(workspace, capacity).once();
        self.client.send(call).await.map_err(once)?;
        // The 202 names no operation: the workspace itself is looked at.
        Ok(Progress::Accepted(capacity.to_string()))
    }

    pub(super) async fn unassign_capacity(&self, workspace: WorkspaceId) -> Attempt<Progress<Receipt>> {
        let call = workspaces::unassign_from_capacity(workspace).once();
        self.client.send(call).await.map_err(once)?;
        Ok(Progress::Accepted(String::new()))
    }

    /// Waits until the workspace shows the capacity.
    pub(super) async fn capacity_assigned(
        &self,
        workspace: WorkspaceId,
        capacity: Option<CapacityId>,
    ) -> Attempt<Receipt> {
        let begun = Instant::now();
        let look = async || {
            let live = match self.client.send(workspaces::get(workspace)).await {
                Ok(live) => live,
                // It may have been made a moment ago.
                Err(error) if error.is_not_found() && begun.elapsed() <= self.patience.lag => {
                    return Ok(false);
                }
                Err(error) => return Err(unseen(error)),
            };
            if shows(&live, "Failed") {
                let error = TargetError::NotVerified("the capacity assignment failed".to_owned());
                return Err(Failure { error, reach: Reach::Sent, resend_after: None });
            }
            Ok(live.capacity_id == capacity && !shows(&live, "InProgress"))
        };
        if self.until(look).await? {
            return Ok(Receipt::Done);
        }
        Err(unfinished())
    }

    pub(super) async fn find_capacity(
        &self,
        workspace: WorkspaceId,
        capacity: Option<CapacityId>,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        let live = self.client.send(workspaces::get(workspace)).await.map_err(read)?;
        let is_moving = shows(&live, "InProgress");
        Ok(match (live.capacity_id, undo) {
            // While it is being moved it may be on none.
            (None, _) if is_moving => Found::Absent,
            (live, _) if live == capacity => Found::Done(Receipt::Done),
            (Some(live), Some(Undo::RestoreCapacity { before })) if Some(live) != *before => {
                Found::Foreign(format!("the workspace is on capacity {live}"))
            }
            _ => Found::Absent,
        })
    }

    pub(super) async fn restore_capacity(
        &self,
        workspace: WorkspaceId,
        ours: Option<CapacityId>,
        before: Option<CapacityId>,
    ) -> Attempt<Undone> {
        let look = async || self.client.send(workspaces::get(workspace)).await.map_err(read);
        let mut live = look().await?;
        // By an earlier sending of this, perhaps: what a workspace on the move shows is no answer yet.
        if shows(&live, "InProgress") {
            if !self.until(async || Ok(!shows(&look().await?, "InProgress"))).await? {
                return Err(unfinished());
            }
            live = look().await?;
        }
        let now = live.capacity_id;
        if now == before {
            return Ok(Undone::AlreadyGone);
        }
        if now != ours {
            return Ok(Undone::Kept("the workspace was assigned to another capacity since".to_owned()));
        }
        let call = match before {
            Some(before) => workspaces::assign_to_capacity(workspace, before),
            None => workspaces::unassign_from_capacity(workspace),
        };
        self.client.send(call.once()).await.map_err(once)?;
        match self.capacity_assigned(workspace, before).await {
            Ok(_) => Ok(Undone::Reversed),
            // What has failed can be sent again, and what did not come to an end looked for.
            Err(failure) if matches!(failure.error, TargetError::NotVerified(_)) => {
                Err(Failure { resend_after: Some(Duration::ZERO), ..failure })
            }
            Err(failure) => Err(failure),
        }
    }
}

fn unfinished() -> Fail {
    let error = TargetError::NotVerified("the capacity assignment did not come to an end".to_owned());
    Failure { error, reach: Reach::Pending, resend_after: None }
}

/// Whether the workspace shows this progress of its capacity assignment; the service has changed the case before.
fn shows(workspace: &Workspace, progress: &str) -> bool {
    workspace
        .capacity_assignment_progress
        .as_deref()
        .is_some_and(|shown| shown.eq_ignore_ascii_case(progress))
}

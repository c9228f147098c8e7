//! Role assignments. The assignment's id is the principal's, so one is read by it: lists may leave some out.

use std::time::Duration;

use selvedge_fabric_client::roles::{self, Principal, PrincipalType};
use selvedge_fabric_client::{ErrorCode, PrincipalId, WorkspaceId};
use selvedge_rollback::{Failure, Found, Progress, Reach, Undone};

use super::failure::{conflict, not_verified, once, read};
use super::{Attempt, Fabric, Secrets};
use crate::change::{Receipt, Undo};
use crate::desired::{PrincipalKind, Role};

fn kind_to_wire(kind: PrincipalKind) -> PrincipalType {
    match kind {
        PrincipalKind::User => PrincipalType::USER,
        PrincipalKind::Group => PrincipalType::GROUP,
        PrincipalKind::ServicePrincipal => PrincipalType::SERVICE_PRINCIPAL,
    }
}

/// How long a new principal mostly takes to be known everywhere, halved: there is more than one try.
const REPLICATION: Duration = Duration::from_secs(15);

impl<S: Secrets> Fabric<S> {
    async fn role_of(&self, workspace: WorkspaceId, principal: PrincipalId) -> Attempt<Option<Role>> {
        match self.client.send(roles::get(workspace, principal)).await {
            Ok(live) => Ok(Some(live.role)),
            Err(error) if error.is_not_found() => {
                self.workspace_is_readable(workspace).await?;
                Ok(None)
            }
            Err(error) => Err(read(error)),
        }
    }

    pub(super) async fn invert_add_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        role: Role,
    ) -> Attempt<Undo> {
        match self.role_of(workspace, principal).await? {
            None => Ok(Undo::Remove),
            // Whoever makes a workspace is its Admin from the start. What is there already is not ours to take away.
            Some(live) if live == role => Ok(Undo::Nothing),
            Some(live) => Err(conflict(format!("{principal} has the role {live} already"))),
        }
    }

    pub(super) async fn add_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        kind: PrincipalKind,
        role: Role,
    ) -> Attempt<Progress<Receipt>> {
        let call = roles::add(workspace, &Principal::new(principal, kind_to_wire(kind)), role);
        match self.client.send(call).await {
            Ok(_) => Ok(Progress::Done(Receipt::Done)),
            Err(error) if error.code() == Some(&ErrorCode::PRINCIPAL_ALREADY_HAS_ROLE) => {
                match self.role_of(workspace, principal).await? {
                    Some(live) if live == role => Ok(Progress::Done(Receipt::Done)),
                    _ => Err(once(error)),
                }
            }
            // A new one is not known to every part of the service at once. An object id that is wrong is asked for in vain.
            Err(error) if error.code() == Some(&ErrorCode::PRINCIPAL_NOT_FOUND) => {
                Err(Failure { reach: Reach::PutOff, resend_after: Some(REPLICATION), ..once(error) })
            }
            Err(error) => Err(once(error)),
        }
    }

    pub(super) async fn find_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        role: Role,
    ) -> Attempt<Found<Receipt>> {
        Ok(match self.role_of(workspace, principal).await? {
            None => Found::Absent,
            Some(live) if live == role => Found::Done(Receipt::Done),
            Some(live) => Found::Foreign(format!("{principal} has the role {live}")),
        })
    }

    pub(super) async fn remove_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        ours: Role,
    ) -> Attempt<Undone> {
        match self.role_of(workspace, principal).await? {
            None => return Ok(Undone::AlreadyGone),
            Some(live) if live != ours => {
                return Ok(Undone::Kept(format!("the role was changed since, to {live}")));
            }
            Some(_) => {}
        }
        match self.client.send(roles::delete(workspace, principal).once()).await {
            Ok(()) => {}
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(once(error)),
        }
        self.until_gone("role", async || Ok(self.role_of(workspace, principal).await?.is_none())).await?;
        Ok(Undone::Reversed)
    }

    pub(super) async fn invert_change_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
    ) -> Attempt<Undo> {
        match self.role_of(workspace, principal).await? {
            Some(before) => Ok(Undo::RestoreRole { before }),
            None => Err(conflict(format!("{principal} has lost its role since the plan was made"))),
        }
    }

    pub(super) async fn change_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        role: Role,
    ) -> Attempt<Progress<Receipt>> {
        let call = roles::update(workspace, principal, role);
        self.client.send(call.once()).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn take_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
    ) -> Attempt<Progress<Receipt>> {
        match self.client.send(roles::delete(workspace, principal).once()).await {
            Ok(()) => Ok(Progress::Done(Receipt::Done)),
            Err(error) if error.is_not_found() && self.role_of(workspace, principal).await?.is_none() => {
                Ok(Progress::Done(Receipt::Done))
            }
            Err(error) => Err(once(error)),
        }
    }

    pub(super) async fn find_role_gone(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        Ok(match (self.role_of(workspace, principal).await?, undo) {
            (None, _) => Found::Done(Receipt::Done),
            (Some(live), Some(Undo::RestoreRole { before })) if live != *before => {
                Found::Foreign(format!("{principal} has the role {live}"))
            }
            _ => Found::Absent,
        })
    }

    pub(super) async fn give_role_back(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        kind: PrincipalKind,
        before: Role,
    ) -> Attempt<Undone> {
        match self.role_of(workspace, principal).await? {
            Some(live) if live == before => return Ok(Undone::AlreadyGone),
            Some(live) => return Ok(Undone::Kept(format!("the role {live} was given since"))),
            None => {}
        }
        self.add_role(workspace, principal, kind, before).await?;
        match self.role_of(workspace, principal).await? {
            Some(live) if live == before => Ok(Undone::Reversed),
            _ => Err(not_verified("the role that was given back is not there")),
        }
    }

    pub(super) async fn find_changed_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        role: Role,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        Ok(match (self.role_of(workspace, principal).await?, undo) {
            (Some(live), _) if live == role => Found::Done(Receipt::Done),
            (Some(live), Some(Undo::RestoreRole { before })) if live != *before => {
                Found::Foreign(format!("{principal} has the role {live}"))
            }
            (None, Some(_)) => Found::Foreign(format!("{principal} has no role any more")),
            _ => Found::Absent,
        })
    }

    pub(super) async fn restore_role(
        &self,
        workspace: WorkspaceId,
        principal: PrincipalId,
        ours: Role,
        before: Role,
    ) -> Attempt<Undone> {
        match self.role_of(workspace, principal).await? {
            Some(live) if live == before => return Ok(Undone::AlreadyGone),
            Some(live) if live == ours => {}
            Some(live) => return Ok(Undone::Kept(format!("the role was changed since, to {live}"))),
            None => return Ok(Undone::Kept("the role was taken away since".to_owned())),
        }
        self.change_role(workspace, principal, before).await?;
        if self.role_of(workspace, principal).await? == Some(before) {
            Ok(Undone::Reversed)
        } else {
            Err(not_verified("the role does not show what was put back"))
        }
    }
}

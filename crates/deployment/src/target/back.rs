//! What became of a change, and its reversal: which of the parts it takes.

use selvedge_rollback::{Call, Failure, Found, Undone};

use super::{Attempt, Fabric, Secrets, TargetError};
use crate::change::{Change, Receipt, Undo};

impl<S: Secrets> Fabric<S> {
    /// Whether nothing is found because the workspace that this transaction made is gone, and with it all that was in it.
    pub(super) async fn went_along(&self, call: Call<'_, Self>, failure: &Failure<TargetError>) -> bool {
        let made = call.receipts.values().find_map(|receipt| match receipt {
            Receipt::Workspace { id } => Some(*id),
            _ => None,
        });
        match (made, &failure.error) {
            (Some(id), TargetError::Fabric(error)) if error.is_not_found() => {
                self.back().workspace_stays_gone(id).await.unwrap_or(false)
            }
            _ => false,
        }
    }

    /// Reads back what became of a change.
    pub(super) async fn look(&self, call: Call<'_, Self>) -> Attempt<Found<Receipt>> {
        let back = self.back();
        match call.change {
            Change::CreateWorkspace { name, .. } => back.find_workspace(call, name).await,
            Change::DescribeWorkspace { workspace, description, .. } => {
                back.find_workspace_description(*workspace, description, call.undo).await
            }
            Change::RenameWorkspace { workspace, to, .. } => {
                back.find_workspace_name(*workspace, to, call.undo).await
            }
            Change::DeleteWorkspace { workspace, .. } => back.find_workspace_gone(*workspace).await,
            Change::AssignCapacity { workspace, capacity } => {
                back.find_capacity(back.id(call, workspace)?, Some(*capacity), call.undo).await
            }
            Change::UnassignCapacity { workspace, .. } => {
                back.find_capacity(*workspace, None, call.undo).await
            }
            Change::CreateFolder { workspace, parent, name, .. } => {
                back.find_folder(call, workspace, parent.as_ref(), name).await
            }
            Change::MoveFolder { workspace, folder, to, .. } => {
                let to = to.as_ref().map(|to| back.id(call, to)).transpose()?;
                back.find_folder_place(*workspace, *folder, to, call.undo).await
            }
            Change::DeleteFolder { workspace, folder, .. } => {
                back.find_folder_gone(*workspace, *folder).await
            }
            Change::RenameItem { workspace, item, to, .. } => {
                back.find_item_name(*workspace, *item, to, call.undo).await
            }
            Change::MoveItem { workspace, item, to, .. } => {
                let to = to.as_ref().map(|to| back.id(call, to)).transpose()?;
                back.find_item_place(*workspace, *item, to, call.undo).await
            }
            Change::DeleteItem { workspace, item, .. } => back.find_item_gone(*workspace, *item).await,
            Change::CreateItem { workspace, item_type, name, description, .. } => {
                let workspace = back.id(call, workspace)?;
                back.find_item(call, workspace, item_type, name, description.as_deref()).await
            }
            Change::DescribeItem { workspace, item, description, .. } => {
                back.find_item_description(*workspace, *item, description, call.undo).await
            }
            Change::UpdateDefinition { workspace, item, item_type, definition, .. } => {
                back.find_definition(*workspace, *item, item_type, definition, call.undo).await
            }
            Change::AddRole { workspace, principal, role, .. } => {
                back.find_role(back.id(call, workspace)?, *principal, *role).await
            }
            Change::ChangeRole { workspace, principal, role, .. } => {
                back.find_changed_role(*workspace, *principal, *role, call.undo).await
            }
            Change::RemoveRole { workspace, principal, .. } => {
                back.find_role_gone(*workspace, *principal, call.undo).await
            }
            Change::CreateConnection { name, url, .. } => back.find_connection(name, url).await,
            Change::ConnectGit { workspace, provider, .. } => {
                back.find_git(back.id(call, workspace)?, provider).await
            }
            Change::InitializeGit { workspace, .. } => {
                back.find_git_initialized(back.id(call, workspace)?).await
            }
            Change::UpdateFromGit { workspace, .. } => back.find_update(back.id(call, workspace)?).await,
            Change::DisconnectGit { workspace, provider } => back.find_git_left(*workspace, provider).await,
            Change::CommitToGit { workspace, .. } => back.find_commit(back.id(call, workspace)?).await,
            Change::PromoteItems(promotion) => back.find_promoted(promotion).await,
        }
    }

    /// Reverses a change that was made.
    pub(super) async fn take_back(
        &self,
        call: Call<'_, Self>,
        undo: &Undo,
        receipt: &Receipt,
    ) -> Attempt<Undone> {
        let back = self.back();
        match (call.change, undo, receipt) {
            (Change::CreateWorkspace { .. }, Undo::Remove, Receipt::Workspace { id }) => {
                back.remove_workspace(*id).await
            }
            (
                Change::DescribeWorkspace { workspace, description, .. },
                Undo::RestoreDescription { before },
                _,
            ) => back.restore_workspace_description(*workspace, description, before).await,
            (Change::AssignCapacity { workspace, capacity }, Undo::RestoreCapacity { before }, _) => {
                back.restore_capacity(back.id(call, workspace)?, Some(*capacity), *before).await
            }
            (Change::UnassignCapacity { workspace, .. }, Undo::RestoreCapacity { before }, _) => {
                back.restore_capacity(*workspace, None, *before).await
            }
            (Change::RenameWorkspace { workspace, to, .. }, Undo::RestoreName { before }, _) => {
                back.restore_workspace_name(*workspace, to, before).await
            }
            (Change::CreateFolder { workspace, .. }, Undo::Remove, Receipt::Folder { id }) => {
                back.remove_folder(back.id(call, workspace)?, *id).await
            }
            (Change::MoveFolder { workspace, folder, to, .. }, Undo::RestoreFolder { before }, _) => {
                let to = to.as_ref().map(|to| back.id(call, to)).transpose()?;
                back.restore_folder_place(*workspace, *folder, to, *before).await
            }
            (Change::MoveItem { workspace, item, to, .. }, Undo::RestoreFolder { before }, _) => {
                let to = to.as_ref().map(|to| back.id(call, to)).transpose()?;
                back.restore_item_place(*workspace, *item, to, *before).await
            }
            (Change::RenameItem { workspace, item, to, .. }, Undo::RestoreName { before }, _) => {
                back.restore_item_name(*workspace, *item, to, before).await
            }
            (Change::CreateItem { workspace, .. }, Undo::Remove, Receipt::Item { id }) => {
                back.remove_item(back.id(call, workspace)?, *id).await
            }
            (
                Change::DescribeItem { workspace, item, description, .. },
                Undo::RestoreDescription { before },
                _,
            ) => back.restore_item_description(*workspace, *item, description, before).await,
            (
                Change::UpdateDefinition { workspace, item, item_type, .. },
                Undo::RestoreDefinition { before },
                Receipt::Definition { after },
            ) => back.restore_definition(*workspace, *item, item_type, after, before).await,
            (Change::AddRole { workspace, principal, role, .. }, Undo::Remove, _) => {
                back.remove_role(back.id(call, workspace)?, *principal, *role).await
            }
            (Change::ChangeRole { workspace, principal, role, .. }, Undo::RestoreRole { before }, _) => {
                back.restore_role(*workspace, *principal, *role, *before).await
            }
            (
                Change::RemoveRole { workspace, principal, principal_kind, .. },
                Undo::RestoreRole { before },
                _,
            ) => back.give_role_back(*workspace, *principal, *principal_kind, *before).await,
            (Change::CreateConnection { .. }, Undo::Remove, Receipt::Connection { id }) => {
                back.remove_connection(*id).await
            }
            (Change::ConnectGit { workspace, provider, .. }, Undo::Disconnect, _) => {
                back.disconnect_git(back.id(call, workspace)?, provider).await
            }
            (Change::InitializeGit { .. } | Change::AddRole { .. }, Undo::Nothing, _) => Ok(Undone::Reversed),
            _ => Err(Failure::unsent(TargetError::CannotUndo(call.step))),
        }
    }
}

//! Items and folders that are there: given another name or another place, and removed.

use selvedge_fabric_client::folders;
use selvedge_fabric_client::items::{self, Update};
use selvedge_fabric_client::{Error, FolderId, ItemId, WorkspaceId};
use selvedge_rollback::{Found, Progress, Undone};

use super::failure::{conflict, not_verified, once, read};
use super::{Attempt, Fabric, Secrets, is_gone};
use crate::change::{Receipt, Undo};

/// What a place tells of a move: that it is made, that it is not, or that somebody else has moved it elsewhere.
fn moved(live: Option<FolderId>, to: Option<FolderId>, undo: Option<&Undo>) -> Found<Receipt> {
    match undo {
        _ if live == to => Found::Done(Receipt::Done),
        Some(Undo::RestoreFolder { before }) if live != *before => {
            Found::Foreign("somebody else has moved it".to_owned())
        }
        _ => Found::Absent,
    }
}

/// What is to be done about a move that is to be taken back, by where it is now: `None` is to move it back.
fn kept(live: Option<FolderId>, ours: Option<FolderId>, before: Option<FolderId>) -> Option<Undone> {
    match live {
        live if live == before => Some(Undone::AlreadyGone),
        live if live != ours => Some(Undone::Kept("it was moved elsewhere since".to_owned())),
        _ => None,
    }
}

impl<S: Secrets> Fabric<S> {
    pub(super) async fn invert_rename_item(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        name: &str,
    ) -> Attempt<Undo> {
        let before = self.client.send(items::get(workspace, id)).await.map_err(read)?.display_name;
        if before != name {
            return Err(conflict(format!("the item is called `{before}` by now")));
        }
        Ok(Undo::RestoreName { before })
    }

    pub(super) async fn rename_item(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        to: &str,
    ) -> Attempt<Progress<Receipt>> {
        let update = Update::named(to);
        self.client.send(items::update(workspace, id, &update).once()).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_item_name(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        name: &str,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        let live = self.client.send(items::get(workspace, id)).await.map_err(read)?.display_name;
        Ok(match undo {
            _ if live == name => Found::Done(Receipt::Done),
            Some(Undo::RestoreName { before }) if live != *before => {
                Found::Foreign(format!("the item is called `{live}`"))
            }
            _ => Found::Absent,
        })
    }

    pub(super) async fn restore_item_name(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        ours: &str,
        before: &str,
    ) -> Attempt<Undone> {
        let now = self.client.send(items::get(workspace, id)).await.map_err(read)?.display_name;
        if now == before {
            return Ok(Undone::AlreadyGone);
        }
        if now != ours {
            return Ok(Undone::Kept(format!("it was renamed since, to `{now}`")));
        }
        self.rename_item(workspace, id, before).await?;
        match self.find_item_name(workspace, id, before, None).await? {
            Found::Done(_) => Ok(Undone::Reversed),
            _ => Err(not_verified("the item does not show the name that was put back")),
        }
    }

    async fn item_place(&self, workspace: WorkspaceId, id: ItemId) -> Attempt<Option<FolderId>> {
        Ok(self.client.send(items::get(workspace, id)).await.map_err(read)?.folder_id)
    }

    pub(super) async fn invert_move_item(&self, workspace: WorkspaceId, id: ItemId) -> Attempt<Undo> {
        Ok(Undo::RestoreFolder { before: self.item_place(workspace, id).await? })
    }

    pub(super) async fn move_item(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        to: Option<FolderId>,
    ) -> Attempt<Progress<Receipt>> {
        self.client.send(items::move_to(workspace, id, to)).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_item_place(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        to: Option<FolderId>,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        Ok(moved(self.item_place(workspace, id).await?, to, undo))
    }

    pub(super) async fn restore_item_place(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        ours: Option<FolderId>,
        before: Option<FolderId>,
    ) -> Attempt<Undone> {
        if let Some(undone) = kept(self.item_place(workspace, id).await?, ours, before) {
            return Ok(undone);
        }
        self.move_item(workspace, id, before).await?;
        match self.item_place(workspace, id).await? == before {
            true => Ok(Undone::Reversed),
            false => Err(not_verified("the item is not in the folder that it was moved back to")),
        }
    }

    /// What is looked at before an item goes, and not only when the plan was made.
    pub(super) async fn invert_delete_item(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
        name: &str,
    ) -> Attempt<Undo> {
        let live = self.client.send(items::get(workspace, id)).await.map_err(read)?;
        if live.display_name != name || live.kind.as_str() != item_type {
            let problem = format!("the item is the {} `{}` by now", live.kind, live.display_name);
            return Err(conflict(problem));
        }
        Ok(Undo::Impossible)
    }

    pub(super) async fn delete_item(&self, workspace: WorkspaceId, id: ItemId) -> Attempt<Progress<Receipt>> {
        match self.client.send(items::delete(workspace, id, false).once()).await {
            Ok(()) => Ok(Progress::Done(Receipt::Done)),
            Err(error) => self.gone_along(workspace, error).await,
        }
    }

    pub(super) async fn find_item_gone(&self, workspace: WorkspaceId, id: ItemId) -> Attempt<Found<Receipt>> {
        let is_gone = is_gone(self.client.send(items::get(workspace, id)).await)?;
        self.found_gone(workspace, is_gone).await
    }

    async fn folder_place(&self, workspace: WorkspaceId, id: FolderId) -> Attempt<Option<FolderId>> {
        Ok(self.client.send(folders::get(workspace, id)).await.map_err(read)?.parent_folder_id)
    }

    pub(super) async fn invert_move_folder(&self, workspace: WorkspaceId, id: FolderId) -> Attempt<Undo> {
        Ok(Undo::RestoreFolder { before: self.folder_place(workspace, id).await? })
    }

    pub(super) async fn move_folder(
        &self,
        workspace: WorkspaceId,
        id: FolderId,
        to: Option<FolderId>,
    ) -> Attempt<Progress<Receipt>> {
        self.client.send(folders::move_to(workspace, id, to)).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_folder_place(
        &self,
        workspace: WorkspaceId,
        id: FolderId,
        to: Option<FolderId>,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        Ok(moved(self.folder_place(workspace, id).await?, to, undo))
    }

    pub(super) async fn restore_folder_place(
        &self,
        workspace: WorkspaceId,
        id: FolderId,
        ours: Option<FolderId>,
        before: Option<FolderId>,
    ) -> Attempt<Undone> {
        if let Some(undone) = kept(self.folder_place(workspace, id).await?, ours, before) {
            return Ok(undone);
        }
        self.move_folder(workspace, id, before).await?;
        match self.folder_place(workspace, id).await? == before {
            true => Ok(Undone::Reversed),
            false => Err(not_verified("the folder is not where it was moved back to")),
        }
    }

    /// That it is empty is the service's to say: it removes no other.
    pub(super) async fn invert_delete_folder(
        &self,
        workspace: WorkspaceId,
        id: FolderId,
        name: &str,
    ) -> Attempt<Undo> {
        let live = self.client.send(folders::get(workspace, id)).await.map_err(read)?.display_name;
        if live != name {
            return Err(conflict(format!("the folder is called `{live}` by now")));
        }
        Ok(Undo::Impossible)
    }

    pub(super) async fn delete_folder(
        &self,
        workspace: WorkspaceId,
        id: FolderId,
    ) -> Attempt<Progress<Receipt>> {
        match self.client.send(folders::delete(workspace, id).once()).await {
            Ok(()) => Ok(Progress::Done(Receipt::Done)),
            Err(error) => self.gone_along(workspace, error).await,
        }
    }

    pub(super) async fn find_folder_gone(
        &self,
        workspace: WorkspaceId,
        id: FolderId,
    ) -> Attempt<Found<Receipt>> {
        let is_gone = is_gone(self.client.send(folders::get(workspace, id)).await)?;
        self.found_gone(workspace, is_gone).await
    }

    /// A removal that finds nothing has nothing to do, where the workspace can be read.
    async fn gone_along(&self, workspace: WorkspaceId, error: Error) -> Attempt<Progress<Receipt>> {
        if !error.is_not_found() {
            return Err(once(error));
        }
        self.workspace_is_readable(workspace).await?;
        Ok(Progress::Done(Receipt::Done))
    }

    async fn found_gone(&self, workspace: WorkspaceId, is_gone: bool) -> Attempt<Found<Receipt>> {
        if !is_gone {
            return Ok(Found::Absent);
        }
        self.workspace_is_readable(workspace).await?;
        Ok(Found::Done(Receipt::Done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r14_what_somebody_else_has_moved_since_is_told_and_kept() {
        let folder = |id: u128| Some(FolderId(uuid::Uuid::from_u128(id)));
        let undo = Undo::RestoreFolder { before: folder(1) };
        assert_eq!(moved(folder(2), folder(2), Some(&undo)), Found::Done(Receipt::Done));
        assert_eq!(moved(folder(1), folder(2), Some(&undo)), Found::Absent);
        assert!(matches!(moved(None, folder(2), Some(&undo)), Found::Foreign(_)));
        assert_eq!(moved(None, None, Some(&undo)), Found::Done(Receipt::Done));

        assert_eq!(kept(folder(2), folder(2), folder(1)), None);
        assert_eq!(kept(folder(1), folder(2), folder(1)), Some(Undone::AlreadyGone));
        assert!(matches!(kept(None, folder(2), folder(1)), Some(Undone::Kept(_))));
    }
}

//! Folders. They have no description, so no marker: absence before the change tells ours from another's.

use selvedge_fabric_client::folders::{self, Folder};
use selvedge_fabric_client::{FolderId, WorkspaceId};
use selvedge_rollback::{Call, Found, Progress, Undone};

use super::failure::{conflict, idempotent, once, read};
use super::{Attempt, Fabric, Secrets, is_gone};
use crate::change::{Receipt, Ref, Undo};

impl<S: Secrets> Fabric<S> {
    async fn folder_at(
        &self,
        workspace: WorkspaceId,
        parent: Option<FolderId>,
        name: &str,
    ) -> Attempt<Option<Folder>> {
        let all = self.client.list_all(folders::list(workspace)).await.map_err(read)?;
        Ok(all.into_iter().find(|live| {
            live.parent_folder_id == parent && live.display_name.to_lowercase() == name.to_lowercase()
        }))
    }

    pub(super) async fn invert_create_folder(
        &self,
        workspace: &Ref<WorkspaceId>,
        parent: Option<&Ref<FolderId>>,
        name: &str,
    ) -> Attempt<Undo> {
        // What is made in something that this transaction makes cannot have been there before.
        let existing_place = match (workspace, parent) {
            (Ref::Id(workspace), None) => Some((*workspace, None)),
            (Ref::Id(workspace), Some(Ref::Id(parent))) => Some((*workspace, Some(*parent))),
            _ => None,
        };
        if let Some((workspace, parent)) = existing_place
            && self.folder_at(workspace, parent, name).await?.is_some()
        {
            return Err(conflict(format!("a folder `{name}` has appeared since the plan was made")));
        }
        Ok(Undo::Remove)
    }

    pub(super) async fn create_folder(
        &self,
        call: Call<'_, Self>,
        workspace: &Ref<WorkspaceId>,
        parent: Option<&Ref<FolderId>>,
        name: &str,
    ) -> Attempt<Progress<Receipt>> {
        let new = folders::New {
            display_name: name.to_owned(),
            parent_folder_id: parent.map(|parent| self.id(call, parent)).transpose()?,
        };
        let made = self.client.send(folders::create(self.id(call, workspace)?, &new)).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Folder { id: made.id }))
    }

    pub(super) async fn find_folder(
        &self,
        call: Call<'_, Self>,
        workspace: &Ref<WorkspaceId>,
        parent: Option<&Ref<FolderId>>,
        name: &str,
    ) -> Attempt<Found<Receipt>> {
        let parent = parent.map(|parent| self.id(call, parent)).transpose()?;
        Ok(match self.folder_at(self.id(call, workspace)?, parent, name).await? {
            Some(live) => Found::Done(Receipt::Folder { id: live.id }),
            None => Found::Absent,
        })
    }

    pub(super) async fn remove_folder(&self, workspace: WorkspaceId, id: FolderId) -> Attempt<Undone> {
        match self.client.send(folders::delete(workspace, id)).await {
            Ok(()) => {}
            Err(error) if error.is_not_found() => {
                self.workspace_is_readable(workspace).await?;
                return Ok(Undone::AlreadyGone);
            }
            Err(error) if error.code().is_some_and(|code| code.as_str() == "FolderNotEmpty") => {
                return Ok(Undone::Kept("it holds something that this deployment did not make".to_owned()));
            }
            Err(error) => return Err(idempotent(error)),
        }
        let gone = async || is_gone(self.client.send(folders::get(workspace, id)).await);
        self.until_gone("folder", gone).await?;
        Ok(Undone::Reversed)
    }
}

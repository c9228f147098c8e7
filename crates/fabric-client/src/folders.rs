//! Folders of a workspace.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/folders>.

use crate::{Call, FolderId, Paged, WorkspaceId, workspaces};
use serde::{Deserialize, Serialize};

/// A folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Folder {
    /// Its id.
    pub id: FolderId,
    /// Its name, unique among its siblings.
    pub display_name: String,
    /// The folder it is in; absent at the top.
    pub parent_folder_id: Option<FolderId>,
    /// The workspace it is in.
    pub workspace_id: Option<WorkspaceId>,
}

/// A folder to be created.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct New {
    /// Its name.
    pub display_name: String,
    /// The folder to put it in; `None` for the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_folder_id: Option<FolderId>,
}

/// Where something is to be moved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Move {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_folder_id: Option<FolderId>,
}

/// All folders of a workspace, at every depth.
#[must_use]
pub fn list(workspace: WorkspaceId) -> Paged<Folder> {
    Paged::value("folders.list", path(workspace))
}

/// Creates a folder.
#[must_use]
pub fn create(workspace: WorkspaceId, folder: &New) -> Call<Folder> {
    Call::post("folders.create", path(workspace)).json(folder)
}

/// Reads a folder.
#[must_use]
pub fn get(workspace: WorkspaceId, folder: FolderId) -> Call<Folder> {
    Call::get("folders.get", format!("{}/{folder}", path(workspace)))
}

/// Deletes a folder, which must be empty.
#[must_use]
pub fn delete(workspace: WorkspaceId, folder: FolderId) -> Call<()> {
    Call::delete("folders.delete", format!("{}/{folder}", path(workspace)))
}

/// Moves a folder, with all that is in it, into `target`; `None` for the top.
#[must_use]
pub fn move_to(workspace: WorkspaceId, folder: FolderId, target: Option<FolderId>) -> Call<Folder> {
    let path = format!("{}/{folder}/move", path(workspace));
    Call::post("folders.move", path).json(&Move { target_folder_id: target })
}

fn path(workspace: WorkspaceId) -> String {
    format!("{}/folders", workspaces::path(workspace))
}

//! `/v1/workspaces/{id}/folders`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call};
use crate::wire::{Incoming, Reply};
use crate::world::{ApiError, Folder, Role, Workspace, guid};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FolderBody {
    display_name: Option<String>,
    parent_folder_id: Option<Uuid>,
    target_folder_id: Option<Uuid>,
}

pub(super) fn route(call: &mut Call<'_>, workspace: Uuid, method: &str, rest: &[&str]) -> Answer {
    let (caller, request) = (call.caller, call.request);
    match (method, rest) {
        ("GET", []) => {
            let target = call.world().workspace(caller, workspace, Role::Viewer)?;
            let scope = Scope::read(request, target)?;
            let folders = target.folders.iter().filter(|folder| scope.holds(target, folder.parent));
            let listed = folders.map(|folder| folder_json(workspace, folder)).collect();
            call.list(listed)
        }
        ("POST", []) => {
            let body: FolderBody = request.parse()?;
            let name = body.display_name.unwrap_or_default();
            let folder = call.world().create_folder(caller, workspace, &name, body.parent_folder_id)?;
            call.created(folder.id, folder_json(workspace, &folder))
        }
        ("GET", [id]) => {
            let id = guid("folderId", id)?;
            let folder = call.world().workspace(caller, workspace, Role::Viewer)?.folder(id)?;
            Ok(Reply::json(200, folder_json(workspace, folder)))
        }
        ("PATCH", [id]) => {
            let id = guid("folderId", id)?;
            let name = request.parse::<FolderBody>()?.display_name.unwrap_or_default();
            let folder = call.world().rename_folder(caller, workspace, id, &name)?;
            Ok(Reply::json(200, folder_json(workspace, &folder)))
        }
        ("DELETE", [id]) => {
            call.world().delete_folder(caller, workspace, guid("folderId", id)?)?;
            Ok(Reply::empty(200))
        }
        ("POST", [id, "move"]) => {
            let id = guid("folderId", id)?;
            let target = request.parse::<FolderBody>()?.target_folder_id;
            let folder = call.world().move_folder(caller, workspace, id, target)?;
            Ok(Reply::json(200, folder_json(workspace, &folder)))
        }
        _ => call.unknown(),
    }
}

/// `rootFolderId` and `recursive` (true unless said otherwise) of a list.
pub(super) struct Scope {
    root: Option<Uuid>,
    recursive: bool,
}

impl Scope {
    pub(super) fn read(request: &Incoming, workspace: &Workspace) -> Result<Self, ApiError> {
        let root = match request.query("rootFolderId") {
            Some(root) => Some(workspace.folder(guid("rootFolderId", root)?)?.id),
            None => None,
        };
        Ok(Self { root, recursive: request.flag("recursive").unwrap_or(true) })
    }

    /// Whether what lies in `folder` belongs to the list.
    pub(super) fn holds(&self, workspace: &Workspace, folder: Option<Uuid>) -> bool {
        if self.recursive { workspace.is_below(folder, self.root) } else { folder == self.root }
    }
}

fn folder_json(workspace: Uuid, folder: &Folder) -> Value {
    let mut json = json!({"id": folder.id, "displayName": folder.display_name});
    if let Some(parent) = folder.parent {
        json["parentFolderId"] = json!(parent);
    }
    json["workspaceId"] = json!(workspace);
    json
}

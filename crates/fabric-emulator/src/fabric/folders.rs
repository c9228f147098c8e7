//! `/v1/workspaces/{id}/folders`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::wire::{Incoming, Reply, folder_id};
use crate::world::{ApiError, Folder, Role, Workspace, guid};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FolderBody {
    display_name: Option<String>,
    #[serde(default, deserialize_with = "folder_id")]
    parent_folder_id: Option<Uuid>,
    #[serde(default, deserialize_with = "folder_id")]
    target_folder_id: Option<Uuid>,
}

const ALL: &str = "/v1/workspaces/{workspaceId}/folders";
const ONE: &str = "/v1/workspaces/{workspaceId}/folders/{folderId}";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Recorded, list),
    Row::new("POST", ALL, Recorded, create),
    Row::new("GET", ONE, Recorded, get),
    Row::new("PATCH", ONE, Recorded, rename),
    Row::new("DELETE", ONE, Recorded, delete),
    Row::new("POST", "/v1/workspaces/{workspaceId}/folders/{folderId}/move", Recorded, move_to),
];

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, request) = (call.caller, call.workspace()?, call.request);
    let target = call.world().workspace(caller, workspace, Role::Viewer)?;
    let scope = Scope::read(request, target)?;
    let folders = target.folders.iter().filter(|folder| scope.holds(target, folder.parent));
    let listed = folders.map(|folder| folder_json(workspace, folder)).collect();
    call.list(listed)
}

fn create(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: FolderBody = call.request.parse()?;
    let name = body.display_name.unwrap_or_default();
    let folder = call.world().create_folder(caller, workspace, &name, body.parent_folder_id)?;
    call.created(folder.id, folder_json(workspace, &folder))
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("folderId")?);
    let folder = call.world().workspace(caller, workspace, Role::Viewer)?.folder(id)?;
    Ok(Reply::json(200, folder_json(workspace, folder)))
}

fn rename(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("folderId")?);
    let name = call.request.parse::<FolderBody>()?.display_name.unwrap_or_default();
    let folder = call.world().rename_folder(caller, workspace, id, &name)?;
    Ok(Reply::json(200, folder_json(workspace, &folder)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("folderId")?);
    call.world().delete_folder(caller, workspace, id)?;
    Ok(Reply::empty(200))
}

fn move_to(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("folderId")?);
    let target = call.request.parse::<FolderBody>()?.target_folder_id;
    let folder = call.world().move_folder(caller, workspace, id, target)?;
    Ok(Reply::json(200, folder_json(workspace, &folder)))
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

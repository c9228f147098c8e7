//! Folders of a workspace: a tree of unique names, ten levels deep.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ApiError, Role, Workspace, World, same_name};

/// <https://learn.microsoft.com/fabric/fundamentals/workspaces-folders>
pub(super) const MAX_DEPTH: usize = 10;
const MAX_NAME: usize = 255;
const FORBIDDEN: &[char] = &['~', '"', '#', '.', '&', '*', ':', '<', '>', '?', '/', '\\', '{', '|', '}'];
const RESERVED: &[&str] = &["$recycle.bin", "recycled", "recycler"];

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Folder {
    pub(crate) id: Uuid,
    pub(crate) display_name: String,
    pub(crate) parent: Option<Uuid>,
}

impl Workspace {
    pub(crate) fn folder(&self, id: Uuid) -> Result<&Folder, ApiError> {
        let folder = self.folders.iter().find(|folder| folder.id == id);
        folder.ok_or_else(|| ApiError::not_found("FolderNotFound", id, "Folder"))
    }

    /// A folder and the ones it lies in, innermost first. Ends: parents are checked for loops when they are set.
    pub(crate) fn lineage(&self, folder: Option<Uuid>) -> impl Iterator<Item = &Folder> {
        let parent = |id: Option<Uuid>| self.folders.iter().find(|folder| Some(folder.id) == id);
        std::iter::successors(parent(folder), move |folder| parent(folder.parent))
    }

    /// The names from the root down to the folder, joined by slashes; empty for the root.
    pub(crate) fn folder_path(&self, folder: Option<Uuid>) -> String {
        let mut names: Vec<&str> = self.lineage(folder).map(|folder| folder.display_name.as_str()).collect();
        names.reverse();
        names.join("/")
    }

    /// Whether `folder` is inside `root`, at any depth; everything is inside no root.
    pub(crate) fn is_below(&self, folder: Option<Uuid>, root: Option<Uuid>) -> bool {
        root.is_none() || self.lineage(folder).any(|ancestor| Some(ancestor.id) == root)
    }

    fn child_folder(&self, parent: Option<Uuid>, name: &str) -> Option<&Folder> {
        self.folders.iter().find(|folder| folder.parent == parent && same_name(&folder.display_name, name))
    }

    fn check_folder_place(
        &self,
        name: &str,
        parent: Option<Uuid>,
        own: Option<Uuid>,
    ) -> Result<(), ApiError> {
        check_folder_name(name)?;
        if let Some(parent) = parent {
            self.folder(parent)?;
        }
        let below = own.map_or(0, |own| self.height(own));
        if self.lineage(parent).count() + 1 + below > MAX_DEPTH {
            return Err(ApiError::new(400, "FolderDepthOutOfRange", "The folder depth is out of range"));
        }
        match self.child_folder(parent, name) {
            Some(taken) if Some(taken.id) != own => {
                let message = "The folder display name is already in use";
                Err(ApiError::new(409, "FolderDisplayNameAlreadyInUse", message).about(taken.id, "Folder"))
            }
            _ => Ok(()),
        }
    }

    /// Levels below a folder.
    fn height(&self, folder: Uuid) -> usize {
        let children = self.folders.iter().filter(|child| child.parent == Some(folder));
        children.map(|child| 1 + self.height(child.id)).max().unwrap_or(0)
    }

    /// The folder at a path, made where it is missing: how a seed and an update from git name folders.
    pub(crate) fn folder_at(&mut self, path: &str) -> Result<Option<Uuid>, ApiError> {
        let mut at = None;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            at = match self.child_folder(at, name) {
                Some(folder) => Some(folder.id),
                None => {
                    self.check_folder_place(name, at, None)?;
                    let id = Uuid::new_v4();
                    self.folders.push(Folder { id, display_name: name.to_owned(), parent: at });
                    Some(id)
                }
            };
        }
        Ok(at)
    }
}

/// Whether Fabric accepts a folder name, parents and siblings aside.
pub(crate) fn check_folder_name(name: &str) -> Result<(), ApiError> {
    let wrong = name.is_empty()
        || name.trim() != name
        || name.chars().count() > MAX_NAME
        || name.contains(FORBIDDEN)
        || name.chars().any(char::is_control)
        || RESERVED.iter().any(|reserved| same_name(reserved, name));
    match wrong {
        true => Err(ApiError::new(400, "InvalidFolderDisplayName", "The folder display name is invalid")),
        false => Ok(()),
    }
}

impl World {
    pub(crate) fn create_folder(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        name: &str,
        parent: Option<Uuid>,
    ) -> Result<Folder, ApiError> {
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        workspace.check_folder_place(name, parent, None)?;
        let folder = Folder { id: Uuid::new_v4(), display_name: name.to_owned(), parent };
        workspace.folders.push(folder.clone());
        Ok(folder)
    }

    pub(crate) fn rename_folder(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        name: &str,
    ) -> Result<Folder, ApiError> {
        let parent = self.workspace(caller, workspace, Role::Contributor)?.folder(id)?.parent;
        self.place_folder(caller, workspace, Folder { id, display_name: name.to_owned(), parent })
    }

    pub(crate) fn move_folder(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        parent: Option<Uuid>,
    ) -> Result<Folder, ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let display_name = target.folder(id)?.display_name.clone();
        if target.is_below(parent, Some(id)) {
            let message = "A folder cannot be moved into itself or a folder below it";
            return Err(ApiError::new(400, "InfiniteFolderHierarchyLoop", message).about(id, "Folder"));
        }
        self.place_folder(caller, workspace, Folder { id, display_name, parent })
    }

    fn place_folder(&mut self, caller: Uuid, workspace: Uuid, place: Folder) -> Result<Folder, ApiError> {
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        workspace.check_folder_place(&place.display_name, place.parent, Some(place.id))?;
        for folder in workspace.folders.iter_mut().filter(|folder| folder.id == place.id) {
            folder.display_name.clone_from(&place.display_name);
            folder.parent = place.parent;
        }
        Ok(place)
    }

    pub(crate) fn delete_folder(&mut self, caller: Uuid, workspace: Uuid, id: Uuid) -> Result<(), ApiError> {
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        workspace.folder(id)?;
        let holds_something = workspace.folders.iter().any(|folder| folder.parent == Some(id))
            || workspace.items.iter().any(|item| item.folder == Some(id));
        if holds_something {
            let message = "The requested folder was not empty.";
            return Err(ApiError::new(400, "FolderNotEmpty", message).about(id, "Folder"));
        }
        workspace.folders.retain(|folder| folder.id != id);
        Ok(())
    }
}

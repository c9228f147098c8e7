//! What transactions have marked and not finished, found without their journals.

use selvedge_fabric_client::items::ItemType;
use selvedge_fabric_client::{Client, ItemId, WorkspaceId, items, workspaces};
use selvedge_rollback::Marker;

use crate::target::TargetError;

/// Something that carries the marker of a transaction: one that is under way, was interrupted, or could not take it off.
#[derive(Clone, Debug, PartialEq)]
pub struct Stray {
    /// The workspace, or the one that it is in.
    pub workspace: WorkspaceId,
    /// Its display name.
    pub workspace_name: String,
    /// The item; `None` where it is the workspace itself.
    pub item: Option<StrayItem>,
    /// Who made it.
    pub marker: Marker,
}

/// An item that carries a marker.
#[derive(Clone, Debug, PartialEq)]
pub struct StrayItem {
    /// Its id.
    pub id: ItemId,
    /// Its type.
    pub kind: ItemType,
    /// Its display name.
    pub name: String,
}

/// What was found, and where that was looked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Looked {
    /// What carries a marker.
    pub strays: Vec<Stray>,
    /// The names of the workspaces that were looked through.
    pub workspaces: Vec<String>,
}

/// Looks through the workspaces that the caller sees and whose names are wanted for things with a marker. Only reads.
///
/// What carries no marker is not found: roles, folders, connections, and what was made without one because its own
/// description left no room.
///
/// # Errors
///
/// When something cannot be read. What was not looked at is not called clean.
pub async fn look(client: &Client, is_wanted: impl Fn(&str) -> bool) -> Result<Looked, TargetError> {
    let mut looked = Looked::default();
    let found = &mut looked.strays;
    for live in client.list_all(workspaces::list()).await? {
        if !is_wanted(&live.display_name) {
            continue;
        }
        looked.workspaces.push(live.display_name.clone());
        let stray = |item, marker| Stray {
            workspace: live.id,
            workspace_name: live.display_name.clone(),
            item,
            marker,
        };
        let marker = live.description.as_deref().and_then(Marker::at_end_of);
        found.extend(marker.map(|marker| stray(None, marker)));
        for item in client.list_all(items::list(live.id)).await? {
            if let Some(marker) = item.description.as_deref().and_then(Marker::at_end_of) {
                let item = StrayItem { id: item.id, kind: item.kind, name: item.display_name };
                found.push(stray(Some(item), marker));
            }
        }
    }
    Ok(looked)
}

//! Reads the live state: only reads, and only what the desired state has a word about.

use std::collections::HashMap;

use selvedge_fabric_client::folders::Folder;
use selvedge_fabric_client::{
    Client, Error, FolderId, WorkspaceId, capacities, connections, folders, git, items, roles, workspaces,
};

use crate::desired::Desired;
use crate::live::{
    Live, LiveCapacity, LiveConnection, LiveFolder, LiveGit, LiveItem, LiveRole, LiveWorkspace,
};
use crate::target::{TargetError, connection_path, from_wire, has_workspace_changes, is_initialized};

/// Reads what `desired` is to be compared with.
///
/// # Errors
///
/// When something cannot be read. A list of capacities or connections that the caller may not see counts as not read.
pub async fn read(client: &Client, desired: &Desired) -> Result<Live, TargetError> {
    let mut live = Live::default();
    let all = client.list_all(workspaces::list()).await?;
    let name = desired.workspace.name.to_lowercase();
    if desired.workspace.capacity.is_some() {
        live.capacities = allowed(client.list_all(capacities::list()).await)?
            .map(|all| all.into_iter().map(LiveCapacity::from).collect());
    }
    if let Some(found) = all.into_iter().find(|workspace| workspace.display_name.to_lowercase() == name) {
        let id = found.id;
        live.workspace = Some(LiveWorkspace {
            id,
            description: found.description.unwrap_or_default(),
            capacity: found.capacity_id,
        });
        live.folders = paths(client.list_all(folders::list(id)).await?);
        live.items = read_items(client, id, desired).await?;
        let assignments = client.list_all(roles::list(id)).await?;
        live.roles = assignments.into_iter().map(LiveRole::from).collect();
        if desired.git.is_some() {
            live.git = read_git(client, id).await?;
        }
    }
    if desired.git.as_ref().is_some_and(|git| git.connection.is_none()) && live.git.provider.is_none() {
        live.connections = read_connections(client).await?;
    }
    Ok(live)
}

/// Reads what [`crate::diff::connect`] builds on: a workspace's Git connection, and the connections that the caller may use.
///
/// # Errors
///
/// When something cannot be read. A list of connections that the caller may not see counts as not read.
pub async fn read_for_git(client: &Client, workspace: WorkspaceId) -> Result<Live, TargetError> {
    let git = read_git(client, workspace).await?;
    let live = Live { git, ..Live::default() };
    if live.git.provider.is_some() {
        Ok(live)
    } else {
        read_for_new(client).await.map(|new| Live { connections: new.connections, ..live })
    }
}

/// The same for a workspace that is yet to be made.
///
/// # Errors
///
/// As [`read_for_git`].
pub async fn read_for_new(client: &Client) -> Result<Live, TargetError> {
    Ok(Live { connections: read_connections(client).await?, ..Live::default() })
}

async fn read_connections(client: &Client) -> Result<Vec<LiveConnection>, TargetError> {
    let all = allowed(client.list_all(connections::list()).await)?.unwrap_or_default();
    Ok(all.into_iter().filter_map(git_connection).collect())
}

/// What the caller may not see is not read; anything else that goes wrong is an error.
fn allowed<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.status().is_some_and(|status| status == 403) => Ok(None),
        other => other.map(Some),
    }
}

impl From<roles::RoleAssignment> for LiveRole {
    fn from(given: roles::RoleAssignment) -> Self {
        let roles::Principal { id, kind, display_name, .. } = given.principal;
        Self { principal: id, kind: kind.to_string(), role: given.role, name: display_name }
    }
}

impl From<capacities::Capacity> for LiveCapacity {
    fn from(capacity: capacities::Capacity) -> Self {
        let active = capacity.is_active();
        Self { id: capacity.id, name: capacity.display_name, active }
    }
}

fn git_connection(connection: connections::Connection) -> Option<LiveConnection> {
    let kind = connection.connection_details.as_ref()?.kind.as_deref()?;
    // A connection of another kind may lead to the same address, and does not hold credentials for Git.
    if !matches!(kind, "GitHubSourceControl" | "AzureDevOpsSourceControl") {
        return None;
    }
    let path = connection_path(&connection)?.to_owned();
    Some(LiveConnection { id: connection.id, name: connection.display_name.unwrap_or_default(), path })
}

async fn read_items(
    client: &Client,
    workspace: WorkspaceId,
    desired: &Desired,
) -> Result<Vec<LiveItem>, TargetError> {
    let mut live = Vec::new();
    for item in client.list_all(items::list(workspace)).await? {
        let item_type = item.kind.to_string();
        // Read in the format it will be compared in.
        let wanted = desired.items.iter().find(|want| {
            want.kind == item_type && want.name.to_lowercase() == item.display_name.to_lowercase()
        });
        let definition = match wanted.and_then(|want| want.definition.as_ref()) {
            Some(wanted) => {
                let read = items::get_definition(workspace, item.id, wanted.format.as_deref());
                Some(from_wire(client.run(read).await?)?)
            }
            None => None,
        };
        live.push(LiveItem {
            id: item.id,
            item_type,
            name: item.display_name,
            description: item.description.unwrap_or_default(),
            folder: item.folder_id,
            definition,
        });
    }
    Ok(live)
}

async fn read_git(client: &Client, workspace: WorkspaceId) -> Result<LiveGit, TargetError> {
    let connection = client.send(git::connection(workspace)).await?;
    let initialized = is_initialized(&connection);
    let uncommitted = initialized
        && match client.run(git::status(workspace)).await {
            // Without a capacity it cannot be asked. What is committed already is not committed again.
            Err(error)
                if error.code().is_some_and(|code| code.as_str() == "WorkspaceHasNoCapacityAssigned") =>
            {
                true
            }
            status => has_workspace_changes(&status?),
        };
    Ok(LiveGit { provider: connection.git_provider_details, initialized, uncommitted })
}

/// Folders with their paths. One whose parents are not all listed has no path and is left out.
#[must_use]
pub fn paths(folders: Vec<Folder>) -> Vec<LiveFolder> {
    let by_id: HashMap<FolderId, &Folder> = folders.iter().map(|folder| (folder.id, folder)).collect();
    folders
        .iter()
        .filter_map(|folder| {
            let mut names = vec![folder.display_name.as_str()];
            let mut parent = folder.parent_folder_id;
            while let Some(id) = parent {
                let folder = by_id.get(&id)?;
                names.push(&folder.display_name);
                parent = folder.parent_folder_id;
                // A loop cannot come from Fabric, but it must not hang us either.
                if names.len() > folders.len() {
                    return None;
                }
            }
            names.reverse();
            Some(LiveFolder { id: folder.id, path: names.join("/") })
        })
        .collect()
}

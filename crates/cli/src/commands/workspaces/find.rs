//! What a word on the command line stands for: an id or a name. Nothing is guessed.

use selvedge_fabric_client::capacities::{self, Capacity};
use selvedge_fabric_client::roles::{self, RoleAssignment};
use selvedge_fabric_client::{Client, WorkspaceId, graph};

use crate::clients::Clients;
use crate::commands::find::missing;
pub(crate) use crate::commands::find::{unread, workspace, workspace_among, workspaces};

/// The capacity of this id or name.
pub(crate) async fn capacity(fabric: &Client, word: &str) -> anyhow::Result<Capacity> {
    let all = fabric.list_all(capacities::list()).await.map_err(unread)?;
    let lower = word.to_lowercase();
    let found: Vec<_> = all
        .iter()
        .filter(|one| one.id.to_string() == lower || one.display_name.to_lowercase() == lower)
        .collect();
    match &*found {
        [one] => Ok((*one).clone()),
        [] => {
            let names: Vec<_> = all.iter().map(|one| format!("{} ({})", one.display_name, one.id)).collect();
            missing(&format!("Capacity '{word}' not found"), format!("there are: {}", names.join(", ")))
        }
        several => {
            let ids: Vec<_> = several.iter().map(|one| one.id.to_string()).collect();
            missing(
                &format!("'{word}' is the name of several capacities"),
                format!("give one of {}", ids.join(", ")),
            )
        }
    }
}

/// Who has which role in a workspace.
pub(crate) async fn users(fabric: &Client, workspace: WorkspaceId) -> anyhow::Result<Vec<RoleAssignment>> {
    fabric.list_all(roles::list(workspace)).await.map_err(unread)
}

/// Whoever has the role in the workspace that this object id, e-mail address or name stands for.
pub(crate) async fn holder(
    clients: &Clients,
    workspace: WorkspaceId,
    word: &str,
) -> anyhow::Result<RoleAssignment> {
    let all = users(&clients.fabric, workspace).await?;
    let lower = word.to_lowercase();
    // Fabric tells no addresses; several people may share one.
    let mut ids = vec![lower.clone()];
    if word.contains('@') {
        let people = clients.graph.list_all(graph::users_by_address(word)).await.map_err(unread)?;
        ids.extend(people.into_iter().map(|one| one.id.to_string()));
    }
    let is_it = |one: &RoleAssignment| {
        ids.contains(&one.principal.id.to_string())
            || one.principal.display_name.as_ref().is_some_and(|name| name.to_lowercase() == lower)
    };
    let mut found: Vec<_> = all.into_iter().filter(is_it).collect();
    match (found.pop(), found.len()) {
        (Some(one), 0) => Ok(one),
        (Some(one), _) => {
            found.push(one);
            let ids: Vec<_> = found.iter().map(|one| one.principal.id.to_string()).collect();
            missing(&format!("'{word}' is the name of several"), format!("give one of {}", ids.join(", ")))
        }
        (None, _) => missing(
            &format!("'{word}' has no role in the workspace"),
            "see `selvedge workspaces list-users`; give the object id or the name that is listed".to_owned(),
        ),
    }
}

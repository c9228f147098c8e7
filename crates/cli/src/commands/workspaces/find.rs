//! What a word on the command line stands for: an id or a name. Nothing is guessed.

use anyhow::{Context as _, anyhow};
use selvedge_deployment::config::suggest;
use selvedge_fabric_client::capacities::{self, Capacity};
use selvedge_fabric_client::roles::{self, RoleAssignment};
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_fabric_client::{Client, Error, WorkspaceId, graph};

use crate::clients::Clients;
use crate::commands::deploy::prepare::not_read;
use crate::exit;
use crate::report::ExitWith;

/// A read has failed.
pub(crate) fn unread(error: Error) -> anyhow::Error {
    let with = not_read(&error);
    anyhow::Error::from(error).context(with)
}

/// All workspaces that this identity sees.
pub(crate) async fn workspaces(fabric: &Client) -> anyhow::Result<Vec<Workspace>> {
    fabric.list_all(workspaces::list()).await.map_err(unread)
}

/// The workspace of this id or name.
pub(crate) async fn workspace(fabric: &Client, word: &str) -> anyhow::Result<Workspace> {
    workspace_among(&workspaces(fabric).await?, word)
}

/// The one of this id or name among them.
pub(crate) fn workspace_among(all: &[Workspace], word: &str) -> anyhow::Result<Workspace> {
    let id = word.parse::<WorkspaceId>().ok();
    let is_it = |one: &&Workspace| match id {
        Some(id) => one.id == id,
        None => one.display_name.to_lowercase() == word.to_lowercase(),
    };
    let found: Vec<_> = all.iter().filter(is_it).collect();
    match &*found {
        [one] => return Ok((*one).clone()),
        [] => {}
        // Names are unique, but for those of personal workspaces.
        several => {
            let ids: Vec<_> = several.iter().map(|one| one.id.to_string()).collect();
            let problem = format!("'{word}' is the name of several workspaces");
            return missing(&problem, format!("give one of {}", ids.join(", ")));
        }
    }
    let near = suggest::nearest(word, all.iter().map(|one| &*one.display_name));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "see `selvedge workspaces list`".to_owned(),
    };
    missing(&format!("Workspace '{word}' not found, or this identity does not see it"), help)
}

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

fn missing<T>(problem: &str, help: String) -> anyhow::Result<T> {
    Err(anyhow!("{problem}")).context(ExitWith::new(exit::FAILED, "find what was named").help(help))
}

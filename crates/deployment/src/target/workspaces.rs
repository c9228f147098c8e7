//! Workspaces: made, described, removed.

use selvedge_fabric_client::WorkspaceId;
use selvedge_fabric_client::items::{self, ItemType};
use selvedge_fabric_client::workspaces::{self, Workspace};
use selvedge_rollback::{Call, Found, Marker, Progress, Undone};

use super::failure::{conflict, idempotent, not_verified, once, read};
use super::items::described;
use super::{Attempt, Fabric, Secrets, WORKSPACE_DESCRIPTION};
use crate::change::{Receipt, Undo};

impl<S: Secrets> Fabric<S> {
    async fn workspace_named(&self, name: &str) -> Attempt<Option<Workspace>> {
        let all = self.client.list_all(workspaces::list()).await.map_err(read)?;
        Ok(all.into_iter().find(|live| live.display_name.to_lowercase() == name.to_lowercase()))
    }

    /// A workspace of ours is gone where the service says so and still lets us list workspaces: a caller that lost its
    /// rights is told "not found" too.
    pub(super) async fn workspace_is_gone(&self, id: WorkspaceId) -> Attempt<bool> {
        match self.client.send(workspaces::get(id)).await {
            Ok(_) => Ok(false),
            Err(error) if error.is_not_found() => {
                let all = self.client.list_all(workspaces::list()).await.map_err(read)?;
                Ok(all.iter().all(|live| live.id != id))
            }
            Err(error) => Err(read(error)),
        }
    }

    /// A workspace of ours that nobody has removed here is gone where it is gone twice: reads may lag behind its creation.
    pub(super) async fn workspace_stays_gone(&self, id: WorkspaceId) -> Attempt<bool> {
        if !self.workspace_is_gone(id).await? {
            return Ok(false);
        }
        tokio::time::sleep(self.patience.lag).await;
        self.workspace_is_gone(id).await
    }

    /// A positive read of the workspace, without which "not found" about something in it proves nothing.
    pub(super) async fn workspace_is_readable(&self, id: WorkspaceId) -> Attempt<()> {
        self.client.send(workspaces::get(id)).await.map(drop).map_err(read)
    }

    /// Whether the caller is known to be an Admin of the workspace, who alone deletes for good. What cannot be read is not known.
    pub(super) async fn is_admin(&self, id: WorkspaceId) -> bool {
        let all = self.client.list_all(workspaces::list().query("roles", "Admin")).await;
        all.is_ok_and(|all| all.iter().any(|live| live.id == id))
    }

    pub(super) async fn invert_create_workspace(&self, call: Call<'_, Self>, name: &str) -> Attempt<Undo> {
        // Without a marker, only its absence now tells ours from another's later.
        if call.marker.is_none() && self.workspace_named(name).await?.is_some() {
            return Err(conflict(format!("a workspace `{name}` has appeared since the plan was made")));
        }
        Ok(Undo::Remove)
    }

    pub(super) async fn create_workspace(
        &self,
        call: Call<'_, Self>,
        name: &str,
        description: Option<&str>,
    ) -> Attempt<Progress<Receipt>> {
        let marked = call
            .marker
            .and_then(|marker| marker.append_to(description.unwrap_or_default(), WORKSPACE_DESCRIPTION));
        let new = workspaces::New {
            display_name: name.to_owned(),
            description: marked.or_else(|| description.map(str::to_owned)),
            capacity_id: None,
        };
        let made = self.client.send(workspaces::create(&new)).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Workspace { id: made.id }))
    }

    pub(super) async fn find_workspace(&self, call: Call<'_, Self>, name: &str) -> Attempt<Found<Receipt>> {
        Ok(match self.workspace_named(name).await? {
            None => Found::Absent,
            Some(live) => {
                let text = live.description.unwrap_or_default();
                match call.marker {
                    Some(marker) if !marker.is_on(&text) => {
                        Found::Foreign(format!("a workspace `{name}` that this deployment did not make"))
                    }
                    _ => Found::Done(Receipt::Workspace { id: live.id }),
                }
            }
        })
    }

    /// Removes a workspace of ours, unless somebody has put something into it.
    pub(super) async fn remove_workspace(&self, id: WorkspaceId) -> Attempt<Undone> {
        if self.before.as_ref().is_some_and(|before| before.workspace == id) {
            return Err(conflict(format!(
                "workspace {id} was there before the transaction, which cannot have made it"
            )));
        }
        let inside = match self.client.list_all(items::list(id)).await {
            Ok(inside) => inside,
            Err(error) if error.is_not_found() && self.workspace_stays_gone(id).await? => {
                return Ok(Undone::AlreadyGone);
            }
            // It is there after all, and what is in it will be, too.
            Err(error) if error.is_not_found() => {
                return Err(not_verified("what the workspace holds cannot be listed yet"));
            }
            Err(error) => return Err(read(error)),
        };
        let foreign: Vec<_> = inside
            .iter()
            .filter(|item| item.kind != ItemType::SQL_ENDPOINT)
            .map(|item| item.display_name.as_str())
            .collect();
        if !foreign.is_empty() {
            return Ok(Undone::Kept(format!(
                "it holds what this deployment did not make: {}",
                foreign.join(", ")
            )));
        }
        match self.client.send(workspaces::delete(id)).await {
            Ok(()) => {}
            Err(error) if error.is_not_found() && self.workspace_is_gone(id).await? => {
                return Ok(Undone::AlreadyGone);
            }
            Err(error) => return Err(idempotent(error)),
        }
        self.until_gone("workspace", async || self.workspace_is_gone(id).await).await?;
        Ok(Undone::Reversed)
    }

    pub(super) async fn invert_describe_workspace(&self, id: WorkspaceId) -> Attempt<Undo> {
        let live = self.client.send(workspaces::get(id)).await.map_err(read)?;
        Ok(Undo::RestoreDescription { before: live.description.unwrap_or_default() })
    }

    pub(super) async fn describe_workspace(&self, id: WorkspaceId, text: &str) -> Attempt<Progress<Receipt>> {
        let update = workspaces::Update::described(text);
        self.client.send(workspaces::update(id, &update).once()).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_workspace_description(
        &self,
        id: WorkspaceId,
        text: &str,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        let live = self.client.send(workspaces::get(id)).await.map_err(read)?;
        Ok(described(live.description.unwrap_or_default(), text, undo))
    }

    pub(super) async fn restore_workspace_description(
        &self,
        id: WorkspaceId,
        ours: &str,
        before: &str,
    ) -> Attempt<Undone> {
        let now = self.client.send(workspaces::get(id)).await.map_err(read)?.description.unwrap_or_default();
        if now == before {
            return Ok(Undone::AlreadyGone);
        }
        if now != ours {
            return Ok(Undone::Kept(format!("its description was changed since, to `{now}`")));
        }
        self.describe_workspace(id, before).await?;
        match self.find_workspace_description(id, before, None).await? {
            Found::Done(_) => Ok(Undone::Reversed),
            _ => Err(not_verified("the workspace's description does not show what was put back")),
        }
    }

    pub(super) async fn invert_rename_workspace(&self, id: WorkspaceId, name: &str) -> Attempt<Undo> {
        let before = self.client.send(workspaces::get(id)).await.map_err(read)?.display_name;
        if before != name {
            return Err(conflict(format!("the workspace is called `{before}` by now")));
        }
        Ok(Undo::RestoreName { before })
    }

    pub(super) async fn rename_workspace(&self, id: WorkspaceId, to: &str) -> Attempt<Progress<Receipt>> {
        let update = workspaces::Update { display_name: Some(to.to_owned()), description: None };
        self.client.send(workspaces::update(id, &update).once()).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_workspace_name(
        &self,
        id: WorkspaceId,
        name: &str,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        let live = self.client.send(workspaces::get(id)).await.map_err(read)?.display_name;
        Ok(match undo {
            _ if live == name => Found::Done(Receipt::Done),
            Some(Undo::RestoreName { before }) if live != *before => {
                Found::Foreign(format!("the workspace is called `{live}`"))
            }
            _ => Found::Absent,
        })
    }

    pub(super) async fn restore_workspace_name(
        &self,
        id: WorkspaceId,
        ours: &str,
        before: &str,
    ) -> Attempt<Undone> {
        let now = self.client.send(workspaces::get(id)).await.map_err(read)?.display_name;
        if now == before {
            return Ok(Undone::AlreadyGone);
        }
        if now != ours {
            return Ok(Undone::Kept(format!("it was renamed since, to `{now}`")));
        }
        self.rename_workspace(id, before).await?;
        match self.find_workspace_name(id, before, None).await? {
            Found::Done(_) => Ok(Undone::Reversed),
            _ => Err(not_verified("the workspace does not show the name that was put back")),
        }
    }

    /// What is looked at before a workspace goes for good, and not only when the plan was made.
    pub(super) async fn invert_delete_workspace(
        &self,
        id: WorkspaceId,
        name: &str,
        with_items: bool,
    ) -> Attempt<Undo> {
        let live = self.client.send(workspaces::get(id)).await.map_err(read)?.display_name;
        if live != name {
            return Err(conflict(format!("the workspace is called `{live}` by now")));
        }
        if !with_items && !self.client.list_all(items::list(id)).await.map_err(read)?.is_empty() {
            return Err(conflict("the workspace holds items by now"));
        }
        Ok(Undo::Impossible)
    }

    pub(super) async fn delete_workspace(&self, id: WorkspaceId) -> Attempt<Progress<Receipt>> {
        match self.client.send(workspaces::delete(id).once()).await {
            Ok(()) => Ok(Progress::Done(Receipt::Done)),
            Err(error) if error.is_not_found() && self.workspace_is_gone(id).await? => {
                Ok(Progress::Done(Receipt::Done))
            }
            Err(error) => Err(once(error)),
        }
    }

    pub(super) async fn find_workspace_gone(&self, id: WorkspaceId) -> Attempt<Found<Receipt>> {
        let is_gone = self.workspace_is_gone(id).await?;
        Ok(if is_gone { Found::Done(Receipt::Done) } else { Found::Absent })
    }

    pub(super) async fn unmark_workspace(&self, id: WorkspaceId, marker: &Marker, text: &str) -> Attempt<()> {
        let live = self.client.send(workspaces::get(id)).await.map_err(read)?;
        if marker.is_on(&live.description.unwrap_or_default()) {
            let update = workspaces::Update::described(text);
            self.client.send(workspaces::update(id, &update)).await.map_err(idempotent)?;
        }
        Ok(())
    }
}

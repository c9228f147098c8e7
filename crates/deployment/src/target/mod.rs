//! Fabric as the target of a transaction: how each change is made, read back and undone.

mod back;
mod capacity;
mod connections;
mod failure;
mod folders;
mod git;
mod items;
mod patience;
mod places;
mod promotion;
mod roles;
#[cfg(test)]
mod tests;
mod workspaces;

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use selvedge_fabric_client::{Accepted, Client, Error};
use selvedge_rollback::{Call, Failure, Found, Marker, Progress, Target, Undone};

pub(crate) use connections::path as connection_path;
pub use failure::TargetError;
pub(crate) use git::{has_workspace_changes, is_initialized};
pub use items::from_wire;
pub use patience::Patience;

use crate::change::{Change, Made, Receipt, Ref, Undo};
use crate::inventory::Inventory;

/// The longest description of an item, in characters.
const ITEM_DESCRIPTION: usize = 256;
/// The longest description of a workspace, in characters.
const WORKSPACE_DESCRIPTION: usize = 4000;

type Fail = Failure<TargetError>;
type Attempt<T> = Result<T, Fail>;

/// Gives the value of a secret that a change names.
pub trait Secrets: Send + Sync {
    /// The value, or `None` where there is no such secret.
    fn get(&self, name: &str) -> Option<SecretString>;
}

impl<F: Fn(&str) -> Option<SecretString> + Send + Sync> Secrets for F {
    fn get(&self, name: &str) -> Option<SecretString> {
        self(name)
    }
}

/// A Fabric tenant, as its API shows it to one principal.
pub struct Fabric<S> {
    client: Client,
    secrets: Arc<S>,
    patience: Patience,
    /// What must not be removed, whatever a journal says.
    before: Option<Arc<Inventory>>,
    /// The same, for what must not fail because the way forward did.
    back: Option<Box<Self>>,
}

impl<S: Secrets> Fabric<S> {
    /// The tenant behind `client`.
    pub fn new(client: Client, secrets: S, patience: Patience) -> Self {
        Self { client, secrets: Arc::new(secrets), patience, before: None, back: None }
    }

    /// The same tenant, with `client` for what follows a change that was sent: waiting for its end, reading it back and undoing it.
    /// Where it is not bound by a retry budget, or by the deadline of the way forward, a rollback is not either.
    #[must_use]
    pub fn back_through(mut self, client: Client) -> Self {
        let (secrets, patience, before) = (Arc::clone(&self.secrets), self.patience, self.before.clone());
        self.back = Some(Box::new(Self { client, secrets, patience, before, back: None }));
        self
    }

    /// Refuses to remove the workspace and the items that were there before, whatever a journal says.
    #[must_use]
    pub fn protecting(mut self, before: Option<&Inventory>) -> Self {
        self.before = before.cloned().map(Arc::new);
        if let Some(back) = &mut self.back {
            back.before = self.before.clone();
        }
        self
    }

    fn back(&self) -> &Self {
        self.back.as_deref().unwrap_or(self)
    }

    /// The id that a reference stands for.
    fn id<I: Made>(&self, call: Call<'_, Self>, reference: &Ref<I>) -> Attempt<I> {
        reference.resolve(call.receipts).ok_or_else(|| {
            let step = reference.step().unwrap_or(call.step);
            Failure::unsent(TargetError::NoReceipt(step))
        })
    }

    /// Looks until it is so, or patience ends: then it is not.
    async fn until<L>(&self, mut look: impl FnMut() -> L) -> Attempt<bool>
    where
        L: Future<Output = Attempt<bool>> + Send,
    {
        let deadline = tokio::time::Instant::now() + self.patience.deadline;
        let mut wait = self.patience.first;
        loop {
            if look().await? {
                return Ok(true);
            }
            if tokio::time::Instant::now() + wait > deadline {
                return Ok(false);
            }
            tokio::time::sleep(wait).await;
            wait = wait.saturating_mul(2).min(self.patience.longest);
        }
    }

    /// Verifies a removal: looks until the thing is gone.
    async fn until_gone<L>(&self, thing: &str, gone: impl FnMut() -> L) -> Attempt<()>
    where
        L: Future<Output = Attempt<bool>> + Send,
    {
        match self.until(gone).await? {
            true => Ok(()),
            false => Err(failure::not_verified(format!("the {thing} is still there after its removal"))),
        }
    }
}

/// What the answer to a look at a removed thing says: gone, there, or nothing.
fn is_gone<T>(answer: Result<T, Error>) -> Attempt<bool> {
    match answer {
        Ok(_) => Ok(false),
        Err(error) if error.is_not_found() => Ok(true),
        Err(error) => Err(failure::read(error)),
    }
}

/// What a transaction keeps of an accepted operation.
fn operation_text(accepted: &Accepted) -> Attempt<String> {
    serde_json::to_string(accepted).map_err(|error| Failure::unsent(TargetError::Operation(error)))
}

fn operation(text: &str) -> Attempt<Accepted> {
    serde_json::from_str(text).map_err(|error| Failure::unsent(TargetError::Operation(error)))
}

impl<S: Secrets> Target for Fabric<S> {
    type Change = Change;
    type Undo = Undo;
    type Receipt = Receipt;
    type Error = TargetError;

    fn reversible(&self, change: &Change) -> bool {
        change.reversible()
    }

    fn marks(&self, change: &Change, marker: &Marker) -> bool {
        let fits = |text: &Option<String>, limit| {
            marker.append_to(text.as_deref().unwrap_or_default(), limit).is_some()
        };
        match change {
            Change::CreateWorkspace { description, .. } => fits(description, WORKSPACE_DESCRIPTION),
            Change::CreateItem { description, .. } => fits(description, ITEM_DESCRIPTION),
            _ => false,
        }
    }

    fn in_flight(&self, change: &Change) -> Duration {
        let most = self.patience.in_flight;
        match change {
            Change::CreateItem { .. }
            | Change::UpdateDefinition { .. }
            | Change::AssignCapacity { .. }
            | Change::UnassignCapacity { .. }
            | Change::InitializeGit { .. }
            | Change::UpdateFromGit { .. }
            | Change::CommitToGit { .. }
            | Change::PromoteItems(_) => most,
            _ => most.min(Duration::from_secs(2 * 60)),
        }
    }

    fn undo_in_flight(&self, change: &Change, undo: &Undo) -> Duration {
        match (change, undo) {
            // What is given back by its id alone does no harm, however late.
            (Change::AddRole { .. }, Undo::Remove) => self.in_flight(change),
            (_, Undo::Remove | Undo::Nothing | Undo::Impossible) => Duration::ZERO,
            _ => self.in_flight(change),
        }
    }

    async fn invert(&self, call: Call<'_, Self>) -> Attempt<Undo> {
        match call.change {
            Change::CreateWorkspace { name, .. } => self.invert_create_workspace(call, name).await,
            Change::DescribeWorkspace { workspace, .. } => self.invert_describe_workspace(*workspace).await,
            Change::RenameWorkspace { workspace, name, .. } => {
                self.invert_rename_workspace(*workspace, name).await
            }
            Change::DeleteWorkspace { workspace, name, with_items } => {
                self.invert_delete_workspace(*workspace, name, *with_items).await
            }
            Change::AssignCapacity { workspace, .. } => self.invert_assign_capacity(workspace).await,
            Change::UnassignCapacity { workspace, .. } => {
                self.invert_assign_capacity(&Ref::Id(*workspace)).await
            }
            Change::CreateFolder { workspace, parent, name, .. } => {
                self.invert_create_folder(workspace, parent.as_ref(), name).await
            }
            Change::MoveFolder { workspace, folder, .. } => {
                self.invert_move_folder(*workspace, *folder).await
            }
            Change::DeleteFolder { workspace, folder, name, .. } => {
                self.invert_delete_folder(*workspace, *folder, name).await
            }
            Change::CreateItem { workspace, item_type, name, .. } => {
                self.invert_create_item(call, workspace, item_type, name).await
            }
            Change::RenameItem { workspace, item, name, .. } => {
                self.invert_rename_item(*workspace, *item, name).await
            }
            Change::MoveItem { workspace, item, .. } => self.invert_move_item(*workspace, *item).await,
            Change::DeleteItem { workspace, item, item_type, name } => {
                self.invert_delete_item(*workspace, *item, item_type, name).await
            }
            Change::DescribeItem { workspace, item, .. } => {
                self.invert_describe_item(*workspace, *item).await
            }
            Change::UpdateDefinition { workspace, item, item_type, .. } => {
                self.invert_update_definition(*workspace, *item, item_type).await
            }
            Change::AddRole { workspace, principal, role, .. } => {
                self.invert_add_role(self.id(call, workspace)?, *principal, *role).await
            }
            Change::ChangeRole { workspace, principal, .. } => {
                self.invert_change_role(*workspace, *principal).await
            }
            Change::RemoveRole { workspace, principal, .. } => {
                self.invert_change_role(*workspace, *principal).await
            }
            Change::CreateConnection { name, .. } => self.invert_create_connection(name).await,
            Change::ConnectGit { workspace, .. } => self.invert_connect_git(workspace).await,
            Change::InitializeGit { connected_by: Some(_), .. } => Ok(Undo::Nothing),
            Change::InitializeGit { .. }
            | Change::UpdateFromGit { .. }
            | Change::DisconnectGit { .. }
            | Change::CommitToGit { .. }
            | Change::PromoteItems(_) => Ok(Undo::Impossible),
        }
    }

    async fn execute(&self, call: Call<'_, Self>) -> Attempt<Progress<Receipt>> {
        match call.change {
            Change::CreateWorkspace { name, description } => {
                self.create_workspace(call, name, description.as_deref()).await
            }
            Change::DescribeWorkspace { workspace, description, .. } => {
                self.describe_workspace(*workspace, description).await
            }
            Change::RenameWorkspace { workspace, to, .. } => self.rename_workspace(*workspace, to).await,
            Change::DeleteWorkspace { workspace, .. } => self.delete_workspace(*workspace).await,
            Change::UnassignCapacity { workspace, .. } => self.unassign_capacity(*workspace).await,
            Change::AssignCapacity { workspace, capacity } => {
                self.assign_capacity(self.id(call, workspace)?, *capacity).await
            }
            Change::CreateFolder { workspace, parent, name, .. } => {
                self.create_folder(call, workspace, parent.as_ref(), name).await
            }
            Change::MoveFolder { workspace, folder, to, .. } => {
                let to = to.as_ref().map(|to| self.id(call, to)).transpose()?;
                self.move_folder(*workspace, *folder, to).await
            }
            Change::DeleteFolder { workspace, folder, .. } => self.delete_folder(*workspace, *folder).await,
            Change::RenameItem { workspace, item, to, .. } => self.rename_item(*workspace, *item, to).await,
            Change::MoveItem { workspace, item, to, .. } => {
                let to = to.as_ref().map(|to| self.id(call, to)).transpose()?;
                self.move_item(*workspace, *item, to).await
            }
            Change::DeleteItem { workspace, item, .. } => self.delete_item(*workspace, *item).await,
            Change::CreateItem { workspace, folder, item_type, name, description, definition } => {
                let folder = folder.as_ref().map(|folder| self.id(call, folder)).transpose()?;
                let new = items::new(
                    call.marker,
                    item_type,
                    name,
                    description.as_deref(),
                    folder,
                    definition.as_ref(),
                );
                self.create_item(self.id(call, workspace)?, &new).await
            }
            Change::DescribeItem { workspace, item, description, .. } => {
                self.describe_item(*workspace, *item, description).await
            }
            Change::UpdateDefinition { workspace, item, item_type, definition, .. } => {
                self.update_definition(call, *workspace, *item, item_type, definition).await
            }
            Change::AddRole { workspace, principal, principal_kind, role, .. } => {
                self.add_role(self.id(call, workspace)?, *principal, *principal_kind, *role).await
            }
            Change::ChangeRole { workspace, principal, role, .. } => {
                self.change_role(*workspace, *principal, *role).await
            }
            Change::RemoveRole { workspace, principal, .. } => self.take_role(*workspace, *principal).await,
            Change::CreateConnection { name, url, secret } => self.create_connection(name, url, secret).await,
            Change::ConnectGit { workspace, provider, connection } => {
                self.connect_git(self.id(call, workspace)?, provider, self.id(call, connection)?).await
            }
            Change::InitializeGit { workspace, strategy, .. } => {
                self.initialize_git(self.id(call, workspace)?, *strategy).await
            }
            Change::UpdateFromGit { workspace, commit, conflicts } => {
                self.update_from_git(self.id(call, workspace)?, commit.as_deref(), *conflicts).await
            }
            Change::DisconnectGit { workspace, provider } => self.leave_git(*workspace, provider).await,
            Change::CommitToGit { workspace, comment } => {
                self.commit_to_git(self.id(call, workspace)?, comment).await
            }
            Change::PromoteItems(promotion) => self.promote(promotion).await,
        }
    }

    async fn wait(&self, call: Call<'_, Self>, text: &str) -> Attempt<Receipt> {
        let back = self.back();
        match call.change {
            Change::AssignCapacity { workspace, capacity } => {
                back.capacity_assigned(back.id(call, workspace)?, Some(*capacity)).await
            }
            Change::UnassignCapacity { workspace, .. } => back.capacity_assigned(*workspace, None).await,
            Change::CreateItem { .. } => back.item_created(&operation(text)?).await,
            Change::UpdateDefinition { workspace, item, item_type, .. } => {
                back.definition_updated(call, *workspace, *item, item_type, &operation(text)?).await
            }
            Change::InitializeGit { strategy, .. } => {
                back.git_initialized(&operation(text)?, *strategy).await
            }
            Change::UpdateFromGit { .. } | Change::CommitToGit { .. } => {
                back.git_synchronized(&operation(text)?).await
            }
            Change::PromoteItems(promotion) => back.promoted(promotion, &operation(text)?).await,
            _ => Err(Failure::unsent(TargetError::NoOperation(call.step))),
        }
    }

    async fn reconcile(&self, call: Call<'_, Self>) -> Attempt<Found<Receipt>> {
        self.look(call).await.map_err(failure::with_patience)
    }

    async fn undo(&self, call: Call<'_, Self>, undo: &Undo, receipt: &Receipt) -> Attempt<Undone> {
        match self.take_back(call, undo, receipt).await {
            Err(failure) if self.went_along(call, &failure).await => Ok(Undone::AlreadyGone),
            taken => taken.map_err(failure::with_patience),
        }
    }

    async fn unmark(&self, call: Call<'_, Self>, receipt: &Receipt) -> Attempt<()> {
        let Some(marker) = call.marker else {
            return Ok(());
        };
        match (call.change, receipt) {
            (Change::CreateWorkspace { description, .. }, Receipt::Workspace { id }) => {
                self.unmark_workspace(*id, &marker, description.as_deref().unwrap_or_default()).await
            }
            (Change::CreateItem { workspace, description, .. }, Receipt::Item { id }) => {
                let text = description.as_deref().unwrap_or_default();
                self.unmark_item(self.id(call, workspace)?, *id, &marker, text).await
            }
            _ => Ok(()),
        }
    }
}

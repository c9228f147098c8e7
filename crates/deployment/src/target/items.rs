//! Items: made, described, rewritten, removed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use selvedge_fabric_client::items::{self, Item, ItemType};
use selvedge_fabric_client::{Accepted, FolderId, ItemId, ResultKind, Started, WorkspaceId};
use selvedge_rollback::{Call, Failure, Found, Marker, Progress, Undone};

use super::failure::{conflict, idempotent, new_operation, not_verified, once, operation, read};
use super::{Attempt, Fabric, ITEM_DESCRIPTION, Secrets, TargetError, is_gone, operation_text};
use crate::change::{Receipt, Ref, Undo};
use crate::definition::{Definition, Part, fullest_format};

/// What is sent to make an item.
pub(super) fn new(
    marker: Option<Marker>,
    item_type: &str,
    name: &str,
    description: Option<&str>,
    folder: Option<FolderId>,
    definition: Option<&Definition>,
) -> items::New {
    let marked =
        marker.and_then(|marker| marker.append_to(description.unwrap_or_default(), ITEM_DESCRIPTION));
    items::New {
        display_name: name.to_owned(),
        kind: ItemType::from(item_type),
        description: marked.or_else(|| description.map(str::to_owned)),
        folder_id: folder,
        definition: definition.map(to_wire),
        creation_payload: None,
    }
}

/// A definition as Fabric's API carries it.
pub(crate) fn to_wire(definition: &Definition) -> items::Definition {
    items::Definition {
        format: definition.format.clone(),
        parts: definition
            .parts
            .iter()
            .map(|part| items::Part::base64(&part.path, BASE64_STANDARD.encode(&part.bytes)))
            .collect(),
    }
}

/// A definition that Fabric's API carried.
///
/// # Errors
///
/// When a part is not base64.
pub fn from_wire(definition: items::Definition) -> Result<Definition, TargetError> {
    let parts = definition.parts.into_iter().map(|part| {
        let bytes = BASE64_STANDARD
            .decode(&part.payload)
            .map_err(|_| TargetError::NotVerified(format!("part `{}` is not base64", part.path)))?;
        Ok(Part { path: part.path, bytes })
    });
    Ok(Definition::new(definition.format, parts.collect::<Result<_, TargetError>>()?))
}

/// What a description tells of a change of it: that it is made, that it is not, or that somebody else has made another.
pub(super) fn described(live: String, ours: &str, undo: Option<&Undo>) -> Found<Receipt> {
    match undo {
        _ if live == ours => Found::Done(Receipt::Done),
        Some(Undo::RestoreDescription { before }) if live != *before => {
            Found::Foreign(format!("its description says `{live}`"))
        }
        _ => Found::Absent,
    }
}

impl<S: Secrets> Fabric<S> {
    async fn item_named(&self, workspace: WorkspaceId, item_type: &str, name: &str) -> Attempt<Option<Item>> {
        let all = self.client.list_all(items::list(workspace)).await.map_err(read)?;
        Ok(all.into_iter().find(|live| {
            live.kind.as_str() == item_type && live.display_name.to_lowercase() == name.to_lowercase()
        }))
    }

    pub(super) async fn invert_create_item(
        &self,
        call: Call<'_, Self>,
        workspace: &Ref<WorkspaceId>,
        item_type: &str,
        name: &str,
    ) -> Attempt<Undo> {
        // With a marker, ours can be told from another's at any time. Without, only by its absence now.
        if let (None, Ref::Id(workspace)) = (call.marker, workspace)
            && self.item_named(*workspace, item_type, name).await?.is_some()
        {
            return Err(conflict(format!("{item_type} `{name}` has appeared since the plan was made")));
        }
        Ok(Undo::Remove)
    }

    pub(super) async fn create_item(
        &self,
        workspace: WorkspaceId,
        new: &items::New,
    ) -> Attempt<Progress<Receipt>> {
        match self.client.start(items::create(workspace, new)).await.map_err(once)? {
            Started::Done(made) => Ok(Progress::Done(Receipt::Item { id: made.id })),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    pub(super) async fn item_created(&self, accepted: &Accepted) -> Attempt<Receipt> {
        let made: Item = self.client.wait(accepted, ResultKind::Json).await.map_err(operation)?;
        Ok(Receipt::Item { id: made.id })
    }

    pub(super) async fn find_item(
        &self,
        call: Call<'_, Self>,
        workspace: WorkspaceId,
        item_type: &str,
        name: &str,
        description: Option<&str>,
    ) -> Attempt<Found<Receipt>> {
        let Some(live) = self.item_named(workspace, item_type, name).await? else {
            return Ok(Found::Absent);
        };
        let says = live.description.unwrap_or_default();
        // Where there was no room for a marker, the description itself is all that tells ours.
        let is_ours =
            call.marker.map_or_else(|| says == description.unwrap_or_default(), |marker| marker.is_on(&says));
        Ok(if is_ours {
            Found::Done(Receipt::Item { id: live.id })
        } else {
            Found::Foreign(format!("{item_type} `{name}` that this deployment did not make"))
        })
    }

    /// Removes an item of ours for good, or into the recycle bin where the caller may do no more.
    pub(super) async fn remove_item(&self, workspace: WorkspaceId, id: ItemId) -> Attempt<Undone> {
        if self.before.as_ref().is_some_and(|before| before.items.contains_key(&id)) {
            return Err(conflict(format!(
                "item {id} was there before the transaction, which cannot have made it"
            )));
        }
        let gone = async || is_gone(self.client.send(items::get(workspace, id)).await);
        let recycled = |how: &str| {
            Undone::Recycled(format!("{how} be in the recycle bin: deleting for good needs the Admin role"))
        };
        let mut undone = Undone::Reversed;
        let mut answer = self.client.send(items::delete(workspace, id, true)).await;
        if answer.as_ref().is_err_and(|error| error.status().is_some_and(|status| status == 403)) {
            answer = self.client.send(items::delete(workspace, id, false)).await;
            undone = recycled("it may");
        }
        match answer {
            Ok(()) => {}
            Err(error) if error.is_not_found() => {
                if !cfg!(selvedge_bug = "trusts-a-404") {
                    self.workspace_is_readable(workspace).await?;
                }
                return Ok(match self.is_admin(workspace).await {
                    true => Undone::AlreadyGone,
                    false => recycled("it was gone already, and may"),
                });
            }
            // Its answer may have been lost alone. Another try would find nothing, and not tell where it went.
            Err(error) if !matches!(undone, Undone::Recycled(_)) || !gone().await? => {
                return Err(idempotent(error));
            }
            Err(_) => self.workspace_is_readable(workspace).await?,
        }
        self.until_gone("item", gone).await?;
        Ok(undone)
    }

    pub(super) async fn invert_describe_item(&self, workspace: WorkspaceId, id: ItemId) -> Attempt<Undo> {
        let live = self.client.send(items::get(workspace, id)).await.map_err(read)?;
        Ok(Undo::RestoreDescription { before: live.description.unwrap_or_default() })
    }

    pub(super) async fn describe_item(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        text: &str,
    ) -> Attempt<Progress<Receipt>> {
        let update = items::Update::described(text);
        self.client.send(items::update(workspace, id, &update).once()).await.map_err(once)?;
        Ok(Progress::Done(Receipt::Done))
    }

    pub(super) async fn find_item_description(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        text: &str,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        let live = self.client.send(items::get(workspace, id)).await.map_err(read)?;
        Ok(described(live.description.unwrap_or_default(), text, undo))
    }

    pub(super) async fn restore_item_description(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        ours: &str,
        before: &str,
    ) -> Attempt<Undone> {
        let live = self.client.send(items::get(workspace, id)).await.map_err(read)?;
        let now = live.description.unwrap_or_default();
        if now == before {
            return Ok(Undone::AlreadyGone);
        }
        if now != ours {
            return Ok(Undone::Kept(format!("its description was changed since, to `{now}`")));
        }
        self.describe_item(workspace, id, before).await?;
        match self.find_item_description(workspace, id, before, None).await? {
            Found::Done(_) => Ok(Undone::Reversed),
            _ => Err(not_verified("the item's description does not show what was put back")),
        }
    }

    pub(super) async fn unmark_item(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        marker: &Marker,
        text: &str,
    ) -> Attempt<()> {
        let live = self.client.send(items::get(workspace, id)).await.map_err(read)?;
        // Somebody may have described it in the meantime; theirs stays.
        if marker.is_on(&live.description.unwrap_or_default()) {
            let update = items::Update::described(text);
            self.client.send(items::update(workspace, id, &update)).await.map_err(idempotent)?;
        }
        Ok(())
    }

    async fn definition(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        format: Option<&str>,
    ) -> Attempt<Definition> {
        let answer = self.client.run(items::get_definition(workspace, id, format)).await.map_err(read)?;
        from_wire(answer).map_err(Failure::unsent)
    }

    /// What stands there, which must be something: overwriting it on the strength of an empty answer would lose it.
    pub(super) async fn invert_update_definition(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
    ) -> Attempt<Undo> {
        let before = self.definition(workspace, id, fullest_format(item_type)).await?;
        if before.parts.is_empty() && !cfg!(selvedge_bug = "accepts-an-empty-pre-image") {
            return Err(conflict("its present content could not be read, so it is not overwritten"));
        }
        Ok(Undo::RestoreDefinition { before })
    }

    pub(super) async fn update_definition(
        &self,
        call: Call<'_, Self>,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
        definition: &Definition,
    ) -> Attempt<Progress<Receipt>> {
        let update = items::update_definition(workspace, id, &to_wire(definition), false);
        match self.client.start(update.once()).await.map_err(once)? {
            Started::Done(()) => Ok(Progress::Done(self.written(call, workspace, id, item_type).await?)),
            Started::Accepted(accepted) => Ok(Progress::Accepted(operation_text(&accepted)?)),
        }
    }

    pub(super) async fn definition_updated(
        &self,
        call: Call<'_, Self>,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
        accepted: &Accepted,
    ) -> Attempt<Receipt> {
        self.client.wait::<()>(accepted, ResultKind::None).await.map_err(operation)?;
        self.written(call, workspace, id, item_type).await
    }

    /// What the service makes of what was written: it normalises, so an undo has to compare with this.
    async fn written(
        &self,
        call: Call<'_, Self>,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
    ) -> Attempt<Receipt> {
        let after = if call.recorded {
            let read = self.definition(workspace, id, fullest_format(item_type)).await;
            // The write has happened, whatever becomes of this read.
            read.map_err(|failure| Failure { reach: selvedge_rollback::Reach::Sent, ..failure })?.digest()
        } else {
            String::new()
        };
        Ok(Receipt::Definition { after })
    }

    pub(super) async fn find_definition(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
        definition: &Definition,
        undo: Option<&Undo>,
    ) -> Attempt<Found<Receipt>> {
        let live = self.definition(workspace, id, definition.format.as_deref()).await?;
        let ours = live.same_meaning(definition);
        let whole = self.definition(workspace, id, fullest_format(item_type)).await?;
        if !ours {
            let before = match undo {
                Some(Undo::RestoreDefinition { before }) => whole.same_meaning(before),
                _ => true,
            };
            return Ok(match before {
                true => Found::Absent,
                false => Found::Foreign("its content is neither ours nor what it was".to_owned()),
            });
        }
        Ok(Found::Done(Receipt::Definition { after: whole.digest() }))
    }

    pub(super) async fn restore_definition(
        &self,
        workspace: WorkspaceId,
        id: ItemId,
        item_type: &str,
        after: &str,
        before: &Definition,
    ) -> Attempt<Undone> {
        let format = fullest_format(item_type);
        let live = self.definition(workspace, id, format).await?;
        if live.same_meaning(before) {
            return Ok(Undone::AlreadyGone);
        }
        if live.digest() != after {
            return Ok(Undone::Kept("its content was changed since".to_owned()));
        }
        let update = items::update_definition(workspace, id, &to_wire(before), false);
        if let Started::Accepted(accepted) = self.client.start(update.once()).await.map_err(once)? {
            self.client.wait::<()>(&accepted, ResultKind::None).await.map_err(new_operation)?;
        }
        if self.definition(workspace, id, format).await?.same_meaning(before) {
            Ok(Undone::Reversed)
        } else {
            Err(not_verified("the item's content does not show what was put back"))
        }
    }
}

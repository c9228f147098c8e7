//! Items: unique by type and name in their workspace, soft-deleted, some with a child that goes with them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::definition::{default_definition, not_supported};
use super::item_type::{
    check_creatable, check_item_name, check_rename, child_type, needs_capacity, needs_definition,
};
use super::stored::{self, Word};
use super::workspaces::{Expected, Reservation};
use super::{
    ApiError, AppliedTag, Contents, Definition, DefinitionInput, Details, Role, Workspace, World,
    check_length, same_name,
};
use crate::clock::later;

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Item {
    pub(crate) id: Uuid,
    pub(crate) given_id: bool,
    /// The id that is the same in every workspace connected to the same git directory.
    pub(crate) logical_id: Uuid,
    #[serde(deserialize_with = "stored::item_type")]
    pub(crate) kind: Word,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) folder: Option<Uuid>,
    /// The item that this one came with and goes with.
    pub(crate) parent: Option<Uuid>,
    pub(crate) definition: Definition,
    pub(crate) details: Details,
    pub(crate) tags: Vec<AppliedTag>,
    pub(crate) contents: Contents,
    #[serde(with = "stored::time")]
    pub(crate) created: OffsetDateTime,
}

/// What a create asks for.
#[derive(Clone)]
pub(crate) struct NewItem {
    pub(crate) kind: &'static str,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) folder: Option<Uuid>,
    pub(crate) definition: Option<DefinitionInput>,
    pub(crate) creation_payload: Option<Value>,
}

#[derive(Clone, Default)]
pub(crate) struct ItemPatch {
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) properties: Option<Value>,
}

impl Workspace {
    pub(crate) fn item(&self, id: Uuid) -> Result<&Item, ApiError> {
        let item = self.items.iter().find(|item| item.id == id);
        item.ok_or_else(|| ApiError::not_found("ItemNotFound", id, "Item"))
    }

    pub(super) fn item_mut(&mut self, id: Uuid) -> Result<&mut Item, ApiError> {
        let item = self.items.iter_mut().find(|item| item.id == id);
        item.ok_or_else(|| ApiError::not_found("ItemNotFound", id, "Item"))
    }

    /// Adds an item without asking any rule. The child that its type brings comes after `delay`.
    pub(crate) fn put_item(&mut self, item: Item, delay: Duration) {
        if child_type(item.kind).is_some() {
            self.expecting.push(Expected { due: later(item.created, delay), parent: item.id });
        }
        let now = item.created;
        self.items.push(item);
        self.let_children_come(now);
    }

    /// A child is called and lies as its parent is and does when it comes; a parent that is gone has none.
    pub(super) fn let_children_come(&mut self, now: OffsetDateTime) {
        for Expected { due, parent } in std::mem::take(&mut self.expecting) {
            if due > now {
                self.expecting.push(Expected { due, parent });
            } else if let Some(child) = self.items.iter().find(|item| item.id == parent).and_then(Item::child)
            {
                self.items.push(Item { created: due, ..child });
            }
        }
    }

    /// Gives an item, and the children that are called after it, another name.
    pub(super) fn rename_item(&mut self, id: Uuid, name: &str) {
        let family = self.items.iter_mut().filter(|item| item.id == id || item.parent == Some(id));
        family.for_each(|item| name.clone_into(&mut item.display_name));
    }

    /// Takes an item and its children out of the workspace.
    pub(super) fn take_item(&mut self, id: Uuid) -> Vec<Item> {
        self.items.extract_if(.., |item| item.id == id || item.parent == Some(id)).collect()
    }
}

/// Whether an item may be of that type, name and description.
pub(super) fn check_new(kind: &str, display_name: &str, description: &str) -> Result<(), ApiError> {
    check_creatable(kind)?;
    check_item_name(kind, display_name)?;
    check_length("description", description, 256)
}

/// Whether an item has a definition and is there on its own account: a child comes with its parent, wherever that goes.
pub(super) fn stands_alone(item: &Item) -> bool {
    item.parent.is_none() && super::has_definition(item.kind)
}

/// Whether an item of one type and one of the other cannot have the same name: they are of one type, or the child
/// that one brings, at once or later, is of the type of the other or of its child.
pub(super) fn types_collide(one: &str, other: &str) -> bool {
    let types = |kind| [Some(kind), child_type(kind)];
    one == other
        || types(one)
            .into_iter()
            .flatten()
            .any(|kind| types(other).into_iter().flatten().any(|it| it == kind))
}

impl Item {
    /// Gives it another definition.
    pub(super) fn redefine(&mut self, definition: Definition) -> Result<(), ApiError> {
        self.details.follow(&definition)?;
        self.definition = definition;
        Ok(())
    }

    fn child(&self) -> Option<Self> {
        let kind = child_type(self.kind)?;
        Some(Self {
            id: Uuid::new_v4(),
            given_id: false,
            logical_id: Uuid::new_v4(),
            kind,
            display_name: self.display_name.clone(),
            description: String::new(),
            folder: self.folder,
            parent: Some(self.id),
            definition: default_definition(kind),
            details: Details::None,
            contents: Contents::default(),
            tags: Vec::new(),
            created: self.created,
        })
    }
}

impl NewItem {
    /// The item this asks for, with its definition in the stored form.
    pub(crate) fn into_item(self, now: OffsetDateTime) -> Result<Item, ApiError> {
        check_new(self.kind, &self.display_name, &self.description)?;
        let definition = match self.definition {
            Some(definition) => definition.read(self.kind)?.0,
            None if needs_definition(self.kind) => {
                return Err(ApiError::new(400, "MissingDefinition", "The item definition is missing"));
            }
            None => default_definition(self.kind),
        };
        let mut details = Details::new(self.kind, self.creation_payload, now)?;
        details.follow(&definition)?;
        Ok(Item {
            id: Uuid::new_v4(),
            given_id: false,
            logical_id: Uuid::new_v4(),
            kind: self.kind,
            display_name: self.display_name,
            description: self.description,
            folder: self.folder,
            parent: None,
            definition,
            details,
            tags: Vec::new(),
            contents: Contents::default(),
            created: now,
        })
    }
}

impl World {
    /// The item that a create would make now, if it would be accepted.
    pub(crate) fn new_item(&self, caller: Uuid, workspace: Uuid, new: NewItem) -> Result<Item, ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let item = new.into_item(self.now)?;
        self.check_item_runs(target, item.kind)?;
        self.check_item_limit(target, 1)?;
        self.check_item_fits(target, &item)?;
        Ok(item)
    }

    /// Whether there is room for so many more items.
    pub(super) fn check_item_limit(&self, workspace: &Workspace, more: usize) -> Result<(), ApiError> {
        if workspace.items.len() + workspace.recycle_bin.len() + more <= self.rules.max_items {
            return Ok(());
        }
        let message = "The workspace has reached its limit of items";
        Err(ApiError::new(400, "WorkspaceItemsLimitExceeded", message).about(workspace.id, "Workspace"))
    }

    /// Whether there is a place for the item under its name, whatever the capacity says.
    pub(crate) fn check_item_fits(&self, workspace: &Workspace, item: &Item) -> Result<(), ApiError> {
        if let Some(folder) = item.folder {
            workspace.folder(folder)?;
        }
        self.check_item_free(workspace, item.kind, &item.display_name, None)
    }

    pub(crate) fn create_item(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        new: NewItem,
    ) -> Result<Item, ApiError> {
        let item = self.new_item(caller, workspace, new)?;
        let delay = self.rules.child_delay;
        self.workspace_mut(caller, workspace, Role::Contributor)?.put_item(item.clone(), delay);
        Ok(item)
    }

    pub(super) fn check_item_runs(&self, workspace: &Workspace, kind: &str) -> Result<(), ApiError> {
        if !needs_capacity(kind) {
            return Ok(());
        }
        self.check_runs(workspace, || {
            ApiError::new(403, "FeatureNotAvailable", "The feature is not available")
                .because("WorkspaceHasNoCapacityAssigned", "The workspace has no capacity assigned")
        })
    }

    pub(super) fn check_item_free(
        &self,
        workspace: &Workspace,
        kind: &str,
        name: &str,
        own: Option<Uuid>,
    ) -> Result<(), ApiError> {
        let taken = workspace.items.iter().any(|item| {
            // Its own child goes with it.
            let is_other = own.is_none() || (Some(item.id) != own && item.parent != own);
            is_other && same_name(&item.display_name, name) && types_collide(item.kind, kind)
        });
        if taken {
            let message = format!("Requested '{name}' is already in use.");
            return Err(ApiError::new(400, "ItemDisplayNameAlreadyInUse", message).retriable(false));
        }
        let reserved = workspace.reserved.iter().any(|reserved| {
            types_collide(reserved.kind, kind) && same_name(&reserved.name, name) && reserved.until > self.now
        });
        match reserved {
            true => Err(ApiError::new(
                self.rules.reservation_status,
                "ItemDisplayNameNotAvailableYet",
                format!(
                    "Requested '{name}' is not available yet and is expected to become available in the upcoming minutes."
                ),
            )
            .retriable(true)),
            false => Ok(()),
        }
    }

    pub(crate) fn update_item(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        patch: ItemPatch,
    ) -> Result<Item, ApiError> {
        let target = self.workspace(caller, workspace, Role::Contributor)?;
        let item = target.item(id)?;
        if item.parent.is_some() {
            return Err(not_supported().about(id, "Item"));
        }
        if let Some(name) = &patch.display_name {
            check_rename(item.kind, &item.display_name, name)?;
            check_item_name(item.kind, name)?;
            self.check_item_free(target, item.kind, name, Some(id))?;
        }
        check_length("description", patch.description.as_deref().unwrap_or_default(), 256)?;
        let mut details = patch.properties.is_some().then(|| item.details.clone());
        if let (Some(details), Some(properties)) = (&mut details, patch.properties) {
            details.patch(properties, &item.definition)?;
        }
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        if let Some(name) = patch.display_name {
            workspace.rename_item(id, &name);
        }
        let item = workspace.item_mut(id)?;
        item.description = patch.description.unwrap_or_else(|| std::mem::take(&mut item.description));
        if let Some(details) = details {
            item.details = details;
        }
        Ok(item.clone())
    }

    /// Moves items, with the children that go with them, into a folder or to the root; all of them or none.
    pub(crate) fn move_items(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        ids: &[Uuid],
        target: Option<Uuid>,
    ) -> Result<Vec<Item>, ApiError> {
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        if let Some(target) = target {
            workspace.folder(target)?;
        }
        for id in ids {
            if workspace.item(*id)?.parent.is_some_and(|parent| !ids.contains(&parent)) {
                let message = "The item can only be moved together with the item it belongs to";
                return Err(ApiError::new(400, "CannotMoveChildOnly", message).about(id, "Item"));
            }
        }
        let goes = |item: &Item| ids.contains(&item.id) || item.parent.is_some_and(|it| ids.contains(&it));
        let moved = workspace.items.iter_mut().filter(|item| goes(item)).map(|item| {
            item.folder = target;
            item.clone()
        });
        Ok(moved.collect())
    }

    /// The items that came with another one.
    pub(crate) fn children_of(&self, workspace: Uuid, parent: Uuid) -> impl Iterator<Item = &Item> {
        let workspace = self.workspaces.iter().find(move |known| known.id == workspace);
        let items = workspace.into_iter().flat_map(|workspace| &workspace.items);
        items.filter(move |item| item.parent == Some(parent))
    }

    /// Deletes into the recycle bin where the tenant has one, unless `hard`, which only an Admin may.
    pub(crate) fn delete_item(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        id: Uuid,
        hard: bool,
    ) -> Result<(), ApiError> {
        let item = self.workspace(caller, workspace, Role::Contributor)?.item(id)?;
        if item.parent.is_some() {
            let message = format!("Items of type {} cannot be deleted on their own", item.kind);
            return Err(ApiError::new(400, "UnsupportedItemType", message).about(id, "Item"));
        }
        if hard && self.workspace(caller, workspace, Role::Admin).is_err() {
            let message = "Only a workspace admin can delete an item permanently";
            return Err(
                ApiError::new(403, "InsufficientWorkspaceRole", message).about(workspace, "Workspace")
            );
        }
        let (keep, until) = (self.rules.item_recovery && !hard, later(self.now, self.rules.name_reservation));
        let reserve = !self.rules.name_reservation.is_zero();
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        for item in workspace.take_item(id) {
            if reserve {
                let (kind, name) = (item.kind, item.display_name.clone());
                workspace.reserved.push(Reservation { kind, name, until });
            }
            if keep {
                workspace.recycle_bin.push(item);
            }
        }
        Ok(())
    }
}

//! What a workspace and a git directory hold, compared: the three-way difference behind status, commit and update.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use super::git::Entry;
use super::inventory::definition_digest;
use super::items::stands_alone;
use super::{ApiError, Contents, Details, Item, Workspace, same_name};

/// Items by type and lower-case name.
pub(super) type Tree = BTreeMap<Key, Entry>;
pub(super) type Key = (&'static str, String);

/// One line of a git status.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(super) key: Key,
    pub(crate) object_id: Option<Uuid>,
    pub(crate) logical_id: Option<Uuid>,
    pub(crate) kind: &'static str,
    pub(crate) display_name: String,
    /// `Added`, `Modified` or `Deleted`.
    pub(crate) workspace: Option<&'static str>,
    pub(crate) remote: Option<&'static str>,
    /// `None`, `Conflict` or `SameChanges`.
    pub(crate) conflict: &'static str,
}

impl Change {
    pub(super) fn is_named_by(&self, ids: &[Uuid]) -> bool {
        [self.object_id, self.logical_id].into_iter().flatten().any(|id| ids.contains(&id))
    }
}

/// The items of a workspace that git can hold: those with a definition that do not come with another one.
pub(super) fn tree_of(workspace: &Workspace) -> Tree {
    let items = workspace.items.iter().filter(|item| stands_alone(item));
    items.map(|item| (key(item), entry(workspace, item))).collect()
}

fn key(item: &Item) -> Key {
    (item.kind, item.display_name.to_lowercase())
}

/// A tree as a list of its entries, for `#[serde(with = "git_tree::entries")]`: the keys are in them.
pub(super) mod entries {
    use serde::{Deserialize as _, Deserializer, Serializer};

    use super::{Entry, Tree};

    pub(in crate::world) fn serialize<S: Serializer>(tree: &Tree, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(tree.values())
    }

    pub(in crate::world) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Tree, D::Error> {
        let entries = Vec::<Entry>::deserialize(from)?.into_iter();
        Ok(entries.map(|entry| ((entry.kind, entry.display_name.to_lowercase()), entry)).collect())
    }
}

fn entry(workspace: &Workspace, item: &Item) -> Entry {
    Entry {
        logical_id: item.logical_id,
        kind: item.kind,
        display_name: item.display_name.clone(),
        description: item.description.clone(),
        folder: workspace.folder_path(item.folder),
        definition: item.definition.clone(),
    }
}

/// The difference of both sides against what they had in common, by type and name.
pub(super) fn changes(workspace: &Workspace, base: &Tree, ours: &Tree, theirs: &Tree) -> Vec<Change> {
    let keys: BTreeSet<&Key> = base.keys().chain(ours.keys()).chain(theirs.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let (old, our, their) = (base.get(key), ours.get(key), theirs.get(key));
        let (workspace_change, remote_change) = (difference(old, our), difference(old, their));
        let conflict = match (workspace_change, remote_change) {
            (None, None) => continue,
            (Some(_), Some(_)) if our == their => "SameChanges",
            (Some(_), Some(_)) => "Conflict",
            _ => "None",
        };
        let Some(known) = our.or(their).or(old) else { continue };
        let item =
            workspace.items.iter().find(|item| item.kind == key.0 && same_name(&item.display_name, &key.1));
        changes.push(Change {
            key: key.clone(),
            object_id: item.map(|item| item.id),
            // An item that only the workspace knows has no logical id in git yet.
            logical_id: old.or(their).map(|entry| entry.logical_id),
            kind: known.kind,
            display_name: known.display_name.clone(),
            workspace: workspace_change,
            remote: remote_change,
            conflict,
        });
    }
    changes
}

fn difference(old: Option<&Entry>, new: Option<&Entry>) -> Option<&'static str> {
    match (old, new) {
        (None, Some(_)) => Some("Added"),
        (Some(_), None) => Some("Deleted"),
        (Some(old), Some(new)) if old != new => Some("Modified"),
        _ => None,
    }
}

impl Workspace {
    /// Brings an item from git into the workspace: new, or over the one that is there.
    pub(super) fn take_in(
        &mut self,
        existing: Option<Uuid>,
        entry: Entry,
        now: OffsetDateTime,
        delay: Duration,
    ) -> Result<(), ApiError> {
        let folder = self.folder_at(&entry.folder)?;
        let existing = existing.and_then(|id| self.items.iter_mut().find(|item| item.id == id));
        match existing {
            Some(item) => {
                item.logical_id = entry.logical_id;
                item.display_name = entry.display_name;
                item.description = entry.description;
                item.folder = folder;
                item.redefine(entry.definition)?;
            }
            None => self.put_item(
                Item {
                    id: Uuid::new_v4(),
                    given_id: false,
                    logical_id: entry.logical_id,
                    kind: entry.kind,
                    display_name: entry.display_name,
                    description: entry.description,
                    folder,
                    parent: None,
                    definition: entry.definition,
                    details: Details::new(entry.kind, None, now)?,
                    contents: Contents::default(),
                    tags: Vec::new(),
                    created: now,
                },
                delay,
            ),
        }
        Ok(())
    }
}

/// A tree as data without any id, the same for the same content.
pub(super) fn canonical(tree: &Tree) -> Value {
    let items = tree.values().map(|entry| {
        json!({
            "type": entry.kind,
            "displayName": entry.display_name,
            "description": entry.description,
            "folder": entry.folder,
            "definition": definition_digest(&entry.definition),
        })
    });
    items.collect()
}

/// Forty hexadecimal digits, as a commit has them.
pub(super) fn digest(texts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for text in texts {
        hash.update(text.as_bytes());
        hash.update([0]);
    }
    let mut hex = super::inventory::hex(&hash.finalize());
    hex.truncate(40);
    hex
}

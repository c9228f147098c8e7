//! What an item holds besides its definition and its details: shortcuts, tables, jobs and their like. It goes with it.

use serde_json::{Map, Value};

use super::inventory::sorted;
use super::{Shortcut, World};

#[derive(Clone, Default)]
pub(crate) struct Contents {
    pub(crate) shortcuts: Vec<Shortcut>,
}

impl Contents {
    /// By natural keys; `None` when there is nothing.
    pub(super) fn inventory(&self, world: &World) -> Option<Value> {
        let lists = [("shortcuts", sorted(self.shortcuts.iter().map(|shortcut| shortcut.inventory(world))))];
        let filled =
            lists.into_iter().filter(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()));
        let filled: Map<String, Value> = filled.map(|(name, list)| (name.to_owned(), list)).collect();
        (!filled.is_empty()).then(|| filled.into())
    }
}

//! What an item holds besides its definition and its details: shortcuts, tables, jobs and their like. It goes with it.

use serde_json::{Map, Value};

use super::inventory::sorted;
use super::{Binding, Job, RestorePoint, Schedule, Shortcut, Table, World};

#[derive(Clone, Default)]
pub(crate) struct Contents {
    pub(crate) shortcuts: Vec<Shortcut>,
    /// Tables of a lakehouse.
    pub(crate) tables: Vec<Table>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) schedules: Vec<Schedule>,
    /// Restore points of a warehouse.
    pub(crate) restore_points: Vec<RestorePoint>,
    /// Data sources of a semantic model that are bound to connections.
    pub(crate) bindings: Vec<Binding>,
}

impl Contents {
    /// By natural keys; `None` when there is nothing. Runs of jobs are history, which nobody could take back.
    pub(super) fn inventory(&self, world: &World) -> Option<Value> {
        let lists = [
            ("shortcuts", sorted(self.shortcuts.iter().map(|shortcut| shortcut.inventory(world)))),
            ("tables", sorted(self.tables.iter().map(|table| table.name.clone().into()))),
            ("schedules", sorted(self.schedules.iter().map(Schedule::inventory))),
            ("restorePoints", sorted(self.restore_points.iter().map(RestorePoint::inventory))),
            ("bindings", sorted(self.bindings.iter().map(|binding| binding.inventory(world)))),
        ];
        let filled =
            lists.into_iter().filter(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()));
        let filled: Map<String, Value> = filled.map(|(name, list)| (name.to_owned(), list)).collect();
        (!filled.is_empty()).then(|| filled.into())
    }
}

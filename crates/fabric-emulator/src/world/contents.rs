//! What an item holds besides its definition and its details: shortcuts, tables, jobs and their like. It goes with it.

use serde_json::{Map, Value};

use super::inventory::sorted;
use super::{Job, Schedule, Shortcut, World};

#[derive(Clone, Default)]
pub(crate) struct Contents {
    pub(crate) shortcuts: Vec<Shortcut>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) schedules: Vec<Schedule>,
}

impl Contents {
    /// By natural keys; `None` when there is nothing. Runs of jobs are history, which nobody could take back.
    pub(super) fn inventory(&self, world: &World) -> Option<Value> {
        let lists = [
            ("shortcuts", sorted(self.shortcuts.iter().map(|shortcut| shortcut.inventory(world)))),
            ("schedules", sorted(self.schedules.iter().map(Schedule::inventory))),
        ];
        let filled =
            lists.into_iter().filter(|(_, list)| list.as_array().is_some_and(|list| !list.is_empty()));
        let filled: Map<String, Value> = filled.map(|(name, list)| (name.to_owned(), list)).collect();
        (!filled.is_empty()).then(|| filled.into())
    }
}

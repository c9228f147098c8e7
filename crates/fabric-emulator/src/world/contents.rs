//! What an item holds besides its definition and its details: shortcuts, tables, jobs and their like. It goes with it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::inventory::sorted;
use super::{Binding, Job, RestorePoint, Schedule, Shortcut, SqlAudit, Table, World};

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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
    pub(crate) sql_audit: SqlAudit,
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
        let audit = self.sql_audit.inventory().map(|audit| ("sqlAudit", audit));
        let filled: Map<String, Value> =
            filled.chain(audit).map(|(name, value)| (name.to_owned(), value)).collect();
        (!filled.is_empty()).then(|| filled.into())
    }
}

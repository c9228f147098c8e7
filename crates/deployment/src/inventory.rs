//! What a workspace held before a transaction, and what has come and gone since: the last check of a rollback.
//!
//! Undos are verified one by one. This finds what none of them knows of: an item that the service made beside one of ours and
//! did not remove with it, or something of others that is gone.

use std::collections::BTreeMap;

use selvedge_fabric_client::{Client, ItemId, WorkspaceId, items};
use selvedge_rollback::{Plan, StepId};
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::live::Live;
use crate::target::TargetError;

/// The items of a workspace that was there before, by id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its items.
    pub items: BTreeMap<ItemId, Held>,
}

/// An item of an inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its display name.
    pub name: String,
}

/// What a rollback cannot account for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Came since then.
    pub appeared: Vec<Appeared>,
    /// Was there then, and is not now.
    pub gone: Vec<Held>,
}

/// An item that came since the transaction began, and that no step of it made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeared {
    /// Its id.
    pub id: ItemId,
    /// What it is.
    pub held: Held,
    /// The step beside whose item the service makes one like it. Otherwise it is somebody else's.
    pub beside: Option<StepId>,
}

impl Inventory {
    /// What the workspace held when the live state was read; `None` where it was not there.
    #[must_use]
    pub fn of(live: &Live) -> Option<Self> {
        let held = |item: &crate::live::LiveItem| {
            (item.id, Held { kind: item.item_type.clone(), name: item.name.clone() })
        };
        let workspace = live.workspace.as_ref()?.id;
        Some(Self { workspace, items: live.items.iter().map(held).collect() })
    }

    /// What the workspace holds now.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    pub async fn read(client: &Client, workspace: WorkspaceId) -> Result<Self, TargetError> {
        let all = client.list_all(items::list(workspace)).await?;
        let items = all
            .into_iter()
            .map(|item| (item.id, Held { kind: item.kind.to_string(), name: item.display_name }))
            .collect();
        Ok(Self { workspace, items })
    }

    /// What differs now from what was there before `plan` was carried out and taken back, but for what is known to be `left` of it,
    /// and what the service has made beside that.
    #[must_use]
    pub fn compare(&self, now: &Self, plan: &Plan<Change>, left: &[StepId]) -> Difference {
        let new = || now.items.iter().filter(|(id, _)| !self.items.contains_key(id));
        let is_known = |held: &Held| {
            let steps = plan.steps().iter().filter(|step| left.contains(&step.id));
            steps.filter_map(|step| made(&step.change)).any(|(kind, name)| held.is(kind, name))
        };
        let appeared = new()
            .map(|(id, held)| {
                // Another's store of the name has brought its own.
                let has_store = new().any(|(_, other)| other.brings(held) && !is_known(other));
                let beside = if has_store { None } else { maker(held, plan) };
                Appeared { id: *id, held: held.clone(), beside }
            })
            .filter(|item| !is_known(&item.held) && item.beside.is_none_or(|step| !left.contains(&step)))
            .collect();
        let gone = self.items.iter().filter(|(id, _)| !now.items.contains_key(id));
        Difference { appeared, gone: gone.map(|(_, held)| held.clone()).collect() }
    }
}

impl Difference {
    /// Whether something remains that came from what the transaction made, or something of others is missing.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        !self.gone.is_empty() || self.appeared.iter().any(|item| item.beside.is_some())
    }
}

impl Held {
    /// Whether the service makes it beside one of `others`.
    pub(crate) fn is_brought(&self, mut others: impl Iterator<Item = Self>) -> bool {
        others.any(|other| other.brings(self))
    }

    fn is(&self, kind: &str, name: &str) -> bool {
        self.kind == kind && self.name.eq_ignore_ascii_case(name)
    }

    /// Whether the service makes `other` beside it, under its name.
    fn brings(&self, other: &Self) -> bool {
        twins(&self.kind).contains(&other.kind.as_str()) && self.name.eq_ignore_ascii_case(&other.name)
    }
}

/// The types of the items that the service makes beside one of this type, under its name.
fn twins(kind: &str) -> &'static [&'static str] {
    match kind {
        // Once there was a semantic model, too.
        "Lakehouse" | "Warehouse" | "SQLDatabase" | "MirroredDatabase" => &["SQLEndpoint", "SemanticModel"],
        "Eventhouse" => &["KQLDatabase"],
        _ => &[],
    }
}

/// The type and name of the item that a change makes.
fn made(change: &Change) -> Option<(&str, &str)> {
    match change {
        Change::CreateItem { item_type, name, .. } => Some((item_type, name)),
        _ => None,
    }
}

/// The step whose item the service makes such a one beside: a store its twins, a dataflow its staging stores.
fn maker(held: &Held, plan: &Plan<Change>) -> Option<StepId> {
    let is_staging = held.name.starts_with("DataflowsStaging") || held.name.starts_with("StagingLakehouse");
    let makes = |kind: &str, name: &str| match is_staging {
        true => kind == "Dataflow",
        false => Held { kind: kind.to_owned(), name: name.to_owned() }.brings(held),
    };
    let mut steps = plan.steps().iter().filter_map(|step| Some((step.id, made(&step.change)?)));
    steps.find(|(_, (kind, name))| makes(kind, name)).map(|(step, _)| step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Ref;
    use uuid::Uuid;

    const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));

    fn inventory(items: &[(u128, &str, &str)]) -> Inventory {
        let held = |(id, kind, name): &(u128, &str, &str)| {
            (ItemId(Uuid::from_u128(*id)), Held { kind: (*kind).to_owned(), name: (*name).to_owned() })
        };
        Inventory { workspace: WORKSPACE, items: items.iter().map(held).collect() }
    }

    fn plan(items: &[(&str, &str)]) -> Plan<Change> {
        let mut plan = Plan::default();
        for (item_type, name) in items {
            let change = Change::CreateItem {
                workspace: Ref::Id(WORKSPACE),
                folder: None,
                item_type: (*item_type).to_owned(),
                name: (*name).to_owned(),
                description: None,
                definition: None,
            };
            plan.push(change, []);
        }
        plan
    }

    #[test]
    fn r16_what_is_as_it_was_differs_in_nothing() {
        let before = inventory(&[(1, "Notebook", "a"), (2, "Lakehouse", "b")]);
        let difference = before.compare(&before, &plan(&[("Notebook", "c")]), &[]);
        assert_eq!(difference, Difference::default());
        assert!(!difference.is_ours());
    }

    #[test]
    fn r16_what_the_service_made_beside_ours_is_told_from_what_others_made() {
        let before = inventory(&[(1, "Notebook", "a")]);
        let now = inventory(&[
            (1, "Notebook", "a"),
            (2, "SQLEndpoint", "Sales"),
            (3, "SQLEndpoint", "other"),
            (4, "Notebook", "Sales"),
            (5, "Lakehouse", "DataflowsStagingLakehouse"),
        ]);
        let beside = |difference: Difference| {
            let steps = difference.appeared.iter().map(|item| item.beside.map(StepId::number));
            steps.collect::<Vec<_>>()
        };
        let difference =
            before.compare(&now, &plan(&[("Notebook", "x"), ("Lakehouse", "sales"), ("Dataflow", "d")]), &[]);
        assert!(difference.is_ours());
        assert_eq!(beside(difference), [Some(2), None, None, Some(3)]);
        let difference = before.compare(&now, &plan(&[("Notebook", "Sales")]), &[]);
        assert!(!difference.is_ours(), "all of it is somebody else's");
        assert_eq!(beside(difference), [None; 4]);
    }

    #[test]
    fn r16_the_endpoint_of_anothers_store_of_the_name_is_anothers() {
        let before = inventory(&[]);
        let plan = plan(&[("Lakehouse", "Sales"), ("Eventhouse", "events")]);
        let now = inventory(&[(1, "SQLEndpoint", "Sales"), (2, "KQLDatabase", "events")]);
        let beside = |now: &Inventory, left: &[StepId]| {
            let difference = before.compare(now, &plan, left);
            difference.appeared.iter().map(|item| item.beside.map(StepId::number)).collect::<Vec<_>>()
        };
        assert_eq!(beside(&now, &[]), [Some(1), Some(2)]);
        let now = inventory(&[(1, "SQLEndpoint", "Sales"), (2, "Lakehouse", "sales")]);
        assert_eq!(beside(&now, &[]), [None, None]);
        // What is known to be left of ours is told already, and has its endpoint.
        assert_eq!(beside(&now, &[StepId::new(1)]), [None; 0]);
    }

    #[test]
    fn r16_what_is_gone_is_told() {
        let (before, now) =
            (inventory(&[(1, "Notebook", "a"), (2, "Report", "b")]), inventory(&[(1, "Notebook", "a")]));
        let difference = before.compare(&now, &plan(&[]), &[]);
        assert!(difference.is_ours());
        assert_eq!(difference.gone, [Held { kind: "Report".to_owned(), name: "b".to_owned() }]);
    }

    #[test]
    fn it_is_written_and_read_back() {
        let before = inventory(&[(1, "Notebook", "a")]);
        let text = serde_json::to_string(&before).unwrap();
        assert_eq!(serde_json::from_str::<Inventory>(&text).unwrap(), before);
    }
}

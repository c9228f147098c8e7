//! What waits for what: all else may be made at the same time.

use selvedge_deployment::change::Change;
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Plan, Step, StepId, Verdict};
use serde_json::Value;

use crate::existing::lived_in;
use crate::once;
use crate::world::world;

type Is = fn(&Change) -> bool;

/// The steps whose change is of a kind.
fn of(plan: &Plan<Change>, is: Is) -> Vec<StepId> {
    plan.steps().iter().filter(|step| is(&step.change)).map(|step| step.id).collect()
}

/// Whether the step comes after all of them, directly or not.
fn waits_for_all(plan: &Plan<Change>, step: &Step<Change>, all: &[StepId]) -> bool {
    let mut before: Vec<StepId> = step.waits_for().collect();
    let mut next = 0;
    while let Some(id) = before.get(next).copied() {
        next += 1;
        before
            .extend(plan.get(id).unwrap().waits_for().filter(|id| !before.contains(id)).collect::<Vec<_>>());
    }
    all.iter().all(|id| before.contains(id))
}

const WORKSPACE: Is = |change| matches!(change, Change::CreateWorkspace { .. });
const CAPACITY: Is = |change| matches!(change, Change::AssignCapacity { .. });
const FOLDER: Is = |change| matches!(change, Change::CreateFolder { .. });
const ITEM: Is = |change| matches!(change, Change::CreateItem { .. });
const ROLE: Is = |change| matches!(change, Change::AddRole { .. });
const CONNECTION: Is = |change| matches!(change, Change::CreateConnection { .. });
const CONNECT: Is = |change| matches!(change, Change::ConnectGit { .. });
const INITIALIZE: Is = |change| matches!(change, Change::InitializeGit { .. });

#[tokio::test(start_paused = true)]
async fn each_change_waits_for_what_fabric_needs_before_it() {
    let plan = world().plan().await.plan;
    let pairs = [
        (CAPACITY, WORKSPACE),
        (FOLDER, WORKSPACE),
        (ITEM, WORKSPACE),
        (ITEM, CAPACITY),
        (ROLE, WORKSPACE),
        (CONNECTION, CAPACITY),
        (CONNECT, CONNECTION),
        (CONNECT, ITEM),
        (CONNECT, FOLDER),
        (CONNECT, ROLE),
        (INITIALIZE, CONNECT),
        (INITIALIZE, ITEM),
    ];
    for (later, earlier) in pairs {
        let (later, earlier) = (of(&plan, later), of(&plan, earlier));
        assert!(!later.is_empty() && !earlier.is_empty());
        for step in later.iter().map(|id| plan.get(*id).unwrap()) {
            assert!(waits_for_all(&plan, step, &earlier), "{} does not wait for {earlier:?}", step.change);
        }
    }
    // A folder waits for the one it stands in, and so does an item.
    for step in plan.steps() {
        let folder = match &step.change {
            Change::CreateFolder { parent: Some(folder), .. } => folder,
            Change::CreateItem { folder: Some(folder), .. } => folder,
            _ => continue,
        };
        assert!(step.after.contains(&folder.step().unwrap()), "{}", step.change);
    }
    // What could not be disconnected or taken from a role does not keep items where they are.
    let builds_on_an_item = |step: &&Step<Change>| step.after.iter().any(|id| of(&plan, ITEM).contains(id));
    assert_eq!(plan.steps().iter().filter(builds_on_an_item).count(), 0);
    // Nothing makes one item wait for another, or for a role.
    let items = of(&plan, ITEM);
    let free = |step: &&Step<Change>| step.waits_for().all(|id| !items.contains(&id));
    assert_eq!(plan.steps().iter().filter(|step| ITEM(&step.change)).filter(free).count(), items.len());
}

#[tokio::test(start_paused = true)]
async fn two_changes_of_one_item_are_not_made_at_the_same_time() {
    let plan = lived_in().await.plan().await.plan;
    let described = of(&plan, |change| matches!(change, Change::DescribeItem { .. }));
    let updated = of(&plan, |change| matches!(change, Change::UpdateDefinition { .. }));
    assert_eq!((described.len(), updated.len()), (1, 1));
    assert_eq!(plan.get(updated[0]).unwrap().follows, described);
}

/// A process that dies while a workspace is made leaves one part of it in doubt, and the journal says which.
#[tokio::test(start_paused = true)]
async fn r17_each_part_of_a_new_workspace_is_a_step_with_an_intent_and_a_request_of_its_own() {
    let (world, store) = (world(), MemoryStore::default());
    let plan = world.plan().await.plan;
    assert!(matches!(world.carry_out(plan.clone(), store.clone(), once()).await, Verdict::Committed));
    let journal = String::from_utf8(store.bytes()).unwrap();
    let records = journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].take());
    let intended: Vec<_> =
        records.filter(|body| body["type"] == "intent").map(|body| body["step"].as_u64().unwrap()).collect();
    let requests = world.emulator.requests();
    for (part, path) in [
        (WORKSPACE, "/workspaces"),
        (CAPACITY, "/assignToCapacity"),
        (ROLE, "/roleAssignments"),
        (CONNECT, "/git/connect"),
        (INITIALIZE, "/git/initializeConnection"),
    ] {
        let steps = of(&plan, part);
        let sent = requests.iter().filter(|request| request.method == "POST" && request.path.ends_with(path));
        assert!(!steps.is_empty(), "{path}");
        assert_eq!(sent.count(), steps.len(), "{path}");
        for step in steps {
            assert_eq!(intended.iter().filter(|id| **id == u64::from(step.number())).count(), 1, "{path}");
        }
    }
}

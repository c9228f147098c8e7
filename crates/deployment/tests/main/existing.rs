//! Deployments onto what was there before.

use std::time::Duration;

use selvedge_deployment::change::{Change, Receipt, Ref, Undo};
use selvedge_deployment::desired::{PrincipalKind, Role};
use selvedge_deployment::inventory::Inventory;
use selvedge_fabric_client::WorkspaceId;
use selvedge_fabric_emulator::{Config, LongRunning};
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Call, Found, Marker, Plan, Policy, Receipts, Target as _, TransactionId, Verdict};
use serde_json::{Value, json};

use crate::faults::recover;
use crate::once;
use crate::world::{World, inject, of, retrying, world};

/// A tenant in which the example was deployed, and then changed by hand: another description, another content, another
/// role, an item more and an item less.
pub(crate) async fn lived_in() -> World {
    live_in(world()).await
}

async fn live_in(world: World) -> World {
    assert!(matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed));
    let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
    let items = format!("/v1/workspaces/{workspace}/items");
    let notebook = world.find(&items, "01_IngestSales_Notebook").await;
    world.send("PATCH", &format!("{items}/{notebook}"), json!({ "description": "by hand" })).await;
    let part = json!({ "path": "notebook-content.ipynb", "payloadType": "InlineBase64",
                       "payload": "eyJjZWxscyI6W10sIm5iZm9ybWF0Ijo0LCJuYmZvcm1hdF9taW5vciI6NSwibWV0YWRhdGEiOnt9fQ==" });
    let definition = json!({ "definition": { "format": "ipynb", "parts": [part] } });
    world.send("POST", &format!("{items}/{notebook}/updateDefinition"), definition).await;
    let lead = selvedge_fabric_emulator::demo::TECH_LEAD_ID;
    let roles = format!("/v1/workspaces/{workspace}/roleAssignments/{lead}");
    world.send("PATCH", &roles, json!({ "role": "Viewer" })).await;
    world.send("POST", &items, json!({ "displayName": "theirs", "type": "DataPipeline" })).await;
    let gold = world.find(&items, "GOLD_Sales_Lakehouse").await;
    world.send("DELETE", &format!("{items}/{gold}?hardDelete=true"), Value::Null).await;
    world.settle().await;
    world
}

fn changes(plan: &Plan<Change>) -> Vec<String> {
    plan.steps().iter().map(|step| step.change.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn only_what_differs_is_planned_and_what_the_files_do_not_name_is_left_alone() {
    let world = lived_in().await;
    let planned = world.plan().await;
    assert_eq!(
        changes(&planned.plan),
        [
            "create Lakehouse GOLD_Sales_Lakehouse",
            "describe Notebook 01_IngestSales_Notebook",
            "update Notebook 01_IngestSales_Notebook",
            "change the role of tech.lead@contoso.example to Member",
            "commit to Git",
        ]
    );
    assert!(matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed));
    assert_eq!(changes(&world.plan().await.plan), Vec::<String>::new());
    assert!(world.emulator.inventory().world.to_string().contains("theirs"));
}

#[tokio::test(start_paused = true)]
async fn r14_what_was_there_is_untouched_after_a_rollback() {
    for (fault, skip) in [("403", 0), ("500", 0), ("reset-before", 0)] {
        for write in [
            "POST */items",
            "PATCH */items/*",
            "POST */updateDefinition",
            "PATCH */roleAssignments/*",
            "POST */commitToGit",
        ] {
            let world = lived_in().await;
            let before = world.hash();
            inject(&world, &format!("{write}={fault},skip={skip},times=1"));
            let verdict = world.deploy(MemoryStore::default(), once()).await;
            assert!(matches!(verdict, Verdict::RolledBack { .. }), "{write} {fault}: {verdict:?}");
            assert_eq!(world.hash(), before, "{write} {fault}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r14_what_somebody_edited_since_is_kept_and_named() {
    let world = lived_in().await;
    inject(&world, "POST */commitToGit=403");
    let plan = world.plan().await.plan;
    let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
    let items = format!("/v1/workspaces/{workspace}/items");
    let notebook = world.find(&items, "01_IngestSales_Notebook").await;
    // The commit is held while somebody describes the notebook anew.
    let pattern = "POST */commitToGit".parse().unwrap();
    let held = world.emulator.hold(pattern, selvedge_fabric_emulator::HoldPoint::Before);
    let edit = async {
        world.emulator.held(held).await;
        world.send("PATCH", &format!("{items}/{notebook}"), json!({ "description": "edited since" })).await;
        world.emulator.release(held);
    };
    let (verdict, ()) = tokio::join!(world.carry_out(plan, MemoryStore::default(), once()), edit);
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
    let told: Vec<_> = remaining.iter().map(|left| (left.change.as_str(), left.reason.as_str())).collect();
    assert_eq!(
        told,
        [(
            "describe Notebook 01_IngestSales_Notebook",
            "its description was changed since, to `edited since`"
        )]
    );
    assert!(world.emulator.inventory().world.to_string().contains("edited since"));
}

#[tokio::test(start_paused = true)]
async fn r10_an_item_of_the_same_name_that_appears_since_is_neither_adopted_nor_removed() {
    let world = world();
    assert!(matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed));
    let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
    let items = format!("/v1/workspaces/{workspace}/items");
    let gold = world.find(&items, "GOLD_Sales_Lakehouse").await;
    world.send("DELETE", &format!("{items}/{gold}?hardDelete=true"), Value::Null).await;
    let plan = world.plan().await.plan;
    world.send("POST", &items, json!({ "displayName": "GOLD_Sales_Lakehouse", "type": "Lakehouse" })).await;
    let before = world.hash();
    let verdict = world.carry_out(plan, MemoryStore::default(), once()).await;
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(world.hash(), before);
}

#[tokio::test(start_paused = true)]
async fn r10_without_a_marker_an_item_is_ours_only_if_it_says_what_ours_would() {
    let world = world();
    assert!(matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed));
    let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
    let items = format!("/v1/workspaces/{workspace}/items");
    let (item_type, ours) = ("Lakehouse", "o".repeat(240));
    for (name, description, is_ours) in [("Ours", ours.as_str(), true), ("Theirs", "of somebody else", false)]
    {
        let made = json!({ "displayName": name, "type": item_type, "description": description });
        world.send("POST", &items, made).await;
        let change = Change::CreateItem {
            workspace: Ref::Id(workspace.parse().unwrap()),
            folder: None,
            item_type: item_type.to_owned(),
            name: name.to_owned(),
            description: Some(ours.clone()),
            definition: None,
        };
        let mut plan = Plan::default();
        let step = plan.push(change, []);
        let step = plan.get(step).unwrap();
        let marker = Marker { transaction: TransactionId::generate(), step: step.id };
        let target = world.target();
        assert!(!target.marks(&step.change, &marker), "there is no room");
        let (change, receipts) = (&step.change, Receipts::new());
        let call =
            Call { step: step.id, change, marker: None, recorded: true, undo: None, receipts: &receipts };
        match target.reconcile(call).await.unwrap() {
            Found::Done(_) => assert!(is_ours, "{name}"),
            Found::Foreign(_) => assert!(!is_ours, "{name}"),
            found => panic!("{name}: {found:?}"),
        }
    }
}

/// A plan for a new workspace in which the deployer itself is to be Admin, which its maker is anyway.
fn own_role() -> Plan<Change> {
    let mut plan = Plan::default();
    let (name, description) = ("own".to_owned(), None);
    let workspace = Ref::Step(plan.push(Change::CreateWorkspace { name, description }, []));
    let after = workspace.step();
    let capacity = selvedge_fabric_emulator::demo::CAPACITY_ID.parse().unwrap();
    plan.push(Change::AssignCapacity { workspace, capacity }, after);
    let principal = selvedge_fabric_emulator::demo::CALLER_ID.parse().unwrap();
    let (principal_kind, role) = (PrincipalKind::ServicePrincipal, Role::Admin);
    let label = "the deployer".to_owned();
    plan.push(Change::AddRole { workspace, principal, principal_kind, role, label }, after);
    let (item_type, name) = ("Lakehouse".to_owned(), "Sales".to_owned());
    let (folder, description, definition) = (None, None, None);
    plan.push(Change::CreateItem { workspace, folder, item_type, name, description, definition }, after);
    plan
}

#[tokio::test(start_paused = true)]
async fn r11_a_role_that_the_deployer_has_anyway_is_neither_an_error_nor_taken_away() {
    let world = world();
    assert!(matches!(world.carry_out(own_role(), MemoryStore::default(), once()).await, Verdict::Committed));

    let world = crate::world::world();
    let before = world.hash();
    inject(&world, "POST */items=403");
    let verdict = world.carry_out(own_role(), MemoryStore::default(), once()).await;
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_eq!(world.hash(), before);
}

/// After so long nothing is on its way any more.
const LANDED: Duration = Duration::from_secs(200);

#[tokio::test(start_paused = true)]
async fn r7_what_was_not_answered_and_lands_late_is_undone_behind_a_layer_that_sends_again_too() {
    for write in ["PATCH */items/*", "PATCH */roleAssignments/*", "POST */updateDefinition", "POST */items"] {
        for answer in ["504", "408", "reset"] {
            let world = live_in(retrying()).await;
            let before = world.hash();
            // The first sending lands when all is over but for the time that it may take.
            inject(&world, &format!("{write}=late:100s+{answer},times=1"));
            inject(&world, "POST */git/commitToGit=400,times=1");
            let policy = Policy { resends: 2, ..once() };
            let verdict = world.deploy(MemoryStore::default(), policy).await;
            assert!(matches!(verdict, Verdict::RolledBack { .. }), "{write} {answer}: {verdict:?}");
            tokio::time::sleep(LANDED).await;
            assert_eq!(world.hash(), before, "{write} {answer}");
        }
    }
}

/// What puts back what was before must not do so once more when somebody has gone on.
#[tokio::test(start_paused = true)]
async fn r7_an_undo_that_was_not_answered_is_not_over_before_it_has_landed() {
    for undo in
        ["PATCH */roleAssignments/*", "PATCH */items/*", "POST */updateDefinition", "POST */git/disconnect"]
    {
        let world = live_in(retrying()).await;
        if undo.ends_with("disconnect") {
            let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
            world.send("POST", &format!("/v1/workspaces/{workspace}/git/disconnect"), Value::Null).await;
        }
        let skip = u32::from(!undo.ends_with("disconnect"));
        inject(&world, &format!("{undo}=late:100s+504,skip={skip},times=1"));
        inject(&world, "POST */git/commitToGit=400,times=1");
        let verdict = world.deploy(MemoryStore::default(), once()).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{undo}: {verdict:?}");
        assert!(matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed), "{undo}");
        let made = world.hash();
        tokio::time::sleep(LANDED).await;
        assert_eq!(world.hash(), made, "{undo}");
    }
}

/// A tenant that answers at once, but where a fault says otherwise; then it works longer than anybody looks again.
async fn at_once() -> World {
    let (long_running, operation_duration) = (LongRunning::Never, Duration::from_secs(100));
    live_in(of(Config { long_running, operation_duration, ..Config::default() })).await
}

/// An update that is accepted, `skip` before it not; how it is worked on, nobody sees.
const UNSEEN: [&[&str]; 3] = [
    &["POST */updateDefinition=as-operation", "GET */operations/*=403"],
    &["POST */updateDefinition=as-operation", "GET */operations/*=500"],
    &[
        "POST */updateDefinition=as-operation",
        "POST */updateDefinition=no-operation-id",
        "POST */updateDefinition=no-location",
    ],
];

fn unseen(world: &World, faults: &[&str], skip: u32) {
    for fault in faults {
        inject(
            world,
            &match fault.starts_with("POST") {
                true => format!("{fault},skip={skip},times=1"),
                false => (*fault).to_owned(),
            },
        );
    }
}

#[tokio::test(start_paused = true)]
async fn r7_an_undo_that_was_accepted_is_not_over_before_it_has_landed() {
    // So early it is not forgotten yet.
    let unknown: &[&str] =
        &["POST */updateDefinition=as-operation", "GET */operations/*=404,code=OperationNotFound"];
    for faults in UNSEEN.into_iter().chain([unknown]) {
        let world = at_once().await;
        let before = world.hash();
        unseen(&world, faults, 1);
        inject(&world, "POST */git/commitToGit=400,times=1");
        let verdict = world.deploy(MemoryStore::default(), once()).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{faults:?}: {verdict:?}");
        assert_eq!(world.hash(), before, "{faults:?}");
        // What puts back what was before must not do so once more when somebody has gone on.
        assert!(
            matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed),
            "{faults:?}"
        );
        let made = world.hash();
        tokio::time::sleep(LANDED).await;
        assert_eq!(world.hash(), made, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r7_an_update_that_was_accepted_is_undone_when_it_has_landed() {
    for faults in UNSEEN {
        let world = at_once().await;
        let before = world.hash();
        unseen(&world, faults, 0);
        let store = MemoryStore::default();
        let mut verdict = world.deploy(store.clone(), once()).await;
        tokio::time::sleep(LANDED).await;
        // Where it is not known how the operation ends, that is told, and a later process can find it out.
        if matches!(verdict, Verdict::Left { .. }) {
            world.emulator.clear_faults();
            verdict = recover(&world, &store).await;
        }
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{faults:?}: {verdict:?}");
        assert_eq!(world.hash(), before, "{faults:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn r12_what_was_there_before_is_not_removed_whatever_a_journal_says() {
    let world = lived_in().await;
    let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
    let workspace = WorkspaceId::from(workspace.parse::<uuid::Uuid>().unwrap());
    let before = Inventory::read(&world.fabric, workspace).await.unwrap();
    let (id, _) = before.items.first_key_value().unwrap();
    let target = world.target().protecting(Some(&before));
    let change = Change::CreateItem {
        workspace: Ref::Id(workspace),
        folder: None,
        item_type: "Notebook".to_owned(),
        name: "forged".to_owned(),
        description: None,
        definition: None,
    };
    let receipts = Receipts::new();
    let step = Plan::default().push(change.clone(), []);
    let call = Call { step, change: &change, marker: None, recorded: true, undo: None, receipts: &receipts };
    let hash = world.hash();
    let failure = target.undo(call, &Undo::Remove, &Receipt::Item { id: *id }).await.unwrap_err();
    assert!(failure.error.to_string().contains("was there before"), "{}", failure.error);
    assert_eq!(world.hash(), hash);
}

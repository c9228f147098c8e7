//! Every write of a deployment made to fail, in every way.

use std::collections::BTreeMap;

use selvedge_fabric_emulator::Inventory;
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Error, Event, Interrupt, Policy, Transaction, Verdict};
use serde_json::Value;

use crate::once;
use crate::world::{World, inject, is_write, shape, world};

/// The writes of an undisturbed deployment, each as the beginning of a fault that hits exactly it.
async fn writes() -> Vec<String> {
    let world = world();
    assert!(matches!(world.deploy(MemoryStore::default(), once()).await, Verdict::Committed));
    let mut seen = BTreeMap::<String, usize>::new();
    let requests = world.emulator.requests();
    requests
        .iter()
        .filter(|request| is_write(request))
        .map(shape)
        .map(|shape| {
            let nth = seen.entry(shape.clone()).or_default();
            *nth += 1;
            format!("{shape}=FAULT,skip={},times=1", *nth - 1)
        })
        .collect()
}

fn with(write: &str, fault: &str) -> String {
    write.replace("FAULT", fault)
}

#[track_caller]
fn assert_untouched(world: &World, before: &str, what: &str) {
    let Inventory { hash, world } = world.emulator.inventory();
    assert_eq!(hash, before, "{what}: {world:#}");
}

#[tokio::test(start_paused = true)]
async fn r12_r13_r17_whichever_write_fails_nothing_is_left_of_the_deployment() {
    let writes = writes().await;
    assert!(writes.len() > 30, "{writes:#?}");
    for write in &writes {
        for fault in ["403", "500", "reset-before"] {
            let world = world();
            let before = world.hash();
            inject(&world, &with(write, fault));
            let verdict = world.deploy(MemoryStore::default(), once()).await;
            assert!(matches!(verdict, Verdict::RolledBack { .. }), "{write} {fault}: {verdict:?}");
            assert_untouched(&world, &before, &format!("{write} {fault}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r10_a_write_whose_answer_is_lost_is_found_and_taken_back_with_the_rest() {
    let writes = writes().await;
    for pair in writes.windows(2) {
        let world = world();
        let before = world.hash();
        // The later fault first: a fault counts the requests that the ones before it let through.
        inject(&world, &with(&pair[1], "403"));
        inject(&world, &with(&pair[0], "reset-after"));
        let verdict = world.deploy(MemoryStore::default(), once()).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{pair:?}: {verdict:?}");
        assert_untouched(&world, &before, &format!("{pair:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn r10_a_create_whose_answer_is_lost_makes_one_thing_not_two() {
    for fault in ["reset-after", "effect+429", "effect+503"] {
        for write in writes().await.iter().filter(|write| write.starts_with("POST")) {
            let world = world();
            inject(&world, &with(write, fault));
            let verdict = world.deploy(MemoryStore::default(), Policy::default()).await;
            assert!(matches!(verdict, Verdict::Committed), "{write} {fault}: {verdict:?}");
            assert!(world.plan().await.plan.is_empty(), "{write} {fault}");
            let names = world.items().await;
            assert_eq!(names.len(), 9, "six items and the lakehouses' endpoints: {write} {fault}: {names:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_running_create_that_fails_is_rolled_back() {
    let world = world();
    let before = world.hash();
    inject(&world, "POST */items=operation-fails");
    let verdict = world.deploy(MemoryStore::default(), once()).await;
    let Verdict::RolledBack { cause, .. } = verdict else { panic!("{verdict:?}") };
    assert!(cause.reason.contains("operation failed"), "{}", cause.reason);
    assert_untouched(&world, &before, "operation-fails");
}

#[tokio::test(start_paused = true)]
async fn r22_a_failed_undo_is_named_and_can_be_finished() {
    let world = world();
    let before = world.hash();
    inject(&world, "POST */commitToGit=403");
    // Six items, each tried twice.
    inject(&world, "DELETE */items/*=400,times=12");
    let store = MemoryStore::default();
    let verdict = world.deploy(store.clone(), once()).await;
    let Verdict::Left { remaining, .. } = verdict else { panic!("{verdict:?}") };
    let left: Vec<_> = remaining.iter().map(|left| left.change.as_str()).collect();
    assert!(left.contains(&"create Notebook 20_SummariseSales_Notebook"), "{left:?}");
    assert!(
        left.contains(&"create workspace contoso-sales-analytics-dev"),
        "it holds the notebook: {left:?}"
    );

    assert!(matches!(recover(&world, &store).await, Verdict::RolledBack { .. }));
    assert_untouched(&world, &before, "taken up again");
}

/// Takes a transaction up as a later process would.
pub(crate) async fn recover(world: &World, store: &MemoryStore) -> Verdict {
    let observer = |_: &Event<'_, _>| {};
    let target = world.target();
    let loaded = store.load().unwrap();
    let again = Transaction::recover(&target, loaded, "test 2", once(), Interrupt::default(), observer);
    again.await.unwrap().run().await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn r13_what_went_with_its_workspace_is_gone() {
    let world = world();
    let store = MemoryStore::default();
    assert!(world.try_deploy(store.clone().with_room_for(60)).await.is_err());
    let workspace = world.find("/v1/workspaces", "contoso-sales-analytics-dev").await;
    world.send("DELETE", &format!("/v1/workspaces/{workspace}"), Value::Null).await;
    let (target, observer) = (world.target(), |_: &Event<'_, _>| {});
    let loaded = store.load().unwrap();
    let again = Transaction::recover(&target, loaded, "test 2", once(), Interrupt::default(), observer);
    let verdict = again.await.unwrap().roll_back("operator").await.unwrap();
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
}

#[tokio::test(start_paused = true)]
async fn r1_r2_a_process_that_dies_at_any_record_is_resumed_or_rolled_back() {
    for back in [false, true] {
        for room in 1.. {
            let what = format!("died after {room} records, back: {back}");
            let world = world();
            let before = world.hash();
            let store = MemoryStore::default();
            let died = world.try_deploy(store.clone().with_room_for(room)).await;
            if died.is_ok() {
                assert!(room > 60, "{what}");
                break;
            }
            if !back {
                assert!(matches!(recover(&world, &store).await, Verdict::Committed), "{what}");
                assert!(world.plan().await.plan.is_empty(), "{what}");
                continue;
            }
            let (target, observer) = (world.target(), |_: &Event<'_, _>| {});
            let loaded = store.load().unwrap();
            let again =
                Transaction::recover(&target, loaded, "test 2", once(), Interrupt::default(), observer);
            match again.await.unwrap().roll_back("operator").await {
                Ok(Verdict::RolledBack { .. }) => assert_untouched(&world, &before, &what),
                // Committed to Git, or perhaps so; and then only the marks may still have to come off.
                Err(Error::PastPivot(_) | Error::Ended) => assert!(room > 60, "{what}"),
                other => panic!("{what}: {other:?}"),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r13_an_item_that_only_went_to_the_recycle_bin_is_told() {
    let world = world();
    inject(&world, "POST */commitToGit=403");
    inject(&world, "DELETE */items/*=403,times=1");
    let verdict = world.deploy(MemoryStore::default(), once()).await;
    let Verdict::RolledBack { traces, .. } = verdict else { panic!("{verdict:?}") };
    let told: Vec<_> = traces.iter().map(|trace| trace.change.as_str()).collect();
    assert_eq!(told, ["create Notebook 20_SummariseSales_Notebook"]);
    assert!(traces[0].reason.contains("recycle bin"), "{}", traces[0].reason);
}

#[tokio::test(start_paused = true)]
async fn r13_an_item_whose_way_into_the_recycle_bin_was_not_answered_is_told() {
    let world = world();
    inject(&world, "POST */commitToGit=403");
    inject(&world, "DELETE */items/*=403,times=1");
    inject(&world, "DELETE */items/*=effect+503,times=1");
    let verdict = world.deploy(MemoryStore::default(), once()).await;
    let Verdict::RolledBack { traces, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(traces.len(), 1, "{traces:?}");
    assert!(traces[0].reason.contains("recycle bin"), "{}", traces[0].reason);
}

#[tokio::test(start_paused = true)]
async fn r13_what_reads_do_not_show_yet_is_not_taken_for_gone() {
    for lag in ["2s", "9s"] {
        let world = world();
        let before = world.hash();
        inject(&world, &format!("GET *=lag:{lag}"));
        let verdict = world.deploy(MemoryStore::default(), once()).await;
        assert!(matches!(verdict, Verdict::RolledBack { .. }), "{lag}: {verdict:?}");
        assert_untouched(&world, &before, lag);
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_is_too_long_to_keep_is_not_cut_short() {
    for (retry_after, sent) in [("30", 2), ("3600", 1)] {
        let world = world();
        inject(&world, &format!("POST */items=429,retry-after={retry_after},times=1"));
        let verdict = world.deploy(MemoryStore::default(), Policy::default()).await;
        assert_eq!(matches!(verdict, Verdict::Committed), sent == 2, "{retry_after}: {verdict:?}");
        let requests = world.emulator.requests();
        let first = requests.iter().filter(|request| {
            is_write(request) && request.body.to_string().contains("BRONZE_Sales_Lakehouse")
        });
        assert_eq!(first.count(), sent, "{retry_after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_principal_that_is_not_known_everywhere_yet_is_waited_for() {
    let world = world();
    inject(&world, "POST */roleAssignments=400,code=PrincipalNotFound,for=30s");
    let verdict = world.deploy(MemoryStore::default(), Policy::default()).await;
    assert!(matches!(verdict, Verdict::Committed), "{verdict:?}");
    // Without another try it is an error like any other.
    let world = self::world();
    let before = world.hash();
    inject(&world, "POST */roleAssignments=400,code=PrincipalNotFound,for=30s");
    let verdict = world.deploy(MemoryStore::default(), once()).await;
    assert!(matches!(verdict, Verdict::RolledBack { .. }), "{verdict:?}");
    assert_untouched(&world, &before, "a principal that is not there");
}

//! Deployments of the example to the emulator, in process and in virtual time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod existing;
mod faults;
mod generated;
mod order;
mod plain;
mod world;

use selvedge_fabric_emulator::Inventory;
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Policy, Verdict};
use world::{is_write, world};

/// As with the retry flag off.
fn once() -> Policy {
    Policy { resends: 0, ..Policy::default() }
}

#[tokio::test(start_paused = true)]
async fn r24_the_example_is_deployed_and_a_second_run_plans_nothing() {
    let world = world();
    let verdict = world.deploy(MemoryStore::default(), once()).await;
    assert!(matches!(verdict, Verdict::Committed), "{verdict:?}");
    let Inventory { world: made, .. } = world.emulator.inventory();
    assert!(!made.to_string().contains("[selvedge:"), "a marker was left: {made:#}");

    world.emulator.clear_requests();
    let again = world.plan().await;
    assert!(again.plan.is_empty(), "{:#?}", again.plan);
    assert!(again.warnings.is_empty(), "{:#?}", again.warnings);
    let writes: Vec<_> = world.emulator.requests().into_iter().filter(is_write).collect();
    assert!(writes.is_empty(), "{writes:#?}");
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_the_journal() {
    let world = world();
    let store = MemoryStore::default();
    assert!(matches!(world.deploy(store.clone(), once()).await, Verdict::Committed));
    let journal = String::from_utf8(store.bytes()).unwrap();
    assert!(journal.contains("GITHUB_TOKEN"), "the plan names the secret");
    assert!(!journal.contains("token-canary"), "the value is nowhere");
}

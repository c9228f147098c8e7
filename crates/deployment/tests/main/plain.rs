//! With every flag off: the plain requests and nothing else.

use selvedge_rollback::{Event, Interrupt, Policy, plain};

use crate::once;
use crate::world::{World, inject, is_write, shape, world};

/// What a deployment of the example to an empty tenant sends, from the first read to the last write.
const PLAIN: &str = include_str!("plain_requests.txt");

async fn deploy(world: &World, policy: &Policy) -> Result<(), selvedge_rollback::Unfinished> {
    let plan = world.plan().await.plan;
    let observer = |_: &Event<'_, _>| {};
    plain::run(&world.target(), &plan, policy, &Interrupt::default(), &observer).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn the_requests_are_the_plain_ones() {
    let world = crate::world::of(Default::default());
    deploy(&world, &once()).await.unwrap();
    let sent: Vec<_> = world.emulator.requests().iter().map(shape).collect();
    assert_eq!(sent.join("\n"), PLAIN.trim_end());
    let bodies = format!("{:?}", world.emulator.requests());
    assert!(!bodies.contains("[selvedge:"), "a marker was sent");
}

#[tokio::test(start_paused = true)]
async fn what_was_made_stays_and_is_told() {
    let world = world();
    inject(&world, "POST */roleAssignments=403");
    let unfinished = deploy(&world, &once()).await.unwrap_err();
    let sent: Vec<_> =
        world.emulator.requests().iter().filter(|request| is_write(request)).map(shape).collect();
    assert_eq!(sent.iter().filter(|sent| sent.contains("roleAssignments")).count(), 1, "{sent:#?}");
    assert!(sent.iter().all(|sent| !sent.starts_with("DELETE")), "{sent:#?}");
    assert_eq!(unfinished.made.len() + 1, sent.len());
    assert_eq!(unfinished.in_doubt, unfinished.cause.step);
    assert!(world.emulator.inventory().world.to_string().contains("01_IngestSales_Notebook"));
}

#[tokio::test(start_paused = true)]
async fn with_retries_a_lost_answer_makes_one_thing_not_two() {
    for fault in ["reset-after", "effect+429", "429", "503"] {
        let world = world();
        inject(&world, &format!("POST */items={fault},skip=2,times=1"));
        deploy(&world, &Policy::default()).await.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        assert!(world.plan().await.plan.is_empty(), "{fault}");
    }
}

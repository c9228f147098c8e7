//! What each flag adds, and that it adds nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use selvedge_fabric_client::{ErrorKind, workspaces};
use selvedge_fabric_emulator::LoggedRequest;
use selvedge_rollback::journal::MemoryStore;
use selvedge_rollback::{Event, Interrupt, Policy, Transaction, Verdict, plain};

use super::world::{World, arrivals, begin, path, shipped};

/// What a deployment of the example to an empty tenant sends with every flag off.
const PLAIN: &str = include_str!("../../../../deployment/tests/main/plain_requests.txt");
/// The same as a transaction.
const TRANSACTION: &str = include_str!("transaction_requests.txt");

/// The flags whose features exist.
#[derive(Clone, Copy, Debug)]
struct Flags {
    retry: bool,
    breaker: bool,
    rollback: bool,
}

impl Flags {
    const OFF: Self = Self { retry: false, breaker: false, rollback: false };

    fn all() -> impl Iterator<Item = Self> {
        (0..8).map(|n| Self { retry: n & 1 != 0, breaker: n & 2 != 0, rollback: n & 4 != 0 })
    }

    fn world(self) -> World {
        World::new(&shipped(self.retry, self.breaker))
    }

    /// Deploys the example as the program does under these flags. Whether it is there to its end.
    async fn deploy(self, world: &World, concurrency: usize) -> bool {
        let plan = world.plan().await;
        let resends = if self.retry { 2 } else { 0 };
        let policy = Policy { concurrency, resends, ..Policy::default() };
        let observer = |_: &Event<'_, _>| {};
        let (target, interrupt) = (world.target(), Interrupt::default());
        if !self.rollback {
            return plain::run(&target, &plan, &policy, &interrupt, &observer).await.is_ok();
        }
        let begin = begin(plan);
        let begun =
            Transaction::begin(&target, MemoryStore::default(), begin, policy, interrupt, observer).await;
        matches!(begun.unwrap().run().await.unwrap(), Verdict::Committed)
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 36 && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

/// Method and path without ids.
fn shape(request: &LoggedRequest) -> String {
    let segments = path(request).split('/').map(|segment| if is_id(segment) { "*" } else { segment });
    format!("{} {}", request.method, segments.collect::<Vec<_>>().join("/"))
}

/// A request with its query and its body, without ids.
fn content(request: &LoggedRequest) -> String {
    let words = |text: &str| {
        let words = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        let masked = words.map(|word| match word.get(..36) {
            Some(id) if is_id(id) => format!("*{}", &word[36..]),
            _ => word.to_owned(),
        });
        masked.collect::<String>()
    };
    format!("{} {} {}", request.method, words(&request.path), words(&request.body))
}

#[tokio::test(start_paused = true)]
async fn all_eight_combinations_send_what_their_flags_say_and_nothing_else() {
    // What the first combination with rollback, or without, has sent and made.
    let mut first = BTreeMap::<bool, (Vec<String>, String)>::new();
    // At the same time the requests are the same ones, in another order.
    for (flags, concurrency) in Flags::all().flat_map(|flags| [1, 8].map(|at_once| (flags, at_once))) {
        let what = format!("{flags:?}, {concurrency} at a time");
        let world = flags.world();
        assert!(flags.deploy(&world, concurrency).await, "{what}");
        let log = world.emulator.requests();
        let mut shapes: Vec<_> = log.iter().map(shape).collect();
        let listed = if flags.rollback { TRANSACTION } else { PLAIN };
        let mut expected: Vec<_> = listed.lines().collect();
        if concurrency > 1 {
            shapes.sort();
            expected.sort_unstable();
        }
        assert_eq!(shapes.join("\n"), expected.join("\n"), "{what}");
        let marked = log.iter().filter(|request| request.body.contains("[selvedge:")).count();
        assert_eq!(marked > 0, flags.rollback, "{what}: {marked} markers");

        let made = world.emulator.inventory().hash;
        let contents = log.iter().map(content).filter(|sent| !sent.contains("[selvedge:"));
        let mut contents: Vec<_> = contents.collect();
        contents.sort();
        let (sent, there) = first.entry(flags.rollback).or_insert_with(|| (contents.clone(), made.clone()));
        assert_eq!(*sent, contents, "{what}");
        assert_eq!(*there, made, "{what}");
    }
    assert_eq!(first[&false].1, first[&true].1, "a transaction makes what plain requests make");
}

/// The list for transactions is the plain list and, in between: a look before each write whose undo needs to know what
/// was there, and at the end the markers taken off the workspace and the six items.
#[test]
fn a_transaction_adds_looks_before_and_takes_its_markers_off() {
    let mut plain = PLAIN.lines().peekable();
    let mut added = BTreeMap::<&str, usize>::new();
    for line in TRANSACTION.lines() {
        if plain.next_if_eq(&line).is_none() {
            *added.entry(line).or_default() += 1;
        }
    }
    assert_eq!(plain.next(), None, "a plain request is missing");
    let expected = [
        ("GET /v1/connections", 1),
        ("GET /v1/workspaces/*", 3 + 1),
        ("GET /v1/workspaces/*/items/*", 6),
        ("GET /v1/workspaces/*/roleAssignments/*", 3),
        ("PATCH /v1/workspaces/*", 1),
        ("PATCH /v1/workspaces/*/items/*", 6),
    ];
    assert_eq!(added, BTreeMap::from(expected));
}

#[tokio::test(start_paused = true)]
async fn a_503_on_a_read_is_sent_again_with_the_retry_flag_alone() {
    for flags in Flags::all() {
        let world = flags.world();
        world.inject("GET */workspaces=503,times=2");
        assert_eq!(world.list().await.is_ok(), flags.retry, "{flags:?}");
        let expected = if flags.retry { 3 } else { 1 };
        assert_eq!(arrivals(&world.emulator, "GET", "/workspaces"), expected, "{flags:?}");

        let world = flags.world();
        world.inject("POST */workspaces=503,times=1");
        let new = workspaces::New::named("Sales");
        world.fabric.send(workspaces::create(&new)).await.unwrap_err();
        assert_eq!(arrivals(&world.emulator, "POST", "/workspaces"), 1, "{flags:?}: it may have been made");
    }
}

#[tokio::test(start_paused = true)]
async fn five_503_in_a_row_open_the_breaker_with_its_flag_alone() {
    for breaker in [false, true] {
        let flags = Flags { breaker, ..Flags::OFF };
        let world = flags.world();
        world.inject("GET */workspaces=503,times=5");
        for _ in 0..5 {
            let error = world.list().await.unwrap_err();
            assert_eq!(error.status().unwrap(), 503);
        }
        let sixth = world.list().await;
        assert_eq!(arrivals(&world.emulator, "GET", "/workspaces"), if breaker { 5 } else { 6 });
        if !breaker {
            assert!(sixth.is_ok(), "{sixth:?}");
            continue;
        }
        let error = sixth.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::BreakerOpen { .. }), "{error:?}");
        assert!(!error.may_have_been_sent(), "{error:?}");
        tokio::time::sleep(Duration::from_secs(60)).await;
        world.list().await.unwrap();
        assert_eq!(arrivals(&world.emulator, "GET", "/workspaces"), 6, "the first trial");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_deployment_made_is_taken_back_with_the_rollback_flag_alone() {
    for flags in Flags::all() {
        let world = flags.world();
        let before = world.emulator.inventory().hash;
        world.inject("POST */roleAssignments=403");
        assert!(!flags.deploy(&world, 8).await, "{flags:?}");
        let deletes = world.emulator.requests().iter().filter(|request| request.method == "DELETE").count();
        assert_eq!(deletes > 0, flags.rollback, "{flags:?}");
        assert_eq!(world.emulator.inventory().hash == before, flags.rollback, "{flags:?}");
    }
}

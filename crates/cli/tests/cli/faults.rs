//! Every write of a deployment made to fail, over sockets, with rollback on.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use crate::{
    program::{Ended, run, selvedge},
    project::Project,
    tenant::Tenant,
};

/// How many emulators share the cases.
const WORKERS: usize = 3;

/// Everything that hardens requests.
const HARDENED: [&str; 2] = ["FEATURE_USE_RETRY_LOGIC", "FEATURE_USE_CIRCUIT_BREAKER"];

/// The writes of an undisturbed deployment, each as the beginning of a fault that hits exactly it; and what they make.
fn undisturbed() -> (Vec<String>, String) {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy"]).is(0);
    let mut seen = BTreeMap::<String, usize>::new();
    let writes = tenant.writes().into_iter().map(|shape| {
        let nth = seen.entry(shape.clone()).or_default();
        *nth += 1;
        format!("{shape}=FAULT,skip={},times=1", *nth - 1)
    });
    (writes.collect(), tenant.hash())
}

/// Deploys under each of `cases`, faults that are in force, each to a tenant as it was at first, and hands on how it
/// ended and what is there before and after.
fn each(cases: Vec<String>, variables: &[(&str, &str)], check: impl Fn(&str, Ended, &str, &Tenant) + Sync) {
    assert!(!cases.is_empty());
    let cases = Mutex::new(cases);
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                let tenant = Tenant::start();
                let before = tenant.hash();
                loop {
                    let Some(case) = cases.lock().unwrap().pop() else { break };
                    tenant.reset();
                    tenant.inject(&case);
                    let project = Project::orders();
                    let ended = run(tenant.safe(&project, &["deploy"]).envs(variables.iter().copied()));
                    check(&case, ended, &before, &tenant);
                }
            });
        }
    });
}

fn on<'f>(flags: &[&'f str]) -> impl Iterator<Item = (&'f str, &'static str)> {
    flags.iter().map(|flag| (*flag, "true"))
}

fn with(write: &str, fault: &str) -> String {
    write.replace("FAULT", fault)
}

#[test]
fn whichever_write_fails_nothing_is_left() {
    let (writes, _) = undisturbed();
    assert!(writes.len() >= 14, "{writes:?}");
    let mut cases = Vec::new();
    for write in &writes {
        cases.extend(["403", "500", "reset-before"].map(|fault| with(write, fault)));
    }
    // A write that takes effect without an answer, and the next one refused. The later fault comes first, for a
    // fault counts the requests that those before it let through.
    cases.extend(writes.windows(2).map(|pair| {
        let (first, second) = (with(&pair[0], "reset-after"), with(&pair[1], "403"));
        format!("{second}\n{first}")
    }));
    each(cases, &[], |case, ended, before, tenant| {
        assert_eq!(ended.code, Some(1), "{case}: {}", ended.stderr);
        assert!(ended.stdout.starts_with("RolledBack: "), "{case}: {}", ended.stdout);
        assert_eq!(tenant.hash(), before, "{case}: {:#}", tenant.inventory());
    });
}

#[test]
fn a_lost_answer_is_read_back_and_nothing_is_made_twice() {
    let (writes, made) = undisturbed();
    let cases = writes.iter().map(|write| with(write, "reset-after")).collect();
    each(cases, &[], |case, ended, before, tenant| {
        // Taking a marker off is no change of the plan: where its answer is lost, everything is taken back.
        let (code, expected) = if case.starts_with("PATCH") { (1, before) } else { (0, made.as_str()) };
        assert_eq!(ended.code, Some(code), "{case}: {}", ended.stderr);
        assert_eq!(tenant.hash(), expected, "{case}: {:#}", tenant.inventory());
    });
}

#[test]
fn an_open_circuit_is_waited_out_and_nothing_is_left() {
    let (writes, _) = undisturbed();
    // Each failure opens it, and each success closes it.
    let touchy = ["FAILURE", "SUCCESS"].map(|what| (format!("SELVEDGE_BREAKER__{what}_THRESHOLD"), "1"));
    for flags in [&HARDENED[..], &HARDENED[1..]] {
        let variables: Vec<_> =
            on(flags).chain(touchy.iter().map(|(name, value)| (name.as_str(), *value))).collect();
        let for_ever = |write: &String| with(write, "503").replace(",times=1", "");
        each(writes.iter().map(for_ever).collect(), &variables, |case, ended, before, tenant| {
            assert_eq!(ended.code, Some(1), "{flags:?} {case}: {}", ended.stderr);
            assert!(ended.stderr.contains("Circuit breaker opened"), "{case}: {}", ended.stderr);
            assert_eq!(tenant.hash(), before, "{case}: {:#}", tenant.inventory());
        });
    }
}

#[test]
fn an_outage_leaves_what_the_next_run_takes_back() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    for reached in [1, 8, 14] {
        tenant.reset();
        tenant.inject(&format!("* /v1/workspaces/*=503,skip={reached}"));
        let ended = run(tenant.safe(&project, &["deploy"]).envs(on(&HARDENED))).is(3);
        assert!(ended.stdout.contains("  create workspace acme-orders-dev ("), "{}", ended.stdout);
        tenant.heal();
        let command = ended.command();
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        tenant.safely(&project, &command).is(0);
        assert_eq!(tenant.hash(), before, "{reached}: {:#}", tenant.inventory());
    }
}

#[test]
fn with_retries_a_lost_answer_makes_one_item() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.plainly(&project, &["deploy"]).is(0);
    let made = tenant.hash();
    for rollback in ["false", "true"] {
        for fault in ["effect+429", "reset-after", "429", "503", "reset-before"] {
            for skip in [0, 1] {
                tenant.reset();
                tenant.inject(&format!("POST */items={fault},skip={skip},times=1"));
                let flags = [("FEATURE_USE_RETRY_LOGIC", "true"), ("FEATURE_USE_ROLLBACK", rollback)];
                let ended = run(tenant.selvedge(&project, &["deploy"]).envs(flags));
                let case = format!("{fault}, the item after {skip}, rollback {rollback}");
                assert_eq!(ended.code, Some(0), "{case}: {}", ended.stderr);
                assert_eq!(tenant.hash(), made, "{case}: {:#}", tenant.inventory());
            }
        }
    }
}

#[test]
fn what_an_undo_leaves_is_named_with_the_command_that_finishes_it() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let ended = tenant.safely(&project, &["deploy"]).is(3);
    let left: Vec<_> = ended.stdout.lines().collect();
    assert!(left[0].starts_with("Left: 6 changes of transaction "), "{left:?}");
    for named in [
        "  create workspace acme-orders-dev (",
        "  assign capacity 11111111-1111-4111-8111-111111111111: kept, because something that builds on it is left",
        "  create folder Landing (",
        "  create Lakehouse BRONZE_Orders_Lakehouse (",
        "  create Notebook 01_LoadOrders_Notebook (",
    ] {
        assert!(left.iter().any(|line| line.starts_with(named)), "{named} in {left:?}");
    }
    let command = ended.command();
    let command: Vec<_> = command.iter().map(String::as_str).collect();

    // It fails again, and says the same.
    let again = tenant.safely(&project, &command).is(3);
    assert_eq!(again.command(), command);

    tenant.heal();
    let done = tenant.safely(&project, &command).is(0);
    assert!(done.stdout.starts_with("RolledBack: "), "{}", done.stdout);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
}

#[test]
fn a_local_trial_of_a_failing_rollback_ends_soon() {
    let project = Project::orders();
    let (refused, stuck) = ("POST */git/commitToGit=403", "DELETE */items/*=500");
    let args = ["deploy", "--local", "--inject", refused, "--inject", stuck];
    let started = Instant::now();
    let ended = run(&mut selvedge(project.path(), &args)).is(3);
    assert!(ended.stdout.starts_with("Left: "), "{}", ended.stdout);
    // One open circuit, left to the shipped settings, is waited out for a minute.
    assert!(started.elapsed() < Duration::from_secs(50), "{:?}", started.elapsed());
}

//! Journals and leases in Azure Blob Storage, as Azurite has it. `cargo xtask azurite` installs it and runs these.

mod server;

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{
    program::{Background, Ended, run},
    project::{Project, WORKSPACE},
    tenant::{Hold, Tenant, until},
};
use server::{Azurite, KEY};

/// The program with its journal in the container. A lease lasts a little longer than an attempt and what it may need besides. One
/// change at a time: which record comes next is then no matter of luck.
fn command(tenant: &Tenant, azurite: &Azurite, project: &Project, args: &[&str]) -> Command {
    let mut command = tenant.safe(project, args);
    command
        .env("SELVEDGE_ROLLBACK__JOURNAL", azurite.journal("sales/dev"))
        .env("SELVEDGE_ROLLBACK__LEASE_TTL", "15s")
        .env("SELVEDGE_ROLLBACK__CONCURRENCY", "1")
        .env("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "5s")
        .env("AZURE_STORAGE_KEY", KEY);
    command
}

fn selvedge(tenant: &Tenant, azurite: &Azurite, project: &Project, args: &[&str]) -> Ended {
    run(&mut command(tenant, azurite, project, args))
}

/// A deployment with its first item on the way.
fn held<'t>(tenant: &'t Tenant, azurite: &Azurite, project: &Project, point: &str) -> (Background, Hold<'t>) {
    let hold = tenant.hold("POST */items", point);
    let process = Background::start(&mut command(tenant, azurite, project, &["deploy"]));
    hold.wait();
    (process, hold)
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r5_a_journal_in_a_container_is_read_from_elsewhere() {
    let (tenant, azurite, project, elsewhere) =
        (Tenant::start(), Azurite::start(), Project::orders(), Project::orders());
    let told = selvedge(&tenant, &azurite, &project, &["deploy", "--output", "json"]).is(0).json();
    let id = told["transaction"].as_str().unwrap();
    tenant.has_all_of(&project);
    assert!(!project.path().join(".selvedge").exists(), "nothing of it is here");
    let records = azurite.names().into_iter().filter(|name| name.starts_with("sales/dev/tx/"));
    for (seq, name) in records.enumerate() {
        assert_eq!(name, format!("sales/dev/tx/{id}/{seq:08}.json"));
    }

    let at = |args: &[&str]| selvedge(&tenant, &azurite, &elsewhere, args);
    let listed = at(&["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["transactions"][0]["transaction"], id);
    assert_eq!(listed["transactions"][0]["state"], "committed");
    let shown = at(&["tx", "show", &id[..30]]).ends(0, &[]).stdout;
    assert!(shown.starts_with(&format!("transaction {id}: committed\n")), "{shown}");
    assert_eq!(at(&["lock", "list"]).ends(0, &[]).stdout, "Nothing is locked.\n");
    let again = at(&["deploy", "--yes"]).is(0).stdout;
    assert!(again.contains("Nothing to do"), "{again}");
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r23_s5_sealed_journals_in_a_container_say_nothing_and_are_removed_with_all_their_blobs() {
    let (tenant, azurite, project) = (Tenant::start(), Azurite::start(), Project::orders());
    let key = |mut command: Command| {
        let key = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        run(command.env("SELVEDGE_JOURNAL_KEY", key).env("SELVEDGE_ROLLBACK__RETENTION", "0s"))
    };
    tenant.inject("POST */git/commitToGit=403");
    key(command(&tenant, &azurite, &project, &["deploy"])).is(1);
    tenant.heal();
    key(command(&tenant, &azurite, &project, &["deploy"])).is(0);
    let records = || azurite.names().into_iter().filter(|name| name.contains("/tx/")).collect::<Vec<_>>();
    let both = records();
    for name in &both {
        let text = azurite.get(name);
        assert!(text.starts_with(r#"{"key":""#) && !text.contains(WORKSPACE), "{name}: {text}");
    }
    selvedge(&tenant, &azurite, &project, &["tx", "list"]).is(0);

    // What committed goes with the next deployment that does, and what was rolled back when it is asked for.
    project.edit("Orders as they come", "Orders of the day");
    key(command(&tenant, &azurite, &project, &["deploy", "--yes"])).is(0);
    let ids = |names: &[String]| {
        let ids = names.iter().map(|name| name.split('/').nth_back(1).unwrap().to_owned());
        ids.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    let (before, after) = (ids(&both), ids(&records()));
    assert!(after.len() == 2 && after[0] == before[0] && after[1] != before[1], "{before:?} {after:?}");
    let told = key(command(&tenant, &azurite, &project, &["tx", "gc", "--output", "json"])).is(0).json();
    assert_eq!(told["removed"].as_array().unwrap().len(), 2);
    assert_eq!(records(), [""; 0]);
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r7_what_a_killed_deployment_made_is_rolled_back_from_elsewhere_when_its_lease_has_run_out() {
    let (tenant, azurite, project, elsewhere) =
        (Tenant::start(), Azurite::start(), Project::orders(), Project::orders());
    let before = tenant.hash();
    let (process, hold) = held(&tenant, &azurite, &project, "after");
    let at = |args: &[&str]| selvedge(&tenant, &azurite, &elsewhere, args);
    let refused = at(&["deploy", "--yes"]).ends(5, &["is running", "waits until its lease has run out"]);
    let rollback = refused.command();
    let shown = at(&["lock", "show", WORKSPACE]).ends(0, &[]).stdout;
    assert!(
        shown.contains("is held by process ") && shown.contains("and for 15 s more at the most"),
        "{shown}"
    );

    process.signal("KILL");
    assert_eq!(process.end().code, None);
    hold.release();
    tenant.settle();
    let rollback: Vec<_> = rollback.iter().map(String::as_str).collect();
    let ended = at(&rollback).is(0);
    assert!(ended.stdout.starts_with("RolledBack: "), "{}", ended.stdout);
    assert!(ended.stderr.contains("waiting up to 16 s for the lease"), "{}", ended.stderr);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
    at(&["deploy"]).is(0);
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r22_a_killed_owner_is_told_from_a_running_one_when_its_lease_has_run_out() {
    let (tenant, azurite, project, elsewhere) =
        (Tenant::start(), Azurite::start(), Project::orders(), Project::orders());
    let before = tenant.hash();
    let schema = include_str!("../../../../../docs/transaction.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let (process, hold) = held(&tenant, &azurite, &project, "after");
    let at = |args: &[&str]| selvedge(&tenant, &azurite, &elsewhere, args);
    let listed = || {
        let listed = at(&["tx", "list", "--output", "json"]).is(0).json()["transactions"][0].clone();
        assert!(schema.is_valid(&listed), "{listed:#}");
        listed
    };
    let running = listed();
    assert_eq!([&running["state"], &running["silent_seconds"]], [&"running".into(), &Value::Null]);
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    hold.release();
    tenant.settle();
    assert_eq!(listed()["state"], "running", "nobody can know yet");

    until("its lease has run out", || listed()["state"] != "running");
    let gone = listed();
    let id = gone["transaction"].as_str().unwrap();
    assert_eq!(gone["state"], "interrupted");
    assert_eq!(gone["owner"], running["owner"]);
    assert!(gone["silent_seconds"].as_u64().unwrap() > 15, "{gone:#}");
    let commands = ["rollback", "resume"].map(|verb| format!("selvedge transactions {verb} {id}"));
    assert_eq!(gone["commands"], serde_json::json!(commands));
    let shown = at(&["tx", "show", id]).ends(0, &[]).stdout;
    for expected in ["interrupted\n", "it has not renewed its lease for ", "  in doubt ", &commands[0]] {
        assert!(shown.contains(expected), "expected {expected:?} in\n{shown}");
    }
    let lock = at(&["lock", "show", WORKSPACE]).ends(0, &[]).stdout;
    assert!(lock.contains("and seems to be gone"), "{lock}");
    at(&["deploy", "--yes"])
        .ends(5, &["was interrupted and is open: process ", "has not renewed its lease for "]);

    // Only what is told goes by that: who takes it up still watches the lease for as long as it lasts.
    let ended = at(&["tx", "rollback", id]).is(0);
    assert!(ended.stderr.contains("waiting up to 16 s for the lease"), "{}", ended.stderr);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r6_r8_a_deployment_waits_for_the_lease_of_who_died_before_it_began_anything() {
    let (tenant, azurite, project, elsewhere) =
        (Tenant::start(), Azurite::start(), Project::orders(), Project::orders());
    let hold = tenant.hold("POST /v1/workspaces", "before");
    let process = Background::start(&mut command(&tenant, &azurite, &project, &["deploy"]));
    hold.wait();
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    // Killed between the lease and the first record: there is the one, and not the other.
    for record in azurite.names().into_iter().filter(|name| name.contains("/tx/")) {
        azurite.delete(&record);
    }
    let at = |args: &[&str]| selvedge(&tenant, &azurite, &elsewhere, args);
    assert_eq!(at(&["tx", "list"]).ends(0, &[]).stdout, "There are no transactions.\n");
    assert!(at(&["lock", "show", WORKSPACE]).is(0).stdout.contains("is held by process "));

    let started = Instant::now();
    let ended = at(&["deploy", "--yes"]).ends(0, &["waiting up to 16 s for the lease"]);
    assert!(ended.stdout.starts_with("Committed: "), "{}", ended.stdout);
    assert!(
        started.elapsed() >= Duration::from_secs(15),
        "not before it has run out: {:?}",
        started.elapsed()
    );
    tenant.has_all_of(&elsewhere);
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r18_a_rollback_that_is_refused_past_the_pivot_does_not_lock_the_workspace() {
    let (tenant, azurite, project, elsewhere) =
        (Tenant::start(), Azurite::start(), Project::orders(), Project::orders());
    let hold = tenant.hold("POST */git/commitToGit", "after");
    let process = Background::start(&mut command(&tenant, &azurite, &project, &["deploy"]));
    hold.wait();
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    hold.release();
    tenant.settle();
    let at = |args: &[&str]| selvedge(&tenant, &azurite, &elsewhere, args);
    at(&["lock", "break", WORKSPACE, "--yes"]).is(0);
    let listed = at(&["tx", "list", "--output", "json"]).is(0).json();
    let id = listed["transactions"][0]["transaction"].as_str().unwrap();
    at(&["tx", "rollback", id]).ends(3, &["can only go forward", &format!("transactions resume {id}")]);
    assert_eq!(at(&["lock", "list"]).ends(0, &[]).stdout, "Nothing is locked.\n");
    at(&["tx", "resume", id]).is(0);
    tenant.has_all_of(&project);
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r6_r7_a_deployment_that_is_stopped_and_goes_on_after_a_takeover_sends_nothing_more() {
    let (tenant, azurite, project, elsewhere) =
        (Tenant::start(), Azurite::start(), Project::orders(), Project::orders());
    let before = tenant.hash();
    let (process, hold) = held(&tenant, &azurite, &project, "after");
    process.signal("STOP");
    let at = |args: &[&str]| selvedge(&tenant, &azurite, &elsewhere, args);
    let listed = at(&["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["transactions"][0]["state"], "running");
    let id = listed["transactions"][0]["transaction"].as_str().unwrap();
    let shown = at(&["tx", "show", id, "--output", "json"]).is(0).json();
    assert_eq!([&shown["state"], &shown["commands"]], [&"running".into(), &serde_json::json!([])]);
    assert_eq!(shown["owner"], listed["transactions"][0]["owner"]);
    assert!(shown["owner"]["pid"].is_u64() && shown["lease_until"].is_string(), "{shown:#}");
    let ended = at(&["tx", "rollback", id]).is(0);
    assert!(ended.stdout.starts_with("RolledBack: "), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());

    tenant.forget_requests();
    hold.release();
    process.signal("CONT");
    let said = format!("help: see `selvedge transactions show {id}`");
    process.end().ends(3, &["another process has taken this transaction up", &said]);
    assert_eq!(tenant.writes(), [""; 0]);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r7_who_finds_anothers_record_in_the_place_of_its_own_sends_nothing_more() {
    let (tenant, azurite, project) = (Tenant::start(), Azurite::start(), Project::orders());
    let (process, hold) = held(&tenant, &azurite, &project, "before");
    let last = azurite.names().into_iter().rfind(|name| name.contains("/tx/")).unwrap();
    let (folder, seq) = last.trim_end_matches(".json").rsplit_once('/').unwrap();
    let next = seq.parse::<u64>().unwrap() + 1;
    azurite.put(&format!("{folder}/{next:08}.json"), "{}\n");
    let sent = tenant.writes().len();
    hold.release();
    process.end().ends(3, &["another process has taken this transaction up"]);
    assert_eq!(tenant.writes().len(), sent, "{:#?}", tenant.writes());
}

#[test]
#[ignore = "needs Azurite: `cargo xtask azurite`"]
fn r1_without_its_container_a_deployment_begins_nothing() {
    let (tenant, azurite, project) = (Tenant::start(), Azurite::start(), Project::orders());
    let missing = azurite.journal("x").replace("/journals/", "/missing/");
    for (name, value, said) in [
        ("SELVEDGE_ROLLBACK__JOURNAL", missing.as_str(), "help: set rollback.journal"),
        ("AZURE_STORAGE_KEY", "QUJD", "help: set rollback.journal"),
        ("AZURE_STORAGE_KEY", "", "help: set AZURE_STORAGE_KEY"),
        ("SELVEDGE_ROLLBACK__JOURNAL", "az://contoso", "rollback.journal, set by"),
        ("SELVEDGE_ROLLBACK__LEASE_TTL", "14s", "rollback.lease_ttl, set by"),
    ] {
        let ended = run(command(&tenant, &azurite, &project, &["deploy"]).env(name, value)).ends(2, &[said]);
        assert!(!ended.stderr.contains(KEY), "{}", ended.stderr);
    }
    assert_eq!(tenant.writes(), [""; 0]);
}

//! What only an operator decides: to go on with a rollback, to leave a step, to leave everything.

use std::fs;

use serde_json::{Value, json};

use super::{REFUSED, STUCK, Scene};
use crate::program::run;

#[test]
fn r23_a_step_is_skipped_and_the_rest_is_taken_back() {
    let mut scene = Scene::new();
    scene.tenant.inject(STUCK);
    scene.run(&["deploy"]).is(3);
    scene.tenant.heal();
    let id = scene.id();
    scene.tells(&["transactions", "rollback", &id, "--skip", "5", "--reason", "it holds data"], 3);
    let shown = scene.shows("rolled_back_partial");
    scene.golden("skipped");
    let skipped = &shown["steps"][4];
    assert_eq!([&skipped["state"], &skipped["undo_state"]], ["done", "skipped"]);
    assert_eq!(shown["steps"][5]["undo_state"], "undone", "{shown:#}");
    let world = scene.tenant.inventory()["world"].to_string();
    assert!(world.contains("BRONZE_Orders_Lakehouse"), "{world}");
    // It has ended: nothing stands in the way of the next.
    scene.run(&["deploy", "--yes"]).is(0);
    scene.tenant.has_all_of(&scene.project);
}

#[test]
fn r23_what_no_rollback_has_failed_at_is_not_skipped_and_nothing_is_done() {
    let scene = Scene::new();
    scene.tenant.inject(STUCK);
    scene.run(&["deploy"]).is(3);
    scene.tenant.heal();
    let (id, journal) = (scene.id(), fs::read(scene.journal()).unwrap());
    scene.tenant.forget_requests();
    for (skip, said) in [
        (&["--skip", "99"][..], "there is no such step"),
        (&["--skip", "0"], "there is no such step"),
        (&["--skip", "1"], "the rollback has not failed at it: create workspace"),
        (&["--skip", "5", "--skip", "7"], "the rollback has not failed at it: give "),
    ] {
        let args = [&["transactions", "rollback", &id], skip, &["--reason", "x"]].concat();
        scene.run(&args).ends(2, &[said, "what can be left: 5, 6; see `selvedge transactions show "]);
    }
    for (args, said) in [
        (&["--skip", "5"][..], "--reason <TEXT>"),
        (&["--reason", "x"], "--skip <STEP>"),
        (&["--skip", "5", "--reason", " "], "it says nothing"),
        (&["--skip", "Lakehouse", "--reason", "x"], "invalid value"),
    ] {
        scene.run(&[&["transactions", "rollback", &id], args].concat()).ends(2, &[said]);
    }
    assert_eq!(scene.tenant.requests().len(), 0);
    assert_eq!(fs::read(scene.journal()).unwrap(), journal);
}

#[test]
fn r22_who_asks_for_what_has_ended_is_told_what_was_asked_for() {
    let scene = Scene::new();
    // Interrupted, and taken back by another process.
    scene.interrupted();
    let id = scene.id();
    scene.run(&["transactions", "rollback", &id]).is(0);
    let resume = ["transactions", "resume", &id];
    let asked = format!("error: resume transaction {id}\n  Caused by: it was rolled back: ");
    scene.run(&resume).ends(1, &[&format!("{asked}an operator asked for it\n")]);

    // By itself, because a change has failed.
    scene.tenant.inject(REFUSED);
    scene.run(&["deploy"]).ends(1, &["error: commit to Git\n"]);
    let id = scene.id();
    let asked = format!("error: resume transaction {id}\n  Caused by: it was rolled back: git.commit was ");
    scene.run(&["transactions", "resume", &id]).ends(1, &[&asked]);

    // In part.
    scene.tenant.inject(STUCK);
    scene.run(&["deploy"]).is(3);
    scene.tenant.heal();
    let id = scene.id();
    scene.run(&["transactions", "rollback", &id, "--skip", "5", "--reason", "it holds data"]).is(3);
    let asked = format!("error: resume transaction {id}\n  Caused by: it was rolled back in part: ");
    scene.run(&["transactions", "resume", &id]).ends(3, &[&asked]);
}

#[test]
fn r23_a_rollback_is_continued_where_one_was_begun_and_only_there() {
    let scene = Scene::new();
    let before = scene.tenant.hash();
    scene.interrupted();
    let (id, journal) = (scene.id(), fs::read(scene.journal()).unwrap());
    scene.tenant.forget_requests();
    for args in [&["--continue"][..], &["--skip", "5", "--reason", "x"]] {
        let said = format!("help: run `selvedge transactions rollback {id}` to begin one");
        let args = [&["transactions", "rollback", &id], args].concat();
        scene.run(&args).ends(2, &["no rollback of it was begun", &said]);
    }
    assert_eq!(scene.tenant.requests().len(), 0);
    assert_eq!(fs::read(scene.journal()).unwrap(), journal);

    scene.tenant.inject("DELETE */items/*=500");
    let said = [
        &format!("error: take back transaction {id}: an operator asked for it\n")[..],
        "help: run `selvedge ",
    ];
    scene.run(&["transactions", "rollback", &id]).ends(3, &said);
    scene.tenant.heal();
    scene.run(&["transactions", "rollback", &id, "--continue"]).is(0);
    assert_eq!(scene.tenant.hash(), before, "{:#}", scene.tenant.inventory());
    scene.run(&["transactions", "rollback", &id, "--continue"]).ends(2, &["it has ended: rolled back"]);
}

#[test]
fn r23_what_is_abandoned_is_named_and_left_and_does_not_stop_the_next_deployment() {
    let mut scene = Scene::new();
    scene.interrupted();
    let (id, before) = (scene.id(), scene.tenant.hash());
    scene.tenant.forget_requests();
    scene.run(&["transactions", "abandon", &id]).ends(2, &["--reason <TEXT>"]);
    scene.tells(&["transactions", "abandon", &id, "--reason", "it moves to another tenant"], 0);
    let shown = scene.shows("abandoned");
    assert_eq!(scene.tenant.requests().len(), 0, "Fabric was asked for nothing");
    assert_eq!(scene.tenant.hash(), before);
    let left = shown["remaining"].as_array().unwrap();
    let id_of = |change: &str| left.iter().find(|left| left["change"] == change).unwrap()["id"].clone();
    let workspace = id_of("create workspace acme-orders-dev");
    let items = format!("/v1/workspaces/{}/items", workspace.as_str().unwrap());
    let there = scene.tenant.call("GET", &items, "");
    for change in ["create Lakehouse BRONZE_Orders_Lakehouse", "create Notebook 01_LoadOrders_Notebook"] {
        let is_it = |item: &Value| item["id"] == id_of(change);
        assert!(there["value"].as_array().unwrap().iter().any(is_it), "{change}: {left:?}");
    }

    // ## it has ended
    scene.tells(&["transactions", "resume", &id], 3);
    scene.tells(&["transactions", "sweep"], 3);
    for verb in ["rollback", "abandon"] {
        let reason = if verb == "abandon" { &["--reason", "x"][..] } else { &[] };
        scene.tells(&[&["transactions", verb, &id], reason].concat(), 2);
    }
    scene.golden("abandoned");
    scene.run(&["deploy", "--yes"]).is(0);
    scene.tenant.has_all_of(&scene.project);
}

#[test]
fn r23_what_runs_is_not_abandoned_and_what_is_needs_no_credentials() {
    let scene = Scene::new();
    let (process, _hold) = scene.stopped(&["deploy"], "POST */items", "before");
    let id = scene.id();
    let abandon = ["transactions", "abandon", &id, "--reason", "x"];
    scene.run(&abandon).ends(5, &["is held by process ", &format!("with transaction {id}")]);
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    let mut command = scene.command(&abandon);
    for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"] {
        command.env_remove(name);
    }
    run(command.env("SELVEDGE_ENTRA__CREDENTIAL", "client-secret")).is(0);
}

#[test]
fn r22_every_verdict_is_as_the_schema_says() {
    let scene = Scene::new();
    let json = |args: &[&str], code: i32, verdict: &str| {
        let told = scene.run(&[args, &["--output", "json"]].concat()).is(code).json();
        assert_eq!(told["verdict"], verdict, "{told:#}");
        scene.check(&told);
        assert_eq!(told["left"], told["remaining"]);
        // The verdict and what is shown afterwards say the same, each reason perhaps in more words.
        let shown = scene.run(&["transactions", "show", &scene.id(), "--output", "json"]).is(0).json();
        for member in ["state", "direction", "commands", "subject", "context"] {
            assert_eq!(told[member], shown[member], "{member}");
        }
        told
    };
    scene.tenant.inject(REFUSED);
    json(&["deploy"], 1, "rolled_back");
    scene.tenant.inject("DELETE */items/*=500");
    json(&["deploy"], 3, "left");
    let id = scene.id();
    json(&["transactions", "resume", &id], 3, "left");
    json(&["transactions", "rollback", &id, "--continue"], 3, "left");
    scene.tenant.heal();
    json(&["transactions", "rollback", &id], 0, "rolled_back");
    json(&["transactions", "resume", &id], 1, "rolled_back");
    json(&["deploy"], 0, "committed");
    json(&["transactions", "resume", &scene.id()], 0, "committed");

    scene.tenant.reset();
    scene.interrupted();
    let id = scene.id();
    let told = json(&["transactions", "abandon", &id, "--reason", "x"], 0, "abandoned");
    assert_eq!(told["cause"], json!({ "step": null, "reason": "x" }));
    json(&["transactions", "resume", &id], 3, "abandoned");

    // ## one object a line
    scene.tenant.reset();
    let lines = scene.run(&["deploy", "--output", "jsonl"]).is(0).stdout;
    let last = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    scene.check(&last);
}

#[test]
fn r22_r24_what_is_no_transaction_is_as_the_schema_says_too() {
    let scene = Scene::new();
    let is_valid = |told: &Value| scene.schema.is_valid(told);
    let check = |told: &Value, verdict: &str, others: &[(&str, Value)]| {
        assert_eq!(told["verdict"], verdict, "{told:#}");
        assert!(is_valid(told), "{told:#}");
        for member in ["verdict", "deployment", "changes"] {
            let mut without = told.clone();
            without.as_object_mut().unwrap().remove(member);
            assert!(!is_valid(&without), "without {member}");
        }
        for (member, value) in others {
            let mut other = told.clone();
            other[member] = value.clone();
            assert!(!is_valid(&other), "{member}: {value}");
        }
    };
    scene.run(&["deploy"]).is(0);
    let id = scene.id();
    let again = ["deploy", "--yes", "--output"];
    let nothing = scene.run(&[&again[..], &["json"]].concat()).is(0).json();
    let change = json!([{ "step": 1, "change": "x" }]);
    let others = [("changes", change), ("transaction", json!(id)), ("verdict", json!("committed"))];
    check(&nothing, "nothing_to_do", &others);
    let lines = scene.run(&[&again[..], &["jsonl"]].concat()).is(0).stdout;
    let last: Value = serde_json::from_str(lines.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "result");
    check(&last, "nothing_to_do", &[]);

    // ## without the flag
    let plainly = || run(&mut scene.tenant.selvedge(&scene.project, &["deploy", "--output", "json"]));
    scene.tenant.reset();
    let others =
        [("transaction", json!(id)), ("commands", json!(["selvedge x"])), ("verdict", json!("left"))];
    check(&plainly().is(0).json(), "deployed", &others);
    scene.tenant.reset();
    scene.tenant.inject(REFUSED);
    check(&plainly().is(3).json(), "failed", &others);
}

#[test]
fn r22_what_is_no_report_is_refused_by_the_schema() {
    let scene = Scene::new();
    scene.tenant.inject(STUCK);
    let told = scene.run(&["deploy", "--output", "json"]).is(3).json();
    scene.check(&told);
    for member in ["transaction", "state", "owner", "steps", "remaining", "commands", "left", "cause"] {
        let mut without = told.clone();
        without.as_object_mut().unwrap().remove(member);
        assert!(!scene.schema.is_valid(&without), "without {member}");
    }
    for (place, value) in [
        ("/state", json!("done")),
        ("/state", json!("committed")),
        ("/direction", json!(null)),
        ("/commands", json!([])),
        ("/transaction", json!("x")),
        ("/steps/0/kind", json!("create")),
        ("/steps/0/next_action", json!("wait")),
        ("/steps/4/undo_state", json!("failed")),
        ("/remaining/0/step", json!(0)),
        ("/remaining/0", json!({ "step": 1, "change": "x", "reason": "y" })),
    ] {
        let mut other = told.clone();
        *other.pointer_mut(place).unwrap() = value;
        assert!(!scene.schema.is_valid(&other), "{place}: {other:#}");
    }
}

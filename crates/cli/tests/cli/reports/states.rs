//! A transaction in each state: what `list` and `show` say, and what the verb said that brought it there.

use std::fs;
use std::io::{BufRead as _, Read as _};

use serde_json::{Value, json};

use super::{REFUSED, STUCK, Scene};
use crate::program::Ended;
use crate::project::WORKSPACE;

/// The named members of each step.
fn members<'v>(report: &'v Value, name: &str) -> Vec<&'v Value> {
    report["steps"].as_array().unwrap().iter().map(|step| &step[name]).collect()
}

#[test]
fn r22_committed() {
    let mut scene = Scene::new();
    scene.tells(&["deploy"], 0);
    let shown = scene.shows("committed");
    scene.golden("committed");
    assert_eq!((&shown["remaining"], &shown["commands"]), (&json!([]), &json!([])));
    assert!(members(&shown, "state").iter().all(|state| **state == "done"));
}

#[test]
fn r22_interrupted() {
    let mut scene = Scene::new();
    scene.interrupted();
    let shown = scene.shows("interrupted");
    scene.golden("interrupted");
    assert_eq!(shown["direction"], "forward");
    let states = members(&shown, "state");
    assert_eq!(states.iter().filter(|state| **state == "in_doubt").count(), 1, "{shown:#}");
    // What the service has made is named by its id, and by the marker that it carries.
    for (step, kind) in members(&shown, "kind").into_iter().enumerate() {
        let step = &shown["steps"][step];
        assert!(step["state"] != "done" || kind == "assign_capacity" || step["id"].is_string(), "{step:#}");
        let may_be_marked = kind == "create_workspace" || kind == "create_item";
        assert_eq!(step["marker"].is_string(), may_be_marked, "{step:#}");
    }
}

#[test]
fn r22_left_after_an_undo_that_failed() {
    let mut scene = Scene::new();
    scene.tenant.inject(STUCK);
    scene.tells(&["deploy"], 3);
    let shown = scene.shows("left");
    scene.golden("left");
    assert_eq!(shown["direction"], "back");
    let stuck = &shown["steps"][4];
    assert_eq!([&stuck["state"], &stuck["undo_state"], &stuck["next_action"]], ["done", "stuck", "undo"]);
    let left: Vec<_> = shown["remaining"].as_array().unwrap().iter().map(|left| &left["step"]).collect();
    assert!(left.contains(&&json!(5)) && left.contains(&&json!(1)), "{shown:#}");
}

#[test]
fn r22_rolled_back() {
    let mut scene = Scene::new();
    scene.tenant.inject(REFUSED);
    scene.tells(&["deploy"], 1);
    let shown = scene.shows("rolled_back");
    scene.golden("rolled_back");
    assert_eq!((&shown["remaining"], &shown["commands"]), (&json!([]), &json!([])));
}

#[test]
fn r22_rolled_back_with_something_in_the_recycle_bin() {
    let mut scene = Scene::new();
    // Deleting for good is not allowed; deleting is.
    scene.tenant.inject(&format!("{REFUSED}\nDELETE */items/*=403,times=1"));
    scene.tells(&["deploy"], 1);
    let shown = scene.shows("rolled_back");
    scene.golden("recycled");
    let undone = members(&shown, "undo_state");
    let recycled = undone.iter().filter(|state| **state == "recycled").count();
    assert_eq!(recycled, shown["remaining"].as_array().unwrap().len());
    assert!(recycled > 0, "{shown:#}");
}

#[test]
fn r14_r22_rolled_back_but_for_what_somebody_has_edited() {
    let mut scene = Scene::new();
    scene.run(&["deploy"]).is(0);
    scene.project.edit("Orders as they come", "Orders of the day");
    scene
        .project
        .write("load.py", "# Fabric notebook source\n\n# CELL ********************\n\nprint('anew')\n");
    scene.tenant.inject(REFUSED);
    let (process, hold) = scene.stopped(&["deploy", "--yes"], "POST */updateDefinition", "before");
    let workspaces = scene.tenant.call("GET", "/v1/workspaces", "");
    let id_of = |listed: &Value, name: &str| {
        let found = listed["value"].as_array().unwrap().iter().find(|it| it["displayName"] == name).unwrap();
        found["id"].as_str().unwrap().to_owned()
    };
    let items = format!("/v1/workspaces/{}/items", id_of(&workspaces, WORKSPACE));
    let lakehouse = id_of(&scene.tenant.call("GET", &items, ""), "BRONZE_Orders_Lakehouse");
    let theirs = json!({ "description": "In our own words" }).to_string();
    scene.tenant.call("PATCH", &format!("{items}/{lakehouse}"), &theirs);
    hold.release();
    let ended = process.end();
    scene.take_down(&["deploy", "--yes"], ended, 3);
    let shown = scene.shows("rolled_back_partial");
    scene.golden("rolled_back_partial");
    assert_eq!(shown["remaining"].as_array().unwrap().len(), 1, "{shown:#}");
    assert_eq!(shown["remaining"][0]["id"], lakehouse.as_str());
    assert_eq!(shown["steps"][0]["next_action"], "look_after");
}

#[test]
fn r19_r22_stopped_at_once() {
    let mut scene = Scene::new();
    for format in ["text", "json"] {
        scene.tenant.reset();
        let args = ["deploy", "--output", format];
        let (mut process, hold) = scene.stopped(&args, "POST */items", "before");
        process.signal("INT");
        let mut stderr = process.stderr();
        let mut said = String::new();
        while format == "text" && !said.contains("interrupted: stopping") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
        }
        scene.decided();
        process.signal("INT");
        stderr.read_to_string(&mut said).unwrap();
        let ended = Ended { stderr: said, ..process.end() };
        hold.release();
        scene.tenant.settle();
        if format == "text" {
            assert!(!ended.stderr.contains("resume"), "there is no way forward: {}", ended.stderr);
            scene.take_down(&args, ended, 3);
            scene.shows("left");
            scene.golden("stopped");
        } else {
            let told = ended.is(3).json();
            scene.check(&told);
            assert_eq!((&told["verdict"], &told["state"]), (&json!("left"), &json!("left")));
            assert_eq!(told["cause"]["reason"], "stopped at once");
        }
        let id = scene.id();
        scene.run(&["transactions", "rollback", &id]).is(0);
    }
}

#[test]
fn r22_running() {
    let mut scene = Scene::new();
    // What it holds of the scene ends with it; the request stays held.
    let process = scene.stopped(&["deploy"], "POST */items", "before").0;
    let shown = scene.shows("running");
    scene.golden("running");
    let listed = scene.run(&["lock", "list", "--output", "json"]).is(0).json();
    assert_eq!(shown["owner"], listed["locks"][0]["holder"]);
    assert!(shown["owner"]["pid"].is_u64(), "{shown:#}");
    drop(process);
}

#[test]
fn r3_r22_unreadable() {
    let mut scene = Scene::new();
    scene.run(&["deploy"]).is(0);
    let (journal, id) = (scene.journal(), scene.id());
    let mut bytes = fs::read(&journal).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&journal, bytes).unwrap();
    scene.tells(&["transactions", "list"], 0);
    for verb in ["show", "resume", "rollback"] {
        scene.tells(&["transactions", verb, &id], 1);
    }
    scene.tells(&["transactions", "abandon", &id, "--reason", "damaged"], 1);
    scene.golden("unreadable");
    let listed = scene.run(&["transactions", "list", "--output", "json"]).is(0).json();
    let report = &listed["transactions"][0];
    assert_eq!(report["state"], "unreadable");
    assert!(scene.schema.is_valid(report), "{report:#}");
}

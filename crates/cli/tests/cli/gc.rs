//! `selvedge transactions gc`, and what a deployment removes by itself: journals of transactions that ended long ago.

use serde_json::{Value, json};

use crate::{
    program::run,
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

const ALL: [&str; 6] = ["tx", "gc", "--older-than", "0s", "--output", "json"];

/// A deployment that is rolled back, and the id of its transaction.
fn rolled_back(tenant: &Tenant, project: &Project) -> String {
    tenant.inject("POST */git/commitToGit=403");
    let told = tenant.safely(project, &["deploy", "--yes", "--output", "json"]).is(1).json();
    tenant.heal();
    told["transaction"].as_str().unwrap().to_owned()
}

fn committed(tenant: &Tenant, project: &Project) -> String {
    let told = tenant.safely(project, &["deploy", "--yes", "--output", "json"]).is(0).json();
    told["transaction"].as_str().unwrap().to_owned()
}

/// What the next deployment has to update.
fn edit(project: &Project, text: &str) {
    project.write("load.py", &format!("# Fabric notebook source\n\n# CELL ********************\n\n{text}\n"));
}

fn names(project: &Project) -> Vec<String> {
    let stem = |path: &std::path::PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let mut names: Vec<_> = project.journals().iter().map(stem).collect();
    names.sort();
    names
}

fn ids(rows: &Value) -> Vec<&str> {
    rows.as_array().unwrap().iter().map(|row| row["transaction"].as_str().unwrap()).collect()
}

#[test]
fn r23_what_ended_long_ago_is_removed_and_what_is_open_or_damaged_is_not_touched() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let first = rolled_back(&tenant, &project);
    let second = committed(&tenant, &project);
    edit(&project, "print('anew')");
    tenant.inject("POST */git/commitToGit=403\nPOST */updateDefinition=403,skip=1");
    let open = tenant.safely(&project, &["deploy", "--yes", "--output", "json"]).is(3).json();
    let open = open["transaction"].as_str().unwrap().to_owned();
    tenant.heal();
    project.write(".selvedge/transactions/ffffffffffffffffffffffffffffffff.jsonl", "{}\n");
    let all = names(&project);
    assert_eq!(all.len(), 4);

    let none = tenant.plainly(&project, &["tx", "gc"]).ends(0, &[]).stdout;
    assert_eq!(none, "There is nothing to remove.\n", "30 days are not over");
    let dry = tenant.plainly(&project, &[&ALL[..], &["--dry-run"]].concat()).is(0).json();
    assert_eq!((ids(&dry["removed"]), ids(&dry["kept"])), (vec![first.as_str(), second.as_str()], vec![]));
    assert_eq!(names(&project), all);

    tenant.forget_requests();
    let text = tenant.plainly(&project, &ALL[..4]).ends(0, &[]).stdout;
    for (id, state) in [(&first, "rolled_back"), (&second, "committed")] {
        let line = format!("{id}  {state:<11}  {}/v1 {WORKSPACE}  removed\n", tenant.url);
        assert!(text.contains(&line), "{line} in {text}");
    }
    assert_eq!(tenant.writes(), [""; 0]);
    assert_eq!(names(&project), [open.as_str(), "ffffffffffffffffffffffffffffffff"]);
    tenant.plainly(&project, &["tx", "show", &second]).is(2);
    tenant.safely(&project, &["tx", "rollback", &open]).is(0);
}

#[test]
fn r23_what_was_rolled_back_and_is_found_again_keeps_its_journal() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let id = rolled_back(&tenant, &project);
    // It landed after all.
    tenant.reset();
    tenant.seed(&json!({ "workspaces": [{ "displayName": WORKSPACE, "items": [
        { "type": "Notebook", "displayName": "late", "description": format!("late [selvedge:{id}:5]") },
    ] }] }));
    let before = tenant.hash();
    let told = tenant.plainly(&project, &ALL).is(3).json();
    assert_eq!((ids(&told["removed"]), ids(&told["kept"])), (vec![], vec![id.as_str()]));
    let reason = told["kept"][0]["kept"].as_str().unwrap();
    assert!(reason.starts_with("its marker is on Notebook late ("), "{reason}");
    assert_eq!(names(&project), [id.as_str()]);
    assert_eq!(tenant.hash(), before);

    // To another identity "not found" may mean "not allowed".
    tenant.reset();
    let elsewhere = "aaaaaaaa-0000-4000-8000-0000000000aa";
    let told = run(tenant.selvedge(&project, &ALL).env("AZURE_CLIENT_ID", elsewhere)).is(0).json();
    let reason = told["kept"][0]["kept"].as_str().unwrap();
    assert!(reason.contains("looked for from here: the transaction's client is"), "{reason}");
    assert_eq!(names(&project), [id]);

    // It is gone.
    tenant.plainly(&project, &ALL).is(0);
    assert_eq!(names(&project), [""; 0]);
}

#[test]
fn r21_r23_a_workspace_that_was_there_and_cannot_be_seen_proves_nothing() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let world = json!({ "workspaces": [{ "displayName": WORKSPACE, "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111" }] });
    tenant.seed(&world);
    let id = rolled_back(&tenant, &project);
    tenant.reset();
    let told = tenant.plainly(&project, &ALL).is(0).json();
    assert_eq!(told["kept"][0]["kept"], "its workspace, which was there before, cannot be seen");
    assert_eq!(names(&project), [id]);
    tenant.seed(&world);
    tenant.plainly(&project, &ALL).is(0);
    assert_eq!(names(&project), [""; 0]);
}

#[test]
fn r23_a_marker_that_could_not_be_taken_off_keeps_the_journal_that_takes_it_off() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    project.edit("auto_commit: true", "auto_commit: false");
    tenant.inject("PATCH */items/*=403");
    let id = committed(&tenant, &project);
    tenant.heal();
    let told = tenant.plainly(&project, &ALL).is(3).json();
    let reason = told["kept"][0]["kept"].as_str().unwrap();
    assert!(reason.ends_with(&format!("run `selvedge transactions resume {id}`")), "{reason}");
    tenant.safely(&project, &["transactions", "resume", &id]).is(0);
    tenant.plainly(&project, &ALL).is(0);
    assert_eq!(names(&project), [""; 0]);
}

#[test]
fn s5_a_deployment_that_commits_removes_the_journals_of_what_committed_long_ago() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let rolled_back = rolled_back(&tenant, &project);
    let first = committed(&tenant, &project);
    edit(&project, "print('second')");
    let second = committed(&tenant, &project);
    assert_eq!(names(&project), [rolled_back.as_str(), &first, &second], "30 days are not over");

    // A deployment that does not commit removes nothing.
    edit(&project, "print('third')");
    let deploy = || {
        let mut command = tenant.safe(&project, &["deploy", "--yes", "--output", "json"]);
        command.env("SELVEDGE_ROLLBACK__RETENTION", "0s");
        command
    };
    tenant.inject("POST */git/commitToGit=403");
    run(&mut deploy()).is(1);
    tenant.heal();
    assert_eq!(names(&project).len(), 4);

    let told = run(&mut deploy()).is(0).json();
    let third = told["transaction"].as_str().unwrap();
    let left = names(&project);
    assert!(!left.contains(&first) && !left.contains(&second), "{left:?}");
    assert!(left.contains(&rolled_back) && left.contains(&third.to_owned()) && left.len() == 3, "{left:?}");
}

#[test]
fn s5_what_cannot_be_removed_does_not_fail_the_deployment_that_would_remove_it() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let first = committed(&tenant, &project);
    edit(&project, "print('second')");
    // In the way of the file that was never spilled stands a folder.
    let spill = project.path().join(".selvedge/transactions/spill").join(format!("{first}.jsonl"));
    std::fs::create_dir_all(&spill).unwrap();
    let mut deploy = tenant.safe(&project, &["deploy", "--yes"]);
    let ended = run(deploy.env("SELVEDGE_ROLLBACK__RETENTION", "0s")).is(0);
    assert!(ended.stdout.starts_with("Committed: "), "{}", ended.stdout);
    assert!(ended.stderr.contains("Could not remove an old journal"), "{}", ended.stderr);
    assert!(names(&project).contains(&first));
}

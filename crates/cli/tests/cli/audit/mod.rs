//! The audit trail of real deployments: what is in it, and that what happens to it afterwards is found.

mod damage;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use selvedge_observability::{audit::EventType, redact::testing::leak};
use serde_json::{Value, json};

use crate::{
    program::{Background, Ended, run, selvedge},
    project::Project,
    tenant::Tenant,
};

fn path(project: &Project) -> PathBuf {
    project.path().join("audit/audit_trail.jsonl")
}

/// The records of a project, each of which must have the members that the documentation says.
fn records(project: &Project) -> Vec<Value> {
    let text = fs::read_to_string(path(project)).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    records.iter().for_each(is_as_documented);
    records
}

fn is_as_documented(record: &Value) {
    const COMMON: [&str; 12] = [
        "timestamp",
        "event_type",
        "git_commit",
        "git_branch",
        "git_user",
        "transaction_id",
        "step",
        "principal",
        "outcome",
        "environment",
        "version",
        "chain",
    ];
    let event = EventType::ALL.into_iter().find(|event| event.name() == record["event_type"]).unwrap();
    let members = record.as_object().unwrap();
    for name in COMMON.iter().chain(event.fields()) {
        assert!(members.contains_key(*name), "{name} is missing in {record:#}");
    }
    // Of a change that was not made: what it was to be.
    if let Some(intended) = members.get("intended_event") {
        assert!(EventType::ALL.iter().any(|event| event.name() == *intended), "{record:#}");
        return;
    }
    let of_changes = ["change", "deployment_id", "adopted", "trace"];
    let known = |name: &&String| [&COMMON[..], event.fields(), &of_changes].concat().contains(&name.as_str());
    assert!(members.keys().all(|name| known(&name)), "{record:#}");
}

/// What each record says in a word.
fn told(records: &[Value]) -> Vec<String> {
    let text = |record: &Value, name: &str| record[name].as_str().unwrap().to_owned();
    records.iter().map(|record| text(record, "event_type") + " " + &text(record, "outcome")).collect()
}

/// The steps whose records say this.
fn steps(records: &[Value], outcome: &str) -> BTreeSet<u64> {
    let of = records.iter().filter(|record| record["outcome"] == outcome);
    of.filter_map(|record| record["step"].as_u64()).collect()
}

#[track_caller]
fn verify(project: &Project) -> Ended {
    run(&mut selvedge(project.path(), &["audit", "verify"]))
}

#[track_caller]
fn is_intact(project: &Project) -> Value {
    let ended = run(&mut selvedge(project.path(), &["audit", "verify", "--output", "json"])).is(0);
    let report = ended.json();
    assert_eq!(report["intact"], true);
    report
}

#[test]
fn every_change_of_a_deployment_is_told_by_the_predecessors_names() {
    let expected = [
        "deployment_started started",
        "workspace_created done",
        "capacity_assigned done",
        "folder_created done",
        "folder_created done",
        "item_created done",
        "item_created done",
        "user_added done",
        "connection_created done",
        "git_connected done",
        "git_initialized done",
        "git_committed done",
        "deployment_completed done",
    ];
    let tenant = Tenant::start();
    for rollback in [true, false] {
        tenant.reset();
        let project = Project::orders();
        let mut command = if rollback {
            tenant.safe(&project, &["deploy"])
        } else {
            tenant.selvedge(&project, &["deploy"])
        };
        run(command.env("SELVEDGE_ROLLBACK__CONCURRENCY", "1").env("USER", "jo")).is(0);
        let records = records(&project);
        assert_eq!(told(&records), expected);
        is_intact(&project);

        let of = |event: &str| records.iter().find(|record| record["event_type"] == event).unwrap();
        let (workspace, item) = (of("workspace_created"), of("item_created"));
        assert!(workspace["workspace_id"].as_str().is_some_and(|id| id.len() == 36));
        assert_eq!(workspace["product_id"], "Orders");
        assert!(item["item_id"].as_str().is_some_and(|id| id.len() == 36));
        for record in &records {
            let has_workspace = record.get("workspace_id").is_some();
            assert!(!has_workspace || record["workspace_id"] == workspace["workspace_id"], "{record:#}");
            assert_eq!(record["environment"], "dev");
            assert!(record["principal"].as_str().is_some_and(|principal| !principal.is_empty()));
            assert_eq!(record["git_commit"], "unknown", "a temporary folder is no repository");
            assert_eq!(record["git_user"], "jo");
            let transaction = record["transaction_id"].as_str();
            let journal = project.journals().first().map(|path| path.file_stem().unwrap().to_owned());
            assert_eq!(transaction, journal.as_ref().and_then(|name| name.to_str()));
            assert!(record.get("deployment_id").is_none_or(|id| *id == records[0]["deployment_id"]));
        }
        assert_eq!((&records[12]["items_deployed"], &records[0]["triggered_by"]), (&2.into(), &"jo".into()));
        assert_eq!(of("git_connected")["git_repository"], "orders");
        assert_eq!(of("user_added")["user_email"], "data.owner@contoso.example");

        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path(&project)), mode(path(&project).parent().unwrap())), (0o600, 0o700));

        // What changes nothing is not in it.
        let before = fs::read(path(&project)).unwrap();
        tenant.safely(&project, &["deploy"]).is(0);
        tenant.safely(&project, &["deploy", "--dry-run"]).is(0);
        tenant.safely(&project, &["plan"]).is(0);
        assert_eq!(fs::read(path(&project)).unwrap(), before);
    }
}

#[test]
fn a_deployment_that_fails_and_is_rolled_back_has_each_change_and_each_undo_in_it() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */git/commitToGit=403");
    tenant.safely(&project, &["deploy"]).is(1);
    let records = records(&project);
    let words = told(&records);
    assert_eq!(words[0], "deployment_started started");
    assert_eq!(words[words.len() - 2..], ["rollback_completed rolled_back", "deployment_failed rolled_back"]);
    assert!(words.contains(&"rollback_started started".to_owned()), "{words:#?}");
    for undone in
        ["workspace_deleted", "folder_deleted", "item_deleted", "user_removed", "connection_deleted"]
    {
        assert!(words.contains(&format!("{undone} undone")), "{undone} in {words:#?}");
    }
    assert!(records.last().unwrap()["error_message"].as_str().is_some_and(|why| why.contains("403")));

    // The journal has the same to say.
    let journal = fs::read_to_string(&project.journals()[0]).unwrap();
    let bodies: Vec<Value> =
        journal.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["body"].take()).collect();
    let of = |kind: &str, result: &str| -> BTreeSet<u64> {
        let bodies = bodies.iter().filter(|body| body["type"] == kind && body["result"] == result);
        bodies.filter_map(|body| body["step"].as_u64()).collect()
    };
    let done = of("outcome", "done");
    assert_eq!(done, (1..=10).collect());
    assert_eq!(steps(&records, "done"), done);
    assert_eq!(steps(&records, "undone"), of("undo_outcome", "reversed"));
    assert_eq!(steps(&records, "undone"), done);
    // What is removed is what was made.
    let id = |event: &str, member: &str| -> BTreeSet<String> {
        let of = records.iter().filter(|record| record["event_type"] == event);
        of.map(|record| record[member].as_str().unwrap().to_owned()).collect()
    };
    for (made, removed, member) in [
        ("item_created", "item_deleted", "item_id"),
        ("folder_created", "folder_deleted", "folder_id"),
        ("workspace_created", "workspace_deleted", "workspace_id"),
        ("connection_created", "connection_deleted", "connection_id"),
    ] {
        assert_eq!(id(made, member), id(removed, member));
    }
    is_intact(&project);
}

#[test]
fn what_fails_without_rollback_and_what_cannot_be_undone_is_told() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */roleAssignments=403");
    tenant.plainly(&project, &["deploy"]).is(3);
    let plain = records(&project);
    let words = told(&plain);
    let end = ["change_failed failed", "change_in_doubt in_doubt", "deployment_failed left"];
    assert_eq!(words[words.len() - 3..], end);
    assert_eq!(plain[words.len() - 2]["intended_event"], "user_added");

    tenant.reset();
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let project = Project::orders();
    let command = tenant.safely(&project, &["deploy"]).is(3).command();
    let words = told(&records(&project));
    assert!(words.contains(&"undo_failed undo_failed".to_owned()), "{words:#?}");
    assert_eq!(words[words.len() - 2..], ["rollback_failed left", "deployment_failed left"]);
    let before = words.len();

    // ## an operator leaves one thing, and the rest goes
    tenant.heal();
    let skip = ["transactions", "rollback", &command[2], "--skip", "5", "--reason", "kept for the demo"];
    tenant.safely(&project, &skip).is(3);
    let after = &records(&project)[before..];
    let words = told(after);
    assert_eq!(words[..2], ["transaction_taken_up started", "undo_skipped skipped"]);
    assert_eq!(
        (&after[0]["command"], &after[1]["error_message"]),
        (&"rollback".into(), &"kept for the demo".into())
    );
    assert!(words.contains(&"item_deleted undone".to_owned()), "{words:#?}");
    assert!(words.contains(&"undo_kept kept".to_owned()), "{words:#?}");
    assert_eq!(words[words.len() - 2..], ["rollback_failed left", "deployment_failed left"]);
    is_intact(&project);
}

#[test]
fn a_deployment_that_is_killed_and_taken_up_goes_on_in_the_trail() {
    let tenant = Tenant::start();
    for (point, is_made, word) in
        [("before", false, "change_not_made not_done"), ("after", true, "item_created done")]
    {
        tenant.reset();
        let project = Project::orders();
        let hold = tenant.hold("POST */items", point);
        let process = Background::start(&mut tenant.safe(&project, &["deploy"]));
        hold.wait();
        process.signal("KILL");
        assert_eq!(process.end().code, None);
        if is_made {
            hold.release();
            tenant.settle();
        }
        is_intact(&project);
        let before = records(&project).len();
        let command = tenant.safely(&project, &["deploy"]).is(5).command();
        assert_eq!(records(&project).len(), before, "what is refused changes nothing");
        let command: Vec<_> = command.iter().map(String::as_str).collect();
        tenant.safely(&project, &command).is(0);
        hold.release();
        tenant.settle();
        let words = told(&records(&project)[before..]);
        assert_eq!(words[0], "transaction_taken_up started", "{words:#?}");
        assert!(words.contains(&word.to_owned()), "{point}: {words:#?}");
        assert!(words.contains(&"rollback_completed rolled_back".to_owned()), "{words:#?}");
        is_intact(&project);
    }

    // ## and one that is given up
    tenant.reset();
    let project = Project::orders();
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = tenant.safely(&project, &["deploy"]).is(3).command();
    tenant.safely(&project, &["transactions", "abandon", &command[2], "--reason", "a demo"]).is(0);
    let records = records(&project);
    let last = records.last().unwrap();
    assert_eq!(told(&records).last().unwrap(), "transaction_abandoned abandoned");
    assert_eq!((&last["reason"], &last["transaction_id"]), (&"a demo".into(), &records[0]["transaction_id"]));
    is_intact(&project);
}

#[test]
fn markers_that_stay_and_that_are_taken_off_later_are_told() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    // With a commit to Git it would fail: what is published has no markers.
    project.edit("git:\n  enabled: true", "git:\n  enabled: false");
    tenant.inject("PATCH */items/*=403");
    tenant.safely(&project, &["deploy"]).is(0);
    let before = records(&project);
    let left: Vec<_> = before.iter().filter(|record| record["event_type"] == "marker_left").collect();
    assert_eq!(left.len(), 2, "{before:#?}");
    let id = before[0]["transaction_id"].as_str().unwrap();
    let after = |words: &[&str]| {
        assert_eq!(told(&records(&project)[before.len()..]), words);
    };
    tenant.heal();
    tenant.safely(&project, &["transactions", "resume", id]).is(0);
    after(&["transaction_taken_up started", "markers_removed done"]);
    // There is nothing left to be done.
    tenant.safely(&project, &["transactions", "resume", id]).is(0);
    after(&["transaction_taken_up started", "markers_removed done"]);
    is_intact(&project);
}

#[test]
fn what_is_shown_can_begin_at_a_time_and_be_read_by_programs() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.plainly(&project, &["deploy"]).is(0);
    let show = |args: &[&str]| run(&mut selvedge(project.path(), &[&["audit", "show"], args].concat())).is(0);
    let text = show(&[]).stdout;
    assert_eq!(text.lines().count(), 13);
    let item = text.lines().find(|line| line.contains("BRONZE_Orders_Lakehouse")).unwrap();
    assert!(item.contains("item_created") && item.contains("create Lakehouse"), "{item}");
    let records = records(&project);
    for args in [&["--json"][..], &["--output", "json"], &["--since", "1h", "--json"]] {
        assert_eq!(show(args).json(), json!({ "records": records }));
    }
    let lines = show(&["--output", "jsonl"]).stdout;
    assert_eq!(lines, fs::read_to_string(path(&project)).unwrap());
    assert_eq!(show(&["--since", "2199-01-01"]).stdout, "There are no records.\n");
    run(&mut selvedge(project.path(), &["audit", "show", "--since", "soon"])).is(2);
}

#[test]
fn none_is_written_where_the_settings_say_so_and_none_of_a_tenant_in_memory() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    run(&mut selvedge(project.path(), &["deploy", "--local"])).is(0);
    project.write("selvedge.toml", "[audit]\nfile = \"\"\n");
    tenant.safely(&project, &["deploy"]).is(0);
    assert!(!project.path().join("audit").exists());
    verify(&project).ends(2, &["audit.file is empty"]);
}

#[test]
fn no_secret_is_in_it() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    // The answer repeats the request, and with it the token for Git.
    tenant.inject("POST */connections=400,body=echo");
    let token = "canary of the git token";
    run(tenant.safe(&project, &["deploy"]).env("GITHUB_TOKEN", token)).is(1);
    let text = fs::read_to_string(path(&project)).unwrap();
    assert!(text.contains("***"), "nothing was echoed: {text}");
    assert_eq!(leak(&text, token), None);
    assert!(!text.contains("Bearer ey"));
    is_intact(&project);
}

//! Deployments that are killed or asked to stop while a request is under way.

use std::io::BufRead as _;

use serde_json::Value;

use crate::{
    program::{Background, Ended},
    project::Project,
    tenant::{Hold, Tenant},
};

/// Where a process dies, and when what it had sent lands.
struct Death {
    pattern: &'static str,
    point: &'static str,
    /// Whether the request still takes effect after the recovery.
    late: bool,
}

const DEATHS: [Death; 6] = [
    Death { pattern: "POST /v1/workspaces", point: "after", late: false },
    Death { pattern: "POST /v1/workspaces", point: "before", late: false },
    Death { pattern: "POST */items", point: "after", late: false },
    Death { pattern: "POST */items", point: "before", late: false },
    Death { pattern: "POST */items", point: "before", late: true },
    Death { pattern: "POST */git/connect", point: "after", late: false },
];

/// A deployment, stopped with a request on its way.
fn stopped<'t>(tenant: &'t Tenant, project: &Project, pattern: &str, point: &str) -> (Background, Hold<'t>) {
    let hold = tenant.hold(pattern, point);
    let process = Background::start(&mut tenant.safe(project, &["deploy"]));
    hold.wait();
    (process, hold)
}

/// Kills a deployment, lets `recover` take it up, and lets the request land in between or afterwards.
fn die_and(
    tenant: &Tenant,
    project: &Project,
    death: &Death,
    recover: impl FnOnce(&[&str]) -> Ended,
) -> Ended {
    let (process, hold) = stopped(tenant, project, death.pattern, death.point);
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    if !death.late {
        hold.release();
        tenant.settle();
    }

    let refused = tenant
        .safely(project, &["deploy"])
        .ends(5, &["was interrupted and is open", "transactions resume ", "transactions abandon "]);
    let command = refused.command();
    let command: Vec<_> = command.iter().map(String::as_str).collect();
    let listed = tenant.plainly(project, &["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["transactions"][0]["transaction"], command[2]);
    assert_eq!(listed["transactions"][0]["state"], "interrupted");

    let ended = recover(&command);
    if death.late {
        hold.release();
        tenant.settle();
    }
    ended
}

#[test]
fn what_a_killed_deployment_made_is_rolled_back() {
    let tenant = Tenant::start();
    let before = tenant.hash();
    for death in &DEATHS {
        tenant.reset();
        let project = Project::orders();
        let ended = die_and(&tenant, &project, death, |command| tenant.safely(&project, command)).is(0);
        let what = format!("{} {}", death.pattern, death.point);
        assert!(ended.stdout.starts_with("RolledBack: "), "{what}: {}", ended.stdout);
        assert_eq!(tenant.hash(), before, "{what}: {:#}", tenant.inventory());
    }
}

#[test]
fn what_a_killed_deployment_began_is_finished() {
    let tenant = Tenant::start();
    tenant.safely(&Project::orders(), &["deploy"]).is(0);
    let made = tenant.hash();
    let commit = [("after", false), ("before", false)].map(|(point, late)| Death {
        pattern: "POST */git/commitToGit",
        point,
        late,
    });
    for death in DEATHS.iter().chain(&commit) {
        tenant.reset();
        let project = Project::orders();
        let ended = die_and(&tenant, &project, death, |command| {
            tenant.safely(&project, &["transactions", "resume", command[2]])
        })
        .is(0);
        let what = format!("{} {}", death.pattern, death.point);
        assert!(ended.stdout.starts_with("Committed: "), "{what}: {}", ended.stdout);
        assert_eq!(tenant.hash(), made, "{what}: {:#}", tenant.inventory());
        tenant.has_all_of(&project);
    }
}

#[test]
fn what_was_left_is_found_without_its_journal() {
    let tenant = Tenant::start();
    let project = Project::orders();
    let nothing = tenant.plainly(&project, &["tx", "sweep"]).ends(0, &[]);
    assert_eq!(nothing.stdout, "Nothing carries a transaction's marker.\n");

    let (process, hold) = stopped(&tenant, &project, "POST */items", "after");
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    hold.release();
    tenant.settle();
    let workspace = "acme-orders-dev";
    let told = tenant.plainly(&project, &["tx", "sweep", "--output", "json"]).is(3).json();
    let strays = told["strays"].as_array().unwrap();
    assert_eq!(strays[0]["item"], Value::Null, "{told:#}");
    // How many there are by then is a matter of luck: they are made at the same time.
    let items = &strays[1..];
    assert!((1..=2).contains(&items.len()), "{told:#}");
    for stray in items {
        assert_eq!(stray["workspace_name"], workspace, "{told:#}");
        let kind = stray["item"]["type"].as_str().unwrap();
        assert!(["Lakehouse", "Notebook"].contains(&kind), "{told:#}");
    }
    let finish = strays[0]["command"].as_str().unwrap().to_owned();

    // ## on a machine that has not the journal
    let elsewhere = Project::orders();
    let text = tenant.plainly(&elsewhere, &["tx", "sweep", "--workspace", "ACME-orders-dev"]).is(3).stdout;
    assert!(text.contains("its journal is not here") && !text.contains("run `"), "{text}");
    tenant
        .plainly(&elsewhere, &["tx", "sweep", "--workspace", "another"])
        .ends(1, &["no workspace `another`"]);
    assert!(tenant.plainly(&elsewhere, &["tx", "sweep"]).is(3).stdout.contains(workspace));

    let finish: Vec<_> = finish.split(' ').skip(1).collect();
    tenant.safely(&project, &finish).is(0);
    tenant.plainly(&project, &["tx", "sweep"]).is(0);
    tenant.safely(&project, &["deploy"]).is(0);
    tenant.plainly(&project, &["tx", "sweep"]).is(0);
}

#[test]
fn what_runs_is_not_disturbed() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let (process, hold) = stopped(&tenant, &project, "POST */items", "before");
    tenant.safely(&project, &["deploy"]).ends(5, &["is running, in process ", "help: wait for it to end"]);
    let listed: Value = tenant.plainly(&project, &["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["transactions"][0]["state"], "running");
    let id = listed["transactions"][0]["transaction"].as_str().unwrap();
    let owner = &listed["transactions"][0]["owner"];
    let holder = format!("is held by process {} on {} for ", owner["pid"], owner["host"].as_str().unwrap());
    let said = [
        "error: lock this workspace\n",
        &holder,
        &format!(" s, with transaction {id}\n"),
        "help: wait for it to end; see `selvedge transactions list` and `selvedge lock show '",
        "run `selvedge lock break '",
    ];
    for args in [&["rollback", id][..], &["resume", id], &["abandon", id, "--reason", "x"]] {
        tenant.safely(&project, &[&["transactions"], args].concat()).ends(5, &said);
    }
    let swept = tenant.plainly(&project, &["tx", "sweep"]).is(3).stdout;
    assert!(swept.contains("  its transaction is running\n") && !swept.contains("run `"), "{swept}");
    hold.release();
    process.end().is(0);
    tenant.has_all_of(&project);
}

/// Sends a signal and waits until it was noticed; the lines of stderr that follow are left.
fn interrupt(process: &Background, stderr: &mut impl std::io::BufRead, signal: &str) {
    process.signal(signal);
    let noticed = stderr.lines().map(Result::unwrap).any(|line| line.contains("interrupted: stopping"));
    assert!(noticed, "stderr ended without a word about the signal");
}

#[test]
fn a_signal_takes_everything_back() {
    let tenant = Tenant::start();
    let before = tenant.hash();
    for signal in ["INT", "TERM"] {
        for (pattern, point) in [("POST */items", "before"), ("POST */roleAssignments", "after")] {
            tenant.reset();
            let project = Project::orders();
            let (mut process, hold) = stopped(&tenant, &project, pattern, point);
            let mut stderr = process.stderr();
            interrupt(&process, &mut stderr, signal);
            hold.release();
            let said: Vec<_> = stderr.lines().map(Result::unwrap).collect();
            let ended = process.end();
            assert_eq!(ended.code, Some(130), "{signal} {pattern}: {said:#?}");
            assert!(ended.stdout.starts_with("RolledBack: "), "{}", ended.stdout);
            assert_eq!(tenant.hash(), before, "{signal} {pattern}: {:#}", tenant.inventory());
        }
    }
}

#[test]
fn a_signal_after_the_last_change_comes_too_late() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let (mut process, hold) = stopped(&tenant, &project, "POST */git/commitToGit", "after");
    let mut stderr = process.stderr();
    interrupt(&process, &mut stderr, "INT");
    hold.release();
    assert!(stderr.lines().count() > 0);
    let ended = process.end().is(0);
    assert!(ended.stdout.starts_with("Committed: "), "{}", ended.stdout);
    tenant.has_all_of(&project);
}

#[test]
fn a_second_signal_stops_at_once_and_says_how_to_go_on() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    let (mut process, hold) = stopped(&tenant, &project, "POST */items", "after");
    let mut stderr = process.stderr();
    interrupt(&process, &mut stderr, "INT");
    process.signal("INT");
    let stderr = stderr.lines().map(|line| line.unwrap() + "\n").collect();
    let ended = Ended { stderr, ..process.end() }.ends(3, &["interrupted twice: what was made is left"]);
    hold.release();
    tenant.settle();
    let command = ended.command();
    tenant.safely(&project, &command.iter().map(String::as_str).collect::<Vec<_>>()).is(0);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
}

#[test]
fn r19_what_is_offered_is_what_works() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    // On the way back there is none forward.
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let left = tenant.safely(&project, &["deploy"]).is(3);
    let id = left.command().remove(2);
    let refused =
        tenant.safely(&project, &["deploy", "--yes"]).ends(5, &["is open", "transactions rollback "]);
    assert!(!refused.stderr.contains("resume") && refused.stderr.contains("abandon"), "{}", refused.stderr);
    tenant.heal();
    tenant.safely(&project, &["tx", "rollback", &id]).is(0);

    // And past the pivot none back.
    let (process, hold) = stopped(&tenant, &project, "POST */git/commitToGit", "after");
    process.signal("KILL");
    assert_eq!(process.end().code, None);
    hold.release();
    tenant.settle();
    let refused = tenant.safely(&project, &["deploy", "--yes"]).ends(5, &["is open", "transactions resume "]);
    assert!(!refused.stderr.contains("rollback"), "{}", refused.stderr);
}

#[test]
fn without_a_transaction_a_signal_leaves_what_was_made() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let hold = tenant.hold("POST */items", "before");
    let mut process = Background::start(&mut tenant.selvedge(&project, &["deploy"]));
    hold.wait();
    let mut stderr = process.stderr();
    interrupt(&process, &mut stderr, "INT");
    hold.release();
    assert!(stderr.lines().count() > 0);
    let ended = process.end().is(3);
    assert!(ended.stdout.starts_with("Failed: 5 changes of 11 stay, "), "{}", ended.stdout);
}

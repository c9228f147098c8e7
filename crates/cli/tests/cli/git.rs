//! `selvedge git`: the states of a workspace's connection, against the emulator.

use serde_json::{Value, json};

use crate::{
    program::{Background, Ended},
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

const CAPACITY: &str = "11111111-1111-4111-8111-111111111111";
const ORDERS: [&str; 4] = ["--organization", "contoso", "--repository", "orders"];

fn safely(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    tenant.safely(project, &[&["git"], args].concat())
}

fn status(tenant: &Tenant, project: &Project, workspace: &str) -> Value {
    tenant.plainly(project, &["git", "status", workspace, "--json"]).is(0).json()
}

/// The project's workspace, deployed and committed, and another one on the same capacity.
fn two() -> (Tenant, Project) {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    tenant.safely(&project, &["workspaces", "create", "other", "--capacity-id", CAPACITY]).is(0);
    (tenant, project)
}

/// The same, with the second at the same branch and directory.
fn twins() -> (Tenant, Project) {
    let (tenant, project) = two();
    let connect = [&["connect", "other", "--prefer", "remote"], &ORDERS[..]].concat();
    let ended = safely(&tenant, &project, &connect).is(0);
    assert!(
        ended.stdout.starts_with("✓ Connected: other to github.com/contoso/orders, branch main, /"),
        "{}",
        ended.stdout
    );
    (tenant, project)
}

/// Somebody describes the notebook in the workspace.
fn describe(tenant: &Tenant, project: &Project, workspace: &str, text: &str) {
    let shown =
        tenant.plainly(project, &["workspaces", "get", workspace, "--show-items", "--json"]).is(0).json();
    let items = shown["items"].as_array().unwrap();
    let item = items.iter().find(|item| item["type"] == "Notebook").unwrap();
    let path =
        format!("/v1/workspaces/{}/items/{}", shown["id"].as_str().unwrap(), item["id"].as_str().unwrap());
    tenant.call("PATCH", &path, &json!({ "description": text }).to_string());
}

#[test]
fn what_is_in_the_repository_comes_to_a_workspace_and_goes_back() {
    let (tenant, project) = twins();
    let shown = status(&tenant, &project, "other");
    assert_eq!(
        (&shown["sync_status"], &shown["is_connected"]),
        (&json!("synced"), &json!(true)),
        "{shown:#}"
    );
    let items =
        tenant.plainly(&project, &["workspaces", "get", "other", "--show-items", "--json"]).is(0).json();
    let types: Vec<_> = items["items"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(types, ["Lakehouse", "SQLEndpoint", "Notebook"]);

    // One commits, the other is behind, and updates.
    describe(&tenant, &project, "other", "said here");
    assert_eq!(status(&tenant, &project, "other")["sync_status"], "uncommitted");
    let ended = safely(&tenant, &project, &["commit", "other", "-m", "Say it"]).is(0);
    assert_eq!(ended.stdout, "✓ 1 item committed to the repository\n");
    assert_eq!(status(&tenant, &project, WORKSPACE)["sync_status"], "behind");
    safely(&tenant, &project, &["commit", WORKSPACE])
        .ends(1, &["the repository has changes", "selvedge git update"]);
    let updated = safely(&tenant, &project, &["update", WORKSPACE, "--json"]).is(0).json();
    let stats = json!({ "items_synced": 1, "errors": 0, "warnings": 0 });
    assert_eq!(
        updated,
        json!({ "status": "success", "direction": "git_to_workspace", "workspace": WORKSPACE, "stats": stats })
    );
    let again = safely(&tenant, &project, &["update", WORKSPACE, "--json"]).is(0).json();
    assert_eq!(again["status"], "no_changes");
    assert_eq!(status(&tenant, &project, WORKSPACE)["sync_status"], "synced");

    let trail = std::fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    for event in ["git_connected", "git_initialized", "git_committed", "git_updated"] {
        assert!(trail.contains(&format!("\"event_type\":\"{event}\"")), "{event}\n{trail}");
    }
}

#[test]
fn who_wins_a_conflict_is_said_by_somebody() {
    let (tenant, project) = twins();
    describe(&tenant, &project, "other", "said there");
    safely(&tenant, &project, &["commit", "other"]).is(0);
    describe(&tenant, &project, WORKSPACE, "said here");
    assert_eq!(status(&tenant, &project, WORKSPACE)["sync_status"], "conflicts");
    let before = tenant.hash();
    safely(&tenant, &project, &["update", WORKSPACE])
        .ends(1, &["1 item changed on both sides", "--prefer remote"]);
    // What would be overwritten is asked about.
    safely(&tenant, &project, &["update", WORKSPACE, "--prefer", "remote"])
        .ends(2, &["overwritten in the workspace", "there is no terminal", "--yes"]);
    assert_eq!(tenant.hash(), before);
    safely(&tenant, &project, &["update", WORKSPACE, "--prefer", "remote", "--yes"]).is(0);
    assert_eq!(status(&tenant, &project, WORKSPACE)["sync_status"], "synced");

    // The repository moves on after it was looked at: what nobody was shown does not come.
    describe(&tenant, &project, "other", "once more");
    safely(&tenant, &project, &["commit", "other"]).is(0);
    let hold = tenant.hold_later("GET /v1/workspaces/*/git/status", 1, "before");
    let running = Background::start(&mut tenant.safe(&project, &["git", "update", WORKSPACE]));
    hold.wait();
    describe(&tenant, &project, "other", "and again");
    // Plainly: the lock is of the other workspace.
    tenant.plainly(&project, &["git", "commit", "other"]).is(0);
    hold.release();
    running.end().ends(1, &["the repository has moved on since"]);
    assert_eq!(status(&tenant, &project, WORKSPACE)["sync_status"], "behind");
    safely(&tenant, &project, &["update", WORKSPACE]).is(0);
}

#[test]
fn a_connection_that_comes_to_nothing_is_taken_back() {
    let (tenant, project) = two();
    let body = json!({ "displayName": "02_Other_Notebook", "type": "Notebook" }).to_string();
    let shown = tenant.plainly(&project, &["workspaces", "get", "other", "--json"]).is(0).json();
    tenant.call("POST", &format!("/v1/workspaces/{}/items", shown["id"].as_str().unwrap()), &body);
    tenant.settle();
    let before = tenant.hash();
    // Both have content, and nobody has said who wins.
    let connect = [&["connect", "other"], &ORDERS[..]].concat();
    let ended = safely(&tenant, &project, &connect);
    assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}{}", ended.stdout, ended.stderr);
    assert_eq!((ended.code, tenant.hash()), (Some(1), before.clone()));
    // Elsewhere, and nowhere.
    let connect = ["connect", WORKSPACE, "--organization", "contoso", "--repository", "else"];
    safely(&tenant, &project, &connect)
        .ends(2, &["is connected to github.com/contoso/orders", "selvedge git disconnect"]);
    safely(&tenant, &project, &[&connect[..], &["--directory", "/a/../b"]].concat())
        .ends(2, &["is not a directory of the repository"]);
    safely(&tenant, &project, &[&connect[..], &["--git-provider", "AzureDevOps"]].concat())
        .ends(2, &["--git-project is missing"]);
    safely(&tenant, &project, &["commit", "other", "-m", &"x".repeat(301)])
        .ends(2, &["the comment has 301 characters"]);
    safely(&tenant, &project, &["commit", "other"]).ends(1, &["is not connected to Git"]);
    safely(&tenant, &project, &["initialize", "other"]).ends(1, &["selvedge git connect other"]);
    assert_eq!(tenant.hash(), before);
}

#[test]
fn a_workspace_is_disconnected_by_consent() {
    let (tenant, project) = twins();
    let before = tenant.hash();
    safely(&tenant, &project, &["disconnect", "other"])
        .ends(2, &["Workspace other is disconnected", "--yes"]);
    assert_eq!(tenant.hash(), before);
    let shown =
        safely(&tenant, &project, &["disconnect", "--workspace", "other", "--yes", "--json"]).is(0).json();
    assert_eq!((&shown["sync_status"], &shown["is_connected"]), (&json!("not_connected"), &json!(false)));
    let ended = safely(&tenant, &project, &["disconnect", "other", "--yes"]).is(0);
    assert_eq!(ended.stdout, "other is not connected to Git\n");
    safely(&tenant, &project, &["update", "other"]).ends(1, &["not connected", "selvedge git connect other"]);
}

#[test]
fn the_predecessors_command_line_is_understood() {
    let (tenant, project) = two();
    let sync = |action: &str, more: &[&str]| {
        let args = ["sync", "--workspace", "other", "--action", action, "--output-format", "json"];
        safely(&tenant, &project, &[&args[..], more].concat())
    };
    sync("init-git", &[]).ends(2, &["--git-provider", "--organization", "--repository"]);
    let repository = ["--git-provider", "GitHub", "--organization", "contoso", "--repository", "orders"];
    let made = sync("init-git", &repository).is(0).json();
    assert_eq!(made["sync_status"], "behind", "an empty workspace, and a repository with content");
    let keys = ["status", "workspace", "git_status", "is_connected", "last_sync", "sync_status"];
    let shown = sync("status", &[]).is(0).json();
    assert!(keys.iter().all(|key| shown.get(key).is_some()), "{shown:#}");
    let updated = sync("sync-to-workspace", &[]).is(0).json();
    assert_eq!(updated["stats"]["items_synced"], 2);
    describe(&tenant, &project, "other", "said here");
    let committed = sync("sync-to-git", &["--commit-message", "Say it"]).is(0).json();
    assert_eq!((&committed["status"], &committed["commit_message"]), (&json!("success"), &json!("Say it")));
    // What fails has an exit code, in JSON too.
    tenant.inject("GET /v1/workspaces/*/git/status=403,times=1");
    assert_eq!(sync("status", &[]).code, Some(4));
}

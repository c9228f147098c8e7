//! `selvedge workspaces`: the predecessor's sub-commands, against the emulator.

use serde_json::{Value, json};

use crate::{
    program::{Ended, run},
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

/// A tenant with the workspace that the project's files ask for.
fn deployed() -> (Tenant, Project) {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    (tenant, project)
}

fn safely(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    tenant.safely(project, &[&["workspaces"], args].concat())
}

fn get(tenant: &Tenant, project: &Project, name: &str) -> Value {
    tenant.plainly(project, &["workspaces", "--json", "get", "--name", name]).is(0).json()
}

fn users(tenant: &Tenant, project: &Project, name: &str) -> Vec<(String, String)> {
    let listed = tenant.plainly(project, &["workspaces", "list-users", name, "--json"]).is(0).json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed.as_array().unwrap().iter().map(|one| (text(&one["principal"]["id"]), text(&one["role"]))).collect()
}

#[test]
fn what_is_there_is_listed_and_shown() {
    let (tenant, project) = deployed();
    tenant.forget_requests();
    for spelled in ["list", "list-workspaces"] {
        let ended = tenant.plainly(&project, &["workspaces", spelled]).is(0);
        assert!(ended.stdout.starts_with("Name"), "{}", ended.stdout);
        assert!(ended.stdout.contains(WORKSPACE) && ended.stdout.contains("Found "), "{}", ended.stdout);
    }
    let listed = tenant.plainly(&project, &["workspaces", "--json", "list", "--details"]).is(0).json();
    let one = listed.as_array().unwrap().iter().find(|one| one["displayName"] == WORKSPACE).unwrap();
    let filtered =
        tenant.plainly(&project, &["workspaces", "list", "-e", "prod", "--filter-env", "--json"]).is(0);
    assert_eq!(filtered.json(), json!([]));

    let id = one["id"].as_str().unwrap();
    for named in [vec!["get", id], vec!["get", "--id", id], vec!["get", &WORKSPACE.to_uppercase()]] {
        let shown =
            tenant.plainly(&project, &[&["workspaces"], &*named, &["--show-items", "--json"]].concat());
        let shown = shown.is(0).json();
        assert_eq!((&shown["id"], &shown["displayName"]), (&json!(id), &json!(WORKSPACE)));
        assert!(shown["items"].as_array().unwrap().iter().any(|item| item["type"] == "Lakehouse"));
    }
    let text = tenant.plainly(&project, &["workspaces", "get", id, "--show-items"]).is(0).stdout;
    assert!(text.contains(&format!("Workspace: {WORKSPACE}")) && text.contains("Items: "), "{text}");
    assert!(!users(&tenant, &project, WORKSPACE).is_empty());
    let table = tenant.plainly(&project, &["workspaces", "list-users", WORKSPACE]).is(0).stdout;
    assert!(table.contains("| ServicePrincipal | Admin"), "{table}");
    assert_eq!(tenant.writes(), [""; 0]);

    // Nothing is guessed, and near misses are named.
    let near = format!("{WORKSPACE}x");
    tenant
        .plainly(&project, &["workspaces", "get", &near])
        .ends(1, &["not found", &format!("did you mean `{WORKSPACE}`?")]);
    tenant.plainly(&project, &["workspaces", "get"]).is(2);
    tenant.plainly(&project, &["workspaces", "list", "--filter-env"]).is(2);
}

#[test]
fn a_workspace_is_made_changed_and_deleted() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    let made = safely(&tenant, &project, &["-e", "dev", "--json", "create", "Reports"]).is(0).json();
    let name = made["displayName"].as_str().unwrap();
    assert!(name.ends_with("-reports-dev"), "{name}");
    assert_eq!(made["description"], "Workspace for dev environment", "without a marker");
    // A name that is the pattern's already stands as it is.
    safely(&tenant, &project, &["create", name, "--environment", "dev"]).ends(1, &["already exists"]);

    let updated =
        safely(&tenant, &project, &["update", name, "--name", "other", "--description", "Said", "--json"]);
    let updated = updated.is(0).json();
    assert_eq!((&updated["displayName"], &updated["description"]), (&json!("other"), &json!("Said")));
    assert_eq!(updated["id"], made["id"]);
    safely(&tenant, &project, &["update", "other"]).is(2);

    // Without a terminal nobody can be asked.
    safely(&tenant, &project, &["delete", "other"]).ends(2, &["there is no terminal to ask on", "--yes"]);
    assert_eq!(get(&tenant, &project, "other")["id"], made["id"]);
    let ended = safely(&tenant, &project, &["delete", "other", "--yes"]).is(0);
    assert!(ended.stdout.starts_with("✓ Deleted workspace: "), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before);
    safely(&tenant, &project, &["get", "other"]).ends(1, &["not found"]);

    let trail = std::fs::read_to_string(project.path().join("audit/audit_trail.jsonl")).unwrap();
    for event in ["workspace_created", "workspace_updated", "workspace_deleted"] {
        assert!(trail.contains(&format!("\"event_type\":\"{event}\"")), "{event}\n{trail}");
    }
}

#[test]
fn what_holds_items_is_deleted_by_force_alone() {
    let (tenant, project) = deployed();
    tenant.forget_requests();
    safely(&tenant, &project, &["delete", WORKSPACE, "--yes"]).ends(2, &["items", "--force"]);
    assert_eq!(tenant.writes(), [""; 0]);
    // Somebody makes the first item while the question is open: that is found out before it is too late.
    safely(&tenant, &project, &["create", "empty"]).is(0);
    safely(&tenant, &project, &["delete", "empty", "--yes"]).is(0);
    safely(&tenant, &project, &["delete", WORKSPACE, "--yes", "--force"]).is(0);
    safely(&tenant, &project, &["get", WORKSPACE]).ends(1, &["not found"]);
}

#[test]
fn roles_are_given_changed_and_taken_away() {
    let (tenant, project) = deployed();
    let who = "analyst@contoso.example";
    let id = "dddddddd-0000-4000-8000-000000000003";
    let role = |role: &str| (id.to_owned(), role.to_owned());
    let before = users(&tenant, &project, WORKSPACE);
    assert!(!before.iter().any(|(one, _)| one == id), "{before:?}");
    safely(&tenant, &project, &["add-user", WORKSPACE, who, "--role", "contributor"]).is(0);
    assert!(users(&tenant, &project, WORKSPACE).contains(&role("Contributor")));
    safely(&tenant, &project, &["add-user", WORKSPACE, who]).ends(1, &["already has access", "update-role"]);
    safely(&tenant, &project, &["update-role", WORKSPACE, who, "Member"]).is(0);
    assert!(users(&tenant, &project, WORKSPACE).contains(&role("Member")));
    tenant.forget_requests();
    safely(&tenant, &project, &["update-role", WORKSPACE, who, "Member"]).is(0);
    assert_eq!(tenant.writes(), [""; 0], "it is so already");
    safely(&tenant, &project, &["remove-user", WORKSPACE, who]).is(0);
    assert_eq!(users(&tenant, &project, WORKSPACE), before);
    safely(&tenant, &project, &["remove-user", WORKSPACE, who]).ends(1, &["has no role in the workspace"]);
    safely(&tenant, &project, &["update-role", WORKSPACE, who, "Owner"])
        .ends(2, &["Admin, Member, Contributor, Viewer"]);

    // Nobody takes its own rights away: it could not give them back.
    let own = before.iter().find(|(_, role)| role == "Admin").unwrap().0.clone();
    safely(&tenant, &project, &["remove-user", WORKSPACE, &own])
        .ends(2, &["the identity that this command runs as"]);
    safely(&tenant, &project, &["update-role", WORKSPACE, &own, "Viewer"]).ends(2, &["the identity that"]);
}

#[test]
fn a_capacity_is_left_and_assigned() {
    let (tenant, project) = deployed();
    let capacity = get(&tenant, &project, WORKSPACE)["capacityId"].as_str().unwrap().to_owned();
    safely(&tenant, &project, &["unassign-capacity", WORKSPACE]).is(2);
    safely(&tenant, &project, &["unassign-capacity", WORKSPACE, "--yes"]).is(0);
    assert_eq!(get(&tenant, &project, WORKSPACE)["capacityId"], Value::Null);
    let ended = safely(&tenant, &project, &["unassign-capacity", WORKSPACE, "--yes"]).is(0);
    assert_eq!(ended.stdout, "Workspace has no capacity assigned\n");
    safely(&tenant, &project, &["assign-capacity", WORKSPACE, "nowhere"])
        .ends(1, &["Capacity 'nowhere' not found"]);
    safely(&tenant, &project, &["assign-capacity", WORKSPACE, &capacity]).is(0);
    assert_eq!(get(&tenant, &project, WORKSPACE)["capacityId"], capacity.as_str());
}

#[test]
fn what_cannot_be_finished_is_taken_back() {
    let (tenant, project) = deployed();
    let before = tenant.hash();
    // The description goes first, the name second.
    let args = ["workspaces", "update", WORKSPACE, "--name", "other", "--description", "Said"];
    tenant.inject("PATCH /v1/workspaces/*=400,skip=1,times=1");
    let ended = tenant.safely(&project, &args);
    let described = get(&tenant, &project, WORKSPACE);
    assert_eq!(ended.code, Some(1), "{}\n{described:#}", ended.stderr);
    assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before);
    let mut plainly = tenant.selvedge(&project, &args);
    tenant.inject("PATCH /v1/workspaces/*=400,skip=1,times=1");
    run(&mut plainly).ends(3, &["rename workspace"]);
}

//! `selvedge workspaces`: the sub-commands about several workspaces or several people, against the emulator.

use std::io::BufRead as _;

use serde_json::{Value, json};

use crate::{
    program::{Background, Ended},
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

const OWNER: &str = "dddddddd-0000-4000-8000-000000000001";
const LEAD: &str = "dddddddd-0000-4000-8000-000000000002";
const ANALYST: &str = "dddddddd-0000-4000-8000-000000000003";

fn safely(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    tenant.safely(project, &[&["workspaces"], args].concat())
}

fn plainly(tenant: &Tenant, project: &Project, args: &[&str]) -> Ended {
    tenant.plainly(project, &[&["workspaces"], args].concat())
}

fn names(tenant: &Tenant, project: &Project) -> Vec<String> {
    let listed = plainly(tenant, project, &["list", "--json"]).is(0).json();
    listed.as_array().unwrap().iter().map(|one| one["displayName"].as_str().unwrap().to_owned()).collect()
}

fn role(tenant: &Tenant, project: &Project, workspace: &str, principal: &str) -> Value {
    let listed = plainly(tenant, project, &["list-users", workspace, "--json"]).is(0).json();
    let found = listed.as_array().unwrap().iter().find(|one| one["principal"]["id"] == principal);
    found.map_or(Value::Null, |one| one["role"].clone())
}

#[test]
fn a_set_is_made_as_a_whole() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    for command in [vec!["create-set", "Reports"], vec!["setup", "Reports", "--admins", OWNER]] {
        // The third cannot be made: the first two go.
        tenant.inject("POST /v1/workspaces=400,skip=2,times=1");
        let ended = safely(&tenant, &project, &command);
        assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}{}", ended.stdout, ended.stderr);
        assert_eq!((ended.code, tenant.hash()), (Some(1), before.clone()));
    }
    let made = safely(&tenant, &project, &["create-set", "Reports", "--json"]).is(0).json();
    assert_eq!(made.as_object().unwrap().keys().collect::<Vec<_>>(), ["dev", "test", "prod"]);
    assert!(made["test"]["displayName"].as_str().unwrap().ends_with("-reports-test"), "{made}");
    assert_eq!(made["test"]["description"], "Reports - TEST environment");

    // Whatever is there keeps all from being made, before anything is sent.
    tenant.forget_requests();
    safely(&tenant, &project, &["create-set", "Reports", "--environments", "qa,prod"])
        .ends(1, &[made["prod"]["displayName"].as_str().unwrap(), "already exists"]);
    safely(&tenant, &project, &["create-set", "Other", "--environments", "qa,QA"])
        .ends(1, &["would be created twice"]);
    safely(&tenant, &project, &["create-set", "Other", "--environments", "qa,"]).is(2);
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn a_project_is_set_up_with_its_people() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let before = tenant.hash();
    let people = ["--admins", "data.owner@contoso.example", "--members", "tech.lead@contoso.example"];
    let args = [&["setup", "Reports", "--json"], &people[..]].concat();
    tenant.inject("POST /v1/workspaces/*/roleAssignments=403,skip=5,times=1");
    let ended = safely(&tenant, &project, &args);
    assert_eq!((ended.code, tenant.hash()), (Some(1), before), "{}{}", ended.stdout, ended.stderr);

    safely(&tenant, &project, &["setup", "Reports", "--admins", "nobody@contoso.example"])
        .ends(2, &["--admins", "nobody@contoso.example"]);
    let made = safely(&tenant, &project, &args).is(0).json();
    for environment in ["dev", "test", "prod"] {
        let name = made["workspaces"][environment]["displayName"].as_str().unwrap();
        assert_eq!(role(&tenant, &project, name, OWNER), "Admin", "{name}");
        assert_eq!(role(&tenant, &project, name, LEAD), "Member", "{name}");
    }
    assert_eq!(made["admins"], json!(["data.owner@contoso.example"]));
}

#[test]
fn a_file_gives_people_their_roles() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    safely(&tenant, &project, &["create", "reports"]).is(0);
    safely(&tenant, &project, &["add-user", "reports", LEAD, "--role", "Viewer"]).is(0);
    project.write("people.txt", &format!("# team\n{OWNER},admin,Owner, of all,User\n{LEAD},Member\n"));
    let file = project.path().join("people.txt");
    let args = |more: &[&'static str]| {
        [&["add-users-from-file", "reports", file.to_str().unwrap()], more]
            .concat()
            .iter()
            .map(|one| (*one).to_owned())
            .collect::<Vec<_>>()
    };
    let run = |more: &[&'static str]| {
        safely(&tenant, &project, &args(more).iter().map(String::as_str).collect::<Vec<_>>())
    };
    tenant.forget_requests();
    let dry = run(&["--dry-run"]).is(0).stdout;
    assert!(dry.contains("DRY RUN MODE - No principals will be added"), "{dry}");
    assert!(dry.contains("has Viewer") && dry.contains("new"), "{dry}");
    run(&[]).ends(2, &["there is no terminal to ask on", "--yes"]);
    assert_eq!(tenant.writes(), [""; 0]);
    let ended = run(&["--yes", "--json"]).is(0).json();
    let row = |id: &str, role: &str| json!({ "principal_id": id, "type": "User", "role": role });
    assert_eq!(ended["added"], json!([row(OWNER, "Admin")]));
    let mut lead = row(LEAD, "Member");
    lead["has"] = "Viewer".into();
    assert_eq!(ended["skipped"], json!([lead]));
    assert_eq!(role(&tenant, &project, "reports", OWNER), "Admin");
    assert_eq!(role(&tenant, &project, "reports", LEAD), "Viewer", "nobody's role is changed by the way");
    let again = run(&["--yes"]).is(0);
    assert!(again.stderr.contains("already has access as Viewer"), "{}", again.stderr);

    // One wrong line, and nobody gets anything: a role is never guessed.
    project.write("people.txt", &format!("{ANALYST},Viewer\n{ANALYST},Owner\nx,Viewer\n"));
    tenant.forget_requests();
    run(&["--yes"])
        .ends(2, &["people.txt:2: role: there is no role \"Owner\"", "people.txt:3: principal_id:"]);
    assert!(tenant.requests().is_empty());
}

#[test]
fn users_are_copied_all_or_none() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for name in ["from", "to"] {
        safely(&tenant, &project, &["create", name]).is(0);
    }
    safely(&tenant, &project, &["add-user", "from", OWNER, "--role", "Member"]).is(0);
    safely(&tenant, &project, &["add-user", "from", LEAD, "--role", "Viewer"]).is(0);
    safely(&tenant, &project, &["add-user", "to", LEAD, "--role", "Contributor"]).is(0);
    safely(&tenant, &project, &["add-user", "from", ANALYST, "--role", "Viewer"]).is(0);
    let before = tenant.hash();
    tenant.inject("POST /v1/workspaces/*/roleAssignments=403,skip=1,times=1");
    let ended = safely(&tenant, &project, &["copy-users", "from", "to", "--json"]);
    assert_eq!((ended.code, tenant.hash()), (Some(1), before), "{}{}", ended.stdout, ended.stderr);

    let copied = safely(&tenant, &project, &["copy-users", "from", "to", "--json"]).is(0).json();
    let pair = |id: &str, role: &str| json!({ "principal_id": id, "role": role });
    assert_eq!(copied["success"], json!([pair(OWNER, "Member"), pair(ANALYST, "Viewer")]));
    assert_eq!(copied["failed"], json!([]));
    let skipped = copied["skipped"].as_array().unwrap();
    let lead = skipped.iter().find(|one| one["principal_id"] == LEAD).unwrap();
    assert_eq!(lead["reason"], "already has access, as Contributor");
    assert_eq!(role(&tenant, &project, "to", LEAD), "Contributor");
}

#[test]
fn several_are_deleted_each_by_itself() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    let before = names(&tenant, &project);
    for name in ["a", "b", "c", "d-PROD"] {
        safely(&tenant, &project, &["create", name]).is(0);
    }
    project.write("old.txt", "# old\nA\nnowhere\n");
    project.write("selvedge.toml", "[workspaces]\nprotected = [\"*-prod\"]\n");
    let file = project.path().join("old.txt");
    let file = file.to_str().unwrap();
    let args = ["delete-bulk", "b", "B", "d-prod", WORKSPACE, "-f", file];
    tenant.forget_requests();
    let refused = safely(&tenant, &project, &args).ends(2, &["--yes", "2 workspaces would be deleted"]);
    for said in ["it is protected", "it contains", "'nowhere' not found"] {
        assert!(refused.stderr.contains(said), "{said}\n{}", refused.stderr);
    }
    assert_eq!(tenant.writes(), [""; 0]);

    // The second of two fails, and does not bring the first back.
    tenant.inject("DELETE /v1/workspaces/*=403,times=1");
    let ended = safely(&tenant, &project, &[&args[..], &["--yes", "--json"]].concat()).is(1).json();
    let deleted: Vec<_> =
        ended["deleted"].as_array().unwrap().iter().map(|one| &one["displayName"]).collect();
    assert_eq!(deleted, ["a"]);
    assert_eq!(ended["failed"].as_array().unwrap().len(), 4, "{ended:#}");
    assert_eq!(
        names(&tenant, &project),
        [before.clone(), vec!["b".into(), "c".into(), "d-PROD".into()]].concat()
    );

    // Each is a transaction of its own.
    let listed = tenant.safely(&project, &["transactions", "list", "--output", "json"]).is(0).json();
    let about_a = |one: &&Value| one["subject"].as_str().unwrap().ends_with(" a");
    assert_eq!(listed["transactions"].as_array().unwrap().iter().filter(about_a).count(), 2, "{listed:#}");

    // Nobody says `everything` by leaving something out, and what is protected stays.
    safely(&tenant, &project, &["delete-all", "--yes"]).ends(2, &["--all-visible"]);
    safely(&tenant, &project, &["delete-all", "-e", "prod", "--force", "--yes"]).ends(1, &[]);
    let ended = safely(&tenant, &project, &["delete-all", "--all-visible", "--force", "--yes"]).is(1);
    for said in ["✗ d-PROD: delete it: it is protected", "Failed: 1\n"] {
        assert!(ended.stdout.contains(said), "{said}\n{}", ended.stdout);
    }
    assert_eq!(names(&tenant, &project), ["d-PROD"]);
    safely(&tenant, &project, &["delete", "d-prod", "--yes"])
        .ends(2, &["it is protected", "workspaces.protected"]);
    safely(&tenant, &project, &["delete-all", "-e", "dev", "--yes"]).is(0);
}

#[test]
fn an_interrupt_keeps_the_rest_from_being_deleted() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for name in ["a", "b", "c"] {
        safely(&tenant, &project, &["create", name]).is(0);
    }
    let hold = tenant.hold("DELETE /v1/workspaces/*", "before");
    let mut command = tenant.safe(&project, &["workspaces", "delete-bulk", "a", "b", "c", "--yes"]);
    let mut running = Background::start(&mut command);
    let mut told = running.stderr().lines();
    hold.wait();
    running.signal("INT");
    assert!(told.any(|line| line.unwrap().contains("interrupted: stopping")));
    hold.release();
    let ended = running.end().is(130);
    assert!(ended.stdout.contains("✗ b: delete workspace b: not tried: interrupted\n"), "{}", ended.stdout);
    assert!(ended.stdout.contains("Total: 3"), "{}", ended.stdout);
    assert!(names(&tenant, &project).contains(&"c".to_owned()));
}

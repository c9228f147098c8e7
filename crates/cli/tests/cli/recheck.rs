//! Before a transaction is taken up: is its plan the one that was begun, is it understood, and is what it was begun on seen?

use std::fmt::Write as _;
use std::fs;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{
    program::run,
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

/// A deployment that could not be taken back: the command that does it.
fn left(tenant: &Tenant, project: &Project) -> Vec<String> {
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = tenant.safely(project, &["deploy"]).is(3).command();
    tenant.heal();
    tenant.forget_requests();
    command
}

/// Changes the first record of the one journal, and computes the chain anew, as anybody can.
fn forge(project: &Project, from: &str, to: &str) {
    forge_in(project, 0, from, to);
}

/// The same, of any record.
fn forge_in(project: &Project, which: usize, from: &str, to: &str) {
    let path = project.journals().remove(0);
    let (mut chain, mut forged) = (String::new(), String::new());
    for (seq, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
        let (record, _) = line.rsplit_once(",\"chain\":").unwrap();
        let record = if seq == which {
            assert!(record.contains(from), "{from} in {record}");
            record.replacen(from, to, 1)
        } else {
            record.to_owned()
        };
        let hash = Sha256::new().chain_update(&chain).chain_update(format!("{record}}}")).finalize();
        chain = hash.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        });
        forged.push_str(&format!("{record},\"chain\":\"{chain}\"}}\n"));
    }
    fs::write(path, forged).unwrap();
}

fn first_record(project: &Project) -> String {
    fs::read_to_string(project.journals().remove(0)).unwrap().lines().next().unwrap().to_owned()
}

/// Neither way is gone, and nothing is changed.
fn is_refused(tenant: &Tenant, project: &Project, id: &str, code: i32, said: &[&str]) {
    for way in ["rollback", "resume"] {
        tenant.safely(project, &["tx", way, id]).ends(code, said);
    }
    assert_eq!(tenant.writes(), [""; 0]);
}

#[test]
fn r21_a_plan_that_is_not_the_one_that_was_begun_is_not_taken_up() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let command = left(&tenant, &project);
    // A forgery that changes nothing is believed: nothing but a key tells who wrote a journal.
    forge(&project, "Orders as they come", "Orders as they come");
    let shown = tenant.plainly(&project, &["tx", "show", &command[2]]).is(0).stdout;
    assert!(shown.contains("create Lakehouse"), "{shown}");
    forge(&project, "Orders as they come", "Orders of somebody");
    is_refused(
        &tenant,
        &project,
        &command[2],
        2,
        &["is not the one that was begun", "help: it was begun by selvedge"],
    );
    forge(&project, "Orders of somebody", "Orders as they come");
    tenant.safely(&project, &["tx", "rollback", &command[2]]).is(0);
}

#[test]
fn r21_what_a_newer_version_began_is_not_taken_up() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let command = left(&tenant, &project);
    let ours = concat!("\"tool\":\"selvedge ", env!("CARGO_PKG_VERSION"), "\"");
    forge(&project, ours, "\"tool\":\"selvedge 99.0.0\"");
    is_refused(
        &tenant,
        &project,
        &command[2],
        2,
        &["it was begun by selvedge 99.0.0", "help: use the version that"],
    );
    forge(&project, "\"tool\":\"selvedge 99.0.0\"", "\"tool\":\"selvedge 0.0.1\"");
    tenant.safely(&project, &["tx", "rollback", &command[2]]).is(0);
}

#[test]
fn r21_another_identity_is_refused_also_where_no_setting_says_who_it_is() {
    const OTHER: &str = "cccccccc-0000-4000-8000-0000000000cc";
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.seed(&json!({ "servicePrincipals": [
        { "displayName": "Another", "appId": OTHER, "secret": "another-secret", "mayCreateWorkspaces": true },
    ] }));
    let command = left(&tenant, &project);
    // As with a login of the Azure CLI: the same settings, and somebody else.
    forge(&project, tenant.variable("AZURE_CLIENT_ID"), OTHER);
    for way in ["rollback", "resume"] {
        let mut other = tenant.safe(&project, &["tx", way, &command[2]]);
        let said = ["the transaction was begun as `", "help: sign in as who began it"];
        run(other.env("AZURE_CLIENT_ID", OTHER).env("AZURE_CLIENT_SECRET", "another-secret")).ends(2, &said);
    }
    assert_eq!(tenant.writes(), [""; 0]);
    // Who does not see the workspace would have been told that it is gone.
    forge(&project, OTHER, tenant.variable("AZURE_CLIENT_ID"));
    tenant.safely(&project, &["tx", "rollback", &command[2]]).is(0);

    // Nor does another find out whether something of it has come back.
    forge(&project, tenant.variable("AZURE_CLIENT_ID"), OTHER);
    let mut other = tenant.safe(&project, &["tx", "gc", "--older-than", "0s"]);
    let told =
        run(other.env("AZURE_CLIENT_ID", OTHER).env("AZURE_CLIENT_SECRET", "another-secret")).is(0).stdout;
    assert!(told.contains("kept: ") && told.contains("was begun as `"), "{told}");
    assert_eq!(project.journals().len(), 1);
}

#[test]
fn r21_ids_are_the_same_in_either_case() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let command = left(&tenant, &project);
    // Each as another tool may spell it: in the settings, and in the token of who began it.
    for name in ["AZURE_TENANT_ID", "AZURE_CLIENT_ID"] {
        let id = tenant.variable(name);
        let (lower, upper) = (id.to_lowercase(), id.to_uppercase());
        assert_ne!(lower, upper);
        while first_record(&project).contains(&lower) {
            forge(&project, &lower, &upper);
        }
    }
    let principal = first_record(&project);
    let principal = principal.split("\"principal\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    forge(&project, &principal, &principal.to_uppercase());
    tenant.safely(&project, &["tx", "rollback", &command[2]]).is(0);
}

#[test]
fn r21_where_the_workspace_cannot_be_seen_not_found_is_not_believed() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let id = "99999999-0000-4000-8000-000000000001";
    let world = json!({ "workspaces": [{ "id": id, "displayName": WORKSPACE, "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111" }] });
    tenant.seed(&world);
    let command = left(&tenant, &project);
    tenant.reset();
    is_refused(
        &tenant,
        &project,
        &command[2],
        4,
        &[&format!("the workspace {id}, which was there"), "cannot be seen"],
    );
    assert_eq!(
        tenant.plainly(&project, &["tx", "list", "--output", "json"]).is(0).json()["transactions"][0]["state"],
        "left"
    );
    // It is the same one by its id, and not by its name.
    let mut another = world.clone();
    another["workspaces"][0].as_object_mut().unwrap().remove("id");
    tenant.seed(&another);
    is_refused(&tenant, &project, &command[2], 4, &["cannot be seen"]);
    tenant.reset();
    tenant.seed(&world);
    tenant.safely(&project, &["tx", "rollback", &command[2]]).is(0);
}

#[test]
fn r21_a_control_read_that_fails_takes_nothing_up() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.seed(&json!({ "workspaces": [{ "displayName": WORKSPACE, "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111" }] }));
    let command = left(&tenant, &project);
    for (fault, code) in
        [("GET /v1/workspaces/*=403", 4), ("GET /v1/workspaces/*=500", 1), ("POST */token=401", 4)]
    {
        tenant.inject(fault);
        is_refused(&tenant, &project, &command[2], code, &["help: "]);
        tenant.heal();
    }
    tenant.safely(&project, &["tx", "rollback", &command[2]]).is(0);
}

#[test]
fn r12_what_was_there_before_is_not_removed_whatever_a_journal_says() {
    const THEIRS: &str = "99999999-0000-4000-8000-000000000002";
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.seed(&json!({ "workspaces": [{ "displayName": WORKSPACE, "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111",
        "items": [{ "id": THEIRS, "type": "Notebook", "displayName": "theirs" }] }] }));
    let command = left(&tenant, &project);
    // What the creation of an item gave back is theirs now, as the journal has it.
    let journal = fs::read_to_string(project.journals().remove(0)).unwrap();
    let receipt = r#""receipt":{"receipt":"item","id":""#;
    let made = journal.lines().position(|line| line.contains(receipt)).unwrap();
    let (_, ours) = journal.lines().nth(made).unwrap().split_once(receipt).unwrap();
    forge_in(&project, made, &ours[..THEIRS.len()], THEIRS);
    tenant.safely(&project, &["tx", "rollback", &command[2]]).ends(3, &["item", THEIRS, "was there before"]);
    assert!(tenant.inventory()["world"].to_string().contains("theirs"), "{:#}", tenant.inventory());
    assert!(!tenant.requests().iter().any(|request| request.is_write() && request.path.contains(THEIRS)));
}

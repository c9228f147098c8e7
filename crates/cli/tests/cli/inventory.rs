//! After a rollback the workspace is compared with what it held before.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::{
    program::{Background, Ended},
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

/// A workspace that was there before, with something of others in it.
fn tenant_with_workspace() -> Tenant {
    let tenant = Tenant::start();
    tenant.seed(&json!({ "workspaces": [{
        "displayName": WORKSPACE, "description": "Orders, development",
        "capacityId": "11111111-1111-4111-8111-111111111111",
        "items": [{ "type": "Notebook", "displayName": "theirs" }],
    }] }));
    tenant
}

/// Asks the tenant as its own application does: the answer, which must be a success.
fn ask(tenant: &Tenant, method: &str, path: &str, body: &str) -> Value {
    let variable = |name: &str| tenant.variable(name).to_owned();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fapi.fabric.microsoft.com%2F.default",
        variable("AZURE_CLIENT_ID"),
        variable("AZURE_CLIENT_SECRET"),
    );
    let token = format!("/{}/oauth2/v2.0/token", variable("AZURE_TENANT_ID"));
    let token = send(&tenant.url, "POST", &token, "application/x-www-form-urlencoded", "", &form);
    let bearer = format!("Authorization: Bearer {}\r\n", token["access_token"].as_str().unwrap());
    send(&tenant.url, method, path, "application/json", &bearer, body)
}

fn send(url: &str, method: &str, path: &str, kind: &str, header: &str, body: &str) -> Value {
    let host = url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}").unwrap();
    write!(stream, "Content-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
    serde_json::from_str(body).unwrap_or_default()
}

fn workspace(tenant: &Tenant) -> String {
    let all = ask(tenant, "GET", "/v1/workspaces", "");
    let one = all["value"].as_array().unwrap().iter().find(|one| one["displayName"] == WORKSPACE).unwrap();
    format!("/v1/workspaces/{}", one["id"].as_str().unwrap())
}

/// A deployment that is rolled back, while somebody does something: before the first folder is removed, the items are.
fn rolled_back_while(tenant: &Tenant, project: &Project, does: impl FnOnce(&str)) -> Ended {
    let workspace = workspace(tenant);
    tenant.inject("POST */git/commitToGit=403");
    let hold = tenant.hold("DELETE */folders/*", "before");
    let process = Background::start(&mut tenant.safe(project, &["deploy"]));
    hold.wait();
    does(&workspace);
    tenant.forget_requests();
    hold.release();
    let ended = process.end();
    tenant.heal();
    ended
}

fn lists_of_items(tenant: &Tenant) -> usize {
    let asked = tenant.requests();
    asked.iter().filter(|request| request.shape() == "GET /v1/workspaces/*/items").count()
}

#[test]
fn r16_a_workspace_that_is_as_it_was_costs_one_list_and_a_commit_costs_none() {
    let (tenant, project) = (tenant_with_workspace(), Project::orders());
    let before = tenant.hash();
    let ended = rolled_back_while(&tenant, &project, |_| {}).is(1);
    assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}", ended.stdout);
    assert_eq!(tenant.hash(), before, "{:#}", tenant.inventory());
    assert_eq!(lists_of_items(&tenant), 1, "{:?}", tenant.writes());

    let shown = tenant.plainly(&project, &["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(shown["transactions"][0]["context"]["inventory"], Value::Null, "too long to be shown");

    // Read before the plan is made, and never again.
    tenant.forget_requests();
    tenant.plainly(&project, &["plan"]).is(0);
    let planning = lists_of_items(&tenant);
    tenant.forget_requests();
    tenant.safely(&project, &["deploy"]).is(0);
    assert_eq!(lists_of_items(&tenant), planning);
}

#[test]
fn r16_what_others_have_made_meanwhile_is_told_and_left_alone() {
    let (tenant, project) = (tenant_with_workspace(), Project::orders());
    let ended = rolled_back_while(&tenant, &project, |workspace| {
        let lakehouse = json!({ "displayName": "BRONZE_Orders_Lakehouse", "type": "Lakehouse" });
        ask(&tenant, "POST", &format!("{workspace}/items"), &lakehouse.to_string());
    });
    let ended = ended.ends(
        1,
        &["Lakehouse BRONZE_Orders_Lakehouse (", "SQLEndpoint BRONZE_Orders_Lakehouse (", "is left alone"],
    );
    assert!(ended.stdout.starts_with("RolledBack: nothing is left"), "{}", ended.stdout);
    let writes = tenant.writes();
    assert!(writes.iter().all(|write| !write.contains("/items/")), "{writes:?}");
    assert!(tenant.inventory()["world"].to_string().contains("BRONZE_Orders_Lakehouse"));
}

#[test]
fn r16_what_the_service_leaves_beside_ours_is_named_and_not_deleted() {
    let (tenant, project) = (tenant_with_workspace(), Project::orders());
    project
        .edit("  lakehouses:", "  resources:\n    - { type: \"Dataflow\", name: \"Load\" }\n  lakehouses:");
    project.write("naming_standards.yaml", "item_types: {}\nvalidation: { strict_mode: false }\n");
    let staging = |workspace: &str| {
        let staging = json!({ "displayName": "DataflowsStagingLakehouse", "type": "Lakehouse" });
        ask(&tenant, "POST", &format!("{workspace}/items"), &staging.to_string());
    };
    let ended = rolled_back_while(&tenant, &project, staging).is(3);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("Left: "), "{lines:?}");
    let named = |what: &str| {
        lines.iter().any(|line| line.trim_start().starts_with(what) && line.contains("beside what step"))
    };
    assert!(named("Lakehouse DataflowsStagingLakehouse ("), "{lines:?}");
    let writes = tenant.writes();
    assert!(writes.iter().all(|write| !write.contains("/items/")), "{writes:?}");
    let listed = tenant.plainly(&project, &["tx", "list", "--output", "json"]).is(0).json();
    assert_eq!(listed["transactions"][0]["state"], "rolled_back", "every undo was carried out");
}

#[test]
fn r16_r22_what_no_step_is_about_is_told_by_its_own_id_or_none() {
    let schema = include_str!("../../../../docs/transaction.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    let (tenant, project) = (tenant_with_workspace(), Project::orders());
    project
        .edit("  lakehouses:", "  resources:\n    - { type: \"Dataflow\", name: \"Load\" }\n  lakehouses:");
    project.write("naming_standards.yaml", "item_types: {}\nvalidation: { strict_mode: false }\n");
    let items = format!("{}/items", workspace(&tenant));
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = tenant.safely(&project, &["deploy"]).is(3).command();
    tenant.heal();
    let staging = json!({ "displayName": "DataflowsStagingLakehouse", "type": "Lakehouse" });
    ask(&tenant, "POST", &items, &staging.to_string());
    let there = ask(&tenant, "GET", &items, "");
    let id_of = |name: &str, kind: &str| {
        let is_it = |item: &&Value| item["displayName"] == name && item["type"] == kind;
        there["value"].as_array().unwrap().iter().find(is_it).unwrap()["id"].as_str().unwrap()
    };
    ask(&tenant, "DELETE", &format!("{items}/{}", id_of("theirs", "Notebook")), "");

    let args = ["tx", "rollback", &command[2], "--output", "json"];
    let told = tenant.safely(&project, &args).is(3).json();
    assert!(schema.is_valid(&told), "{told:#}");
    assert_eq!(told["left"], told["remaining"]);
    let left = |change: &str| told["left"].as_array().unwrap().iter().find(|left| left["change"] == change);
    let made = left("Lakehouse DataflowsStagingLakehouse").unwrap_or_else(|| panic!("{told:#}"));
    assert_eq!(made["id"], id_of("DataflowsStagingLakehouse", "Lakehouse"));
    let dataflow =
        told["steps"].as_array().unwrap().iter().find(|step| step["change"] == "create Dataflow Load");
    assert_eq!(made["step"], dataflow.unwrap()["step"]);
    assert_eq!(dataflow.unwrap()["reason"], Value::Null, "what it made is gone");
    let gone = left("Notebook theirs").unwrap();
    assert_eq!([&gone["step"], &gone["id"]], [&Value::Null, &Value::Null]);
}

#[test]
fn r16_what_is_gone_is_named_by_a_rollback_from_another_process_too() {
    let (tenant, project) = (tenant_with_workspace(), Project::orders());
    let workspace = workspace(&tenant);
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let command = tenant.safely(&project, &["deploy"]).is(3).command();
    tenant.heal();
    let items = ask(&tenant, "GET", &format!("{workspace}/items"), "");
    let theirs =
        items["value"].as_array().unwrap().iter().find(|item| item["displayName"] == "theirs").unwrap();
    ask(&tenant, "DELETE", &format!("{workspace}/items/{}", theirs["id"].as_str().unwrap()), "");
    let command: Vec<_> = command.iter().map(String::as_str).collect();
    let ended = tenant.safely(&project, &command).is(3);
    assert!(ended.stdout.contains("  Notebook theirs: was there before and is gone"), "{}", ended.stdout);

    // What goes after the end is not its doing.
    tenant.forget_requests();
    let ended = tenant.safely(&project, &["tx", "resume", command[2]]).is(1);
    assert!(ended.stdout.starts_with("RolledBack: "), "{}", ended.stdout);
    assert_eq!(lists_of_items(&tenant), 0);
}

#[test]
fn r16_a_workspace_that_cannot_be_read_again_is_told_and_is_no_failure_of_the_rollback() {
    let (tenant, project) = (tenant_with_workspace(), Project::orders());
    let ended = rolled_back_while(&tenant, &project, |_| tenant.inject("GET /v1/workspaces/*/items=403"));
    let ended = ended.ends(1, &["was not compared with what it held before"]);
    assert!(ended.stdout.starts_with("RolledBack: "), "{}", ended.stdout);
}

//! How a workspace differs from the files, and a plan that is carried out as it was seen or not at all.

use serde_json::{Value, json};

use crate::{
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

fn deployed() -> (Tenant, Project) {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    (tenant, project)
}

fn workspace(tenant: &Tenant, project: &Project) -> Value {
    tenant.plainly(project, &["workspaces", "get", WORKSPACE, "--show-items", "--json"]).is(0).json()
}

fn path_of(shown: &Value, kind: &str) -> String {
    let item = shown["items"].as_array().unwrap().iter().find(|item| item["type"] == kind).unwrap();
    format!("/v1/workspaces/{}/items/{}", shown["id"].as_str().unwrap(), item["id"].as_str().unwrap())
}

#[test]
fn what_differs_is_told_also_where_a_deployment_leaves_it_alone() {
    let (tenant, project) = deployed();
    tenant.forget_requests();
    let ended = tenant.plainly(&project, &["drift", "--detailed-exitcode"]).is(0);
    assert_eq!(ended.stdout, format!("No drift: {WORKSPACE} is as the files say.\n"));
    assert_eq!(tenant.plainly(&project, &["drift", "--output", "json"]).is(0).json()["verdict"], "in_sync");

    let shown = workspace(&tenant, &project);
    let own = format!("/v1/workspaces/{}", shown["id"].as_str().unwrap());
    tenant.call("PATCH", &path_of(&shown, "Lakehouse"), &json!({ "description": "by hand" }).to_string());
    tenant.call("PATCH", &own, &json!({ "description": "mine" }).to_string());
    tenant.call("POST", &format!("{own}/folders"), &json!({ "displayName": "Attic" }).to_string());
    let body = json!({ "displayName": "stray", "type": "Lakehouse" });
    tenant.call("POST", &format!("{own}/items"), &body.to_string());
    let guest = json!({ "principal": { "id": "dddddddd-0000-4000-8000-000000000003", "type": "User" }, "role": "Viewer" });
    tenant.call("POST", &format!("{own}/roleAssignments"), &guest.to_string());
    project.write("load.py", "# Fabric notebook source\n\n# CELL ********************\n\norders = 1\n");
    tenant.settle();
    tenant.forget_requests();

    let told = tenant.plainly(&project, &["drift", "--detailed-exitcode"]).is(6).stdout;
    for line in [
        "~ workspace acme-orders-dev: description is \"mine\", by the files \"Orders, development\"",
        "- folder Attic: not in the files",
        "~ Lakehouse BRONZE_Orders_Lakehouse: description is \"by hand\", by the files \"Orders as they come\"",
        "~ Notebook 01_LoadOrders_Notebook: another definition",
        "- Lakehouse stray: not in the files",
        "- role ",
        "~ git github.com/contoso/orders, branch main, /: state is \"uncommitted\", by the files \"committed\"",
        "Drift: 7 differences in acme-orders-dev; a deployment makes 4 of them as the files say",
    ] {
        assert!(told.contains(line), "{line}\n{told}");
    }
    tenant.plainly(&project, &["drift"]).is(0);
    let parts = tenant.plainly(&project, &["drift", "--diff"]).is(0).stdout;
    for line in ["--- fabric/notebook-content", "-orders = spark.read", "+orders = 1"] {
        assert!(parts.contains(line), "{line}\n{parts}");
    }
    let listed = tenant.plainly(&project, &["drift", "--diff", "--output", "json"]).is(0).json();
    let one =
        listed["differences"].as_array().unwrap().iter().find(|one| one["field"] == "definition").unwrap();
    assert_eq!((&one["kind"], &one["deployed"]), (&json!("changed"), &json!(true)));
    assert!(one["parts"][0]["diff"].as_str().unwrap().contains("+orders = 1"), "{one:#}");
    assert_eq!(tenant.writes(), [""; 0]);

    // A plan has what a deployment changes, and nothing else.
    let planned = tenant.plainly(&project, &["plan", "--diff", "--detailed-exitcode"]).is(6).stdout;
    assert!(planned.contains("+orders = 1") && !planned.contains("stray"), "{planned}");
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    let left = tenant.plainly(&project, &["drift", "--output", "json", "--detailed-exitcode"]).is(6).json();
    let left = left["differences"].as_array().unwrap();
    assert!(left.iter().all(|one| one["kind"] == "extra" && one["deployed"] == false), "{left:#?}");
    assert_eq!(left.len(), 3);
}

#[test]
fn secrets_in_content_are_not_shown() {
    let (tenant, project) = deployed();
    let secret = tenant.variable("AZURE_CLIENT_SECRET").to_owned();
    project.write("load.py", &format!("# Fabric notebook source\n\nkey = \"{secret}\"\n"));
    for args in [&["drift", "--diff"][..], &["plan", "--diff"], &["plan", "--diff", "--output", "json"]] {
        let ended = tenant.plainly(&project, args).is(0);
        assert!(ended.stdout.contains("key = "), "{}", ended.stdout);
        assert!(!ended.stdout.contains(&secret) && !ended.stderr.contains(&secret), "{}", ended.stdout);
    }
}

#[test]
fn a_plan_in_a_file_is_carried_out_as_it_was_seen() {
    let (tenant, project) = deployed();
    project.write("load.py", "# Fabric notebook source\n\n# CELL ********************\n\norders = 1\n");
    let file = project.path().join("approved.json");
    let named = file.to_str().unwrap();
    tenant.forget_requests();
    tenant.plainly(&project, &["plan", "--out", named]).is(0);
    assert_eq!(tenant.writes(), [""; 0]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    tenant.safely(&project, &["deploy", named, "--env", "prod"]).ends(2, &["for the environment dev"]);

    // What it overwrites was seen: nobody is asked again.
    tenant.safely(&project, &["deploy", named]).is(0);
    tenant.plainly(&project, &["plan", "--detailed-exitcode"]).is(0);
    // Once.
    tenant
        .safely(&project, &["deploy", named])
        .ends(1, &["the workspace has changed since the plan was made"]);
}

#[test]
fn a_plan_in_a_file_is_refused_once_something_has_moved() {
    let (tenant, project) = deployed();
    let content =
        |value: u32| format!("# Fabric notebook source\n\n# CELL ********************\n\norders = {value}\n");
    project.write("load.py", &content(1));
    let file = project.path().join("approved.json");
    let named = file.to_str().unwrap();
    let plan = || tenant.plainly(&project, &["plan", "--out", named]).is(0);
    plan();
    let shown = workspace(&tenant, &project);
    // Nothing that the plan touches: who approved it has seen another workspace all the same.
    tenant.call("PATCH", &path_of(&shown, "Lakehouse"), &json!({ "description": "by hand" }).to_string());
    tenant.forget_requests();
    let refused = tenant.safely(&project, &["deploy", named]);
    refused.ends(1, &["the workspace has changed since the plan was made, on ", "plan anew"]);
    plan();
    project.write("load.py", &content(2));
    tenant.safely(&project, &["deploy", named]).ends(1, &["the files have changed since the plan was made"]);
    assert_eq!(tenant.writes(), [""; 0]);

    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("\"selvedge_plan\": 1", "\"selvedge_plan\": 2")).unwrap();
    tenant.safely(&project, &["deploy", named]).ends(2, &["it has the form 2", "plan --out"]);
    std::fs::write(&file, r#"{"selvedge_plan": 1}"#).unwrap();
    tenant.safely(&project, &["deploy", named]).ends(2, &["read the plan", "missing field"]);
    let folder = project.path().to_str().unwrap();
    tenant.plainly(&project, &["plan", "--out", folder]).ends(1, &["write the plan to"]);
    tenant
        .plainly(&project, &["plan", "--out", "none/plan.json"])
        .ends(1, &["write the plan to none/plan.json"]);
}

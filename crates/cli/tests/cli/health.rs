//! `selvedge health`: the predecessor's report, of what is really there.

use serde_json::{Value, json};

use crate::{
    program::{Ended, run},
    project::{Project, WORKSPACE},
    tenant::Tenant,
};

const ARGS: [&str; 5] = ["health", "--workspace", WORKSPACE, "--environment", "dev"];

fn health(tenant: &Tenant, project: &Project, more: &[&str]) -> Ended {
    run(&mut tenant.selvedge(project, &[&ARGS[..], more].concat()))
}

#[test]
fn a_deployed_workspace_is_told_as_it_is() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    tenant.forget_requests();
    let told = health(&tenant, &project, &[]).is(0).json();
    assert_eq!(
        (&told["overall_status"], &told["critical_issues"]),
        (&json!("healthy"), &json!([])),
        "{told:#}"
    );
    assert_eq!((&told["workspace"], &told["environment"]), (&json!(WORKSPACE), &json!("dev")));
    let metrics = &told["metrics"];
    assert_eq!(
        (&metrics["item_counts"]["Lakehouse"], &metrics["item_counts"]["Notebook"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(metrics["git_integration"]["connected"], true);
    assert_eq!(metrics["git_integration"]["sync_status"], "synced");
    assert_eq!(metrics["recent_activity"]["last_24h_deployments"], 1);
    assert_eq!(metrics["recent_activity"]["failed_operations"], 0);
    assert!(metrics["workspace_response_time"].as_f64().unwrap() > 0.0);
    assert_eq!(tenant.writes(), [""; 0]);

    // To a file, for people.
    let ended = health(&tenant, &project, &["--output-format", "text", "--output-file", "report.md"]).is(0);
    assert_eq!(ended.stdout, "");
    let report = std::fs::read_to_string(project.path().join("report.md")).unwrap();
    assert!(
        report.starts_with("# Fabric Workspace Health Report") && report.contains("## 📊 Metrics"),
        "{report}"
    );

    // An item that is listed and cannot be read.
    tenant.inject("GET /v1/workspaces/*/items/*=500,times=1");
    let told = health(&tenant, &project, &["--fail-on-critical"]).is(1).json();
    assert_eq!(told["overall_status"], "critical");
    assert_eq!(told["critical_issues"][0]["type"], "item_failures");
    assert_eq!(told["item_health"]["failed_items"].as_array().unwrap().len(), 1);
}

#[test]
fn what_cannot_be_seen_is_critical_and_the_exit_code_says_so() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let kind = |told: &Value| told["critical_issues"][0]["type"].as_str().unwrap().to_owned();
    let told = health(&tenant, &project, &[]).is(1).json();
    assert_eq!((told["overall_status"].as_str(), &*kind(&told)), (Some("critical"), "accessibility"));
    assert_eq!(told["metrics"]["total_items"], Value::Null, "what was not seen is not nothing");

    tenant.inject("GET /v1/workspaces=503");
    let told = health(&tenant, &project, &[]).is(1).json();
    assert_eq!(kind(&told), "connection_error");

    let mut command = tenant.selvedge(&project, &ARGS);
    let ended = run(command.env("AZURE_CLIENT_SECRET", "not-the-one-0123")).is(4);
    assert_eq!(kind(&ended.json()), "connection_error");
    assert!(!ended.stdout.contains("not-the-one-0123"), "{}", ended.stdout);
}

#[test]
fn what_a_deployment_has_left_is_a_warning() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */git/connect=400");
    tenant.inject("DELETE *=403");
    tenant.safely(&project, &["deploy", "--yes"]).is(3);
    tenant.heal();
    let told = health(&tenant, &project, &[]).is(0).json();
    assert_eq!(told["overall_status"], "healthy_with_warnings", "{told:#}");
    let warning = &told["warnings"][0];
    assert_eq!(warning["type"], "activity_check");
    assert!(
        warning["description"].as_str().unwrap().contains("run `selvedge transactions rollback "),
        "{warning}"
    );
    assert_eq!(told["metrics"]["recent_activity"]["failed_operations"], 1);
    assert_eq!(told["metrics"]["git_integration"], json!({ "connected": false }));
}

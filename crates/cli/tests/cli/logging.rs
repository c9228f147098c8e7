//! JSON log lines, as programs read them: `docs/operations/logs.md`.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    program::{Ended, run},
    project::Project,
    tenant::Tenant,
};

/// Every line of stderr.
#[track_caller]
fn lines(ended: &Ended) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
    ended.stderr.lines().map(parse).collect()
}

/// The whole run says the same of itself.
#[track_caller]
fn correlation(lines: &[Value]) -> String {
    let ids: BTreeSet<_> = lines.iter().map(|line| line["correlation_id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    ids.into_iter().next().unwrap().to_owned()
}

#[track_caller]
fn find<'l>(lines: &'l [Value], operation: &str) -> &'l Value {
    let found = lines.iter().find(|line| line["operation"] == operation);
    found.unwrap_or_else(|| panic!("{operation} in {lines:#?}"))
}

fn talkative(tenant: &Tenant, project: &Project, variables: &[(&str, &str)]) -> Ended {
    let mut command = tenant.safe(project, &["deploy", "--output", "json"]);
    command.env("LOG_FORMAT", "json").env("ENVIRONMENT", "staging").env("FEATURE_USE_RETRY_LOGIC", "true");
    run(command.envs(variables.iter().copied()))
}

#[test]
fn each_line_of_a_run_has_the_promised_keys() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("GET */workspaces=503,times=1");
    let ended = talkative(&tenant, &project, &[]).is(0);
    let lines = lines(&ended);
    for line in &lines {
        let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
        let promised = ["timestamp", "level", "correlation_id", "operation", "message", "details", "tags"];
        assert_eq!(keys, promised, "{line}");
        let timestamp = line["timestamp"].as_str().unwrap();
        assert!(timestamp.ends_with('Z'), "{timestamp}");
        time::OffsetDateTime::parse(timestamp, &time::format_description::well_known::Rfc3339).unwrap();
        assert!(["INFO", "WARN"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert_eq!(line["tags"], json!({ "environment": "staging", "version": env!("CARGO_PKG_VERSION") }));
        assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
    }
    // The transaction's id, from the first line on.
    let transaction = ended.json()["transaction"].clone();
    assert_eq!(transaction, correlation(&lines));
    assert_eq!(find(&lines, "transaction.started")["details"]["transaction"], transaction);
    let retry = find(&lines, "resilience.retry");
    assert_eq!((&retry["level"], &retry["details"]["attempt"]), (&json!("WARN"), &json!(2)), "{retry}");
    assert!(retry["details"]["delay_ms"].is_u64(), "{retry}");
    let completed = find(&lines, "deployment.completed");
    assert!(completed["details"]["duration_ms"].as_u64().is_some_and(|took| took > 0), "{completed}");
    assert_eq!(completed["details"]["cicd.pipeline.name"], "Orders");
}

#[test]
fn a_line_says_which_step_and_transaction_it_is_about() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("GET */operations/*=503,times=1");
    let ended = talkative(&tenant, &project, &[]);
    let (lines, transaction) = (lines(&ended), ended.json()["transaction"].clone());
    let within: Vec<_> = lines.iter().filter(|line| line["details"]["step"].is_u64()).collect();
    assert!(within.iter().any(|line| line["operation"] == "resilience.retry"), "{lines:#?}");
    for line in within {
        assert_eq!(line["details"]["transaction"], transaction, "{line}");
        assert!(line["details"]["change"].is_string(), "{line}");
        assert!(line["details"].as_object().unwrap().keys().all(|key| !key.starts_with("otel.")), "{line}");
    }
}

#[test]
fn with_telemetry_the_trace_is_what_lines_have_in_common() {
    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    let (tenant, project) = (Tenant::start(), Project::orders());
    // Nobody listens there.
    let telemetry =
        [("FEATURE_USE_TELEMETRY", "true"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")];
    let parent = format!("00-{TRACE}-b7ad6b7169203331-01");
    let within: Vec<_> = telemetry.into_iter().chain([("TRACEPARENT", &*parent)]).collect();
    let ended = talkative(&tenant, &project, &within).is(0);
    assert_eq!(correlation(&lines(&ended)), TRACE);
    tenant.reset();
    let ended = talkative(&tenant, &Project::orders(), &telemetry).is(0);
    assert_eq!(correlation(&lines(&ended)), ended.json()["transaction"]);
}

#[test]
fn who_takes_a_transaction_up_logs_under_its_id() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    tenant.inject("POST */git/commitToGit=403\nDELETE */items/*=500");
    let ended = tenant.safely(&project, &["deploy", "--output", "json"]).is(3);
    let id = ended.json()["transaction"].as_str().unwrap().to_owned();
    tenant.heal();
    let mut command = tenant.safe(&project, &["tx", "rollback", &id, "--output", "json"]);
    let lines = lines(&run(command.env("LOG_FORMAT", "json")).is(0));
    assert_eq!(correlation(&lines), id);
    find(&lines, "transaction.rolled_back");
}

#[test]
fn text_lines_are_short_and_hold_no_spans() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let ended = tenant.safely(&project, &["deploy", "-vv"]).is(0);
    let said = ended.stderr.lines().filter(|line| line.contains(" INFO ")).collect::<Vec<_>>();
    let started = said.iter().find(|line| line.contains("Transaction started")).unwrap();
    let (_, started) = started.split_once("Z  INFO ").unwrap();
    assert!(started.starts_with("Transaction started transaction="), "{started}");
    assert!(said.iter().all(|line| !line.contains("cicd.pipeline")), "{said:#?}");
}

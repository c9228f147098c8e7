//! What the queries of Azure's ask for is what Application Insights are sent: tables, names and properties.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::files;
use crate::{program::run, project::Project, sink::Sink, tenant::Tenant};

/// In which table an item is found:
/// <https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource#workspace-based-resource-changes>.
const TABLES: [(&str, &str); 6] = [
    ("EventData", "AppEvents"),
    ("ExceptionData", "AppExceptions"),
    ("MessageData", "AppTraces"),
    ("MetricData", "AppMetrics"),
    ("RemoteDependencyData", "AppDependencies"),
    ("RequestData", "AppRequests"),
];

/// The names and the properties that there are in each table.
#[derive(Default)]
struct Table {
    names: BTreeSet<String>,
    properties: BTreeSet<String>,
}

fn add(tables: &mut BTreeMap<&str, Table>, sink: &Sink) {
    for taken in sink.taken().iter().filter(|taken| taken.path == "/v2.1/track") {
        for line in taken.body().lines() {
            let item: Value = serde_json::from_str(line).unwrap();
            assert_eq!(item["tags"]["ai.cloud.role"], "selvedge");
            let (kind, data) = (item["data"]["baseType"].as_str().unwrap(), &item["data"]["baseData"]);
            let (_, table) = TABLES.iter().find(|(it, _)| *it == kind).unwrap();
            let table = tables.entry(table).or_default();
            table
                .names
                .extend(data["name"].as_str().or(data["metrics"][0]["name"].as_str()).map(str::to_owned));
            table.properties.extend(data["properties"].as_object().unwrap().keys().cloned());
            if kind == "RemoteDependencyData" && data["type"] == "HTTP" {
                assert!(data["resultCode"].is_string() && data["success"].is_boolean(), "{line}");
            }
        }
    }
}

/// The texts in `query` that stand behind `before`, up to a line's end.
fn texts<'q>(query: &'q str, before: &str) -> Vec<&'q str> {
    let after = query.match_indices(before).map(|(at, _)| &query[at + before.len()..]);
    after.flat_map(|after| after.split(')').next().unwrap().split('"').skip(1).step_by(2)).collect()
}

#[test]
fn what_the_queries_ask_for_is_sent() {
    let sink = Sink::start();
    let mut tables = BTreeMap::new();
    let on =
        ["RETRY_LOGIC", "CIRCUIT_BREAKER", "ROLLBACK"].map(|flag| (format!("FEATURE_USE_{flag}"), "true"));
    // What is provoked, and how it ends: recovery and success, a rollback, no token, throttling, no configuration.
    for (faults, arguments, code) in [
        ("GET */workspaces=503,times=2", "deploy", 0),
        ("POST */items=400", "deploy", 1),
        ("POST */token=401", "plan", 4),
        ("GET /v1/workspaces=429,retry-after=2,times=1", "plan", 0),
        ("", "deploy", 2),
    ] {
        let (tenant, project) = (Tenant::with_https(), Project::orders());
        tenant.inject(faults);
        if code == 2 {
            project.write("product_config.yaml", "");
        }
        // The vault has no secret, so that the environment answers.
        let mut command = tenant.with_vault(&project, &[arguments]);
        sink.told_by(&mut command);
        command
            .envs(on.clone())
            .env("GITHUB_TOKEN", "a-token")
            .env("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "2");
        run(&mut command).is(code);
        add(&mut tables, &sink);
    }
    for folder in ["alerts", "queries"] {
        for (file, query) in files(&format!("deploy/monitoring/azure/{folder}"), ".kql") {
            let code: Vec<&str> = query.lines().filter(|line| !line.starts_with("//")).collect();
            let code = code.join("\n");
            let asked: Vec<&Table> =
                tables.iter().filter(|(table, _)| code.contains(**table)).map(|(_, table)| table).collect();
            assert!(!asked.is_empty(), "{file}");
            for name in texts(&code, " Name == ").iter().take(1).chain(&texts(&code, " Name in (")) {
                assert!(asked.iter().any(|table| table.names.contains(*name)), "{file}: {name}");
            }
            for property in texts(&code, "Properties[").into_iter().filter(|text| text.contains(['.', '_'])) {
                assert!(asked.iter().any(|table| table.properties.contains(property)), "{file}: {property}");
            }
        }
    }
}

//! Each alert is in Prometheus' rules, in Azure's and in the docs, and says the same; and what else can be checked of the files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{files, path, read, rules, yaml};

/// Alerts of one side alone, with the words by which the docs say why.
const ALONE: [(&str, &str); 3] = [
    ("SelvedgeComponentFails", "in Prometheus alone"),
    ("SelvedgeTransactionWaits", "in Prometheus alone"),
    ("SelvedgeWorkspaceCreationSlow", "In Azure alone"),
];

/// What both sides say of an alert.
#[derive(Debug, PartialEq)]
struct Alert {
    severity: String,
    runbook: String,
    /// Minutes.
    window: Option<u32>,
    threshold: f64,
}

/// The number behind the last `>`.
#[track_caller]
fn threshold(expression: &str) -> f64 {
    let (_, after) = expression.rsplit_once("> ").unwrap_or_else(|| panic!("{expression}"));
    after.split_whitespace().next().unwrap().parse().unwrap_or_else(|error| panic!("{expression}: {error}"))
}

/// What the window of a recorded series is, by its name.
fn window(expression: &str) -> Option<u32> {
    let (_, after) = expression.split_once(":increase")?;
    let end = after.find(|it: char| !it.is_ascii_alphanumeric()).unwrap_or(after.len());
    let (number, unit) = after[..end].split_at(end - 1);
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        _ => 24 * 60,
    };
    Some(number.parse::<u32>().unwrap() * minutes)
}

fn of_prometheus() -> BTreeMap<String, Alert> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let alerts = rules().into_iter().filter(|rule| rule["alert"].is_string());
    let alerts = alerts.map(|rule| {
        let expression = text(&rule["expr"]).replace("== 1", "> 0");
        let alert = Alert {
            severity: text(&rule["labels"]["severity"]),
            runbook: text(&rule["annotations"]["runbook"]),
            window: window(&expression),
            threshold: threshold(&expression),
        };
        (text(&rule["alert"]), alert)
    });
    alerts.collect()
}

fn of_azure() -> BTreeMap<String, Alert> {
    let bicep = read("deploy/monitoring/azure/alerts.bicep");
    let (_, list) = bicep.split_once("var alerts = [").unwrap();
    let (list, _) = list.split_once("\n]\n").unwrap();
    let mut alerts = BTreeMap::new();
    for entry in list.split("\n  {\n").skip(1) {
        let of = |key: &str| {
            let line = entry.lines().find_map(|line| line.trim().strip_prefix(&format!("{key}: ")));
            line.unwrap_or_else(|| panic!("{key} in {entry}")).trim_matches('\'').to_owned()
        };
        let name = of("name");
        assert_eq!(of("query"), format!("loadTextContent('alerts/{name}.kql')"));
        let query = read(&format!("deploy/monitoring/azure/alerts/{name}.kql"));
        // DurationMs.
        let unit = if query.contains("DurationMs") { 1000.0 } else { 1.0 };
        let alert = Alert {
            severity: ["", "critical", "warning", "info"][of("severity").parse::<usize>().unwrap()]
                .to_owned(),
            runbook: of("runbook"),
            window: Some(match &*of("window") {
                "PT5M" => 5,
                "PT15M" => 15,
                "PT1H" => 60,
                "P1D" => 24 * 60,
                other => panic!("{other}"),
            }),
            threshold: threshold(query.trim_end().lines().last().unwrap()) / unit,
        };
        alerts.insert(name, alert);
    }
    alerts
}

/// What the docs say: the section and the row of each alert.
fn of_docs(docs: &str) -> BTreeMap<String, (String, String)> {
    let mut rows = BTreeMap::new();
    for section in docs.split("\n### ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap();
        for line in text.lines().filter(|line| line.starts_with("| `Selvedge")) {
            let name = line.split('`').nth(1).unwrap().to_owned();
            let anchor = heading.to_lowercase().replace(' ', "-");
            let preamble = text.split("\n|").next().unwrap_or_default();
            rows.insert(
                name,
                (format!("docs/operations/monitoring.md#{anchor}"), format!("{preamble}\n{line}")),
            );
        }
    }
    rows
}

#[test]
fn each_alert_has_its_twin_and_its_row() {
    let (prometheus, azure) = (of_prometheus(), of_azure());
    let docs = read("docs/operations/monitoring.md");
    let rows = of_docs(&docs);
    let names: BTreeSet<&String> = prometheus.keys().chain(azure.keys()).chain(rows.keys()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let (section, row) = rows.get(name).unwrap_or_else(|| panic!("no row for {name}"));
        let sides: Vec<&Alert> = prometheus.get(name).into_iter().chain(azure.get(name)).collect();
        match ALONE.iter().find(|(alone, _)| alone == name) {
            Some((_, why)) => assert!(sides.len() == 1 && row.contains(why), "{name}: {row}"),
            None => assert!(sides.len() == 2 && sides[0] == sides[1], "{name}: {sides:?}"),
        }
        assert_eq!(sides[0].runbook, *section, "{name}");
        assert!(row.contains(&format!("| {} |", sides[0].severity)), "{name}: {row}");
    }
}

#[test]
fn each_query_is_deployed_and_each_saved_one_is_named_in_the_docs() {
    let docs = read("docs/operations/monitoring.md");
    let bicep = |name: &str| read(&format!("deploy/monitoring/azure/{name}.bicep"));
    let (alerts, queries, workbook) = (bicep("alerts"), bicep("queries"), bicep("workbook"));
    for (name, _) in files("deploy/monitoring/azure/alerts", ".kql") {
        assert!(alerts.contains(&format!("'alerts/{name}.kql'")), "{name}");
    }
    for (name, query) in files("deploy/monitoring/azure/queries", ".kql") {
        let loaded = format!("'queries/{name}.kql'");
        assert!(queries.contains(&loaded), "{name}");
        // One that wants to be filled in is nothing to look at.
        assert_eq!(workbook.contains(&loaded), !query.contains("let "), "{name}");
        assert!(docs.contains(&name), "{name}");
    }
    for part in [alerts, queries, workbook] {
        for (at, call) in part.match_indices("loadTextContent('") {
            let file = part[at + call.len()..].split('\'').next().unwrap();
            assert!(path("deploy/monitoring/azure").join(file).is_file(), "{file}");
        }
    }
}

#[test]
fn the_collectors_pipelines_are_made_of_what_it_has() {
    let config = yaml("deploy/monitoring/collector/config.yaml");
    assert_eq!(
        config["exporters"]["azuremonitor"]["connection_string"],
        "${env:APPLICATIONINSIGHTS_CONNECTION_STRING}"
    );
    let mut used = BTreeSet::new();
    for (name, pipeline) in config["service"]["pipelines"].as_object().unwrap() {
        for kind in ["receivers", "processors", "exporters"] {
            for part in pipeline[kind].as_array().unwrap() {
                let part = part.as_str().unwrap();
                assert!(config[kind].get(part).is_some(), "{kind} of {name}: {part}");
                used.insert((kind, part.to_owned()));
            }
        }
        assert_eq!(pipeline["processors"][0], "memory_limiter", "{name}");
    }
    for kind in ["receivers", "processors", "exporters"] {
        for part in config[kind].as_object().unwrap().keys() {
            assert!(used.contains(&(kind, part.clone())), "{part} is in no pipeline");
        }
    }
}

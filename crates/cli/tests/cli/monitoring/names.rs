//! Every name in rules, queries and dashboard is one that docs/telemetry.md or docs/operations/health.md has.

use std::collections::BTreeSet;

use super::{files, read, rules, yaml};

/// Words of PromQL, and labels that Prometheus makes of the resource and of buckets.
const PROMQL: &[&str] = &[
    "by",
    "group_left",
    "histogram_quantile",
    "instance",
    "job",
    "le",
    "max",
    "max_over_time",
    "offset",
    "on",
    "or",
    "sum",
    "vector",
];

/// What queries compare with that is no name of ours: kinds and codes of Application Insights, who tells, and nothing.
const KQL: &[&str] = &["", "404", "429", "HTTP", "selvedge"];

/// Tables of a workspace that Application Insights write to:
/// <https://learn.microsoft.com/azure/azure-monitor/reference/tables-index#application-insights>.
const TABLES: &[&str] =
    &["AppDependencies", "AppEvents", "AppExceptions", "AppMetrics", "AppRequests", "AppTraces"];

/// What stands in backticks.
fn quoted(text: &str) -> BTreeSet<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// The rows of the table after a heading: what stands in backticks in each column.
fn rows<'t>(text: &'t str, heading: &str) -> Vec<Vec<BTreeSet<&'t str>>> {
    let (_, after) = text.split_once(heading).unwrap();
    let table = after.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let table = table.take_while(|line| line.starts_with('|'));
    table.map(|line| line.split('|').skip(1).map(quoted).collect()).collect()
}

/// What a metric is called by the Collector's Prometheus exporter and by Prometheus' OTLP receiver, by its unit and instrument:
/// <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus>.
fn called(metric: &str, unit: &BTreeSet<&str>, instrument: &str) -> Vec<String> {
    let unit = if unit.contains("s") { "_seconds" } else { "" };
    let name = format!("{}{unit}", metric.replace('.', "_"));
    match instrument {
        "histogram" => ["bucket", "count", "sum"].map(|part| format!("{name}_{part}")).into(),
        "gauge" => vec![name],
        _ => vec![format!("{name}_total")],
    }
}

/// All that a query of Prometheus may name.
fn promql() -> BTreeSet<String> {
    let (telemetry, health) = (read("docs/telemetry.md"), read("docs/operations/health.md"));
    let (_, metrics) = telemetry.split_once("## Metrics").unwrap();
    let instruments = metrics
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.split('|').nth(4).unwrap().trim());
    let mut known: BTreeSet<String> = PROMQL.iter().map(|word| (*word).to_owned()).collect();
    for (row, instrument) in rows(&telemetry, "## Metrics").iter().zip(instruments) {
        known.extend(row[0].iter().flat_map(|metric| called(metric, &row[2], instrument)));
        known.extend(row[5].iter().map(|attribute| attribute.replace('.', "_")));
    }
    for row in rows(&health, "### Metrics") {
        known.extend(row[0].iter().chain(&row[1]).map(|&name| name.to_owned()));
    }
    known.extend(rules().iter().filter_map(|rule| Some(rule["record"].as_str()?.to_owned())));
    known
}

/// The words of an expression that are neither texts nor numbers nor times.
fn words(expression: &str) -> BTreeSet<&str> {
    let mut words = BTreeSet::new();
    for part in expression.split('"').step_by(2) {
        let part = part
            .split('[')
            .enumerate()
            .map(|(n, part)| if n == 0 { part } else { part.split_once(']').map_or("", |(_, rest)| rest) });
        for part in part {
            let is_word = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | ':');
            let found = part
                .split(|it| !is_word(it))
                .filter(|word| word.starts_with(|it: char| !it.is_ascii_digit()));
            words.extend(found);
        }
    }
    words
}

/// Names in it that nobody knows.
fn unknown(expression: &str, known: &BTreeSet<String>) -> Vec<String> {
    words(expression).into_iter().filter(|word| !known.contains(*word)).map(str::to_owned).collect()
}

/// The same of a query of Azure's: texts that are no name of ours, and tables.
fn unknown_in_kql(query: &str, known: &BTreeSet<&str>) -> Vec<String> {
    let code: Vec<&str> = query.lines().filter(|line| !line.starts_with("//")).collect();
    let texts = code.iter().flat_map(|line| line.split('"').skip(1).step_by(2));
    let texts = texts.filter(|text| !known.contains(text) && !KQL.contains(text));
    let sources = code.iter().filter(|line| line.starts_with("App") || line.starts_with("union "));
    let tables =
        sources.flat_map(|line| line.split([' ', ','])).filter(|word| !word.is_empty() && *word != "union");
    let tables = tables.filter(|table| !TABLES.contains(table));
    texts.chain(tables).map(str::to_owned).collect()
}

#[test]
fn rules_name_nothing_that_nobody_tells() {
    let known = promql();
    for rule in rules() {
        let expression = rule["expr"].as_str().unwrap();
        assert_eq!(unknown(expression, &known), [""; 0], "{expression}");
    }
}

#[test]
fn the_dashboard_names_nothing_that_nobody_tells() {
    let known = promql();
    let dashboard = yaml("deploy/monitoring/grafana/dashboard.json");
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    let panels = dashboard["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
    let mut count = 0;
    for panel in panels {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        for target in panel["targets"].as_array().unwrap() {
            assert_eq!(unknown(target["expr"].as_str().unwrap(), &known), [""; 0], "{}", panel["title"]);
            count += 1;
        }
    }
    assert!(count > 15, "{count}");
}

#[test]
fn queries_of_azure_name_nothing_that_nobody_tells() {
    let telemetry = read("docs/telemetry.md");
    let known = quoted(&telemetry);
    for folder in ["alerts", "queries"] {
        let queries = files(&format!("deploy/monitoring/azure/{folder}"), ".kql");
        assert!(queries.len() > 10, "{folder}");
        for (name, query) in queries {
            assert!(query.starts_with("// "), "{name} says what it answers");
            assert_eq!(unknown_in_kql(&query, &known), [""; 0], "{name}");
        }
    }
}

#[test]
fn what_nobody_tells_is_found() {
    let known = promql();
    let wrong =
        r#"sum by (breaker, braeker) (max_over_time(selvedge_retrys_total{outcome!="x"}[5m])) offset 1h > 2"#;
    assert_eq!(unknown(wrong, &known), ["braeker", "selvedge_retrys_total"]);
    for wrong in ["selvedge_retries", "selvedge_throttled_total", "http_client_request_duration_count"] {
        assert_eq!(unknown(wrong, &known), [wrong]);
    }
    let telemetry = read("docs/telemetry.md");
    let wrong = "// \"any\"\nAppMetric\n| where Name == \"selvedge.retrys\" and Properties[\"outcome\"] == \"HTTP\"\n";
    assert_eq!(unknown_in_kql(wrong, &quoted(&telemetry)), ["selvedge.retrys", "AppMetric"]);
}

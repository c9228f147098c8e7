//! Each metric of docs/telemetry.md has the value that was provoked, and each alert fires on it. `cargo xtask monitoring` runs these.
//!
//! Not provoked is a deployment of more than ten minutes: its metric is, and what the rule makes of the buckets `alerts_test.yml` shows.

use std::{fs, process::Command};

use super::{
    exported::Exported,
    files, path,
    promtool::{fires, fires_after_a_while, is_quiet_but, promtool, tool},
};
use crate::{
    program::{Background, run},
    project::Project,
    sink::Sink,
    tenant::Tenant,
};

const ATTEMPTS: &str = "http_client_request_duration_seconds_count";

/// A deployment that retries, leaves alone what fails, and takes back.
fn guarded(tenant: &Tenant, sink: &Sink, project: &Project, args: &[&str]) -> Command {
    let mut command = tenant.safe(project, args);
    command.env("FEATURE_USE_RETRY_LOGIC", "true").env("FEATURE_USE_CIRCUIT_BREAKER", "true");
    sink.told_by(&mut command);
    command
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn the_rules_pass_their_own_tests() {
    let checked = promtool(&["check", "rules", "alerts.yml"]).is(0);
    assert!(checked.stdout.contains("SUCCESS"), "{}", checked.stdout);
    promtool(&["test", "rules", "alerts_test.yml"]).is(0);
}

/// It reads what the language is, not what Azure's resources have.
#[test]
#[ignore = "needs a parser of Bicep: `cargo xtask monitoring`"]
fn bicep_is_bicep() {
    let program = "import sys, pycep; pycep.BicepParser().parse(text=open(sys.argv[1]).read())";
    let parse = |file: &std::path::Path| run(Command::new(tool("BICEP")).args(["-c", program]).arg(file));
    let modules = files("deploy/monitoring/azure", ".bicep");
    assert_eq!(modules.len(), 5);
    for (name, _) in modules {
        parse(&path("deploy/monitoring/azure").join(format!("{name}.bicep"))).is(0);
    }
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.bicep");
    fs::write(&broken, "param name string\nresource x 'a@b' = {\n  name: \n").unwrap();
    parse(&broken).is(1);
}

/// It knows tables and columns, and what Azure Monitor makes of a query otherwise.
#[test]
#[ignore = "needs Microsoft's parser: `cargo xtask monitoring`"]
fn queries_of_azure_are_queries() {
    let check = |files: &[std::path::PathBuf]| {
        run(Command::new("node")
            .arg(tool("KUSTO").join("check.js"))
            .args(files)
            .stdin(std::process::Stdio::null()))
    };
    let all: Vec<_> = ["alerts", "queries"]
        .iter()
        .flat_map(|folder| {
            let folder = format!("deploy/monitoring/azure/{folder}");
            let queries = files(&folder, ".kql");
            queries.into_iter().map(move |(name, _)| path(&folder).join(format!("{name}.kql")))
        })
        .collect();
    assert!(all.len() > 20);
    assert_eq!(check(&all).is(0).stdout, "");
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.kql");
    for (query, said) in [
        ("AppMetrics | where Nam == \"x\"", "'Nam' does not refer to any known column"),
        ("AppMetric | count", "'AppMetric' does not refer to any known table"),
        ("AppMetrics | sumarize sum(Sum)", "Query operator expected"),
    ] {
        fs::write(&broken, query).unwrap();
        let told = check(std::slice::from_ref(&broken)).is(1).stdout;
        assert!(told.contains(said), "{told}");
    }
}

/// What the panels ask is what Prometheus can read.
#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn the_dashboards_queries_are_queries() {
    let dashboard = super::yaml("deploy/monitoring/grafana/dashboard.json");
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    let rules: Vec<_> = targets
        .map(|target| {
            let expression = target["expr"].as_str().unwrap().replace("$__range", "1h");
            serde_json::json!({ "record": "panel", "expr": expression, "labels": { "of": target["expr"] } })
        })
        .collect();
    assert!(rules.len() > 15);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("panels.yml");
    let check = |rules: &[serde_json::Value]| {
        let groups = serde_json::json!({ "groups": [{ "name": "panels", "rules": rules }] });
        fs::write(&file, groups.to_string()).unwrap();
        promtool(&["check", "rules", file.to_str().unwrap()])
    };
    check(&rules).is(0);
    check(&[serde_json::json!({ "record": "panel", "expr": "sum by breaker (x)" })]).is(1);
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_deployment_that_goes_well_is_told_and_no_alert_fires() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    tenant.forget_requests();
    run(&mut guarded(&tenant, &sink, &project, &["deploy"])).is(0);
    let told = Exported::by(&sink);
    assert_eq!(told.sum(ATTEMPTS, &[]), tenant.requests().len() as f64);
    let deployed = [
        ("cicd_pipeline_name", "Orders"),
        ("cicd_pipeline_result", "success"),
        ("deployment_environment_name", "dev"),
        ("job", "selvedge"),
    ];
    assert_eq!(told.sum("cicd_pipeline_run_duration_seconds_count", &deployed), 1.0);
    assert_eq!(told.sum("cicd_pipeline_run_errors_total", &[]), 0.0);
    let done = [("selvedge_step_direction", "forward"), ("cicd_pipeline_task_run_result", "success")];
    assert!(told.sum("selvedge_step_duration_seconds_count", &done) > 5.0);
    is_quiet_but(&told, ".*", "histogram_quantile(0.95, selvedge:deployment_buckets:increase1h) > 0");
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_service_that_fails_is_asked_again_and_left_alone() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    project.write("selvedge.toml", "[resilience]\nprofile = \"robust\"\n");
    tenant.inject("GET /v1/workspaces=503");
    tenant.forget_requests();
    for _ in 0..12 {
        let mut command = guarded(&tenant, &sink, &project, &["plan"]);
        run(command.env("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "5")).is(1);
    }
    let told = Exported::by(&sink);
    let failed = tenant.requests().iter().filter(|request| request.status == Some(503)).count() as f64;
    let of_503 = [("http_response_status_code", "503"), ("http_request_method", "GET")];
    assert_eq!(told.sum(ATTEMPTS, &of_503), failed);
    let retries = told.sum("selvedge_retries_total", &[("outcome", "transient")]);
    assert!((51.0..=failed).contains(&retries), "{retries} of {failed}");
    assert!(told.sum("selvedge_circuit_breaker_opened_total", &[]) >= 12.0);
    assert!(told.sum("selvedge_circuit_breaker_state", &[]) >= 12.0, "all are open or half-open");
    fires(
        &told,
        &[
            "SelvedgeRequestErrorRateHigh",
            "SelvedgeRequestErrors",
            "SelvedgeRetryRateHigh",
            "SelvedgeRetries",
            "SelvedgeCircuitBreakerOpens",
            "SelvedgeCircuitBreakerFlaps",
        ],
    );
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_breaker_that_opened_once_and_closed_again_is_no_alarm() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    tenant.inject("GET */workspaces=503,times=2");
    let mut command = guarded(&tenant, &sink, &project, &["deploy"]);
    run(command.env("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "2")).is(0);
    let told = Exported::by(&sink);
    assert_eq!(told.sum("selvedge_circuit_breaker_opened_total", &[]), 1.0);
    assert_eq!(told.sum("selvedge_circuit_breaker_state", &[]), 0.0);
    is_quiet_but(&told, "SelvedgeCircuitBreaker.*", "selvedge_circuit_breaker_state == 0");
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn deployments_that_fail_are_rolled_back() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    tenant.inject("POST */items=400");
    for _ in 0..2 {
        run(&mut guarded(&tenant, &sink, &project, &["deploy"])).is(1);
    }
    let told = Exported::by(&sink);
    assert_eq!(told.sum("selvedge_rollbacks_total", &[]), 2.0);
    assert_eq!(told.sum("cicd_pipeline_run_errors_total", &[("cicd_pipeline_result", "failure")]), 2.0);
    let undone = [("selvedge_step_direction", "back"), ("cicd_pipeline_task_run_result", "success")];
    assert!(told.sum("selvedge_step_duration_seconds_count", &undone) > 1.0);
    fires(&told, &["SelvedgeRollbacks"]);
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_token_that_is_not_to_be_had() {
    let (tenant, sink, project) = (Tenant::with_https(), Sink::start(), Project::orders());
    tenant.inject("POST */token=401");
    let for_fabric = guarded(&tenant, &sink, &project, &["plan"]);
    let mut for_the_vault = tenant.with_vault(&project, &["plan"]);
    sink.told_by(&mut for_the_vault);
    for mut command in [for_fabric, for_the_vault] {
        run(&mut command).is(4);
        let told = Exported::by(&sink);
        assert_eq!(told.sum("selvedge_token_refresh_failures_total", &[]), 1.0);
        fires(&told, &["SelvedgeTokenRefreshFails"]);
    }
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_configuration_that_is_refused() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    project.write("product_config.yaml", "");
    run(&mut guarded(&tenant, &sink, &project, &["deploy"])).is(2);
    let told = Exported::by(&sink);
    assert_eq!(told.sum("selvedge_configuration_failures_total", &[]), 1.0);
    fires(&told, &["SelvedgeConfigurationRefused"]);
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_service_that_asks_to_be_left_alone() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    tenant.inject("GET /v1/workspaces=429,retry-after=1,times=1");
    run(&mut guarded(&tenant, &sink, &project, &["plan"])).is(0);
    let told = Exported::by(&sink);
    assert_eq!(told.sum("selvedge_throttled_seconds_total", &[]), 1.0);
    assert_eq!(told.sum("selvedge_retries_total", &[("outcome", "throttled")]), 1.0);
    assert_eq!(told.sum(ATTEMPTS, &[("http_response_status_code", "429")]), 1.0);
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_secret_that_the_environment_answers() {
    let (tenant, sink, project) = (Tenant::with_https(), Sink::start(), Project::orders());
    let mut command = tenant.with_vault(&project, &["deploy"]);
    sink.told_by(&mut command);
    let ended = run(command.env("GITHUB_TOKEN", "a-token")).is(0);
    let warned = ended.stderr.matches("Falling back to environment variable").count();
    assert!(warned > 0, "{}", ended.stderr);
    assert_eq!(Exported::by(&sink).sum("selvedge_secret_fallbacks_total", &[]), warned as f64);
}

/// It waits for eleven seconds in truth: how long a request takes is measured by the clock.
#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn requests_that_are_slow() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    tenant.inject("POST */token=latency:11s\nGET /v1/workspaces=403");
    run(&mut guarded(&tenant, &sink, &project, &["plan"])).is(4);
    let told = Exported::by(&sink);
    assert_eq!(told.sum(ATTEMPTS, &[]), 2.0);
    assert!(told.sum("http_client_request_duration_seconds_sum", &[]) > 11.0);
    fires(&told, &["SelvedgeRequestsSlow", "SelvedgeRequestsSlowOnAverage"]);
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn many_requests() {
    let (tenant, sink, project) = (Tenant::start(), Sink::start(), Project::orders());
    let lakehouses: String =
        (0..170).map(|n| format!("    - name: \"BRONZE_Orders{n}_Lakehouse\"\n")).collect();
    project.edit("  lakehouses:\n", &format!("  lakehouses:\n{lakehouses}"));
    tenant.forget_requests();
    run(&mut guarded(&tenant, &sink, &project, &["deploy"])).is(0);
    let told = Exported::by(&sink);
    let count = tenant.requests().len();
    assert_eq!(told.sum(ATTEMPTS, &[]), count as f64);
    assert!(count > 500, "{count}");
    fires(&told, &["SelvedgeRequestRateHigh"]);
}

#[test]
#[ignore = "needs promtool: `cargo xtask monitoring`"]
fn a_component_that_fails_and_a_transaction_that_waits() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let hold = tenant.hold("POST */items", "before");
    let process = Background::start(&mut tenant.safe(&project, &["deploy"]));
    hold.wait();
    process.signal("KILL");
    process.end();
    tenant.inject("GET /v1/workspaces=503");
    let args = ["serve", "--listen", "127.0.0.1:0", "--interval", "0s", "--output", "json"];
    let mut command = tenant.safe(&project, &args);
    let mut serve =
        Background::start(command.env("FEATURE_USE_HEALTH_CHECKS", "true").env("LOG_LEVEL", "error"));
    let ready: serde_json::Value = serde_json::from_str(&serve.says("\n")).unwrap();
    let address = ready["url"].as_str().unwrap().strip_prefix("http://").unwrap();
    let answer = driver::http::exchange(address, "GET", "/metrics", "", "").unwrap();
    let told = Exported::scraped(answer.split_once("\r\n\r\n").unwrap().1);
    serve.signal("TERM");
    serve.end().is(0);
    let fails = [("component", "fabric"), ("status", "fail")];
    assert_eq!(told.sum("selvedge_health_check", &fails), 1.0);
    assert_eq!(told.sum("selvedge_open_transactions", &[("state", "waiting")]), 1.0);
    fires_after_a_while(&told, "SelvedgeComponentFails");
    fires_after_a_while(&told, "SelvedgeTransactionWaits");
}

//! What a deployment tells of itself, and that nothing depends on whether anybody listens.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    program::run,
    project::{Project, WORKSPACE},
    sink::{KEY, Sink},
    tenant::Tenant,
};

/// What Application Insights were sent, by the kind of each item.
fn items(sink: &Sink) -> BTreeMap<String, Vec<Value>> {
    let mut items: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for taken in sink.taken().iter().filter(|taken| taken.path == "/v2.1/track") {
        for line in taken.body().lines() {
            let item: Value = serde_json::from_str(line).unwrap();
            items.entry(item["data"]["baseType"].as_str().unwrap().to_owned()).or_default().push(item);
        }
    }
    items
}

fn named(items: &[Value]) -> BTreeSet<&str> {
    items.iter().map(|item| item["data"]["baseData"]["name"].as_str().unwrap()).collect()
}

#[test]
fn application_insights_have_one_operation_with_everything_in_it() {
    let (tenant, sink) = (Tenant::with_https(), Sink::start());
    tenant.inject("GET */workspaces=503,times=2");
    let project = Project::orders();
    let mut command = tenant.with_vault(&project, &["deploy"]);
    sink.told_by(&mut command);
    command
        // The vault has none.
        .env("GITHUB_TOKEN", "a-token")
        .env("FEATURE_USE_ROLLBACK", "true")
        .env("FEATURE_USE_RETRY_LOGIC", "true")
        .env("FEATURE_USE_CIRCUIT_BREAKER", "true")
        .env("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "2");
    run(&mut command).is(0);
    let items = items(&sink);

    let requests = &items["RequestData"];
    assert_eq!(named(requests).into_iter().collect::<Vec<_>>(), ["deploy Orders"]);
    let operation = &requests[0]["tags"]["ai.operation.id"];
    for (kind, items) in &items {
        for item in items {
            assert_eq!(item["iKey"], KEY, "{item}");
            assert!(kind == "MetricData" || item["tags"]["ai.operation.id"] == *operation, "{item}");
        }
    }
    let dependencies = named(&items["RemoteDependencyData"]);
    assert!(dependencies.contains("workspaces.create"), "{dependencies:?}");
    let events = named(&items["EventData"]);
    let expected = [
        "api_call",
        "circuit_breaker_closed",
        "circuit_breaker_opened",
        "deployment_completed",
        "deployment_started",
        "resource_created",
        "retry_attempted",
        "secret_accessed",
    ];
    assert!(expected.iter().all(|name| events.contains(name)), "{events:?}");
    let metrics = items["MetricData"].iter().map(|item| &item["data"]["baseData"]["metrics"][0]["name"]);
    let metrics: BTreeSet<_> = metrics.map(|name| name.as_str().unwrap()).collect();
    assert!(metrics.contains("http.client.request.duration"), "{metrics:?}");
}

#[test]
fn a_deployment_that_fails_is_told_as_one() {
    let (tenant, sink) = (Tenant::start(), Sink::start());
    tenant.inject("POST */items=400");
    let project = Project::orders();
    let mut command = tenant.safe(&project, &["deploy"]);
    sink.told_by(&mut command);
    run(&mut command).is(1);
    let items = items(&sink);
    let events = named(&items["EventData"]);
    for name in ["deployment_failed", "transaction_rolled_back", "resource_deleted"] {
        assert!(events.contains(name), "{events:?}");
    }
    assert!(items.contains_key("ExceptionData"));
    assert_eq!(items["RequestData"][0]["data"]["baseData"]["success"], false);
}

/// The exit code is the deployment's, and its end is not put off for longer than that.
#[test]
fn a_sink_that_is_gone_changes_nothing() {
    let (tenant, gone) = (Tenant::start(), "http://127.0.0.1:1");
    for (fault, code) in [("", 0), ("POST */items=400", 1)] {
        tenant.reset();
        tenant.inject(fault);
        let project = Project::orders();
        let mut command = tenant.safe(&project, &["deploy"]);
        command.env("FEATURE_USE_TELEMETRY", "true").env("OTEL_EXPORTER_OTLP_ENDPOINT", gone).env(
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            format!("InstrumentationKey={KEY};IngestionEndpoint={gone}"),
        );
        let began = Instant::now();
        let ended = run(&mut command).is(code);
        assert!(began.elapsed() < Duration::from_secs(60), "{}", ended.stderr);
        assert!(ended.stderr.contains("Not all telemetry could be sent"), "{}", ended.stderr);
    }
}

#[test]
fn what_makes_no_sense_is_a_warning_and_no_reason_to_stop() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    for (variable, value, said) in [
        ("X", "", "APPINSIGHTS_INSTRUMENTATION_KEY not set - telemetry disabled."),
        ("APPINSIGHTS_INSTRUMENTATION_KEY", "no-key", "telemetry is off: APPINSIGHTS_INSTRUMENTATION_KEY"),
    ] {
        let mut command = tenant.selvedge(&project, &["plan"]);
        command.env("FEATURE_USE_TELEMETRY", "true").env(variable, value);
        let ended = run(&mut command).ends(0, &[said]);
        assert!(!ended.stderr.contains("no-key"), "{}", ended.stderr);
    }
    // OpenTelemetry's variables are other programs', too; ours are not.
    for (variable, code, said) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            0,
            "OTEL_EXPORTER_OTLP_ENDPOINT counts as not set: expected http://host:port",
        ),
        ("SELVEDGE_TELEMETRY__OTLP_ENDPOINT", 2, "telemetry.otlp_endpoint"),
    ] {
        let mut command = tenant.selvedge(&project, &["plan"]);
        command.env("FEATURE_USE_TELEMETRY", "true").env(variable, "collector:4317");
        run(&mut command).ends(code, &[said]);
    }
}

/// Application Insights are trusted as ever meanwhile.
#[test]
fn a_collector_may_have_an_authority_of_its_own() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let (collector, insights) = (Sink::with_tls(), Sink::start());
    let authority = collector.authority.as_ref().unwrap().path();
    for (protocol, certificate, arrives) in [
        ("http/protobuf", Some(authority), true),
        ("http/protobuf", None, false),
        // It does not speak that; what is tried here is that nobody minds.
        ("grpc", None, false),
    ] {
        let mut command = tenant.selvedge(&project, &["plan"]);
        insights.told_by(&mut command);
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.url)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        if let Some(certificate) = certificate {
            command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", certificate);
        }
        let ended = run(&mut command).is(0);
        assert_eq!(collector.paths().contains("/v1/traces"), arrives, "{}", ended.stderr);
        assert_eq!(ended.stderr.contains("Not all telemetry could be sent"), !arrives, "{}", ended.stderr);
        assert!(insights.paths().contains("/v2.1/track"));
        drop((collector.taken(), insights.taken()));
    }
}

#[test]
fn what_is_no_certificate_is_a_warning() {
    let (tenant, project) = (Tenant::start(), Project::orders());
    let empty = tempfile::NamedTempFile::new().unwrap();
    for path in [empty.path(), std::path::Path::new("no-such.pem")] {
        for protocol in ["http/protobuf", "grpc"] {
            let mut command = tenant.selvedge(&project, &["plan"]);
            command
                .env("FEATURE_USE_TELEMETRY", "true")
                .env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://127.0.0.1:1")
                .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
                .env("OTEL_EXPORTER_OTLP_CERTIFICATE", path);
            run(&mut command).ends(0, &["telemetry is off: OTEL_EXPORTER_OTLP_CERTIFICATE"]);
        }
    }
}

/// Neither has anything to do with how things are otherwise: the exit code is that of the rest.
#[test]
fn whether_it_arrives_is_told_by_the_doctor_and_by_the_report() {
    let (tenant, project, sink) = (Tenant::start(), Project::orders(), Sink::start());
    tenant.safely(&project, &["deploy", "--yes"]).is(0);
    let of = |args: &[&str], url: Option<&str>| {
        let mut command = tenant.selvedge(&project, args);
        command.env("FEATURE_USE_TELEMETRY", "true");
        command.envs(url.map(|url| ("OTEL_EXPORTER_OTLP_ENDPOINT", url)));
        run(&mut command).is(0).json()
    };
    for (url, state, evidence) in [
        (Some(&*sink.url), "ok", "takes it"),
        (Some("http://127.0.0.1:1"), "warn", "the collector takes no telemetry"),
        (None, "warn", "no place is named"),
    ] {
        let told = of(&["doctor", "--output", "json"], url);
        let check = told["checks"].as_array().unwrap().iter().find(|it| it["section"] == "telemetry");
        let check = check.unwrap_or_else(|| panic!("{told:#}"));
        assert_eq!(check["state"], state, "{check:#}");
        assert!(check["evidence"].as_str().unwrap().contains(evidence), "{check:#}");

        let told = of(&["health", "--workspace", WORKSPACE, "--environment", "dev"], url);
        let warnings: Vec<_> = told["warnings"].as_array().unwrap().iter().map(|it| &it["type"]).collect();
        let expected = if state == "ok" { vec![] } else { vec!["telemetry"] };
        assert_eq!(warnings, expected, "{told:#}");
    }
    let plain = run(&mut tenant.selvedge(&project, &["doctor", "--output", "json"])).is(0);
    assert!(!plain.stdout.contains("telemetry"), "{}", plain.stdout);
}

//! Which item becomes of what, and what stands in its fields.

use opentelemetry::{
    KeyValue,
    logs::{AnyValue, LogRecord as _, Severity},
    trace::SpanKind,
};
use opentelemetry_sdk::{logs::SdkLogRecord, trace::SpanData};
use selvedge_observability::insights::{Insights, InsightsConfig};
use serde_json::{Value, json};
use std::sync::Arc;

use crate::{
    client::Script,
    telemetry::{
        PARENT, SPAN, TRACE, attribute, config, export, export_metrics, export_records, failed, insights,
        record, span, with_event,
    },
};

async fn of_span(span: SpanData) -> Vec<Value> {
    let script = Script::new();
    export(&insights(&script), vec![span]).await.unwrap();
    script.items()
}

async fn data_of(span: SpanData) -> Value {
    let items = of_span(span).await;
    items[0]["data"]["baseData"].clone()
}

async fn of_record(record: SdkLogRecord) -> Value {
    let script = Script::new();
    export_records(&insights(&script), &[record]).await.unwrap();
    script.items().remove(0)
}

fn attributes<const N: usize>(of: [(&str, AnyValue); N]) -> Vec<(String, AnyValue)> {
    of.map(|(key, value)| (key.to_owned(), value)).to_vec()
}

#[tokio::test]
async fn kinds_of_spans() {
    let http = || vec![attribute("http.request.method", "GET")];
    for (kind, attributes, base_type, of) in [
        (SpanKind::Server, vec![], "RequestData", Value::Null),
        (SpanKind::Consumer, vec![], "RequestData", Value::Null),
        (SpanKind::Internal, vec![], "RemoteDependencyData", json!("InProc")),
        (SpanKind::Internal, http(), "RemoteDependencyData", json!("InProc")),
        (SpanKind::Client, vec![], "RemoteDependencyData", json!("InProc")),
        (SpanKind::Client, http(), "RemoteDependencyData", json!("HTTP")),
        (SpanKind::Producer, vec![], "RemoteDependencyData", json!("InProc")),
    ] {
        let items = of_span(span(kind.clone(), "x", attributes)).await;
        assert_eq!(items[0]["data"]["baseType"], base_type, "{kind:?}");
        assert_eq!(items[0]["data"]["baseData"]["type"], of, "{kind:?}");
    }
}

#[tokio::test]
async fn ids_join_the_items_of_a_trace() {
    let raised = vec![attribute("exception.message", "boom")];
    let items = of_span(with_event(span(SpanKind::Internal, "x", vec![]), "exception", raised)).await;
    let [exception, dependency] = &items[..] else { panic!("{items:?}") };
    let log = of_record(record(Severity::Info, Some("x".into()), vec![])).await;
    for item in [exception, dependency, &log] {
        assert_eq!(item["tags"]["ai.operation.id"], format!("{TRACE:032x}"));
    }
    assert_eq!(dependency["data"]["baseData"]["id"], format!("{SPAN:016x}"));
    assert_eq!(dependency["tags"]["ai.operation.parentId"], format!("{PARENT:016x}"));
    for item in [exception, &log] {
        assert_eq!(item["tags"]["ai.operation.parentId"], format!("{SPAN:016x}"));
    }
    let mut root = span(SpanKind::Server, "x", vec![]);
    root.parent_span_id = opentelemetry::SpanId::INVALID;
    assert_eq!(of_span(root).await[0]["tags"].get("ai.operation.parentId"), None);
}

#[tokio::test]
async fn what_the_process_is_stands_in_every_item() {
    let script = Script::new();
    let config = InsightsConfig {
        environment: Some("test".to_owned()),
        operation: Some("selvedge deploy".to_owned()),
        ..config()
    };
    let insights = Insights::new(&config, Arc::clone(&script) as _);
    let step = span(SpanKind::Internal, "publish", vec![]);
    let served = span(SpanKind::Server, "GET /healthz", vec![]);
    export(&insights, vec![with_event(step, "exception", vec![]), served]).await.unwrap();
    let own = attributes([("environment", "prod".into())]);
    let records = [record(Severity::Info, None, vec![]), record(Severity::Info, None, own)];
    export_records(&insights, &records).await.unwrap();
    export_metrics(&insights, |meter| meter.u64_counter("a").build().add(1, &[]));

    let items = script.items();
    let all = |at: fn(&Value) -> &Value| {
        items.iter().map(|item| at(item).as_str().unwrap_or("")).collect::<Vec<_>>()
    };
    for tag in ["ai.cloud.role", "ai.cloud.roleInstance", "ai.application.ver", "ai.internal.sdkVersion"] {
        assert!(items.iter().all(|item| item["tags"][tag] == items[0]["tags"][tag]), "{tag}");
    }
    assert_eq!(items[0]["tags"]["ai.cloud.role"], "selvedge");
    assert!(all(|item| &item["tags"]["ai.internal.sdkVersion"])[0].starts_with("rust:selvedge-"));
    let environments = all(|item| &item["data"]["baseData"]["properties"]["environment"]);
    assert_eq!(environments, ["test", "test", "test", "test", "prod", "test"]);
    let operation = "selvedge deploy";
    let operations = all(|item| &item["tags"]["ai.operation.name"]);
    assert_eq!(operations, [operation, operation, "GET /healthz", operation, operation, ""]);
}

#[tokio::test]
async fn a_call_tells_who_was_asked_for_what() {
    let method = || attribute("http.request.method", "POST");
    let url = |url: &'static str| attribute("url.full", url);
    let call = |attributes: Vec<KeyValue>| span(SpanKind::Client, "POST", attributes);
    for (attributes, name, target, data) in [
        (vec![method(), url("https://a.com/v1/x?y=1")], "POST", "a.com", "https://a.com/v1/x?y=1"),
        (vec![method(), url("http://127.0.0.1:8080/x")], "POST", "127.0.0.1:8080", "http://127.0.0.1:8080/x"),
        (
            vec![method(), url("https://a.com/v1/items/7"), attribute("url.template", "/v1/items/{id}")],
            "POST /v1/items/{id}",
            "a.com",
            "https://a.com/v1/items/7",
        ),
        (
            vec![
                method(),
                attribute("server.address", "a.com"),
                attribute("server.port", 8443),
                attribute("url.path", "/x"),
            ],
            "POST",
            "a.com:8443",
            "https://a.com:8443/x",
        ),
        (
            vec![method(), attribute("peer.service", "Fabric"), url("https://a.com/")],
            "POST",
            "Fabric",
            "https://a.com/",
        ),
    ] {
        let data_of = data_of(call(attributes)).await;
        assert_eq!(data_of["name"], name);
        assert_eq!(data_of["target"], target);
        assert_eq!(data_of["data"], data);
    }
    // Only the server's name is known.
    let data =
        data_of(call(vec![method(), attribute("server.address", "a.com"), attribute("server.port", 443)]))
            .await;
    assert_eq!((&data["target"], data.get("data")), (&json!("a.com"), None));
}

#[tokio::test]
async fn how_it_ended() {
    let status = || attribute("http.response.status_code", 503);
    let code = || attribute("process.exit.code", 3);
    let kind = || attribute("error.type", "timeout");
    for (attributes, fails, code) in [
        (vec![], false, "0"),
        (vec![], true, "Error"),
        (vec![kind()], true, "timeout"),
        (vec![kind(), code()], true, "3"),
        (vec![kind(), code(), status()], true, "503"),
        // The status of the span decides, not the number.
        (vec![status()], false, "503"),
    ] {
        for (kind, field) in [(SpanKind::Server, "responseCode"), (SpanKind::Internal, "resultCode")] {
            let span = span(kind, "x", attributes.clone());
            let data = data_of(if fails { failed(span, "why") } else { span }).await;
            assert_eq!((&data[field], &data["success"]), (&json!(code), &json!(!fails)), "{attributes:?}");
            let description = data["properties"].get("otel.status_description");
            assert_eq!(description, fails.then_some(&json!("why")));
        }
    }
}

#[tokio::test]
async fn what_no_field_tells_is_a_property() {
    let attributes = vec![
        attribute("http.request.method", "GET"),
        attribute("http.response.status_code", 200),
        attribute("http.request.resend_count", 2),
        attribute("retry_enabled", true),
        attribute("share", 0.5),
        attribute("", "nameless"),
    ];
    let properties = json!({ "http.request.resend_count": "2", "retry_enabled": "true", "share": "0.5" });
    let call = data_of(span(SpanKind::Client, "GET", attributes.clone())).await;
    assert_eq!(call["properties"], properties);
    // Without a field for them the same attributes stay.
    let step = data_of(span(SpanKind::Internal, "GET", attributes)).await;
    assert_eq!(step["properties"]["http.request.method"], "GET");
}

#[tokio::test]
async fn exceptions_of_spans() {
    let attributes = vec![attribute("exception.type", "Timeout"), attribute("attempt", 2)];
    let step = with_event(span(SpanKind::Internal, "x", vec![]), "note", vec![]);
    let items = of_span(with_event(step, "exception", attributes)).await;
    // The event that is no exception comes as a log record.
    assert_eq!(items.len(), 2);
    let data = &items[0]["data"]["baseData"];
    let known =
        json!([{ "typeName": "Timeout", "message": "Timeout", "hasFullStack": false, "stack": "Timeout" }]);
    assert_eq!(data["exceptions"], known);
    assert_eq!(data["properties"], json!({ "attempt": "2" }));
    assert_eq!(items[0]["time"], "2026-03-04T05:06:07.001000Z");
}

#[tokio::test]
async fn events_have_properties_and_measurements() {
    let event = attributes([
        ("microsoft.custom_event.name", "deployment_completed".into()),
        ("workspace", "ws1".into()),
        ("items", 3.into()),
        ("seconds", 1.5.into()),
        ("rate", f64::NAN.into()),
        ("dry_run", false.into()),
    ]);
    // Its name makes it an event, whatever else it has.
    let raised = attributes([("exception.type", "Timeout".into())]);
    let event = record(Severity::Error, Some("done".into()), event.into_iter().chain(raised).collect());
    let item = of_record(event).await;
    assert_eq!(item["data"]["baseType"], "EventData");
    let data = &item["data"]["baseData"];
    assert_eq!(data["name"], "deployment_completed");
    assert_eq!(data["measurements"], json!({ "items": 3.0, "seconds": 1.5 }));
    assert_eq!(
        data["properties"],
        json!({
            "workspace": "ws1", "rate": "NaN", "dry_run": "false", "exception.type": "Timeout",
            "logger_name": "selvedge", "message": "done",
        })
    );
}

#[tokio::test]
async fn records_of_errors_with_an_exception_are_exceptions() {
    let raised = || attributes([("exception.message", "boom".into()), ("step", "3".into())]);
    for (severity, base_type, level) in [
        (Severity::Warn, "MessageData", 2),
        (Severity::Error, "ExceptionData", 3),
        (Severity::Fatal, "ExceptionData", 4),
    ] {
        let item = of_record(record(severity, Some("failed".into()), raised())).await;
        assert_eq!(item["data"]["baseType"], base_type);
        assert_eq!(item["data"]["baseData"]["severityLevel"], level);
        assert_eq!(item["data"]["baseData"]["properties"]["step"], "3");
    }
    let item = of_record(record(Severity::Error, Some("failed".into()), raised())).await;
    let known =
        json!([{ "typeName": "Exception", "message": "boom", "hasFullStack": false, "stack": "Exception" }]);
    assert_eq!(item["data"]["baseData"]["exceptions"], known);
    assert_eq!(item["data"]["baseData"]["properties"]["message"], "failed");
    let plain = of_record(record(Severity::Error, Some("failed".into()), vec![])).await;
    assert_eq!(plain["data"]["baseType"], "MessageData");
}

#[tokio::test]
async fn messages_have_a_severity_and_a_text() {
    for (severity, level) in [
        (Severity::Trace, 0),
        (Severity::Debug4, 0),
        (Severity::Info, 1),
        (Severity::Info4, 1),
        (Severity::Warn, 2),
        (Severity::Error4, 3),
        (Severity::Fatal4, 4),
    ] {
        let item = of_record(record(severity, Some("x".into()), vec![])).await;
        assert_eq!(item["data"]["baseData"]["severityLevel"], level, "{severity:?}");
    }
    let mut named = record(Severity::Info, None, vec![]);
    named.set_event_name("retry_attempted");
    for (record, text) in [
        (record(Severity::Info, Some(7.into()), vec![]), "7"),
        (named, "retry_attempted"),
        (record(Severity::Info, Some("".into()), vec![]), "n/a"),
    ] {
        assert_eq!(of_record(record).await["data"]["baseData"]["message"], text);
    }
}

#[test]
fn each_point_of_a_metric_is_an_item() {
    let script = Script::new();
    let insights = insights(&script);
    export_metrics(&insights, |meter| {
        let counter = meter.u64_counter("count").build();
        counter.add(3, &[attribute("kind", "Notebook")]);
        counter.add(4, &[attribute("kind", "Report"), attribute("n", 7)]);
        meter.i64_gauge("level").build().record(-2, &[]);
        // The sum is infinite.
        let lost = meter.f64_counter("lost").build();
        lost.add(f64::MAX, &[]);
        lost.add(f64::MAX, &[]);
        let seconds = meter.f64_histogram("seconds").build();
        for value in [0.25, 4.0, 1.25] {
            seconds.record(value, &[]);
        }
    });
    let mut points: Vec<_> =
        script.items().into_iter().map(|item| item["data"]["baseData"].clone()).collect();
    points.sort_by_key(|data| data["metrics"][0].to_string());
    let point = |name: &str, value: f64, properties: Value| json!({ "ver": 2, "metrics": [{ "name": name, "value": value, "count": 1 }], "properties": properties });
    let histogram = json!([{ "name": "seconds", "value": 5.5, "count": 3, "min": 0.25, "max": 4.0 }]);
    let expected = [
        point("count", 3.0, json!({ "kind": "Notebook" })),
        point("count", 4.0, json!({ "kind": "Report", "n": "7" })),
        point("level", -2.0, json!({})),
        json!({ "ver": 2, "metrics": histogram, "properties": {} }),
    ];
    assert_eq!(points, expected);
    // What is no number cannot be sent, and is not passed over in silence.
    assert_eq!(insights.counts().dropped, 1);
}

#[test]
fn each_collection_has_only_what_is_new() {
    let script = Script::new();
    let reader = opentelemetry_sdk::metrics::PeriodicReader::builder(insights(&script)).build();
    let provider = opentelemetry_sdk::metrics::SdkMeterProvider::builder().with_reader(reader).build();
    let meter = opentelemetry::metrics::MeterProvider::meter(&provider, "tests");
    let (counter, level) = (meter.u64_counter("a").build(), meter.i64_up_down_counter("b").build());
    for (added, total) in [(2, 2), (3, 5)] {
        counter.add(added, &[]);
        level.add(i64::try_from(added).unwrap(), &[]);
        provider.force_flush().unwrap();
        let items = script.items();
        let value = |name: &str| {
            let point = |item: &Value| item["data"]["baseData"]["metrics"][0].clone();
            items.iter().map(point).find(|point| point["name"] == name).unwrap()["value"].as_f64()
        };
        assert_eq!(
            (value("a"), value("b")),
            (Some(f64::from(u32::try_from(added).unwrap())), Some(f64::from(total)))
        );
    }
    provider.shutdown().unwrap();
}

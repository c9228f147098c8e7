//! Items of each kind have the form of those that Microsoft's own exporter sends.

use opentelemetry::{
    KeyValue,
    logs::{AnyValue, Severity},
    trace::SpanKind,
};
use serde_json::Value;

use crate::{
    client::Script,
    schema::is_form,
    telemetry::{
        KEY, attribute, export, export_metrics, export_records, failed, insights, record, span, with_event,
    },
};

/// The same members in each object but for `properties`, whose names are the program's; values of the same types, texts of the same forms.
fn same_form(path: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) if path.ends_with("/tags") => {
            for (tag, value) in ours {
                same_form(&format!("{path}/{tag}"), value, theirs.get(tag).unwrap_or(&Value::Null));
            }
            // Where we are is told by the cloud role; the machine's own names are nobody's business.
            let missing = theirs.keys().filter(|tag| !ours.contains_key(*tag));
            let missing: Vec<_> = missing.filter(|tag| !tag.starts_with("ai.device.")).collect();
            assert!(missing.iter().all(|tag| *tag == "ai.internal.nodeName"), "{path}: {missing:?}");
        }
        (Value::Object(ours), Value::Object(theirs)) if path.ends_with("/properties") => {
            assert_eq!(ours.is_empty(), theirs.is_empty(), "{path}");
            assert!(ours.values().chain(theirs.values()).all(Value::is_string), "{path}");
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let names = |of: &serde_json::Map<String, Value>| {
                let mut names: Vec<_> = of.keys().cloned().collect();
                names.sort();
                names
            };
            assert_eq!(names(ours), names(theirs), "{path}");
            for (name, value) in ours {
                same_form(&format!("{path}/{name}"), value, &theirs[name]);
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{path}");
            for (ours, theirs) in ours.iter().zip(theirs) {
                same_form(&format!("{path}[]"), ours, theirs);
            }
        }
        (Value::String(ours), Value::String(theirs)) => {
            assert_eq!(text_form(path, ours), text_form(path, theirs), "{path}: {ours} and {theirs}");
        }
        (Value::Number(_), Value::Number(_)) | (Value::Bool(_), Value::Bool(_)) => {}
        (ours, theirs) => panic!("{path}: {ours} and {theirs}"),
    }
}

/// What a text must have in common with another in the same place.
fn text_form(path: &str, text: &str) -> String {
    match path.rsplit('/').next().unwrap() {
        // One digit or two: both have been seen. Milliseconds or microseconds: "the number of digits is unspecified".
        "duration" => format!("{}", is_form("d.dd:dd:dd", &text[..10])),
        "time" => format!("{}", is_form("dddd-dd-ddTdd:dd:dd.ddddddZ", text)),
        "name" if path.matches('/').count() == 1 => text.to_owned(),
        "iKey" | "baseType" | "type" | "resultCode" | "responseCode" | "url" | "message" | "typeName" => {
            text.to_owned()
        }
        "id" | "ai.operation.id" | "ai.operation.parentId" => {
            format!("{} of {}", text.len(), text.chars().all(|c| c.is_ascii_hexdigit()))
        }
        _ => String::new(),
    }
}

fn compare(ours: &[Value], theirs: &str) {
    let [ours] = ours else { panic!("one item, not {ours:?}") };
    let theirs: Value = serde_json::from_str(theirs).unwrap();
    assert_eq!(theirs["iKey"], KEY);
    same_form("", ours, &theirs);
}

fn over_http(method: &'static str, url: &'static str, status: i64) -> Vec<KeyValue> {
    vec![
        attribute("http.request.method", method),
        attribute("url.full", url),
        attribute("http.response.status_code", status),
    ]
}

fn raised() -> Vec<KeyValue> {
    vec![
        attribute("exception.type", "ValueError"),
        attribute("exception.message", "boom"),
        attribute("exception.stacktrace", "at deploy\nat main"),
    ]
}

#[tokio::test]
async fn spans() {
    let script = Script::new();
    let insights = insights(&script);

    let attributes = over_http("GET", "http://localhost/healthz", 200);
    let mut served = span(SpanKind::Server, "GET /healthz", attributes);
    served.parent_span_id = opentelemetry::SpanId::INVALID;
    export(&insights, vec![served]).await.unwrap();
    compare(&script.items(), include_str!("../data/insights/request.json"));

    let url = "https://api.fabric.microsoft.com/v1/workspaces/x/items";
    let called = span(SpanKind::Client, "POST /v1/workspaces/{id}/items", over_http("POST", url, 429));
    export(&insights, vec![failed(called, "")]).await.unwrap();
    compare(&script.items(), include_str!("../data/insights/dependency.json"));

    let step = with_event(span(SpanKind::Internal, "publish", vec![]), "exception", raised());
    export(&insights, vec![step]).await.unwrap();
    compare(&script.items()[..1], include_str!("../data/insights/exception-span.json"));
}

#[tokio::test]
async fn log_records() {
    let script = Script::new();
    let insights = insights(&script);
    let workspace = || vec![("workspace".to_owned(), AnyValue::from("ws1"))];

    let warning = record(Severity::Warn, Some("throttled".into()), workspace());
    export_records(&insights, &[warning]).await.unwrap();
    compare(&script.items(), include_str!("../data/insights/message.json"));

    let named = ("microsoft.custom_event.name".to_owned(), "DeploymentFinished".into());
    let event = record(Severity::Info, None, workspace().into_iter().chain([named]).collect());
    export_records(&insights, &[event]).await.unwrap();
    compare(&script.items(), include_str!("../data/insights/event.json"));

    let raised = [
        ("exception.type", "ValueError"),
        ("exception.message", "publish failed"),
        ("exception.stacktrace", "at deploy"),
    ];
    let raised = raised.map(|(key, value)| (key.to_owned(), value.into()));
    let error = record(Severity::Error, Some("publish failed".into()), raised.to_vec());
    export_records(&insights, &[error]).await.unwrap();
    compare(&script.items(), include_str!("../data/insights/exception-log.json"));
}

#[test]
fn metrics() {
    let script = Script::new();
    export_metrics(&insights(&script), |meter| {
        meter.u64_counter("selvedge.items").build().add(3, &[attribute("kind", "Notebook")]);
    });
    compare(&script.items(), include_str!("../data/insights/counter.json"));

    export_metrics(&insights(&script), |meter| {
        meter.f64_histogram("selvedge.deploy.seconds").build().record(1.5, &[]);
    });
    compare(&script.items(), include_str!("../data/insights/histogram.json"));
}

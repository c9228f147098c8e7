//! What a program that embeds the libraries tells of itself.

use std::{collections::BTreeSet, fmt, future::pending, time::Duration};

use opentelemetry_proto::tonic::{common::v1::any_value, metrics::v1::metric::Data};
use selvedge_observability::{
    redact::Redactor,
    telemetry::{Protocol, Telemetry, TelemetryConfig, Untold},
    track_event, track_exception, track_metric, track_operation,
};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::capture::{Capture, attributes, collector};

const SECRET: &str = "s3cr3t-of-the-test-9f2b";

/// What arrives of what `work` tells.
fn told(work: impl FnOnce()) -> Capture {
    let capture = Capture::default();
    let redactor = Redactor::default();
    redactor.register("A_SECRET", &SECRET.into()).unwrap();
    let connection = "InstrumentationKey=00000000-1111-4222-8333-444444444444";
    let config = TelemetryConfig {
        otlp: Some(collector(Protocol::HttpProtobuf, "http://collector")),
        insights: Some(connection.parse().unwrap()),
        ..TelemetryConfig::default()
    };
    told_with(&config, &redactor, &capture, work);
    capture
}

/// The same with this configuration, and what is told of what was not.
pub(crate) fn told_with(
    config: &TelemetryConfig,
    redactor: &Redactor,
    capture: &Capture,
    work: impl FnOnce(),
) -> Untold {
    let (telemetry, layer) = Telemetry::start(config, redactor, capture.transport()).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer.filtered());
    tracing::subscriber::with_default(subscriber, work);
    let untold = telemetry.shut_down(Duration::from_secs(10));
    assert_eq!((untold.spans, untold.is_late), (0, false));
    untold
}

/// With a cause.
#[derive(Debug)]
struct Refused(std::num::ParseIntError);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("read the answer")
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn refused() -> Refused {
    Refused("x".parse::<u8>().unwrap_err())
}

const WHY: &str = "read the answer: invalid digit found in string";

fn data(item: &Value) -> &Value {
    &item["data"]["baseData"]
}

#[test]
fn an_event_is_a_log_record_and_a_custom_event() {
    let capture = told(|| {
        track_event(
            "WorkspaceCreated",
            &[
                ("workspace", "Sales".into()),
                ("items", 3.into()),
                ("share", 0.5.into()),
                ("dry", false.into()),
                // Not theirs to say.
                ("microsoft.custom_event.name", "Other".into()),
                ("error.type", "none".into()),
            ],
        );
        track_event("Plain", &[]);
    });
    let records = capture.records();
    let told = attributes(&records[0].attributes);
    let expected = [
        ("dry", "false"),
        ("items", "3"),
        ("microsoft.custom_event.name", "WorkspaceCreated"),
        ("share", "0.5"),
        ("workspace", "Sales"),
    ];
    assert_eq!(told, expected.map(|(key, value)| (key, value.to_owned())).into());
    assert_eq!(records[0].event_name, "track.event");

    let events = &capture.items()["EventData"];
    let event = data(&events[0]);
    assert_eq!(event["name"], "WorkspaceCreated");
    assert_eq!(event["measurements"], json!({ "items": 3.0, "share": 0.5 }));
    assert_eq!(
        (&event["properties"]["workspace"], &event["properties"]["dry"]),
        (&json!("Sales"), &json!("false"))
    );
    assert_eq!(data(&events[1])["name"], "Plain");
}

#[test]
fn a_metric_adds_up_by_its_properties() {
    let capture = told(|| {
        for value in [2.0, 0.5, f64::NAN, f64::INFINITY] {
            track_metric("deployment_duration", value, &[("environment", "dev".into())]);
        }
        track_metric("deployment_duration", 7.0, &[("environment", "prod".into())]);
        track_metric("2 words", -1.0, &[]);
    });
    let metrics = capture.metrics();
    let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(names, ["deployment_duration", "metric_2_words"]);
    let Some(Data::Histogram(histogram)) = &metrics[0].data else { panic!("{metrics:?}") };
    let mut points: Vec<_> = histogram
        .data_points
        .iter()
        .map(|point| (attributes(&point.attributes)["environment"].clone(), point.count, point.sum))
        .collect();
    points.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(points, [("dev".to_owned(), 2, Some(2.5)), ("prod".to_owned(), 1, Some(7.0))]);
    // Neither is it a log record.
    assert_eq!(capture.records(), []);

    let items = &capture.items()["MetricData"];
    let dev = items.iter().find(|item| data(item)["properties"]["environment"] == "dev").unwrap();
    let expected =
        json!([{ "name": "deployment_duration", "value": 2.5, "count": 2, "min": 0.5, "max": 2.0 }]);
    assert_eq!(data(dev)["metrics"], expected);
}

#[test]
fn an_exception_has_its_type_and_its_causes() {
    let capture = told(|| {
        track_exception(&refused(), &[("attempt", 2.into())]);
        let known_only_as_an_error: Box<dyn std::error::Error + Send + Sync> = refused().into();
        track_exception(&*known_only_as_an_error, &[]);
    });
    let records = capture.records();
    let told = attributes(&records[0].attributes);
    assert_eq!((told["exception.message"].as_str(), told["attempt"].as_str()), (WHY, "2"));
    assert!(told["exception.type"].ends_with("::Refused"), "{told:?}");
    let exceptions = &capture.items()["ExceptionData"];
    assert_eq!(data(&exceptions[0])["exceptions"][0]["message"], WHY);
    assert_eq!(data(&exceptions[0])["properties"]["attempt"], "2");
    assert_eq!(data(&exceptions[1])["exceptions"][0]["typeName"], "Error");
}

#[test]
fn an_operation_has_everything_that_happens_in_it() {
    let capture = told(|| {
        let outer = track_operation("Onboard").with(&[("product", "Sales".into())]);
        let ended = outer.scope(|| {
            track_event("WorkspaceCreated", &[]);
            track_operation("CreateItem").scope(|| Err::<(), _>(refused()))
        });
        assert!(ended.is_err());
    });
    let spans = capture.spans();
    let span = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (outer, inner) = (span("Onboard"), span("CreateItem"));
    assert_eq!((&inner.trace_id, &inner.parent_span_id), (&outer.trace_id, &outer.span_id));
    assert_eq!(attributes(&outer.attributes)["product"], "Sales");
    assert!(attributes(&inner.attributes)["error.type"].ends_with("::Refused"));
    assert_eq!(inner.status.as_ref().unwrap().code, 2);
    // Each is told where it happened: the event, what the inner one failed with, and that the outer one failed by it.
    let places: Vec<_> =
        capture.records().into_iter().map(|record| (record.event_name, record.span_id)).collect();
    let (within_outer, within_inner) = (outer.span_id.clone(), inner.span_id.clone());
    assert_eq!(
        places,
        [
            ("track.event".to_owned(), within_outer.clone()),
            ("track.exception".to_owned(), within_inner),
            ("track.exception".to_owned(), within_outer),
        ]
    );

    let items = capture.items();
    let operations: BTreeSet<_> =
        items.values().flatten().map(|item| item["tags"]["ai.operation.id"].as_str().unwrap()).collect();
    assert_eq!(operations.len(), 1);
    let kinds: Vec<_> = items.iter().map(|(kind, items)| (kind.as_str(), items.len())).collect();
    assert_eq!(kinds, [("EventData", 1), ("ExceptionData", 2), ("RemoteDependencyData", 2)]);
    let dependency = |name: &str| {
        data(items["RemoteDependencyData"].iter().find(|item| data(item)["name"] == name).unwrap())
    };
    assert_eq!(
        (&dependency("Onboard")["success"], &dependency("CreateItem")["success"]),
        (&json!(false), &json!(false))
    );
    let parent = &items["EventData"][0]["tags"]["ai.operation.parentId"];
    assert_eq!(*parent, dependency("Onboard")["id"]);
}

#[test]
fn how_an_operation_ends() {
    let capture = told(|| {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let well = track_operation("Well").run(async {
                track_event("Inside", &[]);
                Ok::<_, Refused>(7)
            });
            assert_eq!(well.await.unwrap(), 7);
            let late = track_operation("Late").run(pending::<Result<(), Refused>>());
            assert!(tokio::time::timeout(Duration::from_secs(1), late).await.is_err());
        });
        let by_hand = track_operation("ByHand");
        by_hand.span().in_scope(|| track_event("Inside", &[]));
        by_hand.succeed();
        drop(track_operation("Dropped"));
    });
    let spans = capture.spans();
    let ends: Vec<_> = spans
        .iter()
        .map(|span| (span.name.as_str(), attributes(&span.attributes).get("error.type").cloned()))
        .collect();
    let broken_off = || Some("broken_off".to_owned());
    assert_eq!(ends, [("Well", None), ("Late", broken_off()), ("ByHand", None), ("Dropped", broken_off())]);
    let inside: Vec<_> = capture.records().into_iter().map(|record| record.span_id).collect();
    assert_eq!(inside, [spans[0].span_id.clone(), spans[2].span_id.clone()]);
}

#[test]
fn secrets_are_taken_out_wherever_they_stand() {
    let capture = told(|| {
        let say = format!("token={SECRET}");
        let properties = [("say", (&say).into())];
        let operation = track_operation("O").with(&properties);
        operation.span().in_scope(|| track_event("E", &properties));
        track_metric("m", 1.0, &properties);
        operation.fail(&std::io::Error::other(say.clone()));
    });
    let text = capture.text();
    assert!(!text.contains(SECRET), "{text}");
    // They were told, but for it.
    let of_metric = &capture.metrics()[0];
    let Some(Data::Histogram(histogram)) = &of_metric.data else { panic!("{of_metric:?}") };
    assert!(attributes(&histogram.data_points[0].attributes)["say"].starts_with("token="));
    assert!(attributes(&capture.spans()[0].attributes)["say"].starts_with("token="));
    let body = capture.records()[1].body.clone().unwrap().value;
    let Some(any_value::Value::StringValue(body)) = body else { panic!("{body:?}") };
    assert!(body.starts_with("Exception: token="), "{body}");
}

/// Puts nothing into words.
#[test]
fn where_nobody_listens_nothing_is_done() {
    struct Untold;
    impl fmt::Debug for Untold {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("told")
        }
    }
    impl fmt::Display for Untold {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("told")
        }
    }
    impl std::error::Error for Untold {}

    track_exception(&Untold, &[]);
    let operation = track_operation("O");
    assert!(operation.span().is_disabled());
    assert!(operation.scope(|| Err::<(), _>(Untold)).is_err());
}

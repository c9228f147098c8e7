//! What the exporter does whatever ingestion answers: bounds, ends, nothing that tells the key.

use std::{sync::Arc, time::Duration};

use opentelemetry::logs::Severity;
use opentelemetry_sdk::{
    error::OTelSdkError, logs::LogExporter, metrics::exporter::PushMetricExporter, trace::SpanExporter,
};
use selvedge_observability::insights::{Counts, Insights};

use crate::{
    client::Script,
    telemetry::{KEY, attribute, config, export, export_records, insights, record, span, spans},
};

#[tokio::test(start_paused = true)]
async fn a_dead_sink_costs_no_more_memory_with_time() {
    let script = Script::new();
    let insights = insights(&script);
    let (mut exported, mut most) = (0, 0);
    for _ in 0..6 {
        script.fail();
        export(&insights, spans(0..1500)).await.unwrap_err();
        exported += 1500;
        let Counts { accepted, dropped, kept } = insights.counts();
        assert_eq!((accepted, dropped + kept), (0, exported));
        most = most.max(kept);
        assert!(script.seen().len() == 1, "one request an export");
    }
    assert_eq!(most, 2048);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_bounded_in_bytes_too() {
    let script = Script::new();
    let insights = insights(&script);
    let long = || span(opentelemetry::trace::SpanKind::Internal, "x", (0..7).map(filler).collect());
    script.fail();
    export(&insights, (0..100).map(|_| long()).collect()).await.unwrap_err();
    let Counts { kept, dropped, .. } = insights.counts();
    // About 57 kB each; four MiB are kept.
    assert!((60..=75).contains(&kept) && kept + dropped == 100, "{kept} kept, {dropped} dropped");
    // A request has at most two MiB, so that what is left over is not lost with it.
    assert!((30..=40).contains(&script.items().len()));
}

#[tokio::test(start_paused = true)]
async fn room_for_what_is_kept_comes_back_when_it_is_sent() {
    let script = Script::new();
    let insights = insights(&script);
    let long = || span(opentelemetry::trace::SpanKind::Internal, "x", (0..7).map(filler).collect());
    for _ in 0..3 {
        script.fail();
        export(&insights, (0..30).map(|_| long()).collect()).await.unwrap_err();
        assert_eq!((insights.counts().kept, insights.counts().dropped), (30, 0));
        export(&insights, vec![]).await.unwrap();
    }
}

fn filler(n: usize) -> opentelemetry::KeyValue {
    attribute(&format!("filler.{n}"), "x".repeat(8192))
}

#[tokio::test(start_paused = true)]
async fn many_items_go_in_several_requests() {
    let script = Script::new();
    let insights = insights(&script);
    export(&insights, spans(0..2500)).await.unwrap();
    let sizes: Vec<_> = script.seen().iter().map(|seen| seen.items.len()).collect();
    assert_eq!(sizes, [1000, 1000, 500]);

    // When one fails, the next is not tried: it goes with the next export, as if it were new.
    script.status(500);
    export(&insights, spans(0..2000)).await.unwrap_err();
    assert_eq!(insights.counts(), Counts { accepted: 2500, dropped: 0, kept: 2000 });
    script.status(500).status(200);
    export(&insights, vec![]).await.unwrap_err();
    assert_eq!(insights.counts(), Counts { accepted: 2500, dropped: 1000, kept: 1000 });
    export(&insights, vec![]).await.unwrap();
    assert_eq!(insights.counts().accepted, 3500);
}

#[tokio::test(start_paused = true)]
async fn an_export_that_is_given_up_keeps_its_items() {
    let script = Script::new();
    let insights = insights(&script);
    script.hang();
    tokio::time::timeout(Duration::from_secs(2), export(&insights, spans(0..3))).await.unwrap_err();
    assert_eq!(insights.counts(), Counts { accepted: 0, dropped: 0, kept: 3 });
    export(&insights, spans(3..4)).await.unwrap();
    assert_eq!(insights.counts(), Counts { accepted: 4, dropped: 0, kept: 0 });
}

#[tokio::test(start_paused = true)]
async fn one_signal_does_not_wait_for_another() {
    let script = Script::new();
    let insights = insights(&script);
    script.hang();
    let hangs = tokio::time::timeout(Duration::from_secs(2), export(&insights, spans(0..3)));
    let passes = async {
        export_records(&insights, &[record(Severity::Info, Some("x".into()), vec![])]).await.unwrap();
        insights.counts().accepted
    };
    let (hung, accepted) = tokio::join!(hangs, passes);
    assert!(hung.is_err() && accepted == 1);
}

#[tokio::test]
async fn nothing_is_sent_for_nothing() {
    let script = Script::new();
    let insights = insights(&script);
    export(&insights, vec![]).await.unwrap();
    export_records(&insights, &[]).await.unwrap();
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn each_signal_ends_by_itself() {
    let script = Script::new();
    let insights = insights(&script);
    SpanExporter::shutdown(&insights).unwrap();
    assert!(matches!(SpanExporter::shutdown(&insights), Err(OTelSdkError::AlreadyShutdown)));
    assert!(matches!(export(&insights, spans(0..2)).await, Err(OTelSdkError::AlreadyShutdown)));
    export_records(&insights, &[record(Severity::Info, Some("x".into()), vec![])]).await.unwrap();
    assert_eq!(insights.counts(), Counts { accepted: 1, dropped: 2, kept: 0 });
    LogExporter::shutdown(&insights).unwrap();
    PushMetricExporter::shutdown(&insights).unwrap();
    assert!(export_records(&insights, &[]).await.is_err());
}

#[tokio::test]
async fn neither_key_nor_body_is_shown() {
    let script = Script::new();
    let insights = Insights::new(&config(), Arc::clone(&script) as _);
    let mut shown = format!("{:?} {:?}", config(), insights);
    for status in [200, 206, 307, 400, 401, 402, 404, 429, 439, 500] {
        script.answer(status, &[("retry-after", "0")], "body of an answer");
        let result = export(&insights, spans(0..1)).await;
        shown += &format!("{result:?} {insights:?}");
    }
    assert!(shown.contains("InternalFailure"), "{shown}");
    for secret in [KEY, "body of an answer", "ai.operation"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn the_processors_of_the_sdk_take_it() {
    use opentelemetry::{
        logs::{LogRecord as _, Logger as _, LoggerProvider as _},
        trace::{Span as _, Tracer as _, TracerProvider as _},
    };
    use opentelemetry_sdk::{logs::SdkLoggerProvider, trace::SdkTracerProvider};

    let script = Script::new();
    let insights = insights(&script);
    let spans = SdkTracerProvider::builder().with_batch_exporter(insights.clone()).build();
    let logs = SdkLoggerProvider::builder().with_batch_exporter(insights.clone()).build();
    spans.tracer("tests").start("deploy").end();
    let logger = logs.logger("tests");
    let mut record = logger.create_log_record();
    record.set_body("said".into());
    logger.emit(record);
    spans.shutdown().unwrap();
    logs.shutdown().unwrap();
    let items = script.items();
    let data: Vec<_> = items.iter().map(|item| &item["data"]["baseData"]).collect();
    assert!(data[0]["name"] == "deploy" && data[1]["message"] == "said", "{data:?}");
    assert_eq!(insights.counts().accepted, 2);
}

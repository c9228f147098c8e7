//! Spans, log records and metrics, as OpenTelemetry's SDK hands them over.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use opentelemetry::{
    InstrumentationScope, KeyValue, SpanId, TraceFlags, TraceId, Value,
    logs::{AnyValue, LogRecord as _, Logger as _, LoggerProvider as _, Severity},
    metrics::{Meter, MeterProvider as _},
    trace::{Event, SpanContext, SpanKind, Status, TraceState},
};
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter, SdkLogRecord, SdkLoggerProvider},
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{SpanData, SpanEvents, SpanExporter, SpanLinks},
};
use selvedge_observability::insights::{Insights, InsightsConfig};

use crate::client::Script;

pub(crate) const KEY: &str = "8f2c6a1e-03b7-4d59-9e40-5b1d7c3fa266";
pub(crate) const HOST: &str = "https://westeurope-5.in.applicationinsights.azure.com";
pub(crate) const TRACE: u128 = 0x5b8e_fff7_9803_8103_d269_b633_813f_c60c;
pub(crate) const SPAN: u64 = 0xeee1_9b7e_c3c1_b174;
pub(crate) const PARENT: u64 = 0x6e0c_6325_7de3_4c92;

pub(crate) fn config() -> InsightsConfig {
    let connection = format!("InstrumentationKey={KEY};IngestionEndpoint={HOST}/");
    InsightsConfig {
        instance: Some("runner-7".to_owned()),
        version: Some("1.2.3".to_owned()),
        ..InsightsConfig::new(connection.parse().unwrap(), "selvedge")
    }
}

pub(crate) fn insights(script: &Arc<Script>) -> Insights {
    Insights::new(&config(), Arc::clone(script) as _)
}

pub(crate) fn at(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(1_772_600_767_000_000 + micros)
}

pub(crate) fn span(kind: SpanKind, name: impl Into<String>, attributes: Vec<KeyValue>) -> SpanData {
    let context = SpanContext::new(
        TraceId::from(TRACE),
        SpanId::from(SPAN),
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    SpanData {
        span_context: context,
        parent_span_id: SpanId::from(PARENT),
        parent_span_is_remote: false,
        span_kind: kind,
        name: name.into().into(),
        start_time: at(0),
        end_time: at(2_345),
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::default(),
    }
}

pub(crate) fn failed(mut span: SpanData, why: &str) -> SpanData {
    span.status = Status::error(why.to_owned());
    span
}

pub(crate) fn with_event(mut span: SpanData, name: &str, attributes: Vec<KeyValue>) -> SpanData {
    span.events.events.push(Event::new(name.to_owned(), at(1_000), attributes, 0));
    span
}

pub(crate) fn attribute(key: &str, value: impl Into<Value>) -> KeyValue {
    KeyValue::new(key.to_owned(), value)
}

/// So many plain spans, called by their numbers.
pub(crate) fn spans(names: std::ops::Range<usize>) -> Vec<SpanData> {
    names.map(|n| span(SpanKind::Internal, n.to_string(), vec![])).collect()
}

pub(crate) async fn export(insights: &Insights, spans: Vec<SpanData>) -> OTelSdkResult {
    SpanExporter::export(insights, spans).await
}

pub(crate) fn record(
    severity: Severity,
    body: Option<AnyValue>,
    attributes: Vec<(String, AnyValue)>,
) -> SdkLogRecord {
    let logger = SdkLoggerProvider::builder().build().logger("tests");
    let mut record = logger.create_log_record();
    record.set_timestamp(at(3_000));
    record.set_severity_number(severity);
    record.set_target("selvedge");
    record.set_trace_context(TraceId::from(TRACE), SpanId::from(SPAN), None);
    record.add_attributes(attributes);
    if let Some(body) = body {
        record.set_body(body);
    }
    record
}

pub(crate) async fn export_records(insights: &Insights, records: &[SdkLogRecord]) -> OTelSdkResult {
    let scope = InstrumentationScope::default();
    let batch: Vec<_> = records.iter().map(|record| (record, &scope)).collect();
    LogExporter::export(insights, LogBatch::new(&batch)).await
}

/// Exports what `measure` records, by the SDK's own reader.
pub(crate) fn export_metrics(insights: &Insights, measure: impl FnOnce(&Meter)) {
    let reader = PeriodicReader::builder(insights.clone()).with_interval(Duration::from_secs(3600)).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    measure(&provider.meter("tests"));
    provider.force_flush().unwrap();
    provider.shutdown().unwrap();
}

//! From `tracing` to OpenTelemetry: spans, log records and figures.

use super::{fields::Fields, metrics::Metrics, pace::Pace, queues::SpanQueue};
use crate::redact::Redactor;
use opentelemetry::{
    InstrumentationScope, Value,
    logs::{AnyValue, LogRecord as _, Logger as _, Severity},
    trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState},
};
use opentelemetry_sdk::{
    logs::SdkLogger,
    trace::{SpanData, SpanEvents, SpanLinks},
};
use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    layer::{Context, Filter},
    registry::LookupSpan,
};

/// What the libraries of this project say is told, and nothing else: not what sends it says of itself.
const OURS: &str = "selvedge";

/// The span of which there are many, and of which not all are told.
const CALL: &str = "call";

/// Hears what the libraries say. It costs what it takes to note it down; nothing is ever waited for.
#[derive(Debug)]
pub struct TelemetryLayer {
    pub(super) spans: Arc<SpanQueue>,
    pub(super) logger: Option<SdkLogger>,
    pub(super) metrics: Metrics,
    pub(super) pace: Arc<Pace>,
    /// The span outside of this process.
    pub(super) parent: Option<(TraceId, SpanId)>,
    /// The trace of what has no parent.
    pub(super) trace: Option<TraceId>,
    pub(super) redactor: Redactor,
    pub(super) scope: InstrumentationScope,
}

impl TelemetryLayer {
    /// The trace that all spans are in, in 32 hexadecimal digits: that of the span outside, or the one that was configured.
    #[must_use]
    pub fn trace_id(&self) -> Option<String> {
        self.parent.map(|(trace, _)| trace).or(self.trace).map(|trace| trace.to_string())
    }
}

/// What a [`TelemetryLayer`] is to hear: our own spans, and our own events from `info` on. To be put before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct TelemetryFilter;

impl<S> Filter<S> for TelemetryFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        let level = if metadata.is_span() { Level::DEBUG } else { Level::INFO };
        *metadata.level() <= level && metadata.target().starts_with(OURS)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> tracing::subscriber::Interest {
        let level = if metadata.is_span() { Level::DEBUG } else { Level::INFO };
        if *metadata.level() <= level && metadata.target().starts_with(OURS) {
            tracing::subscriber::Interest::always()
        } else {
            tracing::subscriber::Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        Some(tracing::level_filters::LevelFilter::DEBUG)
    }
}

/// A span that has not closed yet.
struct Open {
    trace: TraceId,
    id: SpanId,
    parent: SpanId,
    is_parent_remote: bool,
    /// Whether it is told; what is in it is or is not with it.
    is_told: bool,
    at: SystemTime,
    since: Instant,
    fields: Fields,
}

impl<S> tracing_subscriber::Layer<S> for TelemetryLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let since = Instant::now();
        let within = span.parent().and_then(|parent| {
            parent.extensions().get::<Open>().map(|open| (open.trace, open.id, open.is_told))
        });
        let (trace, parent, is_told) = match (within, self.parent) {
            (Some(within), _) => within,
            (None, Some((trace, outside))) => (trace, outside, true),
            (None, None) => {
                let trace = self.trace.unwrap_or_else(|| TraceId::from(rand::random::<u128>()));
                (trace, SpanId::INVALID, true)
            }
        };
        let is_told = is_told && (attributes.metadata().name() != CALL || self.pace.lets_through(since));
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(Open {
            trace,
            id: SpanId::from(rand::random::<u64>()),
            parent,
            is_parent_remote: within.is_none() && self.parent.is_some(),
            is_told,
            at: SystemTime::now(),
            since,
            fields,
        });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(open) = span.extensions_mut().get_mut::<Open>() {
            values.record(&mut open.fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        self.metrics.happened(metadata.name(), &fields);
        let Some(logger) = &self.logger else { return };
        let mut record = logger.create_log_record();
        let now = SystemTime::now();
        record.set_timestamp(now);
        record.set_observed_timestamp(now);
        record.set_target(metadata.target());
        record.set_severity_text(metadata.level().as_str());
        record.set_severity_number(severity(*metadata.level()));
        if metadata.name().contains('.') && !metadata.name().contains(' ') {
            record.set_event_name(metadata.name());
        }
        record.set_body(AnyValue::from(self.redactor.redact(&fields.message).to_string()));
        for attribute in fields.attributes {
            let value = match attribute.value {
                Value::Bool(value) => AnyValue::Boolean(value),
                Value::I64(value) => AnyValue::Int(value),
                Value::F64(value) => AnyValue::Double(value),
                value => AnyValue::from(self.redactor.redact(&value.as_str()).to_string()),
            };
            record.add_attribute(attribute.key, value);
        }
        if let Some(span) = context.event_span(event)
            && let Some(open) = span.extensions().get::<Open>()
        {
            record.set_trace_context(open.trace, open.id, Some(TraceFlags::SAMPLED));
        }
        logger.emit(record);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let took = open.since.elapsed();
        self.metrics.closed(span.name(), &open.fields, took);
        if !open.is_told {
            return;
        }
        let status = match open.fields.get("error.type") {
            Some(error) => Status::error(error.as_str().into_owned()),
            None => Status::Unset,
        };
        self.spans.push(SpanData {
            span_context: SpanContext::new(
                open.trace,
                open.id,
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: open.parent,
            parent_span_is_remote: open.is_parent_remote,
            span_kind: open.fields.kind.unwrap_or(SpanKind::Internal),
            name: open.fields.name.unwrap_or_else(|| span.name().into()),
            start_time: open.at,
            // By the monotonic clock: setting the other one makes no span of a day.
            end_time: open.at + took,
            attributes: open.fields.attributes,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status,
            instrumentation_scope: self.scope.clone(),
        });
    }
}

fn severity(level: Level) -> Severity {
    match level {
        Level::ERROR => Severity::Error,
        Level::WARN => Severity::Warn,
        Level::INFO => Severity::Info,
        Level::DEBUG => Severity::Debug,
        Level::TRACE => Severity::Trace,
    }
}

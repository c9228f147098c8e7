//! From `tracing` to OpenTelemetry: spans, log records and figures.

use super::{custom, fields::Fields, metrics::Metrics, pace::Pace, queues::SpanQueue};
use crate::redact::Redactor;
use opentelemetry::{
    InstrumentationScope, KeyValue, Value,
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
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{
    Layer as _,
    layer::{Context, Filter},
    registry::LookupSpan,
};

/// What the libraries of this project say is told, and nothing else: not what sends it says of itself.
const OURS: &str = "selvedge";

/// The span of which there are many, and of which not all are told: those beyond the pace are not heard at all.
const CALL: &str = "call";

/// The span within it. Outside of a call that is told it is not heard either.
const ATTEMPT: &str = "attempt";

/// Hears what the libraries say. It costs what it takes to note it down; nothing is ever waited for.
#[derive(Debug)]
pub struct TelemetryLayer {
    pub(super) spans: Arc<SpanQueue>,
    pub(super) logger: SdkLogger,
    /// Whether calls and steps are events, too: a collector has their spans.
    pub(super) counts_spans: bool,
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

    /// The layer for a subscriber. It hears our own spans, of calls with their attempts as many as [`calls_per_second`] says, and our own
    /// events from `info` on.
    ///
    /// [`calls_per_second`]: super::TelemetryConfig::calls_per_second
    pub fn filtered<S>(self) -> impl tracing_subscriber::Layer<S> + Send + Sync
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let ours = Ours { pace: Arc::clone(&self.pace) };
        self.with_filter(ours)
    }
}

/// What is to be heard.
struct Ours {
    pace: Arc<Pace>,
}

/// The name of an event, where it has one of its own, such as `resilience.retry`. Otherwise it is called by its place in the source.
#[must_use]
pub fn event_name(metadata: &Metadata<'static>) -> Option<&'static str> {
    let name = metadata.name();
    (name.contains('.') && !name.contains(' ')).then_some(name)
}

fn is_heard(metadata: &Metadata<'_>) -> bool {
    let is_quiet = metadata.is_span() || custom::is_quiet(metadata.name());
    let level = if is_quiet { Level::DEBUG } else { Level::INFO };
    *metadata.level() <= level && metadata.target().starts_with(OURS)
}

/// Whether not each span of the kind is heard.
fn is_one_of_many(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && matches!(metadata.name(), CALL | ATTEMPT)
}

impl<S> Filter<S> for Ours
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        is_heard(metadata)
            && match metadata.name() {
                CALL if metadata.is_span() => self.pace.lets_through(Instant::now()),
                ATTEMPT if metadata.is_span() => {
                    context.lookup_current().is_some_and(|outer| outer.name() == CALL)
                }
                _ => true,
            }
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match is_heard(metadata) {
            true if is_one_of_many(metadata) => Interest::sometimes(),
            // The same each time, so that nobody is asked again for each span.
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::DEBUG)
    }
}

/// A span that has not closed yet.
struct Open {
    trace: TraceId,
    id: SpanId,
    parent: SpanId,
    is_parent_remote: bool,
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
        let outer = span.parent();
        let within =
            outer.and_then(|outer| outer.extensions().get::<Open>().map(|open| (open.trace, open.id)));
        let (trace, parent) = match (within, self.parent) {
            (Some(within), _) => within,
            (None, Some(outside)) => outside,
            (None, None) => {
                let trace = self.trace.unwrap_or_else(|| TraceId::from(rand::random::<u128>()));
                (trace, SpanId::INVALID)
            }
        };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        span.extensions_mut().insert(Open {
            trace,
            id: SpanId::from(rand::random::<u64>()),
            parent,
            is_parent_remote: within.is_none() && self.parent.is_some(),
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
        match metadata.name() {
            custom::MEASURED => return self.metrics.measured(fields, &self.redactor),
            custom::ATTEMPTED => return self.metrics.attempted(fields),
            _ => {}
        }
        self.metrics.happened(metadata.name(), &fields);
        let within = context
            .event_span(event)
            .and_then(|span| span.extensions().get::<Open>().map(|open| (open.trace, open.id)));
        let said =
            Said { name: event_name(metadata), target: metadata.target(), level: *metadata.level(), within };
        if metadata.name() == "deployment.failed" {
            let told = fields.get("error").map(ToString::to_string).unwrap_or_default();
            let exception = [("exception.type", "DeploymentFailed".into()), ("exception.message", told)];
            let exception = exception.map(|(key, value): (_, String)| KeyValue::new(key, value));
            self.say(Said { level: Level::ERROR, ..said }, &fields.message, exception.into());
        }
        if let Some(custom) = custom::of_event(metadata.name(), &mut fields) {
            fields.attributes.push(KeyValue::new(custom::EVENT, custom));
        }
        self.say(said, &fields.message, fields.attributes);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(open) = span.extensions_mut().remove::<Open>() else { return };
        let took = open.since.elapsed();
        self.metrics.closed(span.name(), &open.fields, took);
        if self.counts_spans {
            self.count(span.metadata(), &open);
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

/// An event, but for what it says.
#[derive(Clone, Copy)]
struct Said<'a> {
    name: Option<&'static str>,
    target: &'a str,
    level: Level,
    within: Option<(TraceId, SpanId)>,
}

impl TelemetryLayer {
    fn say(&self, said: Said<'_>, message: &str, attributes: Vec<KeyValue>) {
        let mut record = self.logger.create_log_record();
        let now = SystemTime::now();
        record.set_timestamp(now);
        record.set_observed_timestamp(now);
        record.set_target(said.target.to_owned());
        record.set_severity_text(said.level.as_str());
        record.set_severity_number(severity(said.level));
        if let Some(name) = said.name {
            record.set_event_name(name);
        }
        record.set_body(self.scrubbed(message));
        for KeyValue { key, value, .. } in attributes {
            let value = match value {
                Value::Bool(value) => AnyValue::Boolean(value),
                Value::I64(value) => AnyValue::Int(value),
                Value::F64(value) => AnyValue::Double(value),
                value => self.scrubbed(&value.as_str()),
            };
            record.add_attribute(key, value);
        }
        if let Some((trace, span)) = said.within {
            record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
        }
        self.logger.emit(record);
    }

    fn scrubbed(&self, text: &str) -> AnyValue {
        AnyValue::from(self.redactor.redact(text).to_string())
    }

    /// Tells of a call or a step as an event.
    fn count(&self, metadata: &Metadata<'static>, open: &Open) {
        let Some(custom) = custom::of_span(metadata.name(), &open.fields) else { return };
        let name = open.fields.name.clone().unwrap_or_default();
        let mut attributes = open.fields.attributes.clone();
        attributes.extend([KeyValue::new("name", name), KeyValue::new(custom::EVENT, custom)]);
        let within = Some((open.trace, open.id));
        let said = Said { name: None, target: metadata.target(), level: Level::INFO, within };
        self.say(said, custom, attributes);
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

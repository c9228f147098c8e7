//! Traces, metrics and log records of a process, told to a collector or to Application Insights, and never at its cost.
//!
//! What is told is made of `tracing`'s spans and events by a [`TelemetryLayer`]; the libraries that emit them know nothing of it. It is
//! noted down, queued and sent by threads of its own. A queue that is full drops, a place that does not answer is not waited for, and
//! [`Telemetry::shut_down`] is over in time whatever else is not.
//!
//! Log records have no secrets when they are queued, spans none when they are sent.

mod client;
mod config;
pub(crate) mod custom;
mod fields;
mod layer;
mod metrics;
#[cfg(feature = "otlp")]
mod otlp;
mod pace;
mod probe;
mod queues;
mod traceparent;

pub use config::{OtlpConfig, Protocol, TelemetryConfig};
pub use layer::{TelemetryLayer, event_name};
pub use probe::{NotTaken, PROBE_TIMEOUT, Probe};

#[cfg(feature = "insights")]
use crate::insights::{Insights, InsightsConfig};
use crate::redact::Redactor;
use bytes::Bytes;
use client::{Client, Transport};
use http::{Request, Response};
use metrics::Metrics;
use opentelemetry::{InstrumentationScope, KeyValue, logs::LoggerProvider as _, metrics::MeterProvider as _};
use opentelemetry_sdk::{
    Resource,
    logs::{
        BatchConfigBuilder as LogBatches, BatchLogProcessor, LogExporter, LoggerProviderBuilder,
        SdkLoggerProvider,
    },
    metrics::{MeterProviderBuilder, PeriodicReader, SdkMeterProvider, exporter::PushMetricExporter},
    trace::{BatchConfigBuilder as SpanBatches, BatchSpanProcessor, SpanExporter, SpanProcessor as _},
};
use pace::Pace;
use queues::{Count, Scrubbed, SpanQueue};
use std::{
    io,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use tower::{BoxError, Service};

/// The version of the conventions that names of attributes follow.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.38.0";

/// The most time for one upload to Application Insights.
#[cfg(feature = "insights")]
const INSIGHTS_TIMEOUT: Duration = Duration::from_secs(10);

/// Nothing can be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// No thread could be had.
    #[error("start the telemetry's runtime")]
    Runtime(#[source] io::Error),
    /// An address, or what goes with it, is none.
    #[error("set up an exporter: {0}")]
    Exporter(String),
    /// A header is none. Its value is not told.
    #[error("the header `{name}` for the collector has a name or a value that no header can have")]
    Header {
        /// Its name.
        name: String,
    },
    /// The feature `grpc` is off.
    #[error("this build does not speak gRPC")]
    NoGrpc,
}

/// What is told by this process, until it is shut down.
#[derive(Debug)]
pub struct Telemetry {
    runtime: Runtime,
    spans: Arc<SpanQueue>,
    logs: SdkLoggerProvider,
    metrics: SdkMeterProvider,
    pace: Arc<Pace>,
    count: Arc<Count>,
}

/// What did not arrive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Untold {
    /// Spans, those of calls beyond the pace not counted.
    pub spans: u64,
    /// Calls that were beyond the pace.
    pub calls: u64,
    /// Whether sending what waited took longer than there was time.
    pub is_late: bool,
}

impl Telemetry {
    /// Begins to tell what `config` says, by `transport`, which must bound nothing and repeat nothing. The layer goes into the process's
    /// subscriber, as [`TelemetryLayer::filtered`] gives it.
    ///
    /// # Errors
    ///
    /// When no thread can be had, or an address is none.
    pub fn start<S>(
        config: &TelemetryConfig,
        redactor: &Redactor,
        transport: S,
    ) -> Result<(Self, TelemetryLayer), TelemetryError>
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = BoxError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("telemetry")
            .enable_all()
            .build()
            .map_err(TelemetryError::Runtime)?;
        let attributes = config.resource.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
        let resource = Resource::builder_empty().with_schema_url(attributes, SCHEMA).build();
        let mut sinks = Sinks {
            config,
            redactor,
            resource: resource.clone(),
            spans: SpanQueue::default(),
            logs: SdkLoggerProvider::builder().with_resource(resource.clone()),
            metrics: SdkMeterProvider::builder().with_resource(resource),
        };
        sinks.add_all(&runtime, &Transport::new(transport))?;
        let Sinks { spans, logs, metrics, .. } = sinks;
        let (logs, metrics) = (logs.build(), metrics.build());
        let (spans, pace) = (Arc::new(spans), Arc::new(Pace::new(config.calls_per_second)));
        let scope = InstrumentationScope::builder("selvedge").with_version(env!("CARGO_PKG_VERSION")).build();
        let layer = TelemetryLayer {
            spans: Arc::clone(&spans),
            logger: logs.logger_with_scope(scope.clone()),
            counts_spans: config.has_insights(),
            metrics: Metrics::new(&metrics.meter_with_scope(scope.clone())),
            pace: Arc::clone(&pace),
            parent: config.parent.as_deref().and_then(traceparent::parse),
            trace: config.trace.as_deref().and_then(traceparent::trace),
            redactor: redactor.clone(),
            scope,
        };
        let count = Arc::clone(spans.count());
        Ok((Self { runtime, spans, logs, metrics, pace, count }, layer))
    }

    /// Sends what waits, for so long at most, and ends.
    #[must_use]
    pub fn shut_down(self, within: Duration) -> Untold {
        let Self { runtime, spans, logs, metrics, pace, count } = self;
        let (done, all) = mpsc::channel();
        // Side by side: each waits for an answer of its own, and the SDK's own limits are longer.
        let work: [Box<dyn FnOnce() + Send>; 3] = [
            Box::new(move || spans.shut_down(within)),
            Box::new(move || drop(logs.shutdown_with_timeout(within))),
            Box::new(move || drop(metrics.shutdown_with_timeout(within))),
        ];
        let count_of_work = work.len();
        for work in work {
            let done = done.clone();
            // Where there is no thread to be had, it counts as late.
            drop(thread::Builder::new().name("telemetry-end".to_owned()).spawn(move || {
                work();
                // Nobody listens any more where it took too long.
                done.send(()).unwrap_or_default();
            }));
        }
        let until = Instant::now() + within;
        let ended = (0..count_of_work)
            .take_while(|_| all.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok())
            .count();
        runtime.shutdown_background();
        Untold { spans: count.missing(), calls: pace.held_back(), is_late: ended < count_of_work }
    }
}

/// The places where things are told.
struct Sinks<'a> {
    config: &'a TelemetryConfig,
    redactor: &'a Redactor,
    resource: Resource,
    spans: SpanQueue,
    logs: LoggerProviderBuilder,
    metrics: MeterProviderBuilder,
}

impl Sinks<'_> {
    fn add_all(&mut self, runtime: &Runtime, transport: &Transport) -> Result<(), TelemetryError> {
        #[cfg(any(feature = "otlp", feature = "insights"))]
        let client =
            |timeout| Client { transport: transport.clone(), runtime: runtime.handle().clone(), timeout };
        #[cfg(not(any(feature = "otlp", feature = "insights")))]
        let _ = (runtime, transport);
        #[cfg(feature = "otlp")]
        if let Some(config) = &self.config.otlp {
            let _within = runtime.enter();
            let otlp::Exporters { spans, metrics, logs } =
                otlp::Exporters::new(config, &client(config.timeout))?;
            self.add(spans, metrics, logs);
        }
        #[cfg(feature = "insights")]
        if let Some(connection) = &self.config.insights {
            let of = |key: &str| {
                let found = self.config.resource.iter().find(|(it, _)| it == key);
                found.map(|(_, value)| value.clone())
            };
            let service = of("service.name").unwrap_or_default();
            let config = InsightsConfig {
                instance: of("service.instance.id"),
                version: of("service.version"),
                environment: of("deployment.environment.name"),
                ..InsightsConfig::new(connection.clone(), service)
            };
            let insights = Insights::new(&config, Arc::new(client(INSIGHTS_TIMEOUT)));
            self.add(Some(insights.clone()), Some(insights.clone()), Some(insights));
        }
        Ok(())
    }

    /// One more place for each of them.
    fn add<S, M, L>(&mut self, spans: Option<S>, metrics: Option<M>, logs: Option<L>)
    where
        S: SpanExporter + 'static,
        M: PushMetricExporter,
        L: LogExporter + 'static,
    {
        if let Some(exporter) = spans {
            self.add_spans(exporter);
        }
        if let Some(exporter) = logs {
            self.add_logs(exporter);
        }
        if let Some(exporter) = metrics {
            self.add_metrics(exporter);
        }
    }

    fn add_spans(&mut self, exporter: impl SpanExporter + 'static) {
        let count = Arc::clone(self.spans.count());
        let exporter = Scrubbed { exporter, redactor: self.redactor.clone(), count };
        let batches = SpanBatches::default()
            .with_max_queue_size(self.config.queue)
            .with_max_export_batch_size(self.config.queue.min(512))
            .with_scheduled_delay(self.config.delay);
        let mut place = BatchSpanProcessor::builder(exporter).with_batch_config(batches.build()).build();
        place.set_resource(&self.resource);
        self.spans.add(place);
    }

    fn add_logs(&mut self, exporter: impl LogExporter + 'static) {
        let batches = LogBatches::default()
            .with_max_queue_size(self.config.queue)
            .with_max_export_batch_size(self.config.queue.min(512))
            .with_scheduled_delay(self.config.delay);
        let place = BatchLogProcessor::builder(exporter).with_batch_config(batches.build()).build();
        self.logs = std::mem::take(&mut self.logs).with_log_processor(place);
    }

    fn add_metrics(&mut self, exporter: impl PushMetricExporter) {
        let reader = PeriodicReader::builder(exporter).with_interval(self.config.metric_interval).build();
        self.metrics = std::mem::take(&mut self.metrics).with_reader(reader);
    }
}

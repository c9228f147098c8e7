//! What is told, and where to. The names of variables are those of OpenTelemetry's specification; nothing here reads them.

use secrecy::SecretString;
use std::time::Duration;

/// What a process tells of itself.
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// Who tells: `service.name` and the like, as keys and values.
    /// <https://opentelemetry.io/docs/specs/semconv/resource/>
    pub resource: Vec<(String, String)>,
    /// A collector.
    pub otlp: Option<OtlpConfig>,
    /// Application Insights.
    #[cfg(feature = "insights")]
    pub insights: Option<crate::insights::ConnectionString>,
    /// The span that this process is part of, as W3C Trace Context writes it (`TRACEPARENT`):
    /// <https://www.w3.org/TR/trace-context/#traceparent-header>. What is no such thing is passed over.
    pub parent: Option<String>,
    /// The trace of spans that have no parent, in 32 hexadecimal digits, where `parent` is none; without it each is in one of its own.
    pub trace: Option<String>,
    /// The most spans of calls, with those of their attempts, that are told in a second. Those beyond are counted, and still are in every
    /// metric.
    pub calls_per_second: u32,
    /// How many spans, and how many log records, may wait to be sent.
    pub queue: usize,
    /// How long they wait at most.
    pub delay: Duration,
    /// How often metrics are sent; `OTEL_METRIC_EXPORT_INTERVAL`.
    pub metric_interval: Duration,
}

impl Default for TelemetryConfig {
    /// Nowhere to tell anything; 200 calls a second, 2,048 in each queue, sent after a second; metrics each minute.
    fn default() -> Self {
        Self {
            resource: Vec::new(),
            otlp: None,
            #[cfg(feature = "insights")]
            insights: None,
            parent: None,
            trace: None,
            calls_per_second: 200,
            queue: 2048,
            delay: Duration::from_secs(1),
            metric_interval: Duration::from_secs(60),
        }
    }
}

impl TelemetryConfig {
    #[cfg(feature = "insights")]
    pub(super) fn has_insights(&self) -> bool {
        self.insights.is_some()
    }

    #[cfg(not(feature = "insights"))]
    pub(super) fn has_insights(&self) -> bool {
        false
    }

    /// Whether there is anywhere to tell anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.otlp.is_none() && !self.has_insights()
    }
}

/// A collector that speaks OTLP: <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>.
#[derive(Clone, Debug)]
pub struct OtlpConfig {
    /// `OTEL_EXPORTER_OTLP_PROTOCOL`.
    pub protocol: Protocol,
    /// Where traces go, whole; `None`: nowhere.
    pub traces: Option<String>,
    /// Where metrics go.
    pub metrics: Option<String>,
    /// Where log records go.
    pub logs: Option<String>,
    /// `OTEL_EXPORTER_OTLP_HEADERS`: what the collector knows us by.
    pub headers: Vec<(String, SecretString)>,
    /// Certificates (PEM) to trust by gRPC *instead of* the system's; `OTEL_EXPORTER_OTLP_CERTIFICATE`. What
    /// is none is passed over. By HTTP it is the transport that trusts.
    pub authorities: Option<Vec<u8>>,
    /// The most time for one export; `OTEL_EXPORTER_OTLP_TIMEOUT`.
    pub timeout: Duration,
    /// Whether what is sent is compressed, by gzip; `OTEL_EXPORTER_OTLP_COMPRESSION`.
    pub gzip: bool,
}

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Protobuf in requests of HTTP.
    #[default]
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

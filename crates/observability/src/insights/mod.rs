//! Telemetry to Application Insights: a small exporter for OpenTelemetry's SDK.
//!
//! [`Insights`] turns spans, log records and metrics into the items of Azure Monitor's ingestion and sends them there. It follows the
//! [specification of the protocol](https://github.com/Azure/azure-rest-api-specs/tree/main/specification/applicationinsights/data-plane/Monitor.Exporters/preview/v2.1).
//!
//! | from | to |
//! | --- | --- |
//! | a span of kind server or consumer | request |
//! | any other span | dependency: of type `HTTP` for a client's with attributes of HTTP, else `InProc` |
//! | an event `exception` of a span | exception; other events of spans are left out, for they come as log records |
//! | a log record with the attribute [`EVENT`] | event: numbers are measurements, everything else is a property |
//! | a log record of severity error and above with `exception.type` or `exception.message` | exception |
//! | any other log record | message |
//! | a point of a metric | metric: of a histogram sum, count, least and greatest value |
//!
//! The trace id is the operation's, and so joins them.
//!
//! # What is done without asking
//!
//! - Texts and items that are longer than ingestion takes are cut; properties for which an item has no more room are left out.
//! - Nothing waits, and nothing is retried within an export. What could not be sent is kept for the next export, once and within bounds.
//!   While ingestion asks for a pause everything new is dropped. What was dropped is [counted](Insights::counts).
//! - A redirect is followed to another ingestion host of the same cloud only, and remembered until that host is not reached.
//!
//! # What is left to the caller
//!
//! - **Redaction**: whatever is exported is sent as it is. This module itself logs nothing and shows neither bodies nor the key.
//! - **Time**: the client that is given must give up by itself, and must not follow redirects. An export that is dropped keeps its items
//!   for the next one.
//! - Batches and queues, as OpenTelemetry's SDK has them.

mod answer;
#[cfg(test)]
mod answer_tests;
mod attributes;
mod connection;
mod exception;
mod item;
mod logs;
mod metrics;
mod spans;
mod text;
mod upload;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use opentelemetry_http::HttpClient;
use opentelemetry_sdk::{
    error::{OTelSdkError, OTelSdkResult},
    logs::{LogBatch, LogExporter},
    metrics::{Temporality, data::ResourceMetrics, exporter::PushMetricExporter},
    trace::{SpanData, SpanExporter},
};

pub use connection::{ConnectionString, InvalidConnectionString};
pub use logs::EVENT;

use item::Common;
use upload::Uploader;

/// Where telemetry goes, and what all of it says of the process.
#[derive(Clone, Debug)]
pub struct InsightsConfig {
    /// Whose telemetry it is, and where it goes.
    pub connection: ConnectionString,
    /// The name of the service: the cloud role.
    pub service: String,
    /// Which of several instances of the service this is: the cloud role's instance.
    pub instance: Option<String>,
    /// The version of the program.
    pub version: Option<String>,
    /// The environment that is deployed to, as the property `environment` of all items that have none.
    pub environment: Option<String>,
    /// What the process does, as the operation's name of everything but requests, which have a name of their own.
    pub operation: Option<String>,
}

/// Exports spans, log records and metrics to Application Insights. Clones share their way there.
#[derive(Clone)]
pub struct Insights(Arc<Shared>);

/// What became of the items so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ingestion took them.
    pub accepted: u64,
    /// They are lost: refused, in vain twice, come in a pause, or too many to keep.
    pub dropped: u64,
    /// They go with the next export. If there is none they are lost too.
    pub kept: u64,
}

struct Shared {
    common: Common,
    uploader: Uploader,
    closed: Closed,
}

/// Each signal ends by itself: the last spans must not stop the last log records.
#[derive(Default)]
struct Closed {
    spans: AtomicBool,
    logs: AtomicBool,
    metrics: AtomicBool,
}

impl InsightsConfig {
    /// Of a service of which no more is known.
    #[must_use]
    pub fn new(connection: ConnectionString, service: impl Into<String>) -> Self {
        let (service, instance, version) = (service.into(), None, None);
        Self { connection, service, instance, version, environment: None, operation: None }
    }
}

/// A request without an item.
pub(crate) fn nothing(connection: &ConnectionString) -> Option<Request<Bytes>> {
    upload::request::request(connection.endpoint(), Bytes::new(), false)
}

impl Insights {
    /// Sends by `client`, which must give up by itself after some time, must not follow redirects and must not retry.
    #[must_use]
    pub fn new(config: &InsightsConfig, client: Arc<dyn HttpClient>) -> Self {
        let uploader = Uploader::new(client, config.connection.endpoint().clone());
        Self(Arc::new(Shared { common: Common::new(config), uploader, closed: Closed::default() }))
    }

    /// What became of the items so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.uploader.counts()
    }

    /// Sends `lines`, unless the signal has ended.
    async fn send(&self, closed: &AtomicBool, lines: Vec<String>) -> OTelSdkResult {
        if closed.load(Relaxed) {
            self.0.uploader.drop_items(lines.len());
            return Err(OTelSdkError::AlreadyShutdown);
        }
        self.0.uploader.send(lines).await
    }
}

impl fmt::Debug for Insights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.0.uploader.endpoint();
        f.debug_struct("Insights")
            .field("endpoint", &endpoint.as_str())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl SpanExporter for Insights {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let mut lines = Vec::with_capacity(batch.len());
        for span in &batch {
            spans::lines(&self.0.common, span, &mut lines);
        }
        drop(batch);
        self.send(&self.0.closed.spans, lines).await
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        close(&self.0.closed.spans)
    }
}

impl LogExporter for Insights {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let lines = batch.iter().map(|(record, _)| logs::line(&self.0.common, record)).collect();
        self.send(&self.0.closed.logs, lines).await
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        close(&self.0.closed.logs)
    }
}

impl PushMetricExporter for Insights {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let (lines, lost) = metrics::lines(&self.0.common, metrics);
        self.0.uploader.drop_items(lost);
        self.send(&self.0.closed.metrics, lines).await
    }

    /// Nothing is held back that could be sent now.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        close(&self.0.closed.metrics)
    }

    /// Ingestion adds up what it is sent.
    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

fn close(signal: &AtomicBool) -> OTelSdkResult {
    if signal.swap(true, Relaxed) { Err(OTelSdkError::AlreadyShutdown) } else { Ok(()) }
}

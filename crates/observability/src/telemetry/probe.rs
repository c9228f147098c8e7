//! Whether telemetry arrives anywhere: that a place for it is named says nothing of that.

use super::{
    TelemetryConfig, TelemetryError,
    client::{Client, Transport},
};
#[cfg(feature = "insights")]
use crate::insights::{self, ConnectionString};
use bytes::Bytes;
use http::{Request, Response};
#[cfg(feature = "insights")]
use opentelemetry_http::HttpClient as _;
#[cfg(feature = "otlp")]
use opentelemetry_sdk::{
    error::OTelSdkResult,
    logs::{LogBatch, LogExporter as _},
    metrics::{data::ResourceMetrics, exporter::PushMetricExporter as _},
    trace::SpanExporter as _,
};
use std::{fmt, io, time::Duration};
use tokio::runtime::Handle;
use tower::{BoxError, Service};

/// The most time for an answer: of a health check that has to answer within two seconds.
pub const PROBE_TIMEOUT: Duration = Duration::from_millis(1_200);

/// The time for one attempt: who does not answer is to be told as that, and not as one that was not asked long enough.
const ATTEMPT: Duration = Duration::from_secs(1);

/// Asks the places that telemetry goes to whether they take it: each is sent nothing, in the form that it is told everything else.
pub struct Probe {
    #[cfg(feature = "otlp")]
    collector: Option<super::otlp::Exporters>,
    #[cfg(feature = "insights")]
    insights: Option<(ConnectionString, Client)>,
}

/// One of them did not.
#[derive(Debug, thiserror::Error)]
#[error("{place} takes no telemetry: {why}")]
pub struct NotTaken {
    /// `the collector` or `Application Insights`.
    pub place: &'static str,
    /// What there was instead of an answer.
    pub why: String,
}

impl Probe {
    /// Of the places that `config` names, by `transport`. Nothing is asked yet.
    ///
    /// # Errors
    ///
    /// When an address is none, or this is not called within a runtime of tokio.
    pub fn new<S>(config: &TelemetryConfig, transport: S) -> Result<Self, TelemetryError>
    where
        S: Service<Request<Bytes>, Response = Response<Bytes>, Error = BoxError>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send,
    {
        let runtime =
            Handle::try_current().map_err(|error| TelemetryError::Runtime(io::Error::other(error)))?;
        let client = Client { transport: Transport::new(transport), runtime, timeout: ATTEMPT };
        #[cfg(feature = "otlp")]
        let collector = config.otlp.as_ref().map(|otlp| {
            let otlp = super::OtlpConfig { timeout: otlp.timeout.min(ATTEMPT), ..otlp.clone() };
            super::otlp::Exporters::new(&otlp, &client)
        });
        #[cfg(not(any(feature = "otlp", feature = "insights")))]
        let _ = (config, client);
        Ok(Self {
            #[cfg(feature = "otlp")]
            collector: collector.transpose()?,
            #[cfg(feature = "insights")]
            insights: config.insights.clone().map(|connection| (connection, client)),
        })
    }

    /// Whether all of them take it, which is known within [`PROBE_TIMEOUT`].
    ///
    /// # Errors
    ///
    /// The first that does not: a collector that answers any of its signals with an error, Application Insights that do not answer, or
    /// with an error of theirs.
    pub async fn ask(&self) -> Result<(), NotTaken> {
        #[cfg(feature = "otlp")]
        let collector = within("the collector", self.ask_collector());
        #[cfg(not(feature = "otlp"))]
        let collector = std::future::ready(Ok(()));
        #[cfg(feature = "insights")]
        let insights = within("Application Insights", self.ask_insights());
        #[cfg(not(feature = "insights"))]
        let insights = std::future::ready(Ok(()));
        let (collector, insights) = tokio::join!(collector, insights);
        collector.and(insights)
    }

    #[cfg(feature = "otlp")]
    async fn ask_collector(&self) -> Result<(), String> {
        let Some(super::otlp::Exporters { spans, metrics, logs }) = &self.collector else { return Ok(()) };
        let spans = async {
            match spans {
                Some(spans) => spans.export(Vec::new()).await,
                None => Ok(()),
            }
        };
        let metrics = async {
            match metrics {
                Some(metrics) => metrics.export(&ResourceMetrics::default()).await,
                None => Ok(()),
            }
        };
        let logs = async {
            match logs {
                Some(logs) => logs.export(LogBatch::new(&[])).await,
                None => Ok(()),
            }
        };
        let (spans, metrics, logs): (OTelSdkResult, OTelSdkResult, OTelSdkResult) =
            tokio::join!(spans, metrics, logs);
        spans.and(metrics).and(logs).map_err(|error| error.to_string())
    }

    #[cfg(feature = "insights")]
    async fn ask_insights(&self) -> Result<(), String> {
        let Some((connection, client)) = &self.insights else { return Ok(()) };
        let request = insights::nothing(connection).ok_or("its address is none")?;
        let answer = client.send_bytes(request).await.map_err(|error| causes(&*error))?;
        // What they say of a request of nothing is theirs to decide; that they say it is what counts.
        if answer.status().is_server_error() { Err(answer.status().to_string()) } else { Ok(()) }
    }
}

#[cfg(any(feature = "otlp", feature = "insights"))]
async fn within(
    place: &'static str,
    asked: impl Future<Output = Result<(), String>>,
) -> Result<(), NotTaken> {
    let answer = tokio::time::timeout(PROBE_TIMEOUT, asked).await;
    answer.unwrap_or_else(|_| Err("no answer in time".to_owned())).map_err(|why| NotTaken { place, why })
}

#[cfg(feature = "insights")]
fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    crate::track::Causes(error).to_string()
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").finish_non_exhaustive()
    }
}

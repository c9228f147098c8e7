//! What telemetry is sent by: connections of its own, since what is told must not wait for what is told of.

use std::path::Path;
use std::task::{Context, Poll};

use anyhow::Context as _;
use bytes::Bytes;
use http::uri::{Authority, Uri};
use http::{Request, Response};
use selvedge_fabric_client::transport::{HttpTransport, TransportConfig};
use selvedge_observability::telemetry::OtlpConfig;
use tower::{BoxError, Service};

/// Sends to a collector that has an authority of its own, and to everybody else.
#[derive(Clone)]
pub(super) struct Transport {
    others: HttpTransport,
    /// To these hosts.
    collector: Option<(HttpTransport, Vec<Authority>)>,
}

impl Transport {
    /// Trusts the certificates of the system, and `otlp` by those in the file `certificate`, where there is one.
    pub(super) fn new(
        config: &TransportConfig,
        otlp: Option<&OtlpConfig>,
        certificate: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let others = HttpTransport::new(config).context("set up HTTPS")?;
        let collector = match (otlp, certificate) {
            (Some(otlp), Some(certificate)) => {
                let config = TransportConfig { ca_bundle: Some(certificate.to_owned()), ..config.clone() };
                let transport = HttpTransport::new(&config).context("OTEL_EXPORTER_OTLP_CERTIFICATE")?;
                let urls = [&otlp.traces, &otlp.metrics, &otlp.logs].into_iter().flatten();
                let hosts = urls.filter_map(|url| url.parse::<Uri>().ok()?.authority().cloned());
                Some((transport, hosts.collect()))
            }
            _ => None,
        };
        Ok(Self { others, collector })
    }
}

impl Service<Request<Bytes>> for Transport {
    type Response = Response<Bytes>;
    type Error = BoxError;
    type Future = <HttpTransport as Service<Request<Bytes>>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        // Both always are.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        match &mut self.collector {
            Some((collector, hosts)) if request.uri().authority().is_some_and(|it| hosts.contains(it)) => {
                collector.call(request)
            }
            _ => self.others.call(request),
        }
    }
}

//! Exporters to a collector.

use super::{OtlpConfig, Protocol, TelemetryError, client::Client};
#[cfg(feature = "grpc")]
use opentelemetry_otlp::tonic_types::transport::{Certificate, ClientTlsConfig};
use opentelemetry_otlp::{
    Compression, ExporterBuildError, LogExporter, MetricExporter, Protocol as Wire, SpanExporter,
    WithExportConfig as _, WithHttpConfig as _,
};
use secrecy::ExposeSecret as _;
use std::collections::HashMap;

/// One exporter of each kind that something is wanted of.
pub(super) struct Exporters {
    pub(super) spans: Option<SpanExporter>,
    pub(super) metrics: Option<MetricExporter>,
    pub(super) logs: Option<LogExporter>,
}

/// Builds an exporter, by whichever protocol: their builders have no type in common.
macro_rules! exporter {
    ($kind:ident, $config:expr, $client:expr, $endpoint:expr) => {
        match $endpoint {
            None => None,
            Some(endpoint) => Some(
                match $config.protocol {
                    Protocol::HttpProtobuf => {
                        let builder = $kind::builder()
                            .with_http()
                            .with_http_client($client.clone())
                            .with_protocol(Wire::HttpBinary)
                            .with_endpoint(endpoint)
                            .with_timeout($config.timeout)
                            .with_headers(headers($config));
                        let builder =
                            if $config.gzip { builder.with_compression(Compression::Gzip) } else { builder };
                        builder.build()
                    }
                    Protocol::Grpc => grpc!($kind, $config, endpoint),
                }
                .map_err(invalid)?,
            ),
        }
    };
}

#[cfg(feature = "grpc")]
macro_rules! grpc {
    ($kind:ident, $config:expr, $endpoint:expr) => {{
        use opentelemetry_otlp::WithTonicConfig as _;
        let builder = $kind::builder().with_tonic();
        let builder = match tls($config, $endpoint) {
            Some(tls) => builder.with_tls_config(tls),
            None => builder,
        };
        let builder =
            builder.with_endpoint($endpoint).with_timeout($config.timeout).with_metadata(metadata($config)?);
        let builder = if $config.gzip { builder.with_compression(Compression::Gzip) } else { builder };
        builder.build()
    }};
}

#[cfg(not(feature = "grpc"))]
macro_rules! grpc {
    ($kind:ident, $config:expr, $endpoint:expr) => {
        return Err(TelemetryError::NoGrpc)
    };
}

impl Exporters {
    /// To be called within the runtime that they send on.
    pub(super) fn new(config: &OtlpConfig, client: &Client) -> Result<Self, TelemetryError> {
        Ok(Self {
            spans: exporter!(SpanExporter, config, client, config.traces.as_deref()),
            metrics: exporter!(MetricExporter, config, client, config.metrics.as_deref()),
            logs: exporter!(LogExporter, config, client, config.logs.as_deref()),
        })
    }
}

fn headers(config: &OtlpConfig) -> HashMap<String, String> {
    let headers = config.headers.iter();
    headers.map(|(name, value)| (name.clone(), value.expose_secret().to_owned())).collect()
}

/// Whom to trust, where `endpoint` is asked over TLS.
#[cfg(feature = "grpc")]
fn tls(config: &OtlpConfig, endpoint: &str) -> Option<ClientTlsConfig> {
    let scheme = endpoint.split_once("://").map(|(scheme, _)| scheme)?;
    let tls = scheme.eq_ignore_ascii_case("https").then(ClientTlsConfig::new)?;
    Some(match &config.authorities {
        Some(pem) => tls.ca_certificate(Certificate::from_pem(pem)),
        None => tls.with_native_roots(),
    })
}

#[cfg(feature = "grpc")]
fn metadata(
    config: &OtlpConfig,
) -> Result<opentelemetry_otlp::tonic_types::metadata::MetadataMap, TelemetryError> {
    let mut headers = http::HeaderMap::new();
    for (name, value) in &config.headers {
        let invalid = || TelemetryError::Header { name: name.clone() };
        let header = http::HeaderName::try_from(name).map_err(|_| invalid())?;
        let mut value = http::HeaderValue::try_from(value.expose_secret()).map_err(|_| invalid())?;
        value.set_sensitive(true);
        headers.append(header, value);
    }
    Ok(opentelemetry_otlp::tonic_types::metadata::MetadataMap::from_headers(headers))
}

fn invalid(error: ExporterBuildError) -> TelemetryError {
    TelemetryError::Exporter(error.to_string())
}

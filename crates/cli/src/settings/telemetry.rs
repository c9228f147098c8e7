//! Section `[telemetry]`.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::duration;

/// What is told of a run, and where to, where its flag is on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Telemetry {
    #[serde(deserialize_with = "figment::util::bool_from_str_or_int")]
    pub(crate) disabled: bool,
    pub(crate) service: String,
    /// `key=value,key=value`.
    pub(crate) resource: Option<String>,
    pub(crate) otlp_endpoint: Option<String>,
    pub(crate) traces_endpoint: Option<String>,
    pub(crate) metrics_endpoint: Option<String>,
    pub(crate) logs_endpoint: Option<String>,
    pub(crate) otlp_protocol: OtlpProtocol,
    pub(crate) otlp_compression: OtlpCompression,
    /// A PEM file with the certificates of the collector's authority.
    pub(crate) otlp_certificate: Option<PathBuf>,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) otlp_timeout: Duration,
    pub(crate) traces: Exporter,
    pub(crate) metrics: Exporter,
    pub(crate) logs: Exporter,
    #[serde(deserialize_with = "duration::deserialize")]
    pub(crate) metric_interval: Duration,
    pub(crate) calls_per_second: u32,
}

/// How OTLP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum OtlpProtocol {
    #[serde(rename = "http/protobuf")]
    HttpProtobuf,
    #[serde(rename = "grpc")]
    Grpc,
}

/// How it is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OtlpCompression {
    None,
    Gzip,
}

/// Where one kind of telemetry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Exporter {
    Otlp,
    None,
}

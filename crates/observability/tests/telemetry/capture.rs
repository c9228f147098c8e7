//! A collector and Application Insights in one: they take everything, and keep it.

use std::{
    collections::BTreeMap,
    io::Read as _,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{Request, Response};
use opentelemetry_proto::tonic::{
    collector::{
        logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
        trace::v1::ExportTraceServiceRequest,
    },
    common::v1::{KeyValue, any_value},
    logs::v1::LogRecord,
    metrics::v1::Metric,
    trace::v1::Span,
};
use prost::Message as _;
use selvedge_observability::telemetry::{OtlpConfig, Protocol};
use serde_json::Value;
use std::time::Duration;
use tower::BoxError;

use crate::schema;

/// What came, by the last part of the path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capture(Arc<Mutex<Vec<(String, Bytes)>>>);

impl Capture {
    /// Takes it.
    pub(crate) fn take(&self, signal: &str, body: Bytes) {
        self.0.lock().unwrap().push((signal.to_owned(), body));
    }

    /// Sends there what is sent anywhere.
    pub(crate) fn transport(
        &self,
    ) -> impl tower::Service<Request<Bytes>, Response = Response<Bytes>, Error = BoxError, Future: Send>
    + Clone
    + Send
    + Sync
    + 'static {
        let capture = self.clone();
        tower::service_fn(move |request: Request<Bytes>| {
            let (head, body) = request.into_parts();
            let body = match head.headers.get("content-encoding") {
                Some(_) => unzipped(&body),
                None => body,
            };
            capture.take(head.uri.path().rsplit('/').next().unwrap(), body);
            std::future::ready(Ok::<_, BoxError>(Response::new(Bytes::new())))
        })
    }

    fn of(&self, signal: &str) -> Vec<Bytes> {
        let all = self.0.lock().unwrap();
        all.iter().filter(|(of, _)| of == signal).map(|(_, body)| body.clone()).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let requests =
            self.of("traces").into_iter().map(|body| ExportTraceServiceRequest::decode(body).unwrap());
        let scopes = requests.flat_map(|it| it.resource_spans).flat_map(|it| it.scope_spans);
        scopes.flat_map(|it| it.spans).collect()
    }

    pub(crate) fn records(&self) -> Vec<LogRecord> {
        let requests =
            self.of("logs").into_iter().map(|body| ExportLogsServiceRequest::decode(body).unwrap());
        let scopes = requests.flat_map(|it| it.resource_logs).flat_map(|it| it.scope_logs);
        scopes.flat_map(|it| it.log_records).collect()
    }

    pub(crate) fn metrics(&self) -> Vec<Metric> {
        let requests =
            self.of("metrics").into_iter().map(|body| ExportMetricsServiceRequest::decode(body).unwrap());
        let scopes = requests.flat_map(|it| it.resource_metrics).flat_map(|it| it.scope_metrics);
        scopes.flat_map(|it| it.metrics).collect()
    }

    /// The items of Application Insights, by their kind, each as the specification has it.
    pub(crate) fn items(&self) -> BTreeMap<String, Vec<Value>> {
        let mut items: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for body in self.of("track") {
            for line in str::from_utf8(&body).unwrap().lines() {
                let item: Value = serde_json::from_str(line).unwrap();
                schema::check(&item);
                items.entry(item["data"]["baseType"].as_str().unwrap().to_owned()).or_default().push(item);
            }
        }
        items
    }

    /// Everything, as text.
    pub(crate) fn text(&self) -> String {
        let all = self.0.lock().unwrap();
        all.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect()
    }
}

fn unzipped(body: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    GzDecoder::new(body).read_to_end(&mut plain).unwrap();
    plain.into()
}

/// A collector at `url`, to which everything goes.
pub(crate) fn collector(protocol: Protocol, url: &str) -> OtlpConfig {
    let of = |path: &str| match protocol {
        Protocol::HttpProtobuf => Some(format!("{url}/v1/{path}")),
        _ => Some(url.to_owned()),
    };
    OtlpConfig {
        protocol,
        traces: of("traces"),
        metrics: of("metrics"),
        logs: of("logs"),
        headers: Vec::new(),
        authorities: None,
        timeout: Duration::from_secs(5),
        gzip: false,
    }
}

/// What stands under each name, as text.
pub(crate) fn attributes(of: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |it: &KeyValue| match it.value.as_ref().and_then(|it| it.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::DoubleValue(number)) => format!("{number:?}"),
        Some(any_value::Value::BoolValue(flag)) => flag.to_string(),
        other => panic!("{other:?}"),
    };
    of.iter().map(|it| (it.key.as_str(), text(it))).collect()
}

//! Whether anybody takes it.

use std::{
    future::{pending, ready},
    net::TcpListener,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use http::{Request, Response};
use selvedge_observability::telemetry::{OtlpConfig, PROBE_TIMEOUT, Probe, Protocol, TelemetryConfig};
use tokio::time::Instant;
use tower::BoxError;

use crate::{
    capture::{Capture, collector},
    grpc::{Server, known},
};

fn config() -> TelemetryConfig {
    let connection = "InstrumentationKey=00000000-1111-4222-8333-444444444444";
    TelemetryConfig {
        otlp: Some(collector(Protocol::HttpProtobuf, "http://collector")),
        insights: Some(connection.parse().unwrap()),
        ..TelemetryConfig::default()
    }
}

/// What is said where requests to the path that ends so are answered with this status, all others with 200; and where it was asked.
async fn asked(path: &'static str, status: u16) -> (Option<String>, Vec<String>) {
    let paths = Arc::<Mutex<Vec<String>>>::default();
    let to = Arc::clone(&paths);
    let transport = tower::service_fn(move |request: Request<Bytes>| {
        let at = request.uri().path().to_owned();
        let status = if at.ends_with(path) { status } else { 200 };
        to.lock().unwrap().push(at);
        ready(Ok::<_, BoxError>(Response::builder().status(status).body(Bytes::new()).unwrap()))
    });
    let answer = Probe::new(&config(), transport).unwrap().ask().await;
    let mut paths = paths.lock().unwrap().clone();
    paths.sort();
    paths.dedup();
    (answer.err().map(|error| error.to_string()), paths)
}

#[tokio::test(start_paused = true)]
async fn each_place_is_sent_nothing_in_each_form() {
    let all = ["/v1/logs", "/v1/metrics", "/v1/traces", "/v2.1/track"].map(str::to_owned).to_vec();
    assert_eq!(asked("", 200).await, (None, all.clone()));
    // What they say of nothing is theirs to decide.
    assert_eq!(asked("/track", 400).await, (None, all.clone()));
    for (path, status, place) in [
        ("/traces", 404, "the collector takes no telemetry: "),
        ("/metrics", 401, "the collector takes no telemetry: "),
        ("/logs", 503, "the collector takes no telemetry: "),
        ("/track", 503, "Application Insights takes no telemetry: 503 Service Unavailable"),
    ] {
        let (said, paths) = asked(path, status).await;
        assert!(said.as_ref().is_some_and(|said| said.starts_with(place)), "{path}: {said:?}");
        assert_eq!(paths, all);
    }
}

#[tokio::test]
async fn nothing_is_told_by_it() {
    let capture = Capture::default();
    Probe::new(&config(), capture.transport()).unwrap().ask().await.unwrap();
    assert_eq!((capture.spans(), capture.metrics(), capture.records()), (vec![], vec![], vec![]));
    assert!(capture.items().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_hangs_is_told_in_time() {
    let hangs = tower::service_fn(|_: Request<Bytes>| pending::<Result<Response<Bytes>, BoxError>>());
    let probe = Probe::new(&config(), hangs).unwrap();
    let began = Instant::now();
    probe.ask().await.unwrap_err();
    assert!(began.elapsed() <= PROBE_TIMEOUT, "{:?}", began.elapsed());
}

#[test]
fn a_probe_needs_a_runtime() {
    assert!(Probe::new(&config(), Capture::default().transport()).is_err());
}

/// Of a collector that is asked by gRPC.
async fn asked_by_grpc(url: &str, authorities: Option<Vec<u8>>) -> Option<String> {
    let otlp = known(OtlpConfig { authorities, ..collector(Protocol::Grpc, url) });
    let config = TelemetryConfig { otlp: Some(otlp), ..TelemetryConfig::default() };
    let probe = Probe::new(&config, Capture::default().transport()).unwrap();
    let began = Instant::now();
    let answer = probe.ask().await;
    assert!(began.elapsed() < PROBE_TIMEOUT + Duration::from_millis(500), "{:?}", began.elapsed());
    answer.err().map(|error| error.to_string())
}

#[test]
fn by_grpc_too() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = Server::start(true);
    let (url, authority) = (server.url(), server.authority.clone());
    assert_eq!(runtime.block_on(asked_by_grpc(&url, authority)), None);
    // Nobody trusts it; nobody listens; somebody listens and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    for url in [&*url, "http://127.0.0.1:1", &silent] {
        let said = runtime.block_on(asked_by_grpc(url, None));
        assert!(said.is_some_and(|said| said.starts_with("the collector takes no telemetry: ")), "{url}");
    }
}

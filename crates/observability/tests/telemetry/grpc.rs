//! By gRPC, with TLS and without.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, Response};
use rustls::pki_types::PrivatePkcs8KeyDer;
use secrecy::SecretString;
use selvedge_observability::{
    redact::Redactor,
    telemetry::{OtlpConfig, Protocol, Telemetry, TelemetryConfig, Untold},
    track_event, track_metric, track_operation,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    runtime::Runtime,
};
use tokio_rustls::TlsAcceptor;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::capture::{Capture, collector};

/// A collector that speaks gRPC on this machine, until it is dropped.
pub(crate) struct Server {
    at: SocketAddr,
    /// Whose certificate it shows, where it speaks TLS.
    pub(crate) authority: Option<Vec<u8>>,
    capture: Capture,
    _runtime: Runtime,
}

impl Server {
    pub(crate) fn start(has_tls: bool) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let (at, capture) = (listener.local_addr().unwrap(), Capture::default());
        let (tls, authority) = has_tls.then(certificate).unzip();
        let to = capture.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, to) = (tls.clone(), to.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(stream, to).await,
                        Some(tls) => {
                            // Who does not trust it does not come so far.
                            if let Ok(stream) = TlsAcceptor::accept(&tls, stream).await {
                                serve(stream, to).await;
                            }
                        }
                    }
                });
            }
        });
        Self { at, authority, capture, _runtime: runtime }
    }

    pub(crate) fn url(&self) -> String {
        let scheme = if self.authority.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.at)
    }
}

fn certificate() -> (TlsAcceptor, Vec<u8>) {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    (Arc::new(config).into(), own.cert.pem().into_bytes())
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, to: Capture) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        tokio::spawn(answer(request, respond, to.clone()));
    }
}

/// Takes one message, of five bytes of gRPC and an export, and answers with an empty one.
async fn answer(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    to: Capture,
) {
    let (head, mut body) = request.into_parts();
    let mut whole = BytesMut::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.unwrap();
        body.flow_control().release_capacity(chunk.len()).unwrap();
        whole.extend_from_slice(&chunk);
    }
    let signal = ["trace", "metrics", "logs"]
        .into_iter()
        .find(|signal| head.uri.path().contains(&format!(".{signal}.")))
        .unwrap();
    let key = head.headers.get("api-key").map(|key| key.to_str().unwrap());
    assert_eq!(key, Some("a-key"));
    whole.advance(5);
    to.take(if signal == "trace" { "traces" } else { signal }, whole.freeze());
    let head = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    let mut stream = respond.send_response(head, false).unwrap();
    stream.send_data(Bytes::from_static(&[0; 5]), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    stream.send_trailers(trailers).unwrap();
}

/// With the key that the server wants.
pub(crate) fn known(collector: OtlpConfig) -> OtlpConfig {
    OtlpConfig { headers: vec![("api-key".to_owned(), SecretString::from("a-key"))], ..collector }
}

/// Tells one of each kind to a collector.
fn tell(collector: OtlpConfig) -> Untold {
    let config = TelemetryConfig { otlp: Some(known(collector)), ..TelemetryConfig::default() };
    // It has connections of its own.
    let transport = Capture::default();
    let (telemetry, layer) = Telemetry::start(&config, &Redactor::default(), transport.transport()).unwrap();
    let subscriber = tracing_subscriber::registry().with(layer.filtered());
    tracing::subscriber::with_default(subscriber, || {
        track_event("E", &[]);
        track_metric("m", 1.0, &[]);
        track_operation("O").succeed();
    });
    let untold = telemetry.shut_down(Duration::from_secs(2));
    assert_eq!(transport.text(), "");
    untold
}

#[test]
fn traces_metrics_and_logs_arrive() {
    for has_tls in [false, true] {
        let server = Server::start(has_tls);
        let authorities = server.authority.clone();
        let config = OtlpConfig { authorities, ..collector(Protocol::Grpc, &server.url()) };
        assert_eq!(tell(config), Untold::default(), "{has_tls}");
        let (spans, metrics, records) =
            (server.capture.spans(), server.capture.metrics(), server.capture.records());
        assert_eq!((spans.len(), metrics.len(), records.len()), (1, 1, 1), "{has_tls}");
        assert_eq!((spans[0].name.as_str(), metrics[0].name.as_str()), ("O", "m"));
    }
}

#[test]
fn a_collector_that_nobody_trusts_is_told_nothing_and_holds_nobody_up() {
    let server = Server::start(true);
    let (_, other) = certificate();
    for authorities in [None, Some(other)] {
        let config = OtlpConfig { authorities, ..collector(Protocol::Grpc, &server.url()) };
        let began = Instant::now();
        let untold = tell(config);
        assert_eq!(untold.spans, 1);
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
        assert_eq!(server.capture.text(), "");
    }
}

//! Over HTTP/2, where a server can say that it did not look at a request, and clients like to send it again by themselves.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustls::pki_types::PrivatePkcs8KeyDer;
use selvedge_fabric_client::transport::TransportConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::sockets::{attempts, get, service};

/// A server on this machine that answers the first request and refuses the streams of all others.
struct Server {
    url: String,
    certificate: tempfile::NamedTempFile,
    arrived: Arc<AtomicUsize>,
}

impl Server {
    async fn start() -> Self {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let mut certificate = tempfile::NamedTempFile::new().unwrap();
        certificate.write_all(own.cert.pem().as_bytes()).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let tls = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}/v1/workspaces", listener.local_addr().unwrap());
        let arrived = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&arrived);
        // It ends with the runtime of the test.
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(tls.clone(), stream, Arc::clone(&count)));
            }
        });
        Self { url, certificate, arrived }
    }
}

async fn serve(tls: TlsAcceptor, stream: TcpStream, count: Arc<AtomicUsize>) {
    let Ok(stream) = tls.accept(stream).await else { return };
    let mut connection = h2::server::handshake(stream).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        if count.fetch_add(1, Relaxed) == 0 {
            respond.send_response(http::Response::new(()), true).unwrap();
        } else {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        }
    }
}

#[tokio::test]
async fn pitfall_2_a_refused_stream_is_sent_again_by_our_retry_alone() {
    for (retry, expected) in [(false, 1), (true, 3)] {
        let server = Server::start().await;
        let path = server.certificate.path().to_owned();
        let config = TransportConfig { ca_bundle: Some(path), ..TransportConfig::default() };
        let (service, sent) = service(&config, retry);
        get(&service, &server.url).await.unwrap();
        let error = get(&service, &server.url).await.unwrap_err();
        assert_eq!(attempts(&error), expected, "{error:?}");
        assert_eq!((sent.load(Relaxed), server.arrived.load(Relaxed)), (1 + expected, 1 + expected));
    }
}

//! The transport: requests over the network, by reqwest with rustls.
//!
//! It sends each request once. Retries, redirects and proxies of the environment, which reqwest would add by itself,
//! are off; all waiting is bounded, and so is the memory that an answer can take.

use crate::{BodyTooLarge, Request, Response, Unsent, events};
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Method, header::CONTENT_LENGTH};
use std::{
    future::Future,
    io, mem,
    path::PathBuf,
    pin::Pin,
    sync::Once,
    task::{Context, Poll},
    time::Duration,
};
use tower::{BoxError, Service};

/// How to reach the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransportConfig {
    /// The most time to establish a connection, name resolution and TLS included. Default 10 s.
    pub connect_timeout: Duration,
    /// The most time for one request, from its first byte to the last of the answer. Default 120 s. `None` where an
    /// [attempt timeout](selvedge_resilience::deadline::AttemptTimeoutLayer) above bounds it: one timer is enough.
    pub request_timeout: Option<Duration>,
    /// The largest body that is read, in bytes, after decompression. Default 64 MiB.
    pub body_limit: usize,
    /// A file of certificates (PEM) to trust *instead of* the system's. Default none.
    pub ca_bundle: Option<PathBuf>,
    /// The proxy for every request but those to this machine and to link-local addresses. Default none: proxy variables of the environment are
    /// not looked at here, so that a token never takes a way that nobody configured.
    pub proxy: Option<String>,
    /// Further hosts to reach without the proxy, separated by commas.
    pub no_proxy: Option<String>,
    /// What to say in `User-Agent`. Default `selvedge/` and the version.
    pub user_agent: String,
}

/// Sends requests over the network; clones share connections.
#[derive(Clone, Debug)]
pub struct HttpTransport {
    client: reqwest::Client,
    body_limit: usize,
}

/// The transport could not be built.
#[derive(Debug, thiserror::Error)]
#[error("{attempt}")]
pub struct TransportError {
    attempt: String,
    source: BoxError,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            request_timeout: Some(Duration::from_secs(120)),
            body_limit: 64 * 1024 * 1024,
            ca_bundle: None,
            proxy: None,
            no_proxy: None,
            user_agent: concat!("selvedge/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

impl HttpTransport {
    /// Builds a transport. It reads the system's certificates, which takes some milliseconds: build one, on first use.
    ///
    /// # Errors
    ///
    /// When the certificates cannot be read (a system without any needs `ca_bundle`), or the proxy is not an address.
    pub fn new(config: &TransportConfig) -> Result<Self, TransportError> {
        install_crypto();
        let failed = |attempt: &str| {
            let attempt = attempt.to_owned();
            move |error: reqwest::Error| TransportError { attempt, source: error.into() }
        };
        let mut builder = reqwest::Client::builder()
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(config.connect_timeout)
            .user_agent(&config.user_agent);
        if let Some(timeout) = config.request_timeout {
            builder = builder.timeout(timeout);
        }
        if let Some(address) = &config.proxy {
            let direct = config.no_proxy.as_deref().unwrap_or_default();
            // Also what is reached by the link alone, such as the service that tells a machine's identity: plain HTTP, meant for nobody else.
            let direct = format!("localhost,127.0.0.0/8,::1,169.254.0.0/16,fe80::/10,{direct}");
            let proxy = reqwest::Proxy::all(address).map_err(failed("could not use the proxy"))?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(&direct)));
        }
        if let Some(path) = &config.ca_bundle {
            let attempt = format!("could not read certificates from {}", path.display());
            let pem = std::fs::read(path)
                .map_err(|error| TransportError { attempt: attempt.clone(), source: error.into() })?;
            let bundle = reqwest::Certificate::from_pem_bundle(&pem).map_err(failed(&attempt))?;
            if bundle.is_empty() {
                let source = io::Error::new(io::ErrorKind::InvalidData, "no certificate in the file");
                return Err(TransportError { attempt, source: source.into() });
            }
            builder = builder.tls_certs_only(bundle);
        }
        let client = builder.build().map_err(failed("could not prepare TLS connections"))?;
        Ok(Self { client, body_limit: config.body_limit })
    }
}

/// reqwest takes the process's provider and panics where there is none; a second installation is refused, and fine.
fn install_crypto() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        let installed = rustls::crypto::ring::default_provider().install_default();
        if installed.is_err() {
            events::crypto_present();
        }
    });
}

impl Service<Request> for HttpTransport {
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let client = self.client.clone();
        let limit = self.body_limit;
        Box::pin(async move {
            let request = reqwest::Request::try_from(sized(request)).map_err(boxed)?;
            let response = client.execute(request).await.map_err(boxed)?;
            read(response, limit).await
        })
    }
}

/// Says that an empty body is empty, where the method leads one to expect a body (RFC 9110 section 8.6): Microsoft's
/// front ends answer 411 without, and hyper leaves it out.
fn sized(mut request: Request) -> Request {
    let expected = [Method::POST, Method::PUT, Method::PATCH].contains(request.method());
    if expected && request.body().is_empty() {
        let nothing = HeaderValue::from_static("0");
        request.headers_mut().insert(CONTENT_LENGTH, nothing);
    }
    request
}

/// Reads the whole body, so that a body that stalls or breaks off is a failure of the attempt.
async fn read(mut response: reqwest::Response, limit: usize) -> Result<Response, BoxError> {
    let mut body = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(boxed)? {
        if body.len() + joined.len() + chunk.len() > limit {
            return Err(BodyTooLarge { limit }.into());
        }
        // Most bodies are one chunk, and those are not copied.
        if body.is_empty() && joined.is_empty() {
            body = chunk;
        } else {
            joined.extend_from_slice(&mem::take(&mut body));
            joined.extend_from_slice(&chunk);
        }
    }
    let body = if joined.is_empty() { body } else { joined.freeze() };
    let mut answer = Response::new(body);
    *answer.status_mut() = response.status();
    *answer.headers_mut() = mem::take(response.headers_mut());
    Ok(answer)
}

/// Tells what was provably not sent from what may have been. The address is left out: queries may hold names.
fn boxed(error: reqwest::Error) -> BoxError {
    let unsent = error.is_connect() || error.is_builder();
    let error = error.without_url();
    if unsent { Unsent::new(error).into() } else { error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Error, ErrorKind};
    use selvedge_resilience::find_cause;
    use std::{
        io::{Read, Write},
        net::TcpListener,
        thread,
    };
    use tower::ServiceExt;

    /// A server that reads one request and then writes these bytes and hangs up. Its address.
    fn server(answer: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            assert!(read > 0);
            stream.write_all(&answer).unwrap();
        });
        format!("http://{address}/")
    }

    async fn get(uri: &str, config: TransportConfig) -> Result<Response, BoxError> {
        let request = http::Request::delete(uri).body(Bytes::new()).unwrap();
        HttpTransport::new(&config).unwrap().oneshot(request).await
    }

    fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}\r\n");
        [head.as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn a_post_without_a_body_says_so() {
        for (method, says) in [("POST", true), ("PATCH", true), ("GET", false), ("DELETE", false)] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let uri = format!("http://{}/", listener.local_addr().unwrap());
            let seen = thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = [0; 4096];
                let read = stream.read(&mut request).unwrap();
                stream.write_all(&answer("Content-Length: 0\r\n", b"")).unwrap();
                String::from_utf8_lossy(&request[..read]).into_owned()
            });
            let request = http::Request::builder().method(method).uri(uri).body(Bytes::new()).unwrap();
            let transport = HttpTransport::new(&TransportConfig::default()).unwrap();
            transport.oneshot(request).await.unwrap();
            let seen = seen.join().unwrap();
            assert_eq!(seen.contains("content-length: 0\r\n"), says, "{seen}");
            assert!(seen.contains("user-agent: selvedge/"), "{seen}");
        }
    }

    #[tokio::test]
    async fn an_empty_body_that_claims_to_be_gzip_is_an_empty_body() {
        for headers in [
            "Content-Encoding: gzip\r\nContent-Length: 0\r\nContent-Type: application/octet-stream\r\n",
            "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            "Content-Encoding: gzip\r\n",
        ] {
            let body: &[u8] = if headers.contains("chunked") { b"0\r\n\r\n" } else { b"" };
            let uri = server(answer(headers, body));
            let response = get(&uri, TransportConfig::default()).await.unwrap();
            assert!(response.body().is_empty(), "{headers}");
        }
    }

    #[tokio::test]
    async fn a_body_larger_than_the_limit_is_not_read_to_its_end() {
        let config = TransportConfig { body_limit: 10, ..TransportConfig::default() };
        let uri = server(answer("Content-Length: 11\r\n", b"01234567890"));
        let error = get(&uri, config.clone()).await.unwrap_err();
        assert!(find_cause::<BodyTooLarge>(&*error).is_some(), "{error}");

        let uri = server(answer("Content-Length: 10\r\n", b"0123456789"));
        assert_eq!(get(&uri, config).await.unwrap().body(), "0123456789");
    }

    #[tokio::test]
    async fn what_was_not_sent_is_told_from_what_may_have_been() {
        let refused = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let not_tls = server(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).replace("http:", "https:");
        let reset = server(Vec::new());
        let cut = server(answer("Content-Length: 100\r\n", b"0123456789"));
        for (uri, sent) in [
            (format!("http://{refused}/"), false),
            ("http://does-not-exist.invalid/".to_owned(), false),
            (not_tls, false),
            (reset, true),
            (cut, true),
        ] {
            let error = get(&uri, TransportConfig::default()).await.unwrap_err();
            let error = Error::from_stack("test", error);
            assert_eq!(error.may_have_been_sent(), sent, "{uri}: {error:?}");
            assert_eq!(matches!(error.kind(), ErrorKind::Transport(_)), sent, "{uri}: {error:?}");
            assert!(!format!("{error:?}").contains(&uri), "{error:?}");
        }
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let uri = server(
            b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n".to_vec(),
        );
        let response = get(&uri, TransportConfig::default()).await.unwrap();
        assert_eq!(response.status(), 302);
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        for path in ["/does/not/exist.pem", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
            let config = TransportConfig { ca_bundle: Some(path.into()), ..TransportConfig::default() };
            let error = HttpTransport::new(&config).unwrap_err();
            assert_eq!(error.to_string(), format!("could not read certificates from {path}"));
        }
    }
}

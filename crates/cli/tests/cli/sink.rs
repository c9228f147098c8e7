//! A place that telemetry is sent to: it takes everything, and keeps it.

use flate2::read::GzDecoder;
use rustls::pki_types::PrivatePkcs8KeyDer;
use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};
use tempfile::NamedTempFile;

/// An instrumentation key.
pub(crate) const KEY: &str = "00000000-1111-4222-8333-444444444444";

/// A server that answers 200 to whatever it is sent. Its threads end with the test's process.
pub(crate) struct Sink {
    pub(crate) url: String,
    /// Who signed for it, where it speaks TLS.
    pub(crate) authority: Option<NamedTempFile>,
    taken: Arc<Mutex<Vec<Taken>>>,
}

/// One request.
pub(crate) struct Taken {
    pub(crate) path: String,
    /// Headers and body, whatever bytes they are, decompressed.
    pub(crate) text: String,
    /// The body.
    pub(crate) bytes: Vec<u8>,
}

impl Taken {
    /// What follows the headers.
    pub(crate) fn body(&self) -> &str {
        self.text.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }
}

impl Sink {
    pub(crate) fn start() -> Self {
        Self::listen("http", None, |stream, to| {
            let mut stream = BufReader::new(stream);
            while take(&mut stream, to).is_some() {}
        })
    }

    /// The same over TLS, by an authority that nobody knows.
    pub(crate) fn with_tls() -> Self {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let mut authority = NamedTempFile::new().unwrap();
        authority.write_all(own.cert.pem().as_bytes()).unwrap();
        let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![own.cert.der().clone()], key.into())
            .unwrap();
        let config = Arc::new(config);
        Self::listen("https", Some(authority), move |stream, to| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = BufReader::new(rustls::StreamOwned::new(connection, stream));
            while take(&mut stream, to).is_some() {}
        })
    }

    fn listen(
        scheme: &str,
        authority: Option<NamedTempFile>,
        serve: impl Fn(TcpStream, &Mutex<Vec<Taken>>) + Clone + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let taken = Arc::<Mutex<Vec<Taken>>>::default();
        let to = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, to, serve) = (stream.unwrap(), Arc::clone(&to), serve.clone());
                thread::spawn(move || serve(stream, &to));
            }
        });
        Self { url, authority, taken }
    }

    /// Has a command tell it everything, as a collector and as Application Insights.
    pub(crate) fn told_by(&self, command: &mut Command) {
        let connection = format!("InstrumentationKey={KEY};IngestionEndpoint={}/", self.url);
        command
            .env("FEATURE_USE_TELEMETRY", "true")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &self.url)
            .env("APPLICATIONINSIGHTS_CONNECTION_STRING", connection);
    }

    /// Where it was sent something to since [`Sink::taken`] was called.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        self.taken.lock().unwrap().iter().map(|taken| taken.path.clone()).collect()
    }

    /// What it was sent since it was last asked.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        std::mem::take(&mut *self.taken.lock().unwrap())
    }
}

/// One request and its answer; `None` at the end.
fn take(from: &mut BufReader<impl Read + Write>, to: &Mutex<Vec<Taken>>) -> Option<()> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
        let is_last = line == "\r\n";
        head += &line;
        if is_last {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    if head.to_lowercase().contains("content-encoding: gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
        body = plain;
    }
    let path = head.split(' ').nth(1)?.to_owned();
    let text = head + &String::from_utf8_lossy(&body);
    to.lock().unwrap().push(Taken { path, text, bytes: body });
    from.get_mut().write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()
}

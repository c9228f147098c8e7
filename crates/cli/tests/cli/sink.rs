//! A place that telemetry is sent to: it takes everything, and keeps it.

use flate2::read::GzDecoder;
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

/// An instrumentation key.
pub(crate) const KEY: &str = "00000000-1111-4222-8333-444444444444";

/// A server that answers 200 to whatever it is sent. Its threads end with the test's process.
pub(crate) struct Sink {
    pub(crate) url: String,
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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::<Mutex<Vec<Taken>>>::default();
        let to = Arc::clone(&taken);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, to) = (stream.unwrap(), Arc::clone(&to));
                thread::spawn(move || while take(&stream, &to).is_some() {});
            }
        });
        Self { url, taken }
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
fn take(stream: &TcpStream, to: &Mutex<Vec<Taken>>) -> Option<()> {
    let mut from = BufReader::new(stream);
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
    let mut stream = stream;
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").ok()
}

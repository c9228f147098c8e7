//! Sending items: what is sent now, what is kept for the next time, what is dropped.
//!
//! Nothing here waits. Where ingestion asks for a pause, or fails, the export ends; what it could not send is kept, once and within
//! bounds, and goes with the next one.

use std::{
    collections::VecDeque,
    io::Write as _,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{
    Request,
    header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE},
};
use opentelemetry_http::HttpClient;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use tokio::time::Instant;
use url::Url;

use super::{
    Counts,
    answer::{self, Sent, Verdict},
};

/// The most items and bytes of one request.
const REQUEST: Size = Size { items: 1000, bytes: 2 << 20 };
/// The most items and bytes that are kept for the next export.
const KEPT: Size = Size { items: 2048, bytes: 4 << 20 };
/// Smaller bodies are not worth compressing: they fit into one packet.
const COMPRESSED_FROM: usize = 1024;

#[derive(Clone, Copy)]
struct Size {
    items: usize,
    bytes: usize,
}

/// An item on its way.
#[derive(Debug)]
struct Line {
    json: String,
    /// It was sent before, in vain: not a third time.
    again: bool,
}

/// The way to ingestion, for all exporters of a process.
#[derive(Debug)]
pub(super) struct Uploader {
    client: Arc<dyn HttpClient>,
    state: Mutex<State>,
    compresses: AtomicBool,
    accepted: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug)]
struct State {
    endpoint: Url,
    paused_until: Option<Instant>,
    kept: VecDeque<Line>,
    kept_bytes: usize,
}

/// What an export has in its hands. When it ends, by an answer or because its caller gives up, what has no answer is kept.
struct Flight<'u> {
    uploader: &'u Uploader,
    /// Sent, not answered.
    sent: Vec<Line>,
    /// Not sent yet.
    waiting: VecDeque<Line>,
}

/// Whether there is a point in sending what is still waiting.
enum Next {
    Go,
    Stop(&'static str),
}

impl Uploader {
    pub(super) fn new(client: Arc<dyn HttpClient>, endpoint: Url) -> Self {
        let state = State { endpoint, paused_until: None, kept: VecDeque::new(), kept_bytes: 0 };
        Self {
            client,
            state: Mutex::new(state),
            compresses: AtomicBool::new(true),
            accepted: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let kept = u64::try_from(self.state().kept.len()).unwrap_or(u64::MAX);
        Counts { accepted: self.accepted.load(Relaxed), dropped: self.dropped.load(Relaxed), kept }
    }

    pub(super) fn endpoint(&self) -> Url {
        self.state().endpoint.clone()
    }

    /// Counts what could not become an item.
    pub(super) fn drop_items(&self, items: u64) {
        self.dropped.fetch_add(items, Relaxed);
    }

    /// Sends what was kept and what is new, a request after the other, until one fails.
    pub(super) async fn send(&self, new: Vec<String>) -> OTelSdkResult {
        let Some(mut flight) = self.take_off(new) else {
            return Err(failed("ingestion asked for a pause: items are dropped until it is over"));
        };
        while flight.fill() {
            if let Next::Stop(why) = self.deliver(&mut flight).await {
                return Err(failed(why));
            }
        }
        Ok(())
    }

    /// `None` in a pause, in which what is new is dropped.
    fn take_off(&self, new: Vec<String>) -> Option<Flight<'_>> {
        let mut state = self.state();
        if state.paused_until.is_some_and(|until| Instant::now() < until) {
            self.drop_items(count(new.len()));
            return None;
        }
        let mut waiting = std::mem::take(&mut state.kept);
        state.kept_bytes = 0;
        waiting.extend(new.into_iter().map(|json| Line { json, again: false }));
        Some(Flight { uploader: self, sent: Vec::new(), waiting })
    }

    /// Sends one request's items: again at most once without compression, and once to another host.
    async fn deliver(&self, flight: &mut Flight<'_>) -> Next {
        let mut plain = !self.compresses.load(Relaxed);
        let mut redirected = false;
        loop {
            let endpoint = self.endpoint();
            let (body, compressed) = body(&flight.sent, plain);
            let Some(request) = request(&endpoint, body, compressed) else {
                self.refuse(flight);
                return Next::Go;
            };
            let Ok(answer) = self.client.send_bytes(request).await else {
                flight.keep(None);
                return Next::Stop("ingestion was not reached");
            };
            let sent = Sent { endpoint: &endpoint, items: flight.sent.len(), compressed };
            let verdict = answer::judge(&answer, sent, SystemTime::now());
            if plain && answer.status().is_success() && !compressed {
                // Whatever was not understood before, it was the compression.
                self.compresses.store(false, Relaxed);
            }
            match verdict {
                Verdict::Uncompressed { sure } => {
                    plain = true;
                    if sure {
                        self.compresses.store(false, Relaxed);
                    }
                }
                Verdict::Elsewhere(endpoint) if !redirected => {
                    redirected = true;
                    self.state().endpoint = endpoint;
                }
                verdict => return self.settle(flight, verdict),
            }
        }
    }

    fn settle(&self, flight: &mut Flight<'_>, verdict: Verdict) -> Next {
        match verdict {
            Verdict::Accepted => {
                self.accepted.fetch_add(count(flight.sent.len()), Relaxed);
                flight.sent.clear();
                Next::Go
            }
            Verdict::Partly { again, refused, pause } => {
                let all = std::mem::take(&mut flight.sent);
                self.accepted.fetch_add(count(all.len() - again.len() - refused), Relaxed);
                self.drop_items(count(refused));
                let again = |(at, line): (usize, Line)| again.binary_search(&at).is_ok().then_some(line);
                flight.sent = all.into_iter().enumerate().filter_map(again).collect();
                flight.keep(pause);
                if pause.is_some() { Next::Stop("ingestion asked for a pause") } else { Next::Go }
            }
            Verdict::Later { pause } => {
                flight.keep(pause);
                Next::Stop("ingestion is busy or away")
            }
            Verdict::Shut { pause } => {
                flight.sent.extend(flight.waiting.drain(..));
                self.refuse(flight);
                self.state().pause(pause);
                Next::Stop("ingestion takes nothing for this key now")
            }
            Verdict::Refused | Verdict::Uncompressed { .. } => {
                self.refuse(flight);
                Next::Go
            }
            Verdict::Elsewhere(_) => {
                flight.keep(None);
                Next::Stop("ingestion sends from host to host")
            }
        }
    }

    fn refuse(&self, flight: &mut Flight<'_>) {
        self.drop_items(count(flight.sent.len()));
        flight.sent.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Lengthens the pause, never shortens it.
    fn pause(&mut self, pause: Duration) {
        self.paused_until = self.paused_until.max(Some(Instant::now() + pause));
    }

    /// Keeps an item, if it was not in vain before and there is room.
    fn keep(&mut self, line: Line) -> bool {
        let bytes = self.kept_bytes + line.json.len();
        let fits = self.kept.len() < KEPT.items && bytes <= KEPT.bytes;
        if fits {
            self.kept_bytes = bytes;
            self.kept.push_back(line);
        }
        fits
    }
}

impl Flight<'_> {
    /// Takes the next request's items; whether there are any.
    fn fill(&mut self) -> bool {
        let mut bytes = 0;
        while let Some(next) = self.waiting.front() {
            bytes += next.json.len() + 1;
            let full = self.sent.len() >= REQUEST.items || bytes > REQUEST.bytes;
            if full && !self.sent.is_empty() {
                break;
            }
            self.sent.extend(self.waiting.pop_front());
        }
        !self.sent.is_empty()
    }

    /// What was sent was in vain: it is kept, but for what was in vain before.
    fn keep(&mut self, pause: Option<Duration>) {
        let mut state = self.uploader.state();
        if let Some(pause) = pause {
            state.pause(pause);
        }
        let mut dropped = 0;
        for line in self.sent.drain(..) {
            let kept = !line.again && state.keep(Line { again: true, ..line });
            dropped += u64::from(!kept);
        }
        drop(state);
        self.uploader.drop_items(dropped);
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.keep(None);
        let mut state = self.uploader.state();
        let mut dropped = 0;
        for line in self.waiting.drain(..) {
            dropped += u64::from(!state.keep(line));
        }
        drop(state);
        self.uploader.drop_items(dropped);
    }
}

/// The body of a request, and whether it is compressed: a line of JSON for each item, as Microsoft's SDK for Node.js sends it. Unlike in an
/// array one bad item cannot make the others unreadable.
fn body(lines: &[Line], plain: bool) -> (Bytes, bool) {
    let mut text = String::with_capacity(lines.iter().map(|line| line.json.len() + 1).sum());
    for line in lines {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&line.json);
    }
    let compress = || {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish())
    };
    // Writing to memory fails never; if it did, the text would do.
    if !plain
        && text.len() >= COMPRESSED_FROM
        && let Ok(compressed) = compress()
    {
        return (compressed.into(), true);
    }
    (text.into(), false)
}

fn request(endpoint: &Url, body: Bytes, compressed: bool) -> Option<Request<Bytes>> {
    let base = endpoint.as_str().trim_end_matches('/');
    let mut request = Request::post(format!("{base}/v2.1/track"))
        .header(CONTENT_TYPE, "application/x-json-stream")
        .header(ACCEPT, "application/json");
    if compressed {
        request = request.header(CONTENT_ENCODING, "gzip");
    }
    request.body(body).ok()
}

fn failed(why: &str) -> OTelSdkError {
    OTelSdkError::InternalFailure(why.to_owned())
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

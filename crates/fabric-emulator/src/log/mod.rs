//! The request log: what arrived, in order, and what it was answered.

mod har;
mod redact;

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use serde::Serialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::wire::{Api, Incoming};

/// One request as it arrived, with the status it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoggedRequest {
    /// When it arrived, by the emulator's clock, as RFC 3339 writes it.
    pub time: String,
    /// HTTP method.
    pub method: String,
    /// Path and query as sent.
    pub path: String,
    /// Status of the answer; `None` while there is none yet, and for ever when the connection was reset.
    pub status: Option<u16>,
    /// The body as sent, without secrets: `[REDACTED]` stands for those of the token endpoint, of connections and of
    /// vaults.
    pub body: String,
    /// Of a request about one secret of a vault which one: `vault/secret`, in lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Object id of the principal whose token came with the request.
    pub principal: Option<String>,
    /// The faults that hit the request, in their one-line syntax and separated by `; `.
    pub fault: Option<String>,
}

/// A request with all that is known of it.
struct Exchange {
    api: Api,
    request: LoggedRequest,
    /// Address under which the client asked.
    url: String,
    headers: Vec<(String, String)>,
    arrived: Instant,
    answer: Option<Answered>,
}

struct Answered {
    headers: Vec<(String, String)>,
    body: String,
    took: Duration,
}

pub(crate) struct Log {
    entries: Mutex<Entries>,
    /// Bytes that are kept, about.
    capacity: usize,
}

#[derive(Default)]
struct Entries {
    /// Number of the first exchange that is kept.
    first: u64,
    kept: VecDeque<Exchange>,
    /// Bytes that the kept exchanges take, about.
    size: usize,
    /// Where exchanges are written, as JSON lines, when they are over.
    sink: Option<Box<dyn Write + Send>>,
}

impl Log {
    /// Keeps that many bytes of the latest exchanges.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: Mutex::default(), capacity }
    }

    /// Enters a request and returns its number, for [`Log::over`].
    pub(crate) fn arrived(
        &self,
        request: &Incoming,
        principal: Option<String>,
        secret: Option<String>,
        now: OffsetDateTime,
    ) -> u64 {
        let mut log = self.entries();
        let exchange = Exchange {
            api: request.api,
            request: LoggedRequest {
                time: now.format(&Rfc3339).unwrap_or_default(),
                method: request.method.clone(),
                path: request.target.clone(),
                status: None,
                body: redact::request_body(request),
                secret,
                principal,
                fault: None,
            },
            url: request.absolute(&request.target),
            headers: redact::headers(&request.headers),
            arrived: Instant::now(),
            answer: None,
        };
        let number = log.first + log.kept.len() as u64;
        log.size += exchange.size();
        log.kept.push_back(exchange);
        log.shrink(self.capacity);
        number
    }

    /// Faults hit the request.
    pub(crate) fn hit(&self, number: u64, fault: Option<String>) {
        if let Some(exchange) = self.entries().exchange(number) {
            exchange.request.fault = fault;
        }
    }

    /// The request is over: answered, or given up without an answer.
    pub(crate) fn over(&self, number: u64, answer: Option<&Response<Bytes>>) {
        let mut log = self.entries();
        let Some(exchange) = log.exchange(number) else { return };
        let before = exchange.size();
        if let Some(answer) = answer {
            exchange.request.status = Some(answer.status().as_u16());
            exchange.answer = Some(Answered {
                headers: redact::headers(answer.headers()),
                body: redact::answer_body(exchange.api, answer.body()),
                took: exchange.arrived.elapsed(),
            });
        }
        let (request, grown) = (exchange.request.clone(), exchange.size() - before);
        log.size += grown;
        log.shrink(self.capacity);
        if let Some(out) = &mut log.sink
            && let Err(error) = write_line(out, &request)
        {
            tracing::error!(%error, "the request log cannot be written any more");
            log.sink = None;
        }
    }

    pub(crate) fn write_to(&self, sink: Box<dyn Write + Send>) {
        self.entries().sink = Some(sink);
    }

    pub(crate) fn all(&self) -> Vec<LoggedRequest> {
        self.entries().kept.iter().map(|exchange| exchange.request.clone()).collect()
    }

    /// The exchanges as an HTTP archive.
    pub(crate) fn archive(&self) -> Value {
        har::archive(self.entries().kept.iter())
    }

    pub(crate) fn clear(&self) {
        let mut log = self.entries();
        log.shrink(0);
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// What it takes in memory, about.
    fn size(&self) -> usize {
        let headers = |headers: &[(String, String)]| -> usize {
            headers.iter().map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len()).sum()
        };
        let answer = self.answer.as_ref();
        size_of::<Self>()
            + 2 * self.request.path.len()
            + self.request.body.len()
            + headers(&self.headers)
            + answer.map_or(0, |answer| answer.body.len() + headers(&answer.headers))
    }
}

impl Entries {
    /// Forgets the oldest, until the others take no more than `capacity` bytes.
    fn shrink(&mut self, capacity: usize) {
        while self.size > capacity
            && let Some(oldest) = self.kept.pop_front()
        {
            self.size -= oldest.size();
            self.first += 1;
        }
    }

    /// It may be gone: the log can be cleared while a request is under way.
    fn exchange(&mut self, number: u64) -> Option<&mut Exchange> {
        let at = number.checked_sub(self.first).and_then(|at| usize::try_from(at).ok())?;
        self.kept.get_mut(at)
    }
}

/// One line in one write: whoever reads the file meanwhile sees whole lines.
fn write_line(out: &mut dyn Write, request: &LoggedRequest) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    out.write_all(&line)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_latest() {
        let request = |path: &str| Incoming::new(http::Request::get(path).body(Bytes::new()).unwrap());
        let now = OffsetDateTime::UNIX_EPOCH;
        let log = Log::new(usize::MAX);
        log.over(log.arrived(&request("/0"), None, None, now), None);
        // Room for two without an answer, or one with.
        let log = Log::new(2 * log.entries().size);
        let answer = Response::builder().status(204).body(Bytes::new()).unwrap();
        let first = log.arrived(&request("/1"), None, None, now);
        let second = log.arrived(&request("/2"), None, None, now);
        let third = log.arrived(&request("/3"), None, None, now);
        // The first is not there any more; that is no reason to mix it up with another.
        [first, third].into_iter().for_each(|number| log.over(number, Some(&answer)));
        log.over(second, None);
        let shown: Vec<_> = log.all().into_iter().map(|request| (request.path, request.status)).collect();
        assert_eq!(shown, [("/2".to_owned(), None), ("/3".to_owned(), Some(204))]);
        log.clear();
        log.over(third, None);
        let fourth = log.arrived(&request("/4"), None, None, now);
        log.over(fourth, Some(&answer));
        assert_eq!(log.all()[0].status, Some(204));
    }
}

//! Sending items: what is sent now, what is kept for the next time, what is dropped.
//!
//! Nothing here waits. Where ingestion asks for a pause, or fails, the export ends; what it could not send is kept, once and within
//! bounds, and goes with the next one.

mod flight;
pub(super) mod request;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use opentelemetry_http::HttpClient;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use url::Url;

use super::{
    Counts,
    answer::{self, Sent, Verdict},
};
use flight::{Flight, State};

/// The way to ingestion, for all exporters of a process.
pub(super) struct Uploader {
    client: Arc<dyn HttpClient>,
    /// The configured endpoint.
    home: Url,
    /// Held for moments only, never while something is sent.
    state: Mutex<State>,
    compresses: AtomicBool,
    accepted: AtomicU64,
    dropped: AtomicU64,
}

/// Whether there is a point in sending what is still waiting.
enum Next {
    Go,
    /// What was sent is lost, and why is its own matter.
    GoWithout,
    Stop(&'static str),
}

impl Uploader {
    pub(super) fn new(client: Arc<dyn HttpClient>, endpoint: Url) -> Self {
        Self {
            client,
            home: endpoint.clone(),
            state: Mutex::new(State::new(endpoint)),
            compresses: AtomicBool::new(true),
            accepted: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let kept = count(self.state().kept());
        Counts { accepted: self.accepted.load(Relaxed), dropped: self.dropped.load(Relaxed), kept }
    }

    pub(super) fn endpoint(&self) -> Url {
        self.state().endpoint.clone()
    }

    /// Counts what is lost.
    pub(super) fn drop_items(&self, items: usize) {
        self.dropped.fetch_add(count(items), Relaxed);
    }

    /// Sends what was kept and what is new, a request after the other, until one fails.
    pub(super) async fn send(&self, new: Vec<String>) -> OTelSdkResult {
        let mut flight = match self.take_off(new) {
            Ok(flight) => flight,
            Err(0) => return Ok(()),
            Err(lost) => {
                self.drop_items(lost);
                return Err(failed("ingestion asked for a pause: what comes until it is over is dropped"));
            }
        };
        let mut lost = false;
        while flight.fill() {
            match self.deliver(&mut flight).await {
                Next::Go => {}
                Next::GoWithout => lost = true,
                Next::Stop(why) => return Err(failed(why)),
            }
        }
        if lost { Err(failed("ingestion refused what was sent")) } else { Ok(()) }
    }

    /// In a pause what is new is lost: so many.
    fn take_off(&self, new: Vec<String>) -> Result<Flight<'_>, usize> {
        let mut state = self.state();
        if state.is_paused() {
            return Err(new.len());
        }
        let waiting = state.take(new);
        drop(state);
        Ok(Flight::new(self, waiting))
    }

    /// Sends one request's items: again at most once without compression, and once to another host.
    async fn deliver(&self, flight: &mut Flight<'_>) -> Next {
        let mut plain = !self.compresses.load(Relaxed);
        let (mut blamed, mut redirected) = (false, false);
        loop {
            let endpoint = self.endpoint();
            let lines: Vec<_> = flight.sent.iter().map(|line| line.json.as_str()).collect();
            let (body, compressed) = request::body(&lines, plain);
            let sent = Sent { endpoint: &endpoint, items: lines.len(), compressed };
            let Some(request) = request::request(&endpoint, body, compressed) else {
                flight.lose();
                return Next::GoWithout;
            };
            let Ok(answer) = self.client.send_bytes(request).await else {
                // Where a redirect led may be away for good.
                self.state().endpoint = self.home.clone();
                flight.keep(None);
                return Next::Stop("ingestion was not reached");
            };
            if blamed && answer.status().is_success() {
                // Without it the same items are taken: compression was the reason.
                self.compresses.store(false, Relaxed);
            }
            match answer::judge(&answer, sent, SystemTime::now()) {
                Verdict::Uncompressed { sure } => {
                    (plain, blamed) = (true, true);
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
                self.drop_items(refused);
                let all = all.into_iter().enumerate();
                flight.sent = all.filter(|(at, _)| again.contains(at)).map(|(_, line)| line).collect();
                flight.keep(pause);
                match pause {
                    Some(_) => Next::Stop("ingestion asked for a pause"),
                    None if refused > 0 => Next::GoWithout,
                    None => Next::Go,
                }
            }
            Verdict::Later { pause } => {
                flight.keep(pause);
                Next::Stop("ingestion is busy or away")
            }
            Verdict::Shut { pause } => {
                flight.sent.extend(flight.waiting.drain(..));
                flight.lose();
                self.state().pause(pause);
                Next::Stop("ingestion takes nothing for this key now")
            }
            Verdict::Elsewhere(_) => {
                flight.keep(None);
                Next::Stop("ingestion sends from host to host")
            }
            Verdict::Refused | Verdict::Uncompressed { .. } => {
                flight.lose();
                Next::GoWithout
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(why: &str) -> OTelSdkError {
    OTelSdkError::InternalFailure(why.to_owned())
}

fn count(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}

//! A witness between the gate and the transport: does an attempt begin while everybody was told to wait?

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::{Duration, Instant},
};

use http::{StatusCode, header::RETRY_AFTER};
use selvedge_fabric_client::{Request, Response, transport::HttpTransport};
use tower::{BoxError, Service};

/// The transport, watched.
#[derive(Clone)]
pub(super) struct Probe {
    inner: HttpTransport,
    seen: Arc<Mutex<Seen>>,
}

/// What the witness saw.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Attempts in all.
    pub(super) attempts: u64,
    /// Attempts that began between the receipt of a 429 and the end of the time it named.
    pub(super) early: u64,
    /// The latest moment that a 429 named.
    paused_until: Option<Instant>,
}

impl Probe {
    pub(super) fn new(inner: HttpTransport) -> Self {
        Self { inner, seen: Arc::default() }
    }

    /// What was seen so far.
    pub(super) fn seen(&self) -> Seen {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn begun(&mut self, now: Instant) {
        self.attempts += 1;
        self.early += u64::from(self.paused_until.is_some_and(|until| now < until));
    }

    fn throttled(&mut self, now: Instant, seconds: u64) {
        self.paused_until = self.paused_until.max(Some(now + Duration::from_secs(seconds)));
    }
}

impl Service<Request> for Probe {
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let probe = self.clone();
        let answer = self.inner.call(request);
        Box::pin(async move {
            // Here and not before: the attempt begins when it is polled first.
            probe.lock().begun(Instant::now());
            let response = answer.await?;
            if response.status() == StatusCode::TOO_MANY_REQUESTS {
                let said = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
                let seconds = said.and_then(|value| value.parse().ok()).unwrap_or(0);
                probe.lock().throttled(Instant::now(), seconds);
            }
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_within_the_longest_pause_is_early() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let mut seen = Seen::default();
        seen.begun(start);
        seen.throttled(start, 3);
        seen.throttled(start + second, 1);
        seen.begun(start + second * 5 / 2);
        seen.begun(start + second * 3);
        assert_eq!((seen.attempts, seen.early), (3, 1));
    }
}

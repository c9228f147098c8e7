//! The server: answers a small JSON after a while, and 429 beyond its allowance.

mod allowance;

pub(crate) use allowance::Allowance;

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use allowance::Meter;
use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
};

/// What every request is answered with.
const ANSWER: &str = r#"{"value":[{"id":"6f0c1c5e-3f1b-4f0e-9a5c-2b8d7e4a1f60","displayName":"sales-dev","description":"","type":"Workspace","capacityId":"0d7e2f1a-8c3b-4d5e-9f60-1a2b3c4d5e6f"}]}"#;

/// The header by which the attempts of one call are known.
pub(crate) const CALL_ID: &str = "x-call-id";

/// Where a [`Tally`] is had. It takes nothing of the allowance.
pub(crate) const TALLY: &str = "/tally";

/// How the server is to be.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long every request takes, in milliseconds.
    #[arg(long, default_value_t = 0)]
    delay_ms: u64,
    /// `bucket:RATE:BURST` or `window:CALLS:SECONDS`; without, everything is taken.
    #[arg(long)]
    allowance: Option<Allowance>,
    /// The status of every answer.
    #[arg(long, default_value_t = 200)]
    status: u16,
}

/// What the server saw.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Requests taken.
    pub(crate) taken: u64,
    /// Requests answered 429.
    pub(crate) throttled: u64,
    /// Requests of a call that had been told to come later.
    pub(crate) early: u64,
}

struct Server {
    delay: Duration,
    status: StatusCode,
    started: Instant,
    /// One lock for all: an arrival is judged as a whole.
    state: Mutex<State>,
}

struct State {
    meter: Option<Meter>,
    /// Before when each throttled call must not come again.
    not_before: HashMap<String, Duration>,
    tally: Tally,
}

/// Serves on a free port of this machine, which it prints, until the standard input ends.
pub(crate) async fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("listen")?;
    println!("http://{}", listener.local_addr().context("listen")?);
    let state = State {
        meter: arguments.allowance.map(Meter::new),
        not_before: HashMap::new(),
        tally: Tally::default(),
    };
    let server = Arc::new(Server {
        delay: Duration::from_millis(arguments.delay_ms),
        status: StatusCode::from_u16(arguments.status).context("read the status")?,
        started: Instant::now(),
        state: Mutex::new(state),
    });
    let accept = async {
        loop {
            let (stream, _) = listener.accept().await.context("accept a connection")?;
            stream.set_nodelay(true).context("accept a connection")?;
            tokio::spawn(connection(Arc::clone(&server), stream));
        }
    };
    let mut end = tokio::io::stdin();
    tokio::select! {
        failed = accept => failed,
        ended = end.read_u8() => {
            drop(ended);
            Ok(())
        }
    }
}

async fn connection(server: Arc<Server>, stream: TcpStream) {
    let service = hyper::service::service_fn(|request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.answer(&request).await) }
    });
    let served = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // A client that hangs up has its answers already.
    drop(served.await);
}

impl Server {
    async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() == TALLY {
            let tally = self.state.lock().unwrap_or_else(PoisonError::into_inner).tally;
            return response(StatusCode::OK, serde_json::to_vec(&tally).unwrap_or_default().into());
        }
        let call = request.headers().get(CALL_ID).and_then(|id| id.to_str().ok());
        let taken = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.arrival(call, self.started.elapsed())
        };
        if let Err(seconds) = taken {
            let mut response = response(StatusCode::TOO_MANY_REQUESTS, Bytes::new());
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            return response;
        }
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        response(self.status, Bytes::from_static(ANSWER.as_bytes()))
    }
}

impl State {
    /// Takes a request, or tells for how many seconds to stay away.
    fn arrival(&mut self, call: Option<&str>, now: Duration) -> Result<(), u64> {
        let Some(meter) = &mut self.meter else {
            return Ok(());
        };
        if call.and_then(|call| self.not_before.remove(call)).is_some_and(|not_before| now < not_before) {
            self.tally.early += 1;
        }
        let Err(wait) = meter.take(now) else {
            self.tally.taken += 1;
            return Ok(());
        };
        // A header of whole seconds: what is left of one counts as a whole one.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        self.tally.throttled += 1;
        if let Some(call) = call {
            self.not_before.insert(call.to_owned(), now + Duration::from_secs(seconds));
        }
        Err(seconds)
    }
}

fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let json = header::HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_comes_before_its_time_is_counted() {
        let second = Duration::from_secs(1);
        let meter = Meter::new(Allowance::Window { calls: 1.0, length: second * 10 });
        let mut state = State { meter: Some(meter), not_before: HashMap::new(), tally: Tally::default() };
        assert_eq!(state.arrival(Some("a"), second), Ok(()));
        assert_eq!(state.arrival(Some("b"), second * 3 + second / 2), Err(8));
        assert_eq!(state.arrival(Some("c"), second * 4), Err(7));
        assert_eq!(state.tally.early, 0);
        assert_eq!(state.arrival(Some("b"), second * 11), Ok(()), "taken, and nevertheless early");
        assert_eq!(state.arrival(Some("c"), second * 11), Err(10));
        let Tally { taken, throttled, early } = state.tally;
        assert_eq!((taken, throttled, early), (2, 3, 1));
    }
}

//! Over a real socket: what the stack sends is what arrives.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use selvedge::stack::stacks;
use selvedge_fabric_client::transport::{HttpTransport, TransportConfig};
use selvedge_fabric_client::{BoxService, Operation, Quota, Request, Response};
use selvedge_resilience::retry::{Retried, RetryConfig};
use selvedge_resilience::{Effect, find_cause};
use tower::{BoxError, Service as _, ServiceExt as _, service_fn};

use super::world::shipped;

/// How a server ends the connection after the request that it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Not at all: it answers and keeps the connection.
    Kept,
    /// After the answer, so that it is dead in the client's pool.
    Closed,
    /// Without an answer.
    Reset,
}

/// A server on this machine that counts the requests that arrive, and ends the n-th as `script` says, over and over.
struct Server {
    url: String,
    arrived: Arc<AtomicUsize>,
}

impl Server {
    fn start(script: &'static [End]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/workspaces", listener.local_addr().unwrap());
        let arrived = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&arrived);
        // They end with the process of the test, at the latest.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let count = Arc::clone(&count);
                thread::spawn(move || serve(stream.unwrap(), script, &count));
            }
        });
        Self { url, arrived }
    }

    fn arrived(&self) -> usize {
        self.arrived.load(Relaxed)
    }
}

fn serve(mut stream: TcpStream, script: &[End], count: &AtomicUsize) {
    let mut head = Vec::new();
    let mut byte = [0];
    while let Ok(1) = stream.read(&mut byte) {
        head.push(byte[0]);
        if !head.ends_with(b"\r\n\r\n") {
            continue;
        }
        head.clear();
        let end = script[count.fetch_add(1, Relaxed) % script.len()];
        if end == End::Reset {
            return;
        }
        if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").is_err() || end == End::Closed
        {
            return;
        }
    }
}

/// The stack over the real transport, and how often it was asked to send.
pub(crate) fn service(config: &TransportConfig, retry: bool) -> (BoxService, Arc<AtomicUsize>) {
    let sent = Arc::new(AtomicUsize::new(0));
    let mut transport = HttpTransport::new(config).unwrap();
    let count = Arc::clone(&sent);
    let counted = service_fn(move |request: Request| {
        count.fetch_add(1, Relaxed);
        transport.call(request)
    });
    let mut config = shipped(false, false);
    let delay = Duration::from_millis(1);
    config.retry = retry.then(|| RetryConfig { base_delay: delay, max_delay: delay, ..RetryConfig::guide() });
    (stacks("fabric", &config, None, counted).unwrap().forward, sent)
}

pub(crate) async fn get(service: &BoxService, url: &str) -> Result<Response, BoxError> {
    let mut request = http::Request::get(url).body(Bytes::new())?;
    let read = Operation { name: "read", effect: Effect::Read, quota: Quota::default() };
    request.extensions_mut().insert(read);
    service.clone().oneshot(request).await
}

/// As often as the error says, the request was tried.
pub(crate) fn attempts(error: &BoxError) -> usize {
    find_cause::<Retried>(&**error).map_or(1, |retried| retried.attempts().count as usize)
}

#[tokio::test]
async fn pitfall_2_a_pooled_connection_that_is_reset_hides_no_retry() {
    // A connection that has proved itself, and then a reset on it: hyper and reqwest would send again by themselves.
    let server = Server::start(&[End::Kept, End::Reset]);
    let (service, sent) = service(&TransportConfig::default(), false);
    for round in 1..=20 {
        get(&service, &server.url).await.unwrap();
        get(&service, &server.url).await.unwrap_err();
        assert_eq!((sent.load(Relaxed), server.arrived()), (2 * round, 2 * round));
    }
    let (service, sent) = self::service(&TransportConfig::default(), true);
    for round in 1..=20 {
        // The second is reset, and its second attempt is the third to arrive.
        let server = Server::start(&[End::Kept, End::Reset, End::Kept]);
        for _ in 0..2 {
            get(&service, &server.url).await.unwrap();
        }
        assert_eq!((sent.load(Relaxed), server.arrived()), (3 * round, 3));
    }
}

#[tokio::test]
async fn pitfall_2_resets_arrive_as_often_as_the_error_says() {
    let server = Server::start(&[End::Reset]);
    for (retry, expected) in [(false, 1), (true, 3)] {
        let before = server.arrived();
        let (service, sent) = service(&TransportConfig::default(), retry);
        let error = get(&service, &server.url).await.unwrap_err();
        assert_eq!(
            (attempts(&error), sent.load(Relaxed), server.arrived() - before),
            (expected, expected, expected)
        );
    }
}

/// The server closes after each answer: a request may meet a connection that is about to end. It may fail then, or go
/// out on a new one, but never arrives twice.
#[tokio::test]
async fn pitfall_2_a_connection_that_died_in_the_pool_sends_nothing_twice() {
    let server = Server::start(&[End::Closed]);
    let (service, sent) = service(&TransportConfig::default(), false);
    let mut answered = 0;
    for _ in 0..200 {
        answered += usize::from(get(&service, &server.url).await.is_ok());
    }
    let (sent, arrived) = (sent.load(Relaxed), server.arrived());
    assert_eq!(sent, 200);
    assert!(answered > 0 && answered <= arrived && arrived <= sent, "{answered} {arrived} {sent}");
}

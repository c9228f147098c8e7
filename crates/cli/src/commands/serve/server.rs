//! A small HTTP/1.1 server for small answers, that nobody can occupy.
//!
//! A connection carries one request, whose head has to come soon and be short, and whose body is not read. There is a most of connections;
//! where it is reached, the one goes that has kept us waiting longest for its request. So whoever opens connections and says nothing only
//! drives out his own.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

/// So long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// So long a connection may last, with an answer that is read slowly.
const WHOLE: Duration = Duration::from_secs(10);
/// So long, and so many bytes, are read of what a client still sends after its answer: closing earlier would take the answer from it.
const LINGER: Duration = Duration::from_millis(500);
const LINGER_BYTES: u64 = 256 << 10;
/// The most bytes of a head.
const HEAD_BYTES: usize = 16 << 10;
/// The most headers.
const HEADERS: usize = 64;
/// The most connections at once.
const CONNECTIONS: usize = 256;
/// So long open requests may take to end when the server stops.
const END: Duration = Duration::from_secs(3);
/// A listener that fails so often in a row will not recover: the pauses between make ten seconds.
const FAILURES: u32 = 1_000;
const PAUSE: Duration = Duration::from_millis(10);

/// What answers.
pub(super) type Answer = Response<Full<Bytes>>;

/// A connection.
struct Open {
    /// Whether its request is here.
    is_asked: Arc<AtomicBool>,
    task: AbortHandle,
}

/// Answers with `handler` until `shutdown` is ready, and then lets open requests end.
///
/// # Errors
///
/// When the listener fails again and again; the failure of one connection ends that connection only.
pub(super) async fn serve<H, F>(
    listener: TcpListener,
    handler: H,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()>
where
    H: Fn(Parts) -> F + Clone + Send + Sync + Unpin + 'static,
    F: Future<Output = Answer> + Send + 'static,
{
    let stop = watch::Sender::new(false);
    let mut tasks = JoinSet::new();
    let mut open = VecDeque::<Open>::new();
    let mut failures = 0;
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    failures = 0;
                    if !make_room(&mut open) {
                        continue;
                    }
                    let is_asked = Arc::new(AtomicBool::new(false));
                    let task = tasks.spawn(connection(stream, handler.clone(), Arc::clone(&is_asked), stop.subscribe()));
                    open.push_back(Open { is_asked, task });
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) if failures >= FAILURES => return Err(error),
                // Most likely there is no file descriptor left, until a connection ends.
                Err(error) => {
                    failures += 1;
                    tracing::debug!(%error, "a connection cannot be accepted");
                    drop_silent(&mut open);
                    sleep(PAUSE).await;
                }
            },
            Some(_) = tasks.join_next() => {}
        }
    }
    drop(listener);
    stop.send_replace(true);
    if timeout(END, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
        tracing::debug!(connections = tasks.len(), "connections are cut off: they did not end in time");
    }
    Ok(())
}

/// Whether one more may come.
fn make_room(open: &mut VecDeque<Open>) -> bool {
    if open.len() >= CONNECTIONS {
        open.retain(|open| !open.task.is_finished());
    }
    open.len() < CONNECTIONS || drop_silent(open)
}

/// Ends the connection that has been silent longest, where one is.
fn drop_silent(open: &mut VecDeque<Open>) -> bool {
    let is_silent = |open: &Open| !open.task.is_finished() && !open.is_asked.load(Ordering::Relaxed);
    let silent = open.iter().position(is_silent).and_then(|at| open.remove(at));
    silent.inspect(|open| open.task.abort()).is_some()
}

/// One request, at most.
async fn connection<H, F>(
    stream: TcpStream,
    handler: H,
    is_asked: Arc<AtomicBool>,
    mut stop: watch::Receiver<bool>,
) where
    H: Fn(Parts) -> F + Unpin,
    F: Future<Output = Answer>,
{
    let asked = Arc::clone(&is_asked);
    let service = service_fn(move |request: Request<Incoming>| {
        asked.store(true, Ordering::Relaxed);
        let answer = handler(request.into_parts().0);
        Box::pin(async move { Ok::<_, Infallible>(answer.await) })
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    let ended = timeout(WHOLE, async {
        tokio::select! {
            ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
            _ = stop.changed() => {
                Pin::new(&mut connection).graceful_shutdown();
                poll_fn(|cx| connection.poll_without_shutdown(cx)).await
            }
        }
    })
    .await;
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "connection ended"),
        Err(_) => return,
    }
    // It is answered: what lingers makes room before what waits for an answer.
    is_asked.store(false, Ordering::Relaxed);
    linger(connection.into_parts().io.into_inner()).await;
}

/// Closes our side, and waits a little for the other: closing with something unread would reset the connection, and the answer with it.
async fn linger(mut stream: TcpStream) {
    let drained = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut (&mut stream).take(LINGER_BYTES), &mut tokio::io::sink()).await
    };
    // However it ends, the connection is over.
    drop(timeout(LINGER, drained).await);
}

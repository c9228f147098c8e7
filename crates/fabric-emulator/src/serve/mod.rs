//! The emulator over HTTP/1.1 on TCP listeners, in the clear or with TLS.

mod connection;

use std::future::Future;
use std::io;
use std::pin::pin;
use std::time::Duration;

use http::uri::Scheme;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::emulator::Emulator;

/// Changes once, when a server is to end.
type Stop = watch::Receiver<bool>;

impl Emulator {
    /// Serves http until `shutdown` is ready, then releases all holds and gives open requests ten seconds to end.
    /// Connections are kept alive. An injected reset closes the TCP connection with a reset, without an answer.
    ///
    /// Clones of one emulator can serve several listeners at once.
    ///
    /// # Errors
    /// When the listener fails again and again; the failure of one connection ends that connection only.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        accept(&self, listener, shutdown, |stream, stop| {
            connection::serve(stream, self.service(), Scheme::HTTP, stop)
        })
        .await
    }

    /// The same over https. A handshake that is under way when `shutdown` is ready is dropped: it carries no request yet.
    ///
    /// # Errors
    /// As [`Emulator::serve`].
    #[cfg(feature = "tls")]
    pub async fn serve_tls(
        self,
        listener: TcpListener,
        identity: crate::tls::ServerIdentity,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        accept(&self, listener, shutdown, |stream, mut stop| {
            let handshake = timeout(PATIENCE, identity.acceptor().accept(stream));
            let service = self.service();
            async move {
                let shaken = tokio::select! {
                    shaken = handshake => shaken,
                    _ = stop.changed() => return,
                };
                match shaken {
                    Ok(Ok(stream)) => connection::serve(stream, service, Scheme::HTTPS, stop).await,
                    Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
                    Err(_) => tracing::debug!("no TLS handshake in time"),
                }
            }
        })
        .await
    }
}

/// How long a peer may take for a handshake or a body, and open requests for their end when the server stops.
const PATIENCE: Duration = Duration::from_secs(10);
/// A listener that fails so often in a row will not recover: the pauses between make ten seconds.
const FAILURES: u32 = 100;

/// Gives each connection to `serve` until `shutdown` is ready, then lets those that are left come to their end.
async fn accept<F>(
    emulator: &Emulator,
    listener: TcpListener,
    shutdown: impl Future<Output = ()>,
    serve: impl Fn(TcpStream, Stop) -> F,
) -> io::Result<()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let stop = watch::Sender::new(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    let mut failures = 0;
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => {
                match accepted {
                    Ok((stream, _)) => {
                        failures = 0;
                        connections.spawn(serve(stream, stop.subscribe()));
                    }
                    // The peer was gone before it was accepted; the listener is fine.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) if failures >= FAILURES => return Err(error),
                    // Most likely there is no file descriptor left, until a connection ends.
                    Err(error) => {
                        failures += 1;
                        tracing::warn!(%error, "a connection cannot be accepted");
                        sleep(PATIENCE / FAILURES).await;
                    }
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stop.send_replace(true);
    // Nobody can come and release them any more.
    emulator.shared.holds.clear();
    let ended = timeout(PATIENCE, async { while connections.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!(connections = connections.len(), "connections are cut off: they did not end in time");
    }
    Ok(())
}

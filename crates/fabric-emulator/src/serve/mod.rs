//! The emulator over HTTP/1.1 on TCP listeners, in the clear or with TLS.

mod connection;

use std::future::Future;
use std::io;
use std::pin::pin;

use http::uri::Scheme;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::emulator::Emulator;

/// Changes once, when a server is to end.
type Stop = watch::Receiver<bool>;

impl Emulator {
    /// Serves http until `shutdown` is ready, then lets open requests end. Connections are kept alive. An injected
    /// reset closes the TCP connection with a reset, without an answer.
    ///
    /// Clones of one emulator can serve several listeners at once.
    ///
    /// # Errors
    /// When the listener fails; the failure of one connection ends that connection only.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        accept(listener, shutdown, |stream, stop| {
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
        accept(listener, shutdown, |stream, mut stop| {
            let (handshake, service) = (identity.acceptor().accept(stream), self.service());
            async move {
                let shaken = tokio::select! {
                    shaken = handshake => shaken,
                    _ = stop.changed() => return,
                };
                match shaken {
                    Ok(stream) => connection::serve(stream, service, Scheme::HTTPS, stop).await,
                    Err(error) => tracing::debug!(%error, "no TLS handshake"),
                }
            }
        })
        .await
    }
}

/// Gives each connection to `serve` until `shutdown` is ready, then waits for those that are left.
async fn accept<F>(
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
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => {
                match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(serve(stream, stop.subscribe()));
                    }
                    // The peer was gone before it was accepted; the listener is fine.
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => return Err(error),
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    stop.send_replace(true);
    while connections.join_next().await.is_some() {}
    Ok(())
}

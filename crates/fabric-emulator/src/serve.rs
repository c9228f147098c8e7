//! The emulator over HTTP/1.1 on a TCP listener.

use std::error::Error as _;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming as IncomingBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::emulator::Emulator;
use crate::service::{BoxError, EmulatorService};
use crate::wire_fault::{Disruption, End};

/// Largest request body: the service takes uploads of 100 MB.
const MAX_BODY: usize = 128 << 20;

impl Emulator {
    /// Serves until `shutdown` is ready, then lets open requests end. Connections are kept alive. An injected reset
    /// closes the TCP connection with a reset, without an answer.
    ///
    /// # Errors
    /// When the listener fails; the failure of one connection ends that connection only.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let stop = watch::Sender::new(false);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                accepted = listener.accept() => {
                    match accepted {
                        Ok((stream, _)) => {
                            connections.spawn(connection(stream, self.service(), stop.subscribe()));
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
}

async fn connection(stream: TcpStream, service: EmulatorService, mut stop: watch::Receiver<bool>) {
    let service = service_fn(move |request| Box::pin(exchange(service.clone(), request)));
    let mut connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        _ = stop.changed() => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    let mut stream = connection.into_parts().io.into_inner();
    let end = match &ended {
        Ok(()) => End::Close,
        Err(error) => match error.source().and_then(|source| source.downcast_ref::<Disruption>()) {
            Some(disruption) => {
                let stopped = async { drop(stop.wait_for(|stop| *stop).await) };
                disruption.play(&mut stream, stopped).await.unwrap_or(End::Reset)
            }
            None => {
                tracing::debug!(%error, "connection ended");
                End::Reset
            }
        },
    };
    if end == End::Reset {
        // Zero linger makes the close below a reset, which is what a client sees when a server or a proxy dies.
        if let Err(error) = stream.set_zero_linger() {
            tracing::debug!(%error, "connection cannot be reset");
        }
    }
    drop(stream);
}

/// One exchange. An error here makes hyper give the connection up without an answer.
async fn exchange(
    service: EmulatorService,
    request: Request<IncomingBody>,
) -> Result<Response<Full<Bytes>>, BoxError> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, MAX_BODY).collect().await else {
        let mut refused = Response::new(Full::default());
        *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(refused);
    };
    let response = service.exchange(Request::from_parts(parts, body.to_bytes())).await??;
    Ok(response.map(Full::new))
}

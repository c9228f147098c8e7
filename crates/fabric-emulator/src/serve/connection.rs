//! One connection: HTTP/1.1 over any stream of bytes.

use std::error::Error as _;
use std::future::poll_fn;
use std::io;

use bytes::Bytes;
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::Incoming as IncomingBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PATIENCE, Stop};
use crate::service::{BoxError, EmulatorService};
use crate::wire_fault::{Disruption, End};

/// Largest request body: the service takes uploads of 100 MB.
const MAX_BODY: usize = 128 << 20;

/// What a connection runs over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin {
    /// Makes closing it a reset, which is what a client sees when a server or a proxy dies.
    fn reset_on_close(&self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn reset_on_close(&self) -> io::Result<()> {
        self.set_zero_linger()
    }
}

#[cfg(feature = "tls")]
impl<S: Stream> Stream for tokio_rustls::server::TlsStream<S> {
    fn reset_on_close(&self) -> io::Result<()> {
        self.get_ref().0.reset_on_close()
    }
}

/// Answers requests until the client closes, something fails, or `stop` changes and the open request has ended.
pub(super) async fn serve(stream: impl Stream, service: EmulatorService, scheme: Scheme, mut stop: Stop) {
    let service = service_fn(move |mut request: Request<IncomingBody>| {
        *request.uri_mut() = target(&request, &scheme);
        Box::pin(exchange(service.clone(), request))
    });
    let mut connection =
        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        ended = poll_fn(|cx| connection.poll_without_shutdown(cx)) => ended,
        _ = stop.changed() => {
            Pin::new(&mut connection).graceful_shutdown();
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
    let closed = match end {
        // With TLS this says that nothing was cut off.
        End::Close => stream.shutdown().await,
        End::Reset => stream.reset_on_close(),
    };
    if let Err(error) = closed {
        tracing::debug!(%error, "connection cannot be closed as it should");
    }
}

/// The target URI (RFC 9112 3.3): what is written as an absolute address names the server as the client did.
fn target<B>(request: &Request<B>, scheme: &Scheme) -> Uri {
    let host = request.headers().get(header::HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    let mut parts = request.uri().clone().into_parts();
    if let (None, Some(host)) = (&parts.authority, host) {
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(host);
    }
    Uri::from_parts(parts).unwrap_or_else(|_| request.uri().clone())
}

/// One exchange. An error here makes hyper give the connection up without an answer.
async fn exchange(
    service: EmulatorService,
    request: Request<IncomingBody>,
) -> Result<Response<Full<Bytes>>, BoxError> {
    let (parts, body) = request.into_parts();
    let body = match timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await? {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            let mut refused = Response::new(Full::default());
            *refused.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return Ok(refused);
        }
        Err(error) => return Err(error),
    };
    let response = service.exchange(Request::from_parts(parts, body)).await??;
    Ok(response.map(Full::new))
}

//! Answers that no HTTP server would send: none, broken off, false in length, slow, or no HTTP at all.
//!
//! A disruption leaves the service as an error. hyper gives the connection up on it without having written anything, and
//! the server then plays the script of the disruption on the bare stream. Without a socket the same is an
//! [`io::Error`] of the kind that a client's transport would report.

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use bytes::Bytes;
use http::Response;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// How often a slow answer goes on.
const TICKS_PER_SECOND: u32 = 10;

/// What is sent in place of an answer, and how slowly.
#[derive(Debug, thiserror::Error)]
#[error("answer disrupted by an injected fault")]
pub(crate) struct Disruption {
    /// Boxed: errors are moved about a lot.
    how: Box<How>,
    /// Bytes per second; as fast as it goes if there is none.
    rate: Option<NonZeroU32>,
}

#[derive(Debug)]
enum How {
    Reset,
    Garbage,
    Silence,
    Whole(Response<Bytes>),
    Cut { response: Response<Bytes>, after: usize, reset: bool },
    Overstated { response: Response<Bytes>, more: usize },
}

/// How a disrupted connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Close,
    Reset,
}

impl Disruption {
    fn new(how: How) -> Self {
        Self { how: Box::new(how), rate: None }
    }

    pub(crate) fn reset() -> Self {
        Self::new(How::Reset)
    }

    pub(crate) fn garbage() -> Self {
        Self::new(How::Garbage)
    }

    pub(crate) fn silence() -> Self {
        Self::new(How::Silence)
    }

    pub(crate) fn whole(response: Response<Bytes>) -> Self {
        Self::new(How::Whole(response))
    }

    pub(crate) fn cut(response: Response<Bytes>, after: usize, reset: bool) -> Self {
        Self::new(How::Cut { response, after, reset })
    }

    pub(crate) fn overstated(response: Response<Bytes>, more: usize) -> Self {
        Self::new(How::Overstated { response, more })
    }

    pub(crate) fn at(self, rate: Option<NonZeroU32>) -> Self {
        Self { rate, ..self }
    }

    /// The answer of which the client gets to see something.
    pub(crate) fn response(&self) -> Option<&Response<Bytes>> {
        match &*self.how {
            How::Reset | How::Garbage | How::Silence => None,
            How::Whole(response) | How::Cut { response, .. } | How::Overstated { response, .. } => {
                Some(response)
            }
        }
    }

    /// What a client without a socket sees of it. A slow answer comes when its last byte would have come.
    pub(crate) async fn in_process(self) -> io::Result<Response<Bytes>> {
        let broken = |kind, what| Err(io::Error::new(kind, what));
        match *self.how {
            How::Reset => broken(io::ErrorKind::ConnectionReset, "connection reset by an injected fault"),
            How::Garbage => broken(io::ErrorKind::InvalidData, "status line garbled by an injected fault"),
            How::Silence => std::future::pending().await,
            How::Whole(response) => {
                if let Some(rate) = self.rate {
                    let length = u32::try_from(response.body().len()).unwrap_or(u32::MAX);
                    tokio::time::sleep(Duration::from_secs(1) * length / rate.get()).await;
                }
                Ok(response)
            }
            How::Cut { reset: true, .. } => {
                broken(io::ErrorKind::ConnectionReset, "body cut by an injected fault")
            }
            How::Cut { .. } | How::Overstated { .. } => {
                broken(io::ErrorKind::UnexpectedEof, "body cut by an injected fault")
            }
        }
    }

    /// Sends what there is to send, and says how the connection ends. `stop` ends what would last for ever.
    ///
    /// # Errors
    /// When the client has left.
    pub(crate) async fn play(
        &self,
        stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
        stop: impl Future<Output = ()>,
    ) -> io::Result<End> {
        let (bytes, end) = match &*self.how {
            How::Reset => return Ok(End::Reset),
            How::Silence => {
                tokio::select! {
                    () = stop => {}
                    left = until_closed(stream) => left?,
                }
                (Vec::new(), End::Close)
            }
            // As seen from the service: a header where the status line should be, microsoft/fabric-cicd#827.
            How::Garbage => (b"Retry-After: 42\r\n\r\n".to_vec(), End::Close),
            How::Whole(response) => {
                let length = response.body().len();
                (answer(response, &format!("content-length: {length}"), response.body()), End::Close)
            }
            How::Cut { response, after, reset } => {
                let sent = response.body().get(..*after).unwrap_or(response.body());
                // Never the whole chunk, however short the body is.
                let chunk = response.body().len().max(sent.len() + 1);
                let start = [format!("{chunk:x}\r\n").as_bytes(), sent].concat();
                let end = if *reset { End::Reset } else { End::Close };
                (answer(response, "transfer-encoding: chunked", &start), end)
            }
            How::Overstated { response, more } => {
                let length = response.body().len() + more;
                (answer(response, &format!("content-length: {length}"), response.body()), End::Close)
            }
        };
        self.write(stream, &bytes).await?;
        Ok(end)
    }

    async fn write(&self, stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
        let Some(rate) = self.rate else {
            stream.write_all(bytes).await?;
            return stream.flush().await;
        };
        let piece = rate.get().div_ceil(TICKS_PER_SECOND);
        for bytes in bytes.chunks(piece as usize) {
            stream.write_all(bytes).await?;
            stream.flush().await?;
            tokio::time::sleep(Duration::from_secs(1) * piece / rate.get()).await;
        }
        Ok(())
    }
}

/// Head and body as HTTP/1.1 frames them, except for what the framing says: that is the fault's business.
fn answer(response: &Response<Bytes>, framing: &str, body: &[u8]) -> Vec<u8> {
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut bytes = format!("HTTP/1.1 {} {reason}\r\n", status.as_u16()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend(format!("connection: close\r\n{framing}\r\n\r\n").into_bytes());
    bytes.extend(body);
    bytes
}

/// Reads whatever the client still sends until it has closed its side.
async fn until_closed(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut ignored = [0; 256];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

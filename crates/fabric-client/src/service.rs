//! The types that every layer and every transport here agree on.

use bytes::Bytes;
use tower::{BoxError, util::BoxCloneSyncService};

/// A request with its whole body, so that it can be sent again.
pub type Request = http::Request<Bytes>;

/// An answer whose body has arrived, so that a body that stalls or breaks off is part of the attempt.
pub type Response = http::Response<Bytes>;

/// A stack of layers and a transport, as one type.
pub type BoxService = BoxCloneSyncService<Request, Response, BoxError>;

/// What stands in front of a transport ends an attempt with this where this process must not send the request, now or later. It was
/// not sent.
#[derive(Debug, thiserror::Error)]
#[error("it must not be sent")]
pub struct Withheld(#[source] BoxError);

impl Withheld {
    /// A refusal, and why.
    pub fn new(why: impl Into<BoxError>) -> Self {
        Self(why.into())
    }
}

/// A transport ends an attempt with this where the answer's body is larger than it reads. The request took place.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the answer's body is larger than {limit} bytes")]
pub struct BodyTooLarge {
    /// The most that is read, in bytes, after decompression.
    pub limit: usize,
}

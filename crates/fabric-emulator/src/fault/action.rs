//! What can go wrong with a request, as data.

use std::num::NonZeroU32;
use std::time::Duration;

use super::edit::Edit;

/// What happens to a request that a fault hits.
///
/// [`Action::Instead`], [`Action::Operation`], [`Action::Throttle`], [`Action::TokenExpired`] and
/// [`Action::ContinuationRejected`] decide the answer: of these the first one that is due counts. The others add up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Something else is answered than what the request has earned.
    Instead {
        /// What becomes of the request.
        effect: Effect,
        /// What the client sees.
        answer: Substitute,
    },
    /// The request is accepted with 202, and its operation ends in this way. Hits only requests that may be
    /// long-running. The effect cannot be [`Effect::Late`].
    Operation {
        /// What becomes of the request when the operation ends.
        effect: Effect,
        /// How the operation ends.
        ending: Ending,
    },
    /// 202 and an operation where the answer would come at once. Hits only requests that may be long-running.
    AsOperation,
    /// The answer at once where it would be 202 and an operation. Hits only requests that may be long-running.
    AtOnce,
    /// The request waits this long, in Tokio's time, before anything happens.
    Latency(Duration),
    /// 429 to this request, and for this long on the clock to every request of the same principal and endpoint class:
    /// operations, job scheduler, everything else.
    Throttle(Duration),
    /// 401 `TokenExpired`, and so for every request that brings the same token again.
    TokenExpired,
    /// Pauses every capacity, or resumes them, before the request takes effect.
    Capacities {
        /// Whether they run from now on.
        active: bool,
    },
    /// The request sees the world as it was this long ago on the clock. Hits only `GET` of Fabric
    /// and of vaults.
    Lag(Duration),
    /// The request is delivered twice, and the second answer is the one that comes. Hits only writes of
    /// Fabric and of vaults.
    Twice,
    /// 400 `InvalidContinuationToken`. Hits only requests that bring a continuation token.
    ContinuationRejected,
    /// The answer is changed on its way.
    Edit(Edit),
    /// The answer comes at this many bytes per second.
    Bandwidth(NonZeroU32),
    /// The answer is chunked, and ends in the middle of a chunk.
    Cut {
        /// Bytes of the body that still come.
        after: usize,
        /// Whether the connection is reset then, and not closed in an orderly way.
        reset: bool,
    },
    /// `Content-Length` promises this many bytes more than there are; then the connection is closed.
    ContentLength(usize),
}

/// What becomes of a request that is answered by a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing happens.
    Nothing,
    /// All that was asked for.
    Whole,
    /// A part of it: an item without its definition or its folder, a workspace without its capacity, the first part of
    /// a new definition, a git connection without credentials, the first item of a deployment that names several. Hits only requests that have such parts.
    Partial,
    /// All of it, this much later on the clock, with the caller's rights at that time. Nothing for what only reads.
    Late(Duration),
}

/// What a client sees in place of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Substitute {
    /// An error of the service.
    Error {
        /// HTTP status, 400 to 599.
        status: u16,
        /// What is special about it, in this order.
        edits: Vec<Edit>,
    },
    /// 307 to the same path and query of this address, which does not have to be there.
    Redirect(String),
    /// A reset of the connection.
    Reset,
    /// A line that is no status line.
    Garbage,
    /// Nothing at all, for as long as the client waits.
    Silence,
}

/// How an operation ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// `Failed`, with an `UnknownError`.
    Fails,
    /// Not: it is `Running` for ever.
    Hangs,
    /// In a status that no documentation knows.
    Status(String),
    /// `Succeeded`, without the result that it should have.
    NoResult,
    /// `Succeeded`, and the result is the empty object.
    EmptyResult,
}

impl Action {
    /// Whether this alone settles what is answered.
    pub(super) fn decides(&self) -> bool {
        matches!(
            self,
            Self::Instead { .. }
                | Self::Operation { .. }
                | Self::Throttle(_)
                | Self::TokenExpired
                | Self::ContinuationRejected
        )
    }

    /// An error of this status, and nothing happens.
    pub(super) fn error(status: u16, edits: Vec<Edit>) -> Self {
        Self::Instead { effect: Effect::Nothing, answer: Substitute::Error { status, edits } }
    }
}

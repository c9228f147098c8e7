//! Bounds on the whole of a call and on each attempt.
//!
//! [`DeadlineLayer`] stands outermost and bounds the call with all its attempts and pauses. What is left is passed
//! down with the task ([`Deadline::current`]), through whatever lies between, an SDK's pipeline included: the retry
//! does not sleep past it, the [gate](crate::gate) does not wait past it, and [`AttemptTimeoutLayer`] gives an attempt no more
//! than what is left, and starts none with less than [`LEAST`]. A service that hands requests to another task
//! (`tower::buffer`) must hand the deadline over too, by [`Deadline::scope`].
//!
//! Time is the runtime's monotonic clock: setting the wall clock moves no deadline.

mod attempt;
mod call;
#[cfg(test)]
mod tests;

pub use attempt::{Attempt, AttemptTimeout, AttemptTimeoutLayer, Elapsed, TooLate};
pub use call::{Call, DeadlineLayer, DeadlineService};

use std::{future::Future, time::Duration};
use tokio::time::Instant;

/// An attempt needs this much time to be worth a try; with less left none is started.
pub const LEAST: Duration = Duration::from_secs(1);

/// What a plan adds to [`LEAST`]: timers fire late, and other layers take their time.
const MARGIN: Duration = Duration::from_millis(100);

tokio::task_local! {
    static CURRENT: Deadline;
}

/// The moment by which a call has to have ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now, and not later than the deadline that holds here already.
    #[must_use]
    pub fn within(time: Duration) -> Self {
        Self::after(Instant::now(), time)
    }

    fn after(now: Instant, time: Duration) -> Self {
        // A century is as good as for ever, and an instant can hold it.
        let end = now.checked_add(time).unwrap_or(now + Duration::from_secs(100 * 365 * 24 * 60 * 60));
        Self::current().map_or(Self(end), |outer| outer.min(Self(end)))
    }

    /// The deadline of the call that this task is in, if it has one.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.try_with(|deadline| *deadline).ok()
    }

    /// What is left; zero when it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether an attempt that begins after `pause` would still have the [least](LEAST) time, with a little to spare.
    #[must_use]
    pub fn allows(self, pause: Duration) -> bool {
        self.remaining() >= pause.saturating_add(LEAST + MARGIN)
    }

    /// Runs `future` with this as its [current](Self::current) deadline. It ends nothing by itself.
    pub fn scope<F: Future>(self, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, future)
    }

    fn instant(self) -> Instant {
        self.0
    }
}

/// Whether the current deadline, if there is one, lets an attempt begin after `pause`.
pub(crate) fn allows(pause: Duration) -> bool {
    Deadline::current().is_none_or(|deadline| deadline.allows(pause))
}

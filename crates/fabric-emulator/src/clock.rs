//! The clock of the emulated tenant: whatever the emulator calls now is read here.
//!
//! It starts at the time of this machine and then follows Tokio's clock, so that a test with paused time rules it. It
//! can be frozen and advanced besides: nobody waits, and what has become due happens at the next look. Waiting itself,
//! of latencies and holds, is not its business: that is Tokio's time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Clock(Mutex<Pace>);

#[derive(Clone, Copy, Debug)]
enum Pace {
    /// It was `then` at the instant `since`, and has gone on since.
    Running {
        then: OffsetDateTime,
        since: Instant,
    },
    Frozen(OffsetDateTime),
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Pace::start()))
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        self.pace().now()
    }

    pub(crate) fn is_frozen(&self) -> bool {
        matches!(*self.pace(), Pace::Frozen(_))
    }

    pub(crate) fn freeze(&self) {
        let mut pace = self.pace();
        *pace = Pace::Frozen(pace.now());
    }

    /// Goes on from where it stands, however long it stood there.
    pub(crate) fn resume(&self) {
        let mut pace = self.pace();
        *pace = Pace::Running { then: pace.now(), since: Instant::now() };
    }

    /// Puts the clock forward, frozen or not.
    pub(crate) fn advance(&self, by: Duration) {
        match &mut *self.pace() {
            Pace::Running { then, .. } | Pace::Frozen(then) => *then = later(*then, by),
        }
    }

    /// Back to the time of this machine.
    pub(crate) fn reset(&self) {
        *self.pace() = Pace::start();
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pace {
    fn start() -> Self {
        Self::Running { then: OffsetDateTime::now_utc(), since: Instant::now() }
    }

    fn now(self) -> OffsetDateTime {
        match self {
            Self::Running { then, since } => later(then, since.elapsed()),
            Self::Frozen(now) => now,
        }
    }
}

/// The time that much later, or the last there is.
pub(crate) fn later(time: OffsetDateTime, by: Duration) -> OffsetDateTime {
    time.saturating_add(time::Duration::try_from(by).unwrap_or(time::Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_tokio_freezes_and_goes_on() {
        let clock = Clock::new();
        let start = clock.now();
        let passed = |clock: &Clock| clock.now() - start;
        tokio::time::advance(Duration::from_secs(3)).await;
        assert_eq!(passed(&clock), Duration::from_secs(3));
        clock.freeze();
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!((passed(&clock), clock.is_frozen()), (time::Duration::seconds(3), true));
        clock.advance(Duration::from_secs(3600));
        assert_eq!(passed(&clock), Duration::from_secs(3603));
        clock.resume();
        tokio::time::advance(Duration::from_secs(7)).await;
        clock.advance(Duration::from_millis(1));
        assert_eq!((passed(&clock), clock.is_frozen()), (time::Duration::milliseconds(3_610_001), false));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_time_is_no_overflow() {
        let clock = Clock::new();
        clock.advance(Duration::MAX);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(clock.now().year(), 9999);
    }
}

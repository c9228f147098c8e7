//! The wall clock, which says when tokens and secrets end.

use azure_core::time::OffsetDateTime;
use std::{fmt, sync::Arc, time::Duration};

/// What time it is. Tokens and secrets end at a date, and only the wall clock knows that; it is looked at once, when they
/// come, and from then on the monotonic clock counts.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> OffsetDateTime + Send + Sync>);

impl Clock {
    /// A clock of one's own, such as one that follows a test's paused time.
    pub fn new(now: impl Fn() -> OffsetDateTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> OffsetDateTime {
        (self.0)()
    }

    /// How long it is until then; nothing where that is over.
    pub(crate) fn until(&self, then: OffsetDateTime) -> Duration {
        Duration::try_from(then - self.now()).unwrap_or_default()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(OffsetDateTime::now_utc)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}

//! What asks a running transaction to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// Asks a running transaction to stop, in two degrees. Clones are one.
///
/// [`raise`](Self::raise) is orderly: the decision to roll back is written at once, nothing new is begun, the calls under way come to
/// their end, and then everything is taken back. [`abort`](Self::abort) stops where it is and leaves the rest to whoever takes the
/// transaction up.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<watch::Sender<Degree>>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Degree {
    Go,
    Stop,
    Abort,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Degree::Go)))
    }
}

impl Interrupt {
    /// Asks to stop and take everything back. Past the first change that cannot be undone it is noted, and no more.
    pub fn raise(&self) {
        self.ask(Degree::Stop);
    }

    /// Asks to stop at once: calls under way are dropped, nothing is taken back, the journal stays as it is.
    pub fn abort(&self) {
        self.ask(Degree::Abort);
    }

    /// Whether it was asked, in either degree.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        *self.0.borrow() >= Degree::Stop
    }

    /// Whether it was asked to stop at once.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        *self.0.borrow() >= Degree::Abort
    }

    /// Resolves once it is raised.
    pub(super) async fn raised(&self) {
        self.reached(Degree::Stop).await;
    }

    /// Resolves once it is to stop at once.
    pub(super) async fn aborted(&self) {
        self.reached(Degree::Abort).await;
    }

    fn ask(&self, degree: Degree) {
        self.0.send_if_modified(|now| {
            let more = *now < degree;
            *now = degree.max(*now);
            more
        });
    }

    async fn reached(&self, degree: Degree) {
        // The sender lives as long as `self`, so the wait cannot fail.
        drop(self.0.subscribe().wait_for(|now| *now >= degree).await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_is_not_taken_back() {
        let interrupt = Interrupt::default();
        assert!(!interrupt.is_raised());
        interrupt.raise();
        assert!(interrupt.is_raised() && !interrupt.is_aborted());
        interrupt.clone().abort();
        interrupt.raise();
        assert!(interrupt.is_raised() && interrupt.is_aborted());
    }
}

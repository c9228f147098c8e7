//! What was sent, and not answered: it may still be on its way.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{State, StepId, StepState, Target};

/// Since when sendings of steps have been on their way, as far as nothing was heard of them.
#[derive(Default)]
pub(super) struct InFlight(Mutex<BTreeMap<StepId, Sendings>>);

/// When it was known of the sendings of a step that they would not be answered.
#[derive(Clone, Copy, Default)]
struct Sendings {
    /// The last of those before the last.
    earlier: Option<Instant>,
    last: Option<Instant>,
}

impl InFlight {
    /// What an earlier process may have left on its way. It may have sent it right before its transaction was taken up.
    pub(super) fn inherited<T: Target>(state: &State<T>) -> Self {
        let now = Instant::now();
        let sendings = state.steps().filter_map(|(step, of)| {
            let earlier = state.is_unanswered(step.id).then_some(now);
            let last = matches!(of, StepState::Open { operation: None }).then_some(now);
            (earlier.or(last).is_some()).then_some((step.id, Sendings { earlier, last }))
        });
        Self(Mutex::new(sendings.collect()))
    }

    /// The undos that an earlier process may have left on their way.
    pub(super) fn inherited_undos<T: Target>(state: &State<T>) -> Self {
        let last = Some(Instant::now());
        let undoing = state.steps().filter(|(_, of)| matches!(of, StepState::Undoing));
        let undoing = undoing.map(|(step, _)| (step.id, Sendings { earlier: None, last }));
        Self(Mutex::new(undoing.collect()))
    }

    /// The step is about to be sent once more.
    pub(super) fn sending_again(&self, step: StepId) {
        self.with(step, |sendings| {
            sendings.earlier = sendings.last.take().or(sendings.earlier);
        });
    }

    /// Its last sending was answered or not.
    pub(super) fn heard(&self, step: StepId, answered: bool) {
        self.with(step, |sendings| sendings.last = (!answered).then(Instant::now));
    }

    /// Whether any sending of the step was not answered.
    pub(super) fn is_unheard(&self, step: StepId) -> bool {
        let Sendings { earlier, last } = self.with(step, |sendings| *sendings);
        earlier.or(last).is_some()
    }

    /// How much longer than `now` any sending of the step may be on its way, which takes `most` in all.
    pub(super) fn left(&self, step: StepId, most: Duration, now: Instant) -> Duration {
        let Sendings { earlier, last } = self.with(step, |sendings| *sendings);
        left(last.or(earlier), most, now)
    }

    /// How much longer a sending of the step may be on its way beside the one that was carried out.
    pub(super) fn left_beside(&self, step: StepId, most: Duration) -> Duration {
        let Sendings { earlier, last } = self.with(step, |sendings| *sendings);
        left(earlier.and(last.or(earlier)), most, Instant::now())
    }

    fn with<R>(&self, step: StepId, use_it: impl FnOnce(&mut Sendings) -> R) -> R {
        use_it(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(step).or_default())
    }
}

/// The later of two sendings is on its way the longest.
fn left(since: Option<Instant>, most: Duration, now: Instant) -> Duration {
    since.map_or(Duration::ZERO, |since| most.saturating_sub(now.saturating_duration_since(since)))
}

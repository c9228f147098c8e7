//! What was sent, and not answered or not seen to end: it may still be on its way.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::{State, StepId, StepState, Target};

/// Since when sendings of steps and of their undos have been on their way, as far as nothing was heard of them.
#[derive(Default)]
pub(super) struct InFlight(Mutex<BTreeMap<StepId, Sendings>>);

/// When it was known of what was sent for a step that it would not be answered, or its end not be seen.
#[derive(Clone, Copy, Default)]
struct Sendings {
    /// The last sending of the change before its last one.
    earlier: Option<Instant>,
    /// The last sending of the change.
    last: Option<Instant>,
    /// The last sending of its undo of which that is so.
    undo: Option<Instant>,
}

impl InFlight {
    /// What an earlier process may have left on its way. It may have sent it right before its transaction was taken up.
    pub(super) fn inherited<T: Target>(state: &State<T>) -> Self {
        let now = Instant::now();
        let sendings = state.steps().map(|(step, of)| {
            let earlier = state.is_unanswered(step.id).then_some(now);
            let last = matches!(of, StepState::Open { operation: None }).then_some(now);
            let undo = match cfg!(selvedge_bug = "forgets-unanswered-undos") {
                true => matches!(of, StepState::Undoing),
                false => state.is_undo_unanswered(step.id),
            };
            let undo = undo.then_some(now);
            (step.id, Sendings { earlier, last, undo })
        });
        Self(Mutex::new(sendings.collect()))
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

    /// The last sending of its undo was not answered, or not seen to end.
    pub(super) fn undo_unheard(&self, step: StepId) {
        self.with(step, |sendings| sendings.undo = Some(Instant::now()));
    }

    /// Whether any sending of the step was not answered.
    pub(super) fn is_unheard(&self, step: StepId) -> bool {
        let Sendings { earlier, last, .. } = self.of(step);
        earlier.or(last).is_some()
    }

    /// How much longer than `now` any sending of the step may be on its way, which takes `most` in all.
    pub(super) fn left(&self, step: StepId, most: Duration, now: Instant) -> Duration {
        let Sendings { earlier, last, .. } = self.of(step);
        left(last.or(earlier), most, now)
    }

    /// How much longer a sending of the step may be on its way beside the one that was carried out.
    pub(super) fn left_beside(&self, step: StepId, most: Duration) -> Duration {
        let Sendings { earlier, last, .. } = self.of(step);
        left(earlier.and(last.or(earlier)), most, Instant::now())
    }

    /// How much longer any sending of the step's undo may be on its way, which takes `most` in all.
    pub(super) fn undo_left(&self, step: StepId, most: Duration) -> Duration {
        left(self.of(step).undo, most, Instant::now())
    }

    fn of(&self, step: StepId) -> Sendings {
        self.with(step, |sendings| *sendings)
    }

    fn with<R>(&self, step: StepId, use_it: impl FnOnce(&mut Sendings) -> R) -> R {
        use_it(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(step).or_default())
    }
}

/// The later of two sendings is on its way the longest.
fn left(since: Option<Instant>, most: Duration, now: Instant) -> Duration {
    since.map_or(Duration::ZERO, |since| most.saturating_sub(now.saturating_duration_since(since)))
}

//! What the engine tells, as records of the trail.

use selvedge_deployment::change::Change;
use selvedge_observability::audit::{EventType, Outcome};
use selvedge_rollback::{Event, Observer, Step, StepState, Undone, describe};
use serde_json::json;

use super::Trail;
use super::change::{made, taken_back};
use crate::render::Progress;

/// Shows what happens, and writes it to the trail.
pub(crate) struct Watch<'w> {
    pub(crate) progress: &'w Progress,
    pub(crate) trail: &'w Trail<'w>,
}

impl Observer<Change> for Watch<'_> {
    fn on(&self, event: &Event<'_, Change>) {
        self.progress.on(event);
        self.trail.on(event);
    }
}

impl Trail<'_> {
    fn on(&self, event: &Event<'_, Change>) {
        match event {
            Event::Done { step, adopted } => {
                let (event, mut fields) = self.with_facts(step, made);
                if *adopted {
                    fields["adopted"] = true.into();
                }
                self.of_step(event, Outcome::Done, step, fields);
            }
            Event::InDoubt { step, error } => {
                self.not_made(EventType::ChangeInDoubt, Outcome::InDoubt, step, &describe(*error));
            }
            Event::Failed { step, error } => {
                let (event, outcome) = match self.state_of(step.id) {
                    Some(StepState::Open { .. }) => (EventType::ChangeInDoubt, Outcome::InDoubt),
                    Some(StepState::Foreign) => (EventType::ChangeFailed, Outcome::Foreign),
                    _ => (EventType::ChangeFailed, Outcome::Failed),
                };
                self.not_made(event, outcome, step, &describe(*error));
            }
            Event::Halted(step) => {
                self.not_made(EventType::ChangeHalted, Outcome::Halted, step, "interrupted");
            }
            Event::RollingBack { reason, .. } => {
                let fields = json!({ "deployment_id": self.deployment, "reason": reason });
                self.write(EventType::RollbackStarted, Outcome::Started, None, fields);
            }
            Event::Undone { step, how } => self.undone(step, how),
            Event::UndoFailed { step, reason } => {
                self.not_made(EventType::UndoFailed, Outcome::UndoFailed, step, reason);
            }
            Event::StillMarked { step, reason } => {
                let change = self.view.get().and_then(|view| {
                    view.read(|state| state.begin().plan.get(*step).map(|step| step.change.to_string()))
                });
                let fields = json!({
                    "change": change,
                    "deployment_id": self.deployment,
                    "error_message": reason,
                });
                self.write(EventType::MarkerLeft, Outcome::Failed, Some(*step), fields);
            }
            _ => {}
        }
    }

    fn undone(&self, step: &Step<Change>, how: &Undone) {
        let (outcome, trace) = match how {
            Undone::Reversed => (Outcome::Undone, None),
            Undone::Recycled(trace) => (Outcome::Undone, Some(trace)),
            Undone::AlreadyGone => (Outcome::AlreadyGone, None),
            Undone::Kept(found) => return self.not_made(EventType::UndoKept, Outcome::Kept, step, found),
        };
        let (event, mut fields) = self.with_facts(step, taken_back);
        if let Some(trace) = trace {
            fields["trace"] = trace.as_str().into();
        }
        self.of_step(event, outcome, step, fields);
    }
}

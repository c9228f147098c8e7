//! What the records of a transaction amount to: a pure fold, the same for a live engine and for a journal read back.

use crate::record::{Begin, Body, End, Outcome, UndoOutcome};
use crate::{Direction, Receipts, Remaining, Step, StepId, StepState, Target};

/// A record that cannot follow the ones before it.
#[derive(Debug, thiserror::Error)]
#[error("a record of type {record} cannot follow here: {why}")]
pub struct Illegal {
    record: &'static str,
    why: String,
}

/// A transaction, as its records tell it.
pub struct State<T: Target> {
    begin: Begin<T::Change>,
    direction: Direction,
    reason: Option<(Option<StepId>, String)>,
    steps: Vec<Entry<T::Undo>>,
    receipts: Receipts<T::Receipt>,
}

struct Entry<U> {
    state: StepState,
    undo: Option<U>,
    marked: bool,
    /// Whether what was sent before its last sending may still be carried out.
    unanswered: bool,
    /// Whether a sending of its undo may still be carried out.
    undo_unanswered: bool,
    /// Where a trace of what was undone stays.
    trace: Option<String>,
}

impl<T: Target> State<T> {
    /// The state after the first record.
    #[must_use]
    pub fn new(begin: Begin<T::Change>) -> Self {
        let steps = begin
            .plan
            .steps()
            .iter()
            .map(|_| Entry {
                state: StepState::Planned,
                undo: None,
                marked: false,
                unanswered: false,
                undo_unanswered: false,
                trace: None,
            })
            .collect();
        Self { begin, direction: Direction::Forward, reason: None, steps, receipts: Receipts::new() }
    }

    /// The state after one more record.
    ///
    /// # Errors
    ///
    /// When the record cannot follow: a receipt for a step that was never intended, anything after the end.
    pub fn apply(&mut self, body: Body<T>) -> Result<(), Illegal> {
        let illegal = |record, why: String| Illegal { record, why };
        let may_follow = matches!(body, Body::Unmarked { .. }) && self.direction != Direction::Abandoned;
        if self.direction.has_ended() && !may_follow {
            return Err(illegal("any", "the transaction has ended".to_owned()));
        }
        match body {
            Body::Begin(_) => return Err(illegal("begin", "it is not the first".to_owned())),
            Body::TakenUp { .. } => {}
            Body::Intent { step, marker, undo, unanswered } => {
                let forward = self.direction == Direction::Forward;
                let entry = self.entry("intent", step)?;
                match (&entry.state, forward) {
                    // In doubt and looked for in vain, it is sent once more.
                    (StepState::Planned | StepState::NotDone | StepState::Open { .. }, true) => {
                        entry.state = StepState::Open { operation: None };
                        entry.undo = Some(undo);
                        entry.marked = marker.is_some();
                        entry.unanswered = unanswered;
                    }
                    (state, _) => {
                        return Err(illegal("intent", format!("step {step} is {state:?}")));
                    }
                }
            }
            Body::Accepted { step, operation } => {
                let entry = self.entry("accepted", step)?;
                match &mut entry.state {
                    StepState::Open { operation: slot } => *slot = Some(operation),
                    state => return Err(illegal("accepted", format!("step {step} is {state:?}"))),
                }
            }
            Body::Outcome { step, outcome } => {
                let entry = self.entry("outcome", step)?;
                if !matches!(entry.state, StepState::Open { .. }) {
                    return Err(illegal("outcome", format!("step {step} is {:?}", entry.state)));
                }
                match outcome {
                    Outcome::Done { receipt, .. } => {
                        entry.state = StepState::Done;
                        self.receipts.insert(step, receipt);
                    }
                    Outcome::NotDone { .. } => entry.state = StepState::NotDone,
                    Outcome::Foreign { .. } => entry.state = StepState::Foreign,
                }
            }
            Body::RollBack { step, reason } => {
                if self.direction != Direction::Forward {
                    return Err(illegal("roll_back", "it was decided before".to_owned()));
                }
                self.direction = Direction::Back;
                self.reason = Some((step, reason));
            }
            Body::UndoIntent { step } => {
                let back = self.direction == Direction::Back;
                let entry = self.entry("undo_intent", step)?;
                match (&entry.state, back) {
                    (StepState::Done | StepState::Stuck { .. } | StepState::Undoing, true) => {
                        entry.state = StepState::Undoing;
                        // Until it is known what became of it.
                        entry.undo_unanswered = true;
                    }
                    (state, _) => {
                        return Err(illegal("undo_intent", format!("step {step} is {state:?}")));
                    }
                }
            }
            Body::UndoOutcome { step, outcome: UndoOutcome::Skipped { reason } } => {
                let back = self.direction == Direction::Back;
                let entry = self.entry("undo_outcome", step)?;
                if !back || !entry.state.may_be_skipped() {
                    return Err(illegal("undo_outcome", format!("step {step} is {:?}", entry.state)));
                }
                entry.state = StepState::Skipped { reason };
            }
            Body::UndoOutcome { step, outcome } => {
                let entry = self.entry("undo_outcome", step)?;
                if entry.state != StepState::Undoing {
                    return Err(illegal("undo_outcome", format!("step {step} is {:?}", entry.state)));
                }
                entry.undo_unanswered = matches!(outcome, UndoOutcome::Failed { unanswered: true, .. });
                entry.state = match outcome {
                    UndoOutcome::Reversed | UndoOutcome::AlreadyGone => StepState::Undone,
                    UndoOutcome::Recycled { detail } => {
                        entry.trace = Some(detail);
                        StepState::Undone
                    }
                    UndoOutcome::Kept { detail } => StepState::Kept { reason: detail },
                    UndoOutcome::Failed { detail, .. } => StepState::Stuck { reason: detail },
                    UndoOutcome::Skipped { reason } => StepState::Skipped { reason },
                };
            }
            Body::Unmarked { step, .. } => self.entry("unmarked", step)?.marked = false,
            Body::Abandoned { reason, .. } => {
                self.direction = Direction::Abandoned;
                self.reason = Some((self.reason.take().and_then(|(step, _)| step), reason));
            }
            Body::End { state } => {
                let complete = match state {
                    End::Committed => {
                        self.direction == Direction::Forward
                            && self.steps.iter().all(|entry| entry.state == StepState::Done)
                    }
                    End::RolledBack => {
                        self.direction == Direction::Back
                            && self.steps.iter().all(|entry| !entry.state.is_left())
                    }
                    End::RolledBackPartial => {
                        self.direction == Direction::Back
                            && self.steps.iter().all(|entry| !entry.state.remains())
                    }
                };
                if !complete {
                    return Err(illegal("end", "not every step has come that far".to_owned()));
                }
                self.direction = match state {
                    End::Committed => Direction::Committed,
                    End::RolledBack => Direction::RolledBack,
                    End::RolledBackPartial => Direction::RolledBackPartial,
                };
            }
        }
        Ok(())
    }

    /// The first record.
    #[must_use]
    pub fn begin(&self) -> &Begin<T::Change> {
        &self.begin
    }

    /// Which way the transaction goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Why it is rolled back, and because of which step.
    #[must_use]
    pub fn reason(&self) -> Option<(Option<StepId>, &str)> {
        self.reason.as_ref().map(|(step, reason)| (*step, reason.as_str()))
    }

    /// The steps of the plan, in order, each with how far it has come.
    pub fn steps(&self) -> impl DoubleEndedIterator<Item = (&Step<T::Change>, &StepState)> {
        self.begin.plan.steps().iter().zip(self.steps.iter().map(|entry| &entry.state))
    }

    /// How far a step has come.
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&StepState> {
        self.slot(id).map(|entry| &entry.state)
    }

    /// What the steps gave back.
    #[must_use]
    pub fn receipts(&self) -> &Receipts<T::Receipt> {
        &self.receipts
    }

    /// What reverses the step.
    #[must_use]
    pub fn undo(&self, id: StepId) -> Option<&T::Undo> {
        self.slot(id)?.undo.as_ref()
    }

    /// Whether what the step made carries its marker, as far as the journal knows.
    #[must_use]
    pub fn is_marked(&self, id: StepId) -> bool {
        self.slot(id).is_some_and(|entry| entry.marked)
    }

    /// Whether a marker is on anything that it made, as far as the journal knows.
    #[must_use]
    pub fn has_markers(&self) -> bool {
        self.steps().any(|(step, _)| self.is_marked(step.id))
    }

    /// Whether a sending of the step before its last one may still be carried out, as far as the journal knows.
    pub(crate) fn is_unanswered(&self, id: StepId) -> bool {
        self.slot(id).is_some_and(|entry| entry.unanswered)
    }

    /// Whether a sending of the step's undo may still be carried out, as far as the journal knows.
    pub(crate) fn is_undo_unanswered(&self, id: StepId) -> bool {
        self.slot(id).is_some_and(|entry| entry.undo_unanswered)
    }

    /// What a rollback has left so far, in the order of the plan.
    #[must_use]
    pub fn remaining(&self) -> Vec<Remaining> {
        self.steps()
            .filter(|(_, state)| state.is_left())
            .map(|(step, state)| Remaining {
                step: step.id,
                change: step.change.to_string(),
                reason: match state {
                    StepState::Stuck { reason } | StepState::Kept { reason } => reason.clone(),
                    StepState::Skipped { reason } => format!("left by an operator: {reason}"),
                    StepState::Open { .. } => "it is not known whether it was made".to_owned(),
                    StepState::Done if self.direction != Direction::Back => "it was made".to_owned(),
                    StepState::Done if self.holds_what_is_left(step.id) => {
                        "kept, because something that builds on it is left".to_owned()
                    }
                    StepState::Done => "its undo was not begun".to_owned(),
                    _ => "its undo was not finished".to_owned(),
                },
            })
            .collect()
    }

    /// What was undone and left a trace where nobody works with it, in the order of the plan.
    #[must_use]
    pub fn traces(&self) -> Vec<Remaining> {
        let steps = self.begin.plan.steps().iter().zip(&self.steps);
        steps
            .filter_map(|(step, entry)| {
                let (change, reason) = (step.change.to_string(), entry.trace.clone()?);
                Some(Remaining { step: step.id, change, reason })
            })
            .collect()
    }

    /// Whether something that builds on the step is, or may be, there.
    pub(crate) fn holds_what_is_left(&self, id: StepId) -> bool {
        self.steps().any(|(later, state)| later.after.contains(&id) && state.is_left())
    }

    fn slot(&self, id: StepId) -> Option<&Entry<T::Undo>> {
        self.steps.get(usize::try_from(id.number()).ok()?.checked_sub(1)?)
    }

    fn entry(&mut self, record: &'static str, id: StepId) -> Result<&mut Entry<T::Undo>, Illegal> {
        usize::try_from(id.number())
            .ok()
            .and_then(|number| number.checked_sub(1))
            .and_then(|index| self.steps.get_mut(index))
            .ok_or_else(|| Illegal { record, why: format!("the plan has no step {id}") })
    }
}

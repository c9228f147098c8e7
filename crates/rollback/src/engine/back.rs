//! Back: each step that was made, or may have been, last to first.

use super::{Error, Transaction, describe};
use crate::journal::{JournalError, Store};
use crate::record::{Body, End, UndoOutcome};
use crate::{Event, Failure, Observer, Step, StepState, Target, Todo, Undone, Verdict, events};

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    /// Undoes what remains. A failed undo does not stop the others; it is reported.
    ///
    /// The forward interrupt does not stop a rollback: it is what asked for it.
    pub(super) async fn go_back(
        &mut self,
        error: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<Verdict, Error> {
        let steps = self.steps();
        for (index, step) in steps.iter().enumerate().rev() {
            let builds_on_it = |later: &&Step<T::Change>| later.after.contains(&step.id);
            let state = |later: &Step<T::Change>| self.state.step(later.id);
            let mut later = steps[index + 1..].iter().filter(builds_on_it);
            if later.clone().any(|later| state(later).is_some_and(StepState::remains)) {
                continue;
            }
            if later.any(|later| state(later).is_some_and(StepState::is_left)) {
                self.keep(step).await?;
            } else {
                self.take_back(step).await?;
            }
        }
        let remaining = self.state.remaining();
        events::rolled_back(self.state.begin().id, remaining.len());
        let cause = self.cause(error);
        if remaining.is_empty() {
            self.log(Body::End { state: End::RolledBack }).await?;
            return Ok(Verdict::RolledBack { cause, traces: self.state.traces() });
        }
        // What was kept is theirs now, and nothing that can be tried again.
        if self.state.steps().all(|(_, state)| !state.remains()) {
            self.log(Body::End { state: End::RolledBackPartial }).await?;
        }
        Ok(Verdict::Left { cause, direction: self.state.direction(), remaining })
    }

    /// Keeps what holds something that was kept.
    async fn keep(&mut self, step: &Step<T::Change>) -> Result<(), JournalError> {
        if self.state.step(step.id).is_some_and(|state| state.backward() == Todo::Undo) {
            let detail = "something that builds on it was kept".to_owned();
            self.log(Body::UndoIntent { step: step.id }).await?;
            self.log(Body::UndoOutcome { step: step.id, outcome: UndoOutcome::Kept { detail } }).await?;
        }
        Ok(())
    }

    async fn take_back(&mut self, step: &Step<T::Change>) -> Result<(), JournalError> {
        let mut todo = self.state.step(step.id).map_or(Todo::Nothing, StepState::backward);
        if todo == Todo::SettleAndUndo {
            match self.settle_open(step).await? {
                Ok(true) => todo = Todo::Undo,
                Ok(false) => return Ok(()),
                Err(failure) => {
                    self.report(step, &format!("it could not be read back: {}", describe(&failure.error)));
                    return Ok(());
                }
            }
        }
        if todo == Todo::Undo {
            self.undo(step).await?;
        }
        Ok(())
    }

    async fn undo(&mut self, step: &Step<T::Change>) -> Result<(), JournalError> {
        self.log(Body::UndoIntent { step: step.id }).await?;
        self.observer.on(&Event::Undoing(step));
        events::cleaning_up(self.state.begin().id, step.id, &step.change.to_string());
        let outcome = match self.try_undo(step).await {
            Ok(how) => {
                self.patience = self.policy.undo_attempts;
                self.observer.on(&Event::Undone { step, how: &how });
                match how {
                    Undone::Reversed => UndoOutcome::Reversed,
                    Undone::Recycled(detail) => UndoOutcome::Recycled { detail },
                    Undone::AlreadyGone => UndoOutcome::AlreadyGone,
                    Undone::Kept(detail) => UndoOutcome::Kept { detail },
                }
            }
            Err(detail) => {
                self.patience = 1;
                self.report(step, &detail);
                UndoOutcome::Failed { detail }
            }
        };
        self.log(Body::UndoOutcome { step: step.id, outcome }).await
    }

    /// Tries an undo as often as the policy allows, waiting out what asks to be waited for.
    async fn try_undo(&self, step: &Step<T::Change>) -> Result<Undone, String> {
        let (Some(undo), Some(receipt)) = (self.state.undo(step.id), self.state.receipts().get(&step.id))
        else {
            return Err("the journal does not say how to undo it".to_owned());
        };
        let mut attempt = 1;
        let mut first = None;
        loop {
            let Failure { error, resend_after, .. } =
                match self.target.undo(self.call(step), undo, receipt).await {
                    Ok(how) => return Ok(how),
                    Err(failure) => failure,
                };
            // The first failure says what is wrong; a later one may only say that it is too early to try again.
            let reason = first.get_or_insert_with(|| describe(&error));
            let Some(floor) = resend_after.filter(|_| attempt < self.patience) else {
                return Err(std::mem::take(reason));
            };
            let delay = self.policy.delay(attempt, floor);
            attempt += 1;
            self.observer.on(&Event::Resending { step, attempt, delay });
            tokio::time::sleep(delay).await;
        }
    }

    fn report(&self, step: &Step<T::Change>, reason: &str) {
        events::undo_failed(self.state.begin().id, step.id, &step.change.to_string(), reason);
        self.observer.on(&Event::UndoFailed { step, reason });
    }
}

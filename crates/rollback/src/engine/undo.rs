//! One undo: intended, tried as long as it may pass, recorded.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::settle::Asked;
use super::{Transaction, describe, later};
use crate::journal::{JournalError, Store};
use crate::record::{Body, UndoOutcome};
use crate::{Event, Failure, Observer, Step, Target, Undone, events};

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    pub(super) async fn undo(&self, step: &Step<T::Change>, deadline: Instant) -> Result<(), JournalError> {
        self.log(Body::UndoIntent { step: step.id }).await?;
        self.observer.on(&Event::Undoing(step));
        events::cleaning_up(self.id(), step.id, &step.change.to_string());
        let outcome = match self.try_undo(step, deadline).await? {
            Ok(how) => {
                self.patience.store(self.policy.undo_attempts, Ordering::Relaxed);
                self.observer.on(&Event::Undone { step, how: &how });
                match how {
                    Undone::Reversed => UndoOutcome::Reversed,
                    Undone::Recycled(detail) => UndoOutcome::Recycled { detail },
                    Undone::AlreadyGone => UndoOutcome::AlreadyGone,
                    Undone::Kept(detail) => UndoOutcome::Kept { detail },
                }
            }
            Err(detail) => {
                self.patience.store(1, Ordering::Relaxed);
                self.report(step, &detail);
                // What is tried next may find it done already, and it be carried out only later.
                let unanswered = !self.undo_left(step).is_zero();
                UndoOutcome::Failed { detail, unanswered }
            }
        };
        self.log(Body::UndoOutcome { step: step.id, outcome }).await
    }

    /// Tries an undo as often as the policy allows, waiting out what asks to be waited for.
    async fn try_undo(
        &self,
        step: &Step<T::Change>,
        deadline: Instant,
    ) -> Result<Result<Undone, String>, JournalError> {
        let (undo, receipt) = {
            let state = self.state();
            (state.undo(step.id).cloned(), state.receipts().get(&step.id).cloned())
        };
        let (Some(undo), Some(receipt)) = (undo, receipt) else {
            return Ok(Err("the journal does not say how to undo it".to_owned()));
        };
        let receipts = self.receipts(step);
        let call = self.call(step, Some(&undo), &receipts);
        // Of an earlier try, which failed for good.
        let asked = self.floors.left(step.id, Asked::Undo);
        if asked > self.policy.max_backoff || later(asked) >= deadline {
            let seconds = asked.as_secs();
            return Ok(Err(format!("the other side asked to be left alone for another {seconds} s")));
        }
        if !asked.is_zero() {
            tokio::time::sleep(asked).await;
            self.ask(true)?;
        }
        let mut attempt = 1;
        let mut first = None;
        loop {
            let failure = match self.target.undo(call, &undo, &receipt).await {
                Ok(how) => return Ok(self.outlast_undo(step, deadline).await.map(|()| how)),
                Err(failure) => failure,
            };
            if failure.reach.may_be_under_way() {
                self.in_flight.undo_unheard(step.id);
            }
            self.floors.note(step.id, Asked::Undo, &failure);
            let Failure { error, resend_after, .. } = failure;
            // The first failure says what is wrong; a later one may only say that it is too early to try again.
            // Who waits already goes on waiting when another has waited in vain.
            let (reason, patience) =
                first.get_or_insert_with(|| (describe(&error), self.patience.load(Ordering::Relaxed)));
            let Some(floor) = resend_after.filter(|_| attempt < *patience) else {
                return Ok(Err(std::mem::take(reason)));
            };
            let delay = self.policy.delay(attempt, floor);
            if later(delay) >= deadline {
                return Ok(Err(std::mem::take(reason)));
            }
            attempt += 1;
            self.observer.on(&Event::Resending { step, attempt, delay });
            tokio::time::sleep(delay).await;
            self.ask(true)?;
        }
    }

    /// Is not done with an undo while a sending of it may still be on its way: it would put back what the next transaction changes.
    async fn outlast_undo(&self, step: &Step<T::Change>, deadline: Instant) -> Result<(), String> {
        let left = self.undo_left(step);
        if left.is_zero() {
            return Ok(());
        }
        if later(left) >= deadline {
            return Err(
                "it was sent before, and nobody saw what became of that: it may still be carried out"
                    .to_owned(),
            );
        }
        self.observer.on(&Event::UndoInFlight { step, most: left });
        tokio::time::sleep(left).await;
        Ok(())
    }

    /// How much longer any sending of the step's undo may be on its way.
    fn undo_left(&self, step: &Step<T::Change>) -> Duration {
        let undo = self.state().undo(step.id).cloned();
        let most = undo.map_or(Duration::ZERO, |undo| self.target.undo_in_flight(&step.change, &undo));
        self.in_flight.undo_left(step.id, most)
    }

    pub(super) fn report(&self, step: &Step<T::Change>, reason: &str) {
        events::undo_failed(self.id(), step.id, &step.change.to_string(), reason);
        self.observer.on(&Event::UndoFailed { step, reason });
    }
}

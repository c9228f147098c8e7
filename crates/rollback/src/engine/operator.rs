//! What only an operator may decide: to leave something where it is.

use super::{Error, Transaction};
use crate::journal::Store;
use crate::record::{Body, UndoOutcome};
use crate::{Direction, Observer, StepId, StepState, Target, Verdict};

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    /// Ends the transaction where it stands, whichever way it was going. Nothing is sent; the verdict names what is left.
    ///
    /// # Errors
    ///
    /// When the transaction has ended, or the journal cannot be written.
    pub async fn abandon(self, reason: &str) -> Result<Verdict, Error> {
        if self.direction().has_ended() {
            return Err(Error::Ended);
        }
        self.log(Body::Abandoned { reason: reason.to_owned(), writer: self.writer.clone() }).await?;
        Ok(self.left(self.cause(None)))
    }

    /// Leaves what a step made, or may have made, where it is: a rollback that could not take it back goes on without it, keeps what
    /// it stands in, and ends as [`Direction::RolledBackPartial`].
    ///
    /// # Errors
    ///
    /// When no rollback has failed at the step, the transaction has ended, or the journal cannot be written.
    pub async fn skip(&mut self, step: StepId, reason: &str) -> Result<(), Error> {
        match self.direction() {
            Direction::Back => {}
            Direction::Forward => return Err(Error::NotSkippable(step)),
            _ => return Err(Error::Ended),
        }
        let state = self.state().step(step).cloned();
        if !state.as_ref().is_some_and(StepState::may_be_skipped) {
            return Err(Error::NotSkippable(step));
        }
        let outcome = UndoOutcome::Skipped { reason: reason.to_owned() };
        Ok(self.log(Body::UndoOutcome { step, outcome }).await?)
    }
}

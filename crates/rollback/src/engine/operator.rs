//! What only an operator may decide: to leave something where it is.

use super::ledger::Ledger;
use super::{Error, Transaction, View};
use crate::journal::{Loaded, Store};
use crate::record::{Body, UndoOutcome};
use crate::{Direction, Observer, StepId, StepState, Target};

impl<T: Target, S: Store> Loaded<T, S> {
    /// Ends a transaction whose process is gone where it stands, whichever way it was going. It needs no target: nothing is sent.
    /// `writer` is this process. What comes back says what is left.
    ///
    /// # Errors
    ///
    /// When the transaction has ended, or the journal cannot be written.
    pub async fn abandon(self, writer: &str, reason: &str) -> Result<View<T>, Error> {
        if self.state.direction().has_ended() {
            return Err(Error::Ended);
        }
        let ledger = Ledger::new(self.journal, self.state);
        let (writer, reason) = (writer.to_owned(), reason.to_owned());
        ledger.log_if(Body::TakenUp { writer: writer.clone() }, |_| true).await?;
        ledger.log_if(Body::Abandoned { reason, writer }, |_| true).await?;
        Ok(ledger.view())
    }
}

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
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

//! One step of the way forward: settled, where it may have been sent before; else inverted, intended, made, recorded.

use super::make::{Accept, Made, Maker, ReadBack, unless};
use super::settle::{Bounds, Settled};
use super::{Interrupt, Transaction, describe};
use crate::journal::{JournalError, Store};
use crate::record::{Body, Outcome};
use crate::{Call, Direction, Event, Failure, Observer, Step, StepId, StepState, Target};

/// How the work on one step ended.
pub(super) enum Ended<E> {
    Done,
    /// It was asked to come to an end before that, and did.
    Halted,
    Failed(Stopped<E>),
}

/// What ends the way forward.
pub(super) struct Stopped<E> {
    /// `None` for an interrupt.
    pub(super) step: Option<StepId>,
    pub(super) reason: String,
    pub(super) error: Option<E>,
}

impl<E: std::error::Error> Stopped<E> {
    pub(super) fn by(step: StepId, failure: Failure<E>) -> Self {
        Self { step: Some(step), reason: describe(&failure.error), error: Some(failure.error) }
    }
}

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    /// Brings one step to done. `halt` ends its waits.
    pub(super) async fn advance(
        &self,
        step: &Step<T::Change>,
        halt: &Interrupt,
    ) -> Result<Ended<T::Error>, JournalError> {
        let state = self.state().step(step.id).cloned();
        self.observer.on(&Event::Started(step));
        if let Some(StepState::Open { .. }) = state {
            match self.settle_open(step, Bounds { halt: Some(halt), deadline: None }).await? {
                Settled::Done => return Ok(Ended::Done),
                Settled::NotDone => {}
                Settled::Foreign => return Ok(foreign(step)),
                Settled::Unknown { error: Some(error), reason } => {
                    self.observer.on(&Event::Failed { step, error: &error });
                    return Ok(Ended::Failed(Stopped { step: Some(step.id), reason, error: Some(error) }));
                }
                Settled::Unknown { error: None, reason } => {
                    return Ok(Ended::Failed(Stopped { step: Some(step.id), reason, error: None }));
                }
                Settled::Halted => return Ok(self.halted(step)),
            }
        }
        // Its process may have died before it could decide to roll back.
        if state == Some(StepState::Foreign) {
            return Ok(foreign(step));
        }
        self.make(step, halt).await
    }

    async fn make(&self, step: &Step<T::Change>, halt: &Interrupt) -> Result<Ended<T::Error>, JournalError> {
        let receipts = self.receipts(step);
        let call = self.call(step, None, &receipts);
        // Reading what is needed to undo it changes nothing, so it may be dropped.
        let undo = match unless(Some(halt), self.target.invert(call)).await {
            Some(Ok(undo)) => undo,
            Some(Err(failure)) => return Ok(self.failed(step, failure)),
            None => return Ok(self.halted(step)),
        };
        let log = Logged { transaction: self, call: Call { undo: Some(&undo), ..call }, undo: &undo, halt };
        if !log.intend(false).await? {
            return Ok(self.halted(step));
        }
        let maker = Maker {
            target: self.target,
            policy: &self.policy,
            observer: &self.observer,
            floors: &self.floors,
            in_flight: &self.in_flight,
            read_back: ReadBack::Always,
            halt: Some(halt),
            leave_open: true,
        };
        let made = maker.make(step, log.call, &log).await?;
        let (outcome, failure) = match made {
            Made::Done { receipt, adopted } => {
                self.log(Body::Outcome { step: step.id, outcome: Outcome::Done { receipt, adopted } })
                    .await?;
                self.observer.on(&Event::Done { step, adopted });
                return Ok(Ended::Done);
            }
            Made::NotDone(failure) => (Outcome::NotDone { detail: describe(&failure.error) }, failure),
            Made::Foreign { found, failure } => (Outcome::Foreign { detail: found }, failure),
            Made::InDoubt(failure) => return Ok(self.failed(step, failure)),
            Made::LeftOpen => return Ok(self.halted(step)),
        };
        self.log(Body::Outcome { step: step.id, outcome }).await?;
        Ok(self.failed(step, failure))
    }

    /// Takes the marker off what the step made, where there is one.
    pub(super) async fn unmark(
        &self,
        step: &Step<T::Change>,
    ) -> Result<Result<(), Failure<T::Error>>, JournalError> {
        let receipt = {
            let state = self.state();
            state.receipts().get(&step.id).filter(|_| state.is_marked(step.id)).cloned()
        };
        let Some(receipt) = receipt else {
            return Ok(Ok(()));
        };
        match self.ask(true) {
            // A marker that stays is a blemish.
            Err(error) if self.direction() == Direction::Committed => {
                self.observer.on(&Event::StillMarked { step: step.id, reason: &error.to_string() });
                return Ok(Ok(()));
            }
            asked => asked?,
        }
        let receipts = self.receipts(step);
        match self.target.unmark(self.call(step, None, &receipts), &receipt).await {
            Ok(()) => {
                let ended = self.direction().has_ended();
                self.log(Body::Unmarked { step: step.id, ended }).await.map(Ok)
            }
            Err(failure) => Ok(Err(failure)),
        }
    }

    fn failed(&self, step: &Step<T::Change>, failure: Failure<T::Error>) -> Ended<T::Error> {
        self.observer.on(&Event::Failed { step, error: &failure.error });
        Ended::Failed(Stopped::by(step.id, failure))
    }

    fn halted(&self, step: &Step<T::Change>) -> Ended<T::Error> {
        self.observer.on(&Event::Halted(step));
        Ended::Halted
    }
}

fn foreign<C: std::fmt::Display, E>(step: &Step<C>) -> Ended<E> {
    let reason = format!("{}: something else stands in its place", step.change);
    Ended::Failed(Stopped { step: Some(step.id), reason, error: None })
}

/// Records each sending of a change before it is sent, and an accepted operation before it is waited for.
struct Logged<'l, 'a, T: Target, S, O> {
    transaction: &'l Transaction<'a, T, S, O>,
    call: Call<'l, T>,
    undo: &'l T::Undo,
    halt: &'l Interrupt,
}

impl<T: Target, S: Store, O: Observer<T::Change>> Logged<'_, '_, T, S, O> {
    /// `false`: it is not to be sent any more.
    async fn intend(&self, unanswered: bool) -> Result<bool, JournalError> {
        let marker = self.call.marker.map(|marker| marker.to_string());
        let intent = Body::Intent { step: self.call.step, marker, undo: self.undo.clone(), unanswered };
        let may_start = |direction| direction == Direction::Forward && !self.halt.is_raised();
        self.transaction.log_if(intent, |state| may_start(state.direction())).await
    }
}

impl<T: Target, S: Store, O: Observer<T::Change>> Accept for Logged<'_, '_, T, S, O> {
    type Error = JournalError;

    /// With a record of its own, what is known of an earlier sending does not stand for this one, and who has lost the
    /// transaction to another process does not send again.
    async fn again(&self, unanswered: bool) -> Result<bool, JournalError> {
        self.intend(unanswered).await
    }

    async fn accepted(&self, operation: &str) -> Result<(), JournalError> {
        let (step, operation) = (self.call.step, operation.to_owned());
        self.transaction.log(Body::Accepted { step, operation }).await
    }
}

impl<'a, T: Target, S: Store, O: Observer<T::Change>> Transaction<'a, T, S, O> {
    /// The step as it is handed to the target, with what [`receipts`](Self::receipts) gave.
    pub(super) fn call<'c>(
        &self,
        step: &'c Step<T::Change>,
        undo: Option<&'c T::Undo>,
        receipts: &'c crate::Receipts<T::Receipt>,
    ) -> Call<'c, T> {
        let marker = self.marker(step);
        Call { step: step.id, change: &step.change, marker, recorded: true, undo, receipts }
    }
}

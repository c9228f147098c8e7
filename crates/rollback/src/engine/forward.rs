//! Forward: intent, change, outcome, for each step; then the commit.

use super::make::{Accept, Made, Maker, ReadBack};
use super::settle::Reader;
use super::{Error, Transaction, describe};
use crate::journal::{Journal, JournalError, Store};
use crate::record::{Body, End, Outcome};
use crate::{
    Cause, Event, Failure, Found, Observer, Reach, State, Step, StepId, StepState, Target, Todo, Verdict,
    events,
};

/// Why a step was not made.
struct Stopped<E> {
    reason: String,
    error: Option<E>,
}

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    pub(super) async fn go_forward(&mut self) -> Result<Verdict, Error> {
        let steps = self.steps();
        let pivot = steps.iter().find(|step| !self.target.reversible(&step.change)).map(|step| step.id);
        for step in &steps {
            if self.interrupt.is_raised() && self.past_pivot().is_none() {
                return self.stop(None, Stopped { reason: "interrupted".to_owned(), error: None }).await;
            }
            // What is published must not carry markers, and what was published cannot be taken back.
            if pivot == Some(step.id)
                && let Err((step, failure)) = self.unmark_each().await?
            {
                return self.stop(Some(step), failed(failure)).await;
            }
            if let Err(stopped) = self.advance(step).await? {
                return self.stop(Some(step.id), stopped).await;
            }
        }
        self.log(Body::End { state: End::Committed }).await?;
        events::committed(self.state.begin().id);
        self.unmark_all().await?;
        Ok(Verdict::Committed)
    }

    /// Brings one step to done.
    async fn advance(
        &mut self,
        step: &Step<T::Change>,
    ) -> Result<Result<(), Stopped<T::Error>>, JournalError> {
        let todo = self.state.step(step.id).map_or(Todo::Nothing, StepState::forward);
        if todo == Todo::Nothing {
            return Ok(Ok(()));
        }
        self.observer.on(&Event::Started(step));
        if todo == Todo::Settle {
            match self.settle_open(step).await? {
                Ok(true) => return Ok(Ok(())),
                Ok(false) => {}
                Err(failure) => return Ok(Err(self.failed(step, failure))),
            }
        }
        // Found out now, or by a process that died before it could decide to roll back.
        if self.state.step(step.id) == Some(&StepState::Foreign) {
            let reason = format!("{}: something else stands in its place", step.change);
            return Ok(Err(Stopped { reason, error: None }));
        }
        self.make(step).await
    }

    async fn make(&mut self, step: &Step<T::Change>) -> Result<Result<(), Stopped<T::Error>>, JournalError> {
        let undo = match self.target.invert(self.call(step)).await {
            Ok(undo) => undo,
            Err(failure) => return Ok(Err(self.failed(step, failure))),
        };
        let marker = self.marker(step);
        let intent = Body::Intent {
            step: step.id,
            marker: marker.map(|marker| marker.to_string()),
            undo: undo.clone(),
        };
        self.log(intent).await?;
        let Self { target, observer, policy, interrupt, floors, journal, state, .. } = self;
        let maker =
            Maker { target: *target, policy, interrupt, observer, floors, read_back: ReadBack::Always };
        let call = crate::Call {
            step: step.id,
            change: &step.change,
            marker,
            recorded: true,
            undo: Some(&undo),
            receipts: &state.receipts().clone(),
        };
        let made = maker.make(step, call, &mut Logged { journal, state, step: step.id }).await?;
        Ok(match made {
            Made::Done { receipt, adopted } => {
                self.log(Body::Outcome { step: step.id, outcome: Outcome::Done { receipt, adopted } })
                    .await?;
                self.observer.on(&Event::Done { step, adopted });
                Ok(())
            }
            Made::NotDone(failure) => {
                let detail = describe(&failure.error);
                self.log(Body::Outcome { step: step.id, outcome: Outcome::NotDone { detail } }).await?;
                Err(self.failed(step, failure))
            }
            Made::Foreign { found, failure } => {
                let outcome = Outcome::Foreign { detail: found };
                self.log(Body::Outcome { step: step.id, outcome }).await?;
                Err(self.failed(step, failure))
            }
            Made::InDoubt(failure) => Err(self.failed(step, failure)),
        })
    }

    /// Finds out what became of a step that an earlier process may have sent, and records it.
    ///
    /// `true`: it is done. `false`: it is not, or something foreign stands there.
    pub(super) async fn settle_open(
        &mut self,
        step: &Step<T::Change>,
    ) -> Result<Result<bool, Failure<T::Error>>, JournalError> {
        let operation = match self.state.step(step.id) {
            Some(StepState::Open { operation }) => operation.clone(),
            _ => return Ok(Ok(false)),
        };
        let call = self.call(step);
        let waited = match &operation {
            Some(operation) => Some(self.target.wait(call, operation).await),
            None => None,
        };
        let outcome = match waited {
            Some(Ok(receipt)) => Outcome::Done { receipt, adopted: false },
            waited => match (self.reader().settle(step, call, self.policy.absent_reads).await, waited) {
                (Ok(Some(Found::Done(receipt))), _) => Outcome::Done { receipt, adopted: true },
                // The other side may still be working on it: neither absence nor a thing of somebody else's proves anything.
                (Ok(Some(Found::Absent | Found::Foreign(_))), Some(Err(failure)))
                    if failure.reach == Reach::Pending =>
                {
                    return Ok(Err(failure));
                }
                (Ok(Some(Found::Foreign(detail))), _) => Outcome::Foreign { detail },
                (Ok(Some(Found::Absent)), _) => {
                    Outcome::NotDone { detail: "read back as not done".to_owned() }
                }
                // Nothing was found out, so nothing is recorded.
                (Ok(None), _) => return Ok(Ok(false)),
                (Err(failure), _) => {
                    self.patience = 1;
                    return Ok(Err(failure));
                }
            },
        };
        let done = matches!(outcome, Outcome::Done { .. });
        let adopted = matches!(outcome, Outcome::Done { adopted: true, .. });
        self.log(Body::Outcome { step: step.id, outcome }).await?;
        if done {
            self.observer.on(&Event::Done { step, adopted });
        }
        Ok(Ok(done))
    }

    /// Reads back without heeding an interrupt: what it finds is needed on the way back, too.
    fn reader(&self) -> Reader<'_, T, O> {
        Reader {
            target: self.target,
            policy: &self.policy,
            observer: &self.observer,
            floors: &self.floors,
            interrupt: None,
            tries: self.patience,
        }
    }

    fn failed(&self, step: &Step<T::Change>, failure: Failure<T::Error>) -> Stopped<T::Error> {
        self.observer.on(&Event::Failed { step, error: &failure.error });
        failed(failure)
    }

    /// Ends the way forward: back, unless there is no way back any more.
    async fn stop(&mut self, step: Option<StepId>, stopped: Stopped<T::Error>) -> Result<Verdict, Error> {
        let Stopped { reason, error } = stopped;
        let error: Option<Box<dyn std::error::Error + Send + Sync>> = error.map(Into::into);
        if self.past_pivot().is_some() {
            let cause = Cause { step, reason, error };
            let (direction, remaining) = (self.state.direction(), self.state.remaining());
            return Ok(Verdict::Left { cause, direction, remaining });
        }
        self.decide_to_roll_back(step, &reason).await?;
        self.go_back(error).await
    }

    /// Takes every marker off, and stops at the first that will not come off.
    async fn unmark_each(&mut self) -> Result<Result<(), (StepId, Failure<T::Error>)>, JournalError> {
        for step in self.steps() {
            if let Err(failure) = self.unmark(&step).await? {
                return Ok(Err((step.id, failure)));
            }
        }
        Ok(Ok(()))
    }

    /// Takes the markers off what a committed transaction made. One that stays is a blemish, not a failure.
    pub(super) async fn unmark_all(&mut self) -> Result<(), JournalError> {
        for step in self.steps() {
            if let Err(failure) = self.unmark(&step).await? {
                let reason = describe(&failure.error);
                self.observer.on(&Event::StillMarked { step: step.id, reason: &reason });
            }
        }
        Ok(())
    }

    async fn unmark(
        &mut self,
        step: &Step<T::Change>,
    ) -> Result<Result<(), Failure<T::Error>>, JournalError> {
        let receipt = self.state.receipts().get(&step.id).filter(|_| self.state.is_marked(step.id));
        let Some(receipt) = receipt else {
            return Ok(Ok(()));
        };
        match self.target.unmark(self.call(step), receipt).await {
            Ok(()) => self.log(Body::Unmarked { step: step.id }).await.map(Ok),
            Err(failure) => Ok(Err(failure)),
        }
    }
}

fn failed<E: std::error::Error>(failure: Failure<E>) -> Stopped<E> {
    Stopped { reason: describe(&failure.error), error: Some(failure.error) }
}

/// Records an accepted operation before it is waited for.
struct Logged<'a, T: Target, S> {
    journal: &'a mut Journal<S>,
    state: &'a mut State<T>,
    step: StepId,
}

impl<T: Target, S: Store> Accept for Logged<'_, T, S> {
    type Error = JournalError;

    async fn accepted(&mut self, operation: &str) -> Result<(), JournalError> {
        let body = Body::Accepted { step: self.step, operation: operation.to_owned() };
        let (line, body) = self.journal.encode::<T>(body)?;
        self.state.apply(body).map_err(|source| JournalError::Illegal { source })?;
        self.journal.append(line).await
    }
}

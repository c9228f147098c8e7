//! Reading back what became of a change in doubt.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::make::unless;
use super::{Interrupt, Policy, Transaction, describe, later};
use crate::journal::{JournalError, Store};
use crate::record::{Body, Outcome};
use crate::{Call, Event, Failure, Found, Observer, Reach, Step, StepId, StepState, Target};

/// Between two looks for what may still be on its way lies this at least.
const LEAST_PAUSE: Duration = Duration::from_millis(100);

/// What was found out about a step that may have been sent.
pub(super) enum Settled<E> {
    Done,
    NotDone,
    Foreign,
    /// Nothing, and why.
    Unknown {
        reason: String,
        error: Option<E>,
    },
    /// It was asked to come to an end before that.
    Halted,
}

/// What ends the finding out.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'h> {
    /// Ends every wait.
    pub(super) halt: Option<&'h Interrupt>,
    /// Ends the wait for an operation that the other side works on. What stands there is still read after it.
    pub(super) deadline: Option<Instant>,
}

/// How the wait for an accepted operation ended.
enum Waited<T: Target> {
    /// There was none.
    No,
    Failed(Failure<T::Error>),
    TooLong,
}

/// Until when the other side asked not to be asked about a step again. A halt ends a wait, and another try may follow at once; what
/// was asked for still holds.
#[derive(Default)]
pub(super) struct Floors(Mutex<BTreeMap<(StepId, Asked), Instant>>);

/// What was asked, and is not to be asked again for a while.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Asked {
    Look,
    Wait,
    Undo,
}

impl Floors {
    /// Takes note of what a failure asks for.
    pub(super) fn note<E>(&self, step: StepId, asked: Asked, failure: &Failure<E>) {
        let Some(wait) = failure.resend_after else { return };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((step, asked), later(wait));
    }

    /// How long it still is.
    pub(super) fn left(&self, step: StepId, asked: Asked) -> Duration {
        let floors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        floors
            .get(&(step, asked))
            .map_or(Duration::ZERO, |floor| floor.saturating_duration_since(Instant::now()))
    }
}

/// Reads changes in doubt back.
pub(super) struct Reader<'a, T, O> {
    pub(super) target: &'a T,
    pub(super) policy: &'a Policy,
    pub(super) observer: &'a O,
    pub(super) floors: &'a Floors,
    /// What ends the waits of the way forward. The way back goes on: an interrupt is what asked for it.
    pub(super) halt: Option<&'a Interrupt>,
    /// How often a reading is tried where its failure may pass.
    pub(super) tries: u32,
}

impl<T: Target, O: Observer<T::Change>> Reader<'_, T, O> {
    /// Reads until the change is found, or not so many times in a row; `None` where a halt came first.
    ///
    /// Where names are not unique, something of somebody else's proves no more than absence: what we made may not be
    /// listed yet.
    pub(super) async fn settle(
        &self,
        step: &Step<T::Change>,
        call: Call<'_, T>,
        reads: u32,
    ) -> Result<Option<Found<T::Receipt>>, Failure<T::Error>> {
        let mut last = Found::Absent;
        for read in 0..reads.max(1) {
            if read > 0 && self.sleep(self.policy.consistency_delay).await.is_none() {
                return Ok(None);
            }
            match self.read(step, call).await? {
                Some(found @ (Found::Absent | Found::Foreign(_))) => last = found,
                found => return Ok(found),
            }
        }
        Ok(Some(last))
    }

    /// Reads once. What asks to be waited for, such as an open circuit, is waited out: an answer that was only
    /// postponed must not leave the change in doubt.
    async fn read(
        &self,
        step: &Step<T::Change>,
        call: Call<'_, T>,
    ) -> Result<Option<Found<T::Receipt>>, Failure<T::Error>> {
        let mut attempt = 1;
        let asked_before = self.floors.left(step.id, Asked::Look);
        if !asked_before.is_zero() && self.sleep(asked_before).await.is_none() {
            return Ok(None);
        }
        loop {
            let failure = match self.target.reconcile(call).await {
                Ok(found) => return Ok(Some(found)),
                Err(failure) => failure,
            };
            self.floors.note(step.id, Asked::Look, &failure);
            let Some(floor) = failure.resend_after.filter(|_| attempt < self.tries) else {
                return Err(failure);
            };
            let delay = self.policy.delay(attempt, floor);
            attempt += 1;
            self.observer.on(&Event::ReadingAgain { step, attempt, delay, error: &failure.error });
            if self.sleep(delay).await.is_none() {
                return Ok(None);
            }
        }
    }

    /// `None` where it was asked to halt.
    async fn sleep(&self, duration: Duration) -> Option<()> {
        unless(self.halt, tokio::time::sleep(duration)).await
    }
}

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    /// Finds out what became of a step that may have been sent, and records it.
    pub(super) async fn settle_open(
        &self,
        step: &Step<T::Change>,
        bounds: Bounds<'_>,
    ) -> Result<Settled<T::Error>, JournalError> {
        let state = self.state().step(step.id).cloned();
        let Some(StepState::Open { operation }) = state else {
            return Ok(Settled::NotDone);
        };
        let (receipts, undo) = (self.receipts(step), self.state().undo(step.id).cloned());
        let call = self.call(step, undo.as_ref(), &receipts);
        let waited = match self.await_end(call, operation.as_deref(), bounds).await {
            Some(Ok(receipt)) => return self.settled(step, Outcome::Done { receipt, adopted: false }).await,
            Some(Err(waited)) => waited,
            None => return Ok(Settled::Halted),
        };
        let reader = Reader {
            target: self.target,
            policy: &self.policy,
            observer: &self.observer,
            floors: &self.floors,
            halt: bounds.halt,
            tries: self.patience.load(Ordering::Relaxed),
        };
        let looked_at = Instant::now();
        let found = match reader.settle(step, call, self.policy.absent_reads).await {
            Ok(Some(seen @ (Found::Absent | Found::Foreign(_)))) => {
                self.outlast(step, call, &reader, seen, looked_at).await
            }
            found => found,
        };
        let outcome = match (found, waited) {
            (Ok(Some(Found::Done(receipt))), _) => Outcome::Done { receipt, adopted: true },
            // The other side may still be working on it: neither absence nor a thing of somebody else's proves anything.
            (Ok(Some(Found::Absent | Found::Foreign(_))), Waited::Failed(failure))
                if failure.reach == Reach::Pending =>
            {
                return Ok(unknown(failure));
            }
            (Ok(Some(Found::Absent | Found::Foreign(_))), Waited::TooLong) => {
                let reason = "the other side was still working on it".to_owned();
                return Ok(Settled::Unknown { reason, error: None });
            }
            (Ok(Some(Found::Foreign(detail))), _) => Outcome::Foreign { detail },
            (Ok(Some(Found::Absent)), _) => Outcome::NotDone { detail: "read back as not done".to_owned() },
            (Ok(None), _) => return Ok(Settled::Halted),
            (Err(failure), _) => {
                self.patience.store(1, Ordering::Relaxed);
                return Ok(unknown(failure));
            }
        };
        self.settled(step, outcome).await
    }

    /// Goes on looking for what was not seen, as long as it may still be on its way. What counts is when a look is begun: the answer
    /// may take long, or find this process stopped.
    async fn outlast(
        &self,
        step: &Step<T::Change>,
        call: Call<'_, T>,
        reader: &Reader<'_, T, O>,
        mut seen: Found<T::Receipt>,
        mut looked_at: Instant,
    ) -> Result<Option<Found<T::Receipt>>, Failure<T::Error>> {
        let most = self.target.in_flight(&step.change);
        let mut pause = self.policy.consistency_delay.max(LEAST_PAUSE);
        let left = |now| self.in_flight.left(step.id, most, now);
        let most_now = left(Instant::now());
        if !most_now.is_zero() {
            self.observer.on(&Event::InFlight { step, most: most_now });
        }
        while !left(looked_at).is_zero() && matches!(seen, Found::Absent | Found::Foreign(_)) {
            if reader.sleep(pause.min(left(Instant::now()))).await.is_none() {
                return Ok(None);
            }
            looked_at = Instant::now();
            pause = pause.saturating_mul(2).min(self.policy.max_backoff.max(LEAST_PAUSE));
            match reader.settle(step, call, 1).await? {
                Some(found) => seen = found,
                None => return Ok(None),
            }
        }
        Ok(Some(seen))
    }

    async fn settled(
        &self,
        step: &Step<T::Change>,
        outcome: Outcome<T::Receipt>,
    ) -> Result<Settled<T::Error>, JournalError> {
        let (settled, adopted) = match &outcome {
            Outcome::Done { adopted, .. } => (Settled::Done, Some(*adopted)),
            Outcome::NotDone { .. } => (Settled::NotDone, None),
            Outcome::Foreign { .. } => (Settled::Foreign, None),
        };
        self.log(Body::Outcome { step: step.id, outcome }).await?;
        if let Some(adopted) = adopted {
            self.observer.on(&Event::Done { step, adopted });
        }
        Ok(settled)
    }

    /// Waits for the end of an accepted operation. `None` where it was asked to halt.
    async fn await_end(
        &self,
        call: Call<'_, T>,
        operation: Option<&str>,
        bounds: Bounds<'_>,
    ) -> Option<Result<T::Receipt, Waited<T>>> {
        let Some(operation) = operation else {
            return Some(Err(Waited::No));
        };
        let wait = async {
            tokio::time::sleep(self.floors.left(call.step, Asked::Wait)).await;
            let ended = self.target.wait(call, operation).await;
            ended.inspect_err(|failure| self.floors.note(call.step, Asked::Wait, failure))
        };
        let wait = async {
            match bounds.deadline {
                Some(deadline) => tokio::time::timeout_at(deadline, wait).await.ok(),
                None => Some(wait.await),
            }
        };
        Some(match unless(bounds.halt, wait).await? {
            Some(Ok(receipt)) => Ok(receipt),
            Some(Err(failure)) => Err(Waited::Failed(failure)),
            None => Err(Waited::TooLong),
        })
    }
}

fn unknown<E: std::error::Error>(failure: Failure<E>) -> Settled<E> {
    Settled::Unknown { reason: describe(&failure.error), error: Some(failure.error) }
}

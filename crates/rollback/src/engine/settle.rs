//! Reading back what became of a change in doubt.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Interrupt, Policy};
use crate::{Call, Event, Failure, Found, Observer, Step, StepId, Target};

/// Until when the other side asked not to be asked about a step again. An interrupt ends a wait, and what it asked for still holds.
#[derive(Default)]
pub(super) struct Floors(Mutex<BTreeMap<StepId, Instant>>);

impl Floors {
    fn set(&self, step: StepId, wait: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(step, Instant::now() + wait);
    }

    /// How long it still is.
    fn left(&self, step: StepId) -> Duration {
        let floors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        floors.get(&step).map_or(Duration::ZERO, |floor| floor.saturating_duration_since(Instant::now()))
    }
}

/// Reads changes in doubt back.
pub(super) struct Reader<'a, T, O> {
    pub(super) target: &'a T,
    pub(super) policy: &'a Policy,
    pub(super) observer: &'a O,
    pub(super) floors: &'a Floors,
    /// What ends the waits of the way forward. The way back goes on: an interrupt is what asked for it.
    pub(super) interrupt: Option<&'a Interrupt>,
    /// How often a reading is tried where its failure may pass.
    pub(super) tries: u32,
}

impl<T: Target, O: Observer<T::Change>> Reader<'_, T, O> {
    /// Reads until the change is found, or not so many times in a row; `None` where an interrupt came first.
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
        let asked_before = self.floors.left(step.id);
        if !asked_before.is_zero() && self.sleep(asked_before).await.is_none() {
            return Ok(None);
        }
        loop {
            let failure = match self.target.reconcile(call).await {
                Ok(found) => return Ok(Some(found)),
                Err(failure) => failure,
            };
            if let Some(wait) = failure.resend_after {
                self.floors.set(step.id, wait);
            }
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

    /// `None` where an interrupt ended it.
    async fn sleep(&self, duration: Duration) -> Option<()> {
        let Some(interrupt) = self.interrupt else {
            tokio::time::sleep(duration).await;
            return Some(());
        };
        interrupt.sleep(duration).await;
        (!interrupt.is_raised()).then_some(())
    }
}

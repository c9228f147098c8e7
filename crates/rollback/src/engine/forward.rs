//! Forward: independent steps at the same time, then what cannot be undone, one after the other; then the commit.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tracing::Instrument as _;

use super::settle::Bounds;
use super::step::{Ended, Stopped};
use super::{Error, Interrupt, Transaction};
use crate::journal::{JournalError, Store};
use crate::record::{Body, End};
use crate::{Direction, Event, Observer, Step, StepId, StepState, Target, Verdict, events};

/// One thing to do, among others that are done at the same time.
enum Job<'j, C> {
    Make(&'j Step<C>, &'j Interrupt),
    Unmark(&'j Step<C>),
    /// Write the decision to roll back.
    Decide(Option<StepId>, String),
}

/// What is done about a list of steps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Work {
    Make,
    Unmark,
}

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    pub(super) async fn go_forward(&self) -> Result<Verdict, Error> {
        let steps = self.steps();
        let irreversible = |step: &Step<T::Change>| !self.target.reversible(&step.change);
        let pivot = steps.iter().position(irreversible).unwrap_or(steps.len());
        let (reversible, irreversible) = steps.split_at(pivot);
        if let Some(stopped) = self.carry_out(reversible, Work::Make).await? {
            return self.stop(stopped).await;
        }
        // What is published must not carry markers, and what was published cannot be taken back.
        if !irreversible.is_empty()
            && let Some(stopped) = self.carry_out(&steps, Work::Unmark).await?
        {
            return self.stop(stopped).await;
        }
        for step in irreversible {
            if let Some(stopped) = self.carry_out(std::slice::from_ref(step), Work::Make).await?
                && !self.has_landed(step).await?
            {
                return self.stop(stopped).await;
            }
        }
        self.log(Body::End { state: End::Committed }).await?;
        events::committed(self.id());
        self.unmark_all().await?;
        Ok(Verdict::Committed)
    }

    /// Does the work on each step once the steps before it are done, as many at a time as the policy allows.
    ///
    /// A failure or an interrupt is the end of it: the decision to roll back is written at once, no further step is begun, and those under
    /// way come to their end. `Some`: that is how it ended.
    async fn carry_out(
        &self,
        steps: &[Step<T::Change>],
        work: Work,
    ) -> Result<Option<Stopped<T::Error>>, JournalError> {
        let halt = Interrupt::default();
        let mut stopped = None;
        let (mut waiting, mut done) = self.due(steps, work);
        let mut running = FuturesUnordered::new();
        loop {
            // Once that which cannot be undone may be sent, nothing asks it to stop.
            if stopped.is_none() && self.interrupt.is_raised() && self.past_pivot().is_none() {
                let reason = "interrupted".to_owned();
                running.push(self.job(Job::Decide(None, reason.clone())));
                stopped = Some(Stopped { step: None, reason, error: None });
                halt.raise();
            }
            let ready = |step: &&Step<T::Change>| {
                work == Work::Unmark || step.waits_for().all(|id| done.contains(&id))
            };
            while stopped.is_none()
                && running.len() < self.policy.concurrency.max(1)
                && let Some(next) = waiting.iter().position(ready)
            {
                let step = waiting.remove(next);
                running.push(self.job(match work {
                    Work::Make => Job::Make(step, &halt),
                    Work::Unmark => Job::Unmark(step),
                }));
            }
            let watched = stopped.is_none() && !self.interrupt.is_raised();
            let ended = tokio::select! {
                biased;
                () = self.interrupt.raised(), if watched => continue,
                ended = running.next() => ended,
            };
            match ended.transpose()? {
                None => return Ok(stopped),
                Some((step, Ended::Done)) => done.extend(step),
                Some((_, Ended::Failed(failed))) if stopped.is_none() => {
                    running.push(self.job(Job::Decide(failed.step, failed.reason.clone())));
                    stopped = Some(failed);
                    halt.raise();
                }
                Some((_, Ended::Failed(_) | Ended::Halted)) => {}
            }
        }
    }

    /// The steps that something is to be done about, and those that are done.
    fn due<'s>(
        &self,
        steps: &'s [Step<T::Change>],
        work: Work,
    ) -> (Vec<&'s Step<T::Change>>, BTreeSet<StepId>) {
        let state = self.state();
        let done: BTreeSet<_> =
            state.steps().filter(|(_, state)| **state == StepState::Done).map(|(step, _)| step.id).collect();
        let due = |step: &&Step<T::Change>| match work {
            Work::Make => !done.contains(&step.id),
            Work::Unmark => state.is_marked(step.id),
        };
        (steps.iter().filter(due).collect(), done)
    }

    async fn job(&self, job: Job<'_, T::Change>) -> Result<(Option<StepId>, Ended<T::Error>), JournalError> {
        Ok(match job {
            Job::Make(step, halt) => {
                let span = events::step(step.id, &step.change, "forward");
                let ended = self.advance(step, halt).instrument(span.clone()).await?;
                let result = match ended {
                    Ended::Done => "success",
                    Ended::Halted => "cancellation",
                    Ended::Failed(_) => "failure",
                };
                events::step_ended(&span, result);
                (Some(step.id), ended)
            }
            Job::Unmark(step) => match self.unmark(step).await? {
                Ok(()) => (None, Ended::Done),
                Err(failure) => (None, Ended::Failed(Stopped::by(step.id, failure))),
            },
            Job::Decide(step, reason) => {
                self.decide_to_roll_back(step, &reason).await?;
                (None, Ended::Halted)
            }
        })
    }

    /// Whether what cannot be undone, and failed without an answer, turns out to be made. Which way to go depends on it.
    async fn has_landed(&self, step: &Step<T::Change>) -> Result<bool, JournalError> {
        if matches!(self.state().step(step.id), Some(StepState::Open { operation: None })) {
            // What cannot be read back stays in doubt.
            drop(self.settle_open(step, Bounds { halt: None, deadline: None }).await?);
        }
        Ok(self.state().step(step.id) == Some(&StepState::Done))
    }

    /// Ends the way forward: back, unless there is no way back any more.
    async fn stop(&self, stopped: Stopped<T::Error>) -> Result<Verdict, Error> {
        let Stopped { step, reason, error } = stopped;
        let error: Option<Box<dyn std::error::Error + Send + Sync>> = error.map(Into::into);
        self.decide_to_roll_back(step, &reason).await?;
        if self.direction() == Direction::Forward {
            return Ok(self.left(crate::Cause { step, reason, error }));
        }
        self.go_back(error).await
    }

    /// Takes the markers off what a committed transaction made. One that stays is a blemish, not a failure.
    pub(super) async fn unmark_all(&self) -> Result<(), JournalError> {
        let steps = self.steps();
        let (mut waiting, _) = self.due(&steps, Work::Unmark);
        waiting.reverse();
        let mut running = FuturesUnordered::new();
        loop {
            while running.len() < self.policy.concurrency.max(1)
                && let Some(step) = waiting.pop()
            {
                running.push(self.job(Job::Unmark(step)));
            }
            match running.next().await.transpose()? {
                None => return Ok(()),
                Some((_, Ended::Failed(Stopped { step: Some(step), reason, .. }))) => {
                    self.observer.on(&Event::StillMarked { step, reason: &reason });
                }
                Some(_) => {}
            }
        }
    }
}

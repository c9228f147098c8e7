//! Back: each step that was made, or may have been, once nothing is left of what builds on it.

use std::collections::BTreeSet;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::settle::{Bounds, Settled};
use super::{Error, Transaction, later};
use crate::journal::{JournalError, Store};
use crate::record::{Body, End, UndoOutcome};
use crate::{Event, Observer, Remaining, Step, StepId, StepState, Target, Todo, Verdict, events};

/// What a rollback still has to do, and when it ends at the latest.
struct Pass<'s, C> {
    steps: &'s [Step<C>],
    /// What was begun.
    tried: BTreeSet<StepId>,
    /// What is under way.
    busy: BTreeSet<StepId>,
    deadline: Instant,
}

impl<T: Target, S: Store, O: Observer<T::Change>> Transaction<'_, T, S, O> {
    /// Undoes what remains. A failed undo does not stop the others; it is tried once more at the end, then reported.
    ///
    /// The forward interrupt does not stop a rollback: it is what asked for it.
    pub(super) async fn go_back(
        &self,
        error: Option<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Result<Verdict, Error> {
        let steps = self.steps();
        let deadline = later(self.policy.rollback_deadline);
        let mut pass = Pass { steps: &steps, tried: BTreeSet::new(), busy: BTreeSet::new(), deadline };
        self.take_all_back(&mut pass).await?;
        // What failed may have failed because something else was still on its way out, or went by without being seen.
        let pause = self.policy.consistency_delay;
        if self.is_stuck() && later(pause) < deadline {
            tokio::time::sleep(pause).await;
            let state = |id: &StepId| self.state().step(*id).cloned();
            pass.tried.retain(|id| matches!(state(id), Some(StepState::Open { .. })));
            self.take_all_back(&mut pass).await?;
        }
        let remaining = self.remaining(&pass);
        events::rolled_back(self.id(), remaining.len());
        let cause = self.cause(error);
        if remaining.is_empty() {
            self.log(Body::End { state: End::RolledBack }).await?;
            return Ok(Verdict::RolledBack { cause, traces: self.state().traces() });
        }
        // What was kept is theirs now, and nothing that can be tried again.
        if self.state().steps().all(|(_, state)| !state.remains()) {
            self.log(Body::End { state: End::RolledBackPartial }).await?;
        }
        Ok(Verdict::Left { cause, direction: self.direction(), remaining })
    }

    /// Begins with the last step that can be taken back now, as many at a time as the policy allows, and each once.
    async fn take_all_back(&self, pass: &mut Pass<'_, T::Change>) -> Result<(), JournalError> {
        let mut running = FuturesUnordered::new();
        let steps = pass.steps;
        loop {
            while running.len() < self.policy.concurrency.max(1)
                && Instant::now() < pass.deadline
                && let Some(step) = steps.iter().rev().find(|step| self.may_go(step, pass))
            {
                pass.tried.insert(step.id);
                pass.busy.insert(step.id);
                running.push(self.take_back(step, pass.deadline));
            }
            match running.next().await.transpose()? {
                Some(step) => {
                    pass.busy.remove(&step);
                }
                None => match steps.iter().rev().find(|step| self.is_due(step, pass)) {
                    // It holds something that is left: passed over, so that what it merely comes after has its turn.
                    Some(step) if Instant::now() < pass.deadline => {
                        pass.tried.insert(step.id);
                    }
                    _ => return Ok(()),
                },
            }
        }
    }

    fn is_due(&self, step: &Step<T::Change>, pass: &Pass<'_, T::Change>) -> bool {
        !pass.tried.contains(&step.id) && self.state().step(step.id).is_some_and(StepState::remains)
    }

    /// Whether nothing is left to do about what builds on the step, or comes after it.
    fn may_go(&self, step: &Step<T::Change>, pass: &Pass<'_, T::Change>) -> bool {
        let builds_on_it = |later: &&Step<T::Change>| later.after.contains(&step.id);
        let comes_after_it = |later: &&Step<T::Change>| later.follows.contains(&step.id);
        self.is_due(step, pass)
            && !pass
                .steps
                .iter()
                .filter(builds_on_it)
                .any(|later| self.state().step(later.id).is_some_and(StepState::remains))
            && !pass
                .steps
                .iter()
                .filter(comes_after_it)
                .any(|later| self.is_due(later, pass) || pass.busy.contains(&later.id))
    }

    async fn take_back(&self, step: &Step<T::Change>, deadline: Instant) -> Result<StepId, JournalError> {
        let state = |id| self.state().step(id).cloned();
        let mut todo = state(step.id).as_ref().map_or(Todo::Nothing, StepState::backward);
        if self.state().holds_what_is_left(step.id) {
            if todo == Todo::Undo {
                self.keep(step).await?;
            }
            return Ok(step.id);
        }
        if todo == Todo::SettleAndUndo {
            let settled_by = later(self.policy.settle_deadline).min(deadline);
            match self.settle_open(step, Bounds { halt: None, deadline: Some(settled_by) }).await? {
                Settled::Done => todo = Todo::Undo,
                Settled::NotDone | Settled::Foreign | Settled::Halted => {}
                Settled::Unknown { reason, .. } => {
                    self.report(step, &format!("it could not be read back: {reason}"));
                }
            }
        }
        if todo == Todo::Undo && self.outwait(step, deadline).await {
            let span = events::step(step.id, &step.change, "back");
            self.undo(step, deadline).instrument(span.clone()).await?;
            let is_gone = self.state().step(step.id).is_some_and(|state| !state.remains());
            events::step_ended(&span, if is_gone { "success" } else { "failure" });
        }
        Ok(step.id)
    }

    /// Leaves what was made where it is while another sending of it may still be on its way: it keeps that one's place. `false`: there is
    /// not so much time.
    async fn outwait(&self, step: &Step<T::Change>, deadline: Instant) -> bool {
        let left = self.in_flight.left_beside(step.id, self.target.in_flight(&step.change));
        if left.is_zero() {
            return true;
        }
        let ends_in_time = later(left) < deadline;
        if ends_in_time {
            self.observer.on(&Event::KeepsPlace { step, most: left });
            tokio::time::sleep(left).await;
        }
        ends_in_time
    }

    /// Keeps what holds something that was kept.
    async fn keep(&self, step: &Step<T::Change>) -> Result<(), JournalError> {
        let detail = "something that builds on it was kept".to_owned();
        self.log(Body::UndoIntent { step: step.id }).await?;
        self.log(Body::UndoOutcome { step: step.id, outcome: UndoOutcome::Kept { detail } }).await
    }

    fn is_stuck(&self) -> bool {
        self.state().steps().any(|(_, state)| matches!(state, StepState::Stuck { .. }))
    }

    /// What is left, and of what was not begun in time, that it was not.
    fn remaining(&self, pass: &Pass<'_, T::Change>) -> Vec<Remaining> {
        let mut remaining = self.state().remaining();
        if Instant::now() >= pass.deadline {
            for left in remaining.iter_mut().filter(|left| !pass.tried.contains(&left.step)) {
                let seconds = self.policy.rollback_deadline.as_secs();
                left.reason = format!("its undo was not begun: the {seconds} s of the rollback were over");
            }
        }
        remaining
    }
}

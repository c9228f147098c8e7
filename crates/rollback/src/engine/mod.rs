//! Carries a plan out, and takes it back when it fails.

mod back;
mod forward;
mod make;
pub mod plain;
mod settle;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use plain::Unfinished;

use crate::journal::{Journal, JournalError, Loaded, Store};
use crate::record::{Begin, Body};
use crate::{
    Call, Cause, Direction, Event, Marker, Observer, Plan, State, Step, StepId, Target, Verdict, events,
};

/// How patient the engine is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How often a change that was read back as not done is sent again, where its failure may pass. 0: never.
    pub resends: u32,
    /// The wait before the first such sending; it doubles for each further one. What the other side asks for is a floor.
    pub backoff: Duration,
    /// What it doubles up to.
    pub max_backoff: Duration,
    /// How many times in a row a change in doubt must be read as absent before it counts as not done. At least 1.
    pub absent_reads: u32,
    /// The wait between two such reads: what was made may not be listed at once.
    pub consistency_delay: Duration,
    /// How many times an undo, or the reading back of a change in doubt, is tried where its failure may pass. At least 1.
    /// With 7, and waits that double from 2 s up to 60 s, an outage of two minutes does not leave anything behind.
    pub undo_attempts: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            resends: 2,
            backoff: Duration::from_secs(2),
            max_backoff: Duration::from_secs(60),
            absent_reads: 2,
            consistency_delay: Duration::from_secs(10),
            undo_attempts: 7,
        }
    }
}

impl Policy {
    /// The wait before the `n`-th repetition, from 1.
    fn delay(&self, n: u32, floor: Duration) -> Duration {
        let doublings = 1_u32.checked_shl(n.saturating_sub(1)).unwrap_or(u32::MAX);
        self.backoff.saturating_mul(doublings).min(self.max_backoff).max(floor)
    }
}

/// Asks a running transaction to stop: the call in flight is finished, then everything is rolled back. Clones are one.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<watch::Sender<bool>>);

impl Default for Interrupt {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl Interrupt {
    /// Asks.
    pub fn raise(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        *self.0.borrow()
    }

    /// Sleeps, but not past an interrupt.
    async fn sleep(&self, duration: Duration) {
        let mut raised = self.0.subscribe();
        // The sender lives as long as `self`, so the wait cannot fail; either way there is nothing more to wait for.
        drop(tokio::time::timeout(duration, raised.wait_for(|raised| *raised)).await);
    }
}

/// Why a transaction could not go on. It is open, and its journal says how far it came.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The journal could not be written. Nothing was sent whose intent is not in it.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The plan has a change that can be undone after one that cannot.
    #[error("step {0} can be undone, but comes after one that cannot")]
    Disordered(StepId),
    /// The transaction has a change that cannot be undone, and it is made, or may be.
    #[error("step {0} cannot be undone and may have been made: the transaction can only go forward")]
    PastPivot(StepId),
    /// The transaction has ended.
    #[error("the transaction has ended already")]
    Ended,
}

/// A plan being made true, with a journal.
pub struct Transaction<'a, T: Target, S, O> {
    target: &'a T,
    observer: O,
    policy: Policy,
    interrupt: Interrupt,
    journal: Journal<S>,
    state: State<T>,
    /// How often the next undo is tried. A service that did not come back while one undo waited is not waited for again.
    patience: u32,
    floors: settle::Floors,
}

impl<'a, T: Target, S: Store, O: Observer<T::Change>> Transaction<'a, T, S, O> {
    /// Begins a transaction: from here on, its journal tells whoever comes later what to do.
    ///
    /// # Errors
    ///
    /// When the plan has an irreversible change before a reversible one, or the first record cannot be written.
    pub async fn begin(
        target: &'a T,
        store: S,
        begin: Begin<T::Change>,
        policy: Policy,
        interrupt: Interrupt,
        observer: O,
    ) -> Result<Self, Error> {
        if let Some(step) = disordered(target, &begin.plan) {
            return Err(Error::Disordered(step));
        }
        events::started(begin.id, begin.plan.len());
        let mut journal = Journal::new(store);
        let state = State::new(begin.clone());
        let (line, _) = journal.encode(Body::<T>::Begin(begin))?;
        journal.append(line).await?;
        let patience = policy.undo_attempts;
        Ok(Self {
            target,
            observer,
            policy,
            interrupt,
            journal,
            state,
            patience,
            floors: settle::Floors::default(),
        })
    }

    /// Takes up a transaction whose process is gone, and says so in its journal. `writer` is this process.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    pub async fn recover(
        target: &'a T,
        loaded: Loaded<T, S>,
        writer: &str,
        policy: Policy,
        interrupt: Interrupt,
        observer: O,
    ) -> Result<Self, Error> {
        let Loaded { state, journal } = loaded;
        let patience = policy.undo_attempts;
        let floors = settle::Floors::default();
        let mut taken = Self { target, observer, policy, interrupt, journal, state, patience, floors };
        if !taken.state.direction().has_ended() {
            taken.log(Body::TakenUp { writer: writer.to_owned() }).await?;
        }
        Ok(taken)
    }

    /// Goes on in the direction that the journal says, to the end.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written.
    pub async fn run(mut self) -> Result<Verdict, Error> {
        match self.state.direction() {
            Direction::Forward => self.go_forward().await,
            Direction::Back => self.go_back(None).await,
            Direction::Committed => {
                self.unmark_all().await?;
                Ok(Verdict::Committed)
            }
            direction @ Direction::RolledBackPartial => {
                let (cause, remaining) = (self.cause(None), self.state.remaining());
                Ok(Verdict::Left { cause, direction, remaining })
            }
            Direction::RolledBack => {
                Ok(Verdict::RolledBack { cause: self.cause(None), traces: self.state.traces() })
            }
        }
    }

    /// Decides to roll back, and does it.
    ///
    /// # Errors
    ///
    /// When the transaction has ended or is past its pivot, or the journal cannot be written.
    pub async fn roll_back(mut self, reason: &str) -> Result<Verdict, Error> {
        match self.state.direction() {
            Direction::Committed | Direction::RolledBack | Direction::RolledBackPartial => {
                return Err(Error::Ended);
            }
            Direction::Back => {}
            Direction::Forward => {
                self.settle_pivot().await?;
                self.decide_to_roll_back(None, reason).await?;
            }
        }
        self.go_back(None).await
    }

    /// Finds out whether the way back is still open: an irreversible step in doubt may not have been made.
    async fn settle_pivot(&mut self) -> Result<(), Error> {
        let Some(id) = self.past_pivot() else {
            return Ok(());
        };
        if let Some(step) = self.state.begin().plan.get(id).cloned() {
            // What cannot be read back stays in doubt, and the way back stays closed.
            drop(self.settle_open(&step).await?);
        }
        self.past_pivot().map_or(Ok(()), |step| Err(Error::PastPivot(step)))
    }

    /// Writes a record and takes note of it. Checked first: a record that could not be read back is never written.
    async fn log(&mut self, body: Body<T>) -> Result<(), JournalError> {
        let (line, body) = self.journal.encode(body)?;
        let skipped = cfg!(selvedge_bug = "skips-intent") && matches!(body, Body::Intent { .. });
        self.state.apply(body).map_err(|source| JournalError::Illegal { source })?;
        if skipped {
            return Ok(());
        }
        self.journal.append(line).await
    }

    async fn decide_to_roll_back(&mut self, step: Option<StepId>, reason: &str) -> Result<(), JournalError> {
        self.log(Body::RollBack { step, reason: reason.to_owned() }).await?;
        let id = self.state.begin().id;
        events::rolling_back(id, reason);
        self.observer.on(&Event::RollingBack { id, reason });
        Ok(())
    }

    /// The irreversible step that is made, or may be.
    fn past_pivot(&self) -> Option<StepId> {
        self.state
            .steps()
            .find(|(step, state)| state.remains() && !self.target.reversible(&step.change))
            .map(|(step, _)| step.id)
    }

    fn cause(&self, error: Option<Box<dyn std::error::Error + Send + Sync>>) -> Cause {
        let (step, reason) = self.state.reason().unwrap_or((None, "interrupted"));
        Cause { step, reason: reason.to_owned(), error }
    }

    fn steps(&self) -> Vec<Step<T::Change>> {
        self.state.begin().plan.steps().to_vec()
    }

    fn marker(&self, step: &Step<T::Change>) -> Option<Marker> {
        let marker = Marker { transaction: self.state.begin().id, step: step.id };
        self.target.marks(&step.change, &marker).then_some(marker)
    }

    fn call<'c>(&'c self, step: &'c Step<T::Change>) -> Call<'c, T> {
        Call {
            step: step.id,
            change: &step.change,
            marker: self.marker(step),
            recorded: true,
            undo: self.state.undo(step.id),
            receipts: self.state.receipts(),
        }
    }
}

/// The first reversible step that comes after an irreversible one.
fn disordered<T: Target>(target: &T, plan: &Plan<T::Change>) -> Option<StepId> {
    plan.steps()
        .iter()
        .skip_while(|step| target.reversible(&step.change))
        .find(|step| target.reversible(&step.change))
        .map(|step| step.id)
}

/// An error and its sources on one line, as the journal keeps it.
#[must_use]
pub fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

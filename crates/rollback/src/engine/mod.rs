//! Carries a plan out, and takes it back when it fails.

mod back;
mod forward;
mod in_flight;
mod interrupt;
mod ledger;
mod make;
mod operator;
pub mod plain;
mod policy;
mod settle;
mod step;
mod undo;

use std::sync::MutexGuard;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

pub use interrupt::Interrupt;
pub use ledger::View;
pub use plain::Unfinished;
pub use policy::Policy;
#[cfg(feature = "object-store")]
pub(crate) use policy::doubled;

use crate::journal::{Journal, JournalError, Loaded, Store};
use crate::lease::Fence;
use crate::record::{Begin, Body};
use crate::{
    Cause, Direction, Event, Marker, Observer, Plan, Receipts, State, Step, StepId, Target, TransactionId,
    Verdict, events,
};
use in_flight::InFlight;
use ledger::Ledger;
use settle::Bounds;

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
    /// It was asked to stop at once, by [`Interrupt::abort`]. Calls that were under way may still be carried out.
    #[error("stopped at once")]
    Aborted,
    /// Only what a rollback could not take back, or find out about, can be left where it is.
    #[error("step {0} is not one that a rollback has failed at")]
    NotSkippable(StepId),
}

/// A plan being made true, with a journal.
pub struct Transaction<'a, T: Target, S, O> {
    target: &'a T,
    observer: O,
    policy: Policy,
    interrupt: Interrupt,
    /// This process.
    writer: String,
    ledger: Ledger<T, S>,
    /// How often the next undo is tried. A service that did not come back while one undo waited is not waited for again.
    patience: AtomicU32,
    floors: settle::Floors,
    in_flight: InFlight,
    /// Whether this process may still write; asked before each intent.
    fence: Option<Fence>,
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
        let writer = begin.writer.clone();
        let (line, _) = journal.encode(Body::<T>::Begin(begin))?;
        journal.append(line).await?;
        let (ledger, patience) = (Ledger::new(journal, state), AtomicU32::new(policy.undo_attempts));
        let (floors, in_flight) = (settle::Floors::default(), InFlight::default());
        Ok(Self {
            target,
            observer,
            policy,
            interrupt,
            writer,
            ledger,
            patience,
            floors,
            in_flight,
            fence: None,
        })
    }

    /// Asks `fence` before each sending of a change or an undo, the first or a further one, and before a marker is taken off. Where it
    /// says no, the transaction stops, and stays open.
    #[must_use]
    pub fn fenced(mut self, fence: Fence) -> Self {
        self.fence = Some(fence);
        self
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
        let (floors, in_flight) = (settle::Floors::default(), InFlight::inherited(&state));
        let (ledger, patience) = (Ledger::new(journal, state), AtomicU32::new(policy.undo_attempts));
        let taken = Self {
            target,
            observer,
            policy,
            interrupt,
            writer: writer.to_owned(),
            ledger,
            patience,
            floors,
            in_flight,
            fence: None,
        };
        if !taken.direction().has_ended() {
            taken.log(Body::TakenUp { writer: taken.writer.clone() }).await?;
        }
        Ok(taken)
    }

    /// What its journal says, for a report on how far it came, however it ends.
    #[must_use]
    pub fn view(&self) -> View<T> {
        self.ledger.view()
    }

    /// Goes on in the direction that the journal says, to the end.
    ///
    /// Dropped before that, it leaves the journal as it is, for whoever takes the transaction up.
    ///
    /// # Errors
    ///
    /// When the journal cannot be written, or [`Interrupt::abort`] stops it.
    pub async fn run(self) -> Result<Verdict, Error> {
        self.told(self.unless_aborted(self.go_on())).await
    }

    /// Decides to roll back, and does it.
    ///
    /// # Errors
    ///
    /// When the transaction has ended or is past its pivot, the journal cannot be written, or [`Interrupt::abort`] stops it.
    pub async fn roll_back(self, reason: &str) -> Result<Verdict, Error> {
        self.told(self.unless_aborted(self.turn_back(reason))).await
    }

    /// Within a span of its own.
    async fn told(&self, work: impl Future<Output = Result<Verdict, Error>>) -> Result<Verdict, Error> {
        let span = events::transaction(self.id(), self.state().begin().plan.len());
        let ended = work.instrument(span.clone()).await;
        events::transaction_ended(&span, &ended);
        ended
    }

    async fn unless_aborted(
        &self,
        work: impl Future<Output = Result<Verdict, Error>>,
    ) -> Result<Verdict, Error> {
        tokio::select! {
            biased;
            () = self.interrupt.aborted() => Err(Error::Aborted),
            ended = work => ended,
        }
    }

    async fn go_on(&self) -> Result<Verdict, Error> {
        match self.direction() {
            Direction::Forward => self.go_forward().await,
            Direction::Back => self.go_back(None).await,
            Direction::Committed => {
                self.unmark_all().await?;
                Ok(Verdict::Committed)
            }
            Direction::RolledBackPartial | Direction::Abandoned => Ok(self.left(self.cause(None))),
            Direction::RolledBack => {
                Ok(Verdict::RolledBack { cause: self.cause(None), traces: self.state().traces() })
            }
        }
    }

    async fn turn_back(&self, reason: &str) -> Result<Verdict, Error> {
        match self.direction() {
            Direction::Back => {}
            Direction::Forward => {
                self.settle_pivot().await?;
                self.decide_to_roll_back(None, reason).await?;
            }
            _ => return Err(Error::Ended),
        }
        self.go_back(None).await
    }

    /// Finds out whether the way back is still open: an irreversible step in doubt may not have been made.
    async fn settle_pivot(&self) -> Result<(), Error> {
        let Some(id) = self.past_pivot() else {
            return Ok(());
        };
        let step = self.state().begin().plan.get(id).cloned();
        if let Some(step) = step {
            let deadline = Some(later(self.policy.settle_deadline));
            // What cannot be read back stays in doubt, and the way back stays closed.
            drop(self.settle_open(&step, Bounds { halt: None, deadline }).await?);
        }
        self.past_pivot().map_or(Ok(()), |step| Err(Error::PastPivot(step)))
    }

    /// Writes a record and takes note of it.
    async fn log(&self, body: Body<T>) -> Result<(), JournalError> {
        self.log_if(body, |_| true).await.map(drop)
    }

    /// The same, if `still` says so when its turn comes. `false`: it was not written.
    async fn log_if(
        &self,
        body: Body<T>,
        still: impl FnOnce(&State<T>) -> bool,
    ) -> Result<bool, JournalError> {
        let intends = matches!(body, Body::Intent { .. } | Body::UndoIntent { .. });
        self.ask(intends)?;
        let written = self.ledger.log_if(body, still).await?;
        // Writing it took time, and the call comes next.
        self.ask(intends && written)?;
        Ok(written)
    }

    /// Refuses what is to be sent where another process may be writing.
    fn ask(&self, intends: bool) -> Result<(), JournalError> {
        match &self.fence {
            Some(fence) if intends && !fence.holds() => Err(JournalError::Fenced),
            _ => Ok(()),
        }
    }

    /// Without effect where it was decided before, and past the pivot.
    async fn decide_to_roll_back(&self, step: Option<StepId>, reason: &str) -> Result<(), JournalError> {
        let possible = |state: &State<T>| {
            state.direction() == Direction::Forward && pivot_of(self.target, state).is_none()
        };
        if self.log_if(Body::RollBack { step, reason: reason.to_owned() }, possible).await? {
            let id = self.id();
            events::rolling_back(id, reason);
            self.observer.on(&Event::RollingBack { id, reason });
        }
        Ok(())
    }

    /// The irreversible step that is made, or may be.
    fn past_pivot(&self) -> Option<StepId> {
        pivot_of(self.target, &self.state())
    }

    fn cause(&self, error: Option<Box<dyn std::error::Error + Send + Sync>>) -> Cause {
        let state = self.state();
        let (step, reason) = state.reason().unwrap_or((None, "interrupted"));
        Cause { step, reason: reason.to_owned(), error }
    }

    /// The verdict on what is left as things stand.
    fn left(&self, cause: Cause) -> Verdict {
        let state = self.state();
        Verdict::Left { cause, direction: state.direction(), remaining: state.remaining() }
    }

    /// What the journal says. Not to be held while anything is waited for.
    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.ledger.state()
    }

    fn id(&self) -> TransactionId {
        self.state().begin().id
    }

    fn direction(&self) -> Direction {
        self.state().direction()
    }

    fn steps(&self) -> Vec<Step<T::Change>> {
        self.state().begin().plan.steps().to_vec()
    }

    fn marker(&self, step: &Step<T::Change>) -> Option<Marker> {
        let marker = Marker { transaction: self.id(), step: step.id };
        self.target.marks(&step.change, &marker).then_some(marker)
    }

    /// What the steps gave back that `step` builds on. Of all others nothing, as nothing says that they are done.
    fn receipts(&self, step: &Step<T::Change>) -> Receipts<T::Receipt> {
        let state = self.state();
        step.after.iter().filter_map(|id| Some((*id, state.receipts().get(id)?.clone()))).collect()
    }
}

fn pivot_of<T: Target>(target: &T, state: &State<T>) -> Option<StepId> {
    let is_past = |(step, state): &(&Step<T::Change>, &crate::StepState)| {
        state.remains() && !target.reversible(&step.change)
    };
    state.steps().find(is_past).map(|(step, _)| step.id)
}

/// The time so much later. What is too far away to be said is far away.
fn later(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600))
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

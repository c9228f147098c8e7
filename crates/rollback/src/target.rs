//! What is changed: the one trait that an embedder implements.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Marker, StepId};

/// What the steps of a transaction have given back so far, by step.
pub type Receipts<R> = BTreeMap<StepId, R>;

/// Something that can be changed, read back, and changed back.
///
/// Changes, undos and receipts are data: they are written to the journal and read by another process, perhaps on another
/// machine, so they hold no secret and no closure.
pub trait Target: Sync {
    /// One write that is intended. Its `Display` names it for a person: "create Lakehouse Sales".
    type Change: Serialize + DeserializeOwned + fmt::Display + Clone + Send + Sync;
    /// What reverses a change, found out before the change is made.
    type Undo: Serialize + DeserializeOwned + Clone + Send + Sync;
    /// What the change gave back: ids, hashes.
    type Receipt: Serialize + DeserializeOwned + Clone + Send + Sync;
    /// Why a change, a read or an undo failed.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether `change` can be undone. Those that cannot come last in a plan.
    fn reversible(&self, change: &Self::Change) -> bool;

    /// Whether `change`, sent with a marker, leaves that marker on what it makes.
    fn marks(&self, change: &Self::Change, marker: &Marker) -> bool;

    /// How long a change that was sent and not answered may still take effect, and then not be seen yet: so long after its sending
    /// failed with [`Reach::Unanswered`] or [`Reach::Pending`], or after its transaction was taken up from a process that died, its
    /// absence proves nothing. Nothing is said of an operation that can be [waited for](Self::wait). Default: not at all.
    fn in_flight(&self, change: &Self::Change) -> Duration {
        let _ = change;
        Duration::ZERO
    }

    /// How long an undo that was sent, and not answered or not seen to end, may still take effect, and do harm then: put back what a
    /// later transaction has changed. What removes by an id of its own does none. So long after a sending that failed with
    /// [`Reach::Unanswered`] or [`Reach::Pending`], or after its transaction was taken up from a process that left such a sending, an
    /// undo is not over. Default: not at all.
    fn undo_in_flight(&self, change: &Self::Change, undo: &Self::Undo) -> Duration {
        let _ = (change, undo);
        Duration::ZERO
    }

    /// Reads what is needed to reverse the change, without side effects. Called before the intent is recorded.
    ///
    /// # Errors
    ///
    /// When what stands there cannot be read, or must not be overwritten. The change is then not made.
    fn invert(
        &self,
        call: Call<'_, Self>,
    ) -> impl Future<Output = Result<Self::Undo, Failure<Self::Error>>> + Send;

    /// Sends the change, once.
    ///
    /// # Errors
    ///
    /// Whatever went wrong, with what is known about whether it was sent.
    fn execute(
        &self,
        call: Call<'_, Self>,
    ) -> impl Future<Output = Result<Progress<Self::Receipt>, Failure<Self::Error>>> + Send;

    /// Waits for the end of an operation that [`execute`](Self::execute) found accepted.
    ///
    /// # Errors
    ///
    /// When the operation failed or its end was not seen. Either way the change is in doubt.
    fn wait(
        &self,
        call: Call<'_, Self>,
        operation: &str,
    ) -> impl Future<Output = Result<Self::Receipt, Failure<Self::Error>>> + Send;

    /// Reads back whether a change in doubt is done.
    ///
    /// # Errors
    ///
    /// When it cannot be read. The change stays in doubt.
    fn reconcile(
        &self,
        call: Call<'_, Self>,
    ) -> impl Future<Output = Result<Found<Self::Receipt>, Failure<Self::Error>>> + Send;

    /// Reverses a change that is done, and verifies that it is reversed. Must be repeatable.
    ///
    /// # Errors
    ///
    /// When it could not be reversed or that could not be verified.
    fn undo(
        &self,
        call: Call<'_, Self>,
        undo: &Self::Undo,
        receipt: &Self::Receipt,
    ) -> impl Future<Output = Result<Undone, Failure<Self::Error>>> + Send;

    /// Takes the marker off what the change made. Must be repeatable.
    ///
    /// # Errors
    ///
    /// When the marker is still there.
    fn unmark(
        &self,
        call: Call<'_, Self>,
        receipt: &Self::Receipt,
    ) -> impl Future<Output = Result<(), Failure<Self::Error>>> + Send;
}

/// One step, as it is handed to the target.
pub struct Call<'a, T: Target + ?Sized> {
    /// The step's number.
    pub step: StepId,
    /// What is to be changed.
    pub change: &'a T::Change,
    /// The marker to leave on what is made. `None` outside a transaction, and where no marker fits.
    pub marker: Option<Marker>,
    /// Whether there is a journal, so that the receipt may be needed for an undo.
    pub recorded: bool,
    /// What reverses the change, once it is found out: with it, [`Target::reconcile`] can tell what stood there before from what
    /// somebody else has put there since.
    pub undo: Option<&'a T::Undo>,
    /// What the steps gave back that this one builds on; without a journal, what all earlier ones did.
    pub receipts: &'a Receipts<T::Receipt>,
}

impl<T: Target + ?Sized> Clone for Call<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Target + ?Sized> Copy for Call<'_, T> {}

/// How far a sent change has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress<R> {
    /// It is done.
    Done(R),
    /// It was accepted and goes on by itself; the text names the operation to [`Target::wait`] for.
    Accepted(String),
}

/// What reading back found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found<R> {
    /// The change is done, and by us.
    Done(R),
    /// It is not done, as far as can be read now.
    Absent,
    /// Something stands in its place that we did not make, be it in place of what we made or overwrote. The text says what.
    Foreign(String),
}

/// How a change was undone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Undone {
    /// What was made has been removed, or what was overwritten has been restored, and that was verified.
    Reversed,
    /// The same, but a trace of it stays where nobody works with it, such as a recycle bin. The text says where.
    Recycled(String),
    /// It was gone already.
    AlreadyGone,
    /// Somebody has changed it since; theirs was kept. The text says what was found.
    Kept(String),
}

/// How far a failed request has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reach {
    /// Proven not to have left this machine, or never built.
    Unsent,
    /// The other side answered that it is too busy and has not taken it up. That is true but for rare cases, so it is looked for
    /// once, right before it is sent again.
    PutOff,
    /// It may have been carried out, and if so, it is by now.
    Sent,
    /// Nothing was heard of it. It may have been carried out, and it may be only later: see [`Target::in_flight`]. Where one that is
    /// sent again would then stand beside the first, say so by `resend_after: None`. No layer beneath may send a change or an undo again
    /// after this without saying so: the engine would take the last answer for the only one.
    Unanswered,
    /// It may still be carried out: the other side was working on it when last seen. An undo that was accepted as an operation, and not
    /// seen to end, is such a one: nobody waits for that but [`Target::undo`] itself.
    Pending,
}

impl Reach {
    /// Whether it may be carried out only later.
    pub(crate) fn may_be_under_way(self) -> bool {
        matches!(self, Self::Unanswered | Self::Pending)
    }
}

/// Why a change, a read or an undo failed, and what may be done about it.
#[derive(Debug)]
pub struct Failure<E> {
    /// What went wrong.
    pub error: E,
    /// How far the request came.
    pub reach: Reach,
    /// Whether the engine may send it again, once it is known not to be done, and how long it has to wait at the least.
    ///
    /// `None` where it would not help, and where a layer beneath has tried again already.
    pub resend_after: Option<Duration>,
}

impl<E> Failure<E> {
    /// A failure that happened before anything could be sent, and that trying again will not mend.
    pub fn unsent(error: E) -> Self {
        Self { error, reach: Reach::Unsent, resend_after: None }
    }
}

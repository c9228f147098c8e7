//! A target whose calls fail on demand, around one whose calls do not.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::{Call, Failure, Found, Marker, Progress, Reach, StepId, Target, Undone};

/// What happens to the sending of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// It never leaves.
    Unsent,
    /// It is sent and refused.
    Refused,
    /// It is done, and the answer is lost.
    Lost,
    /// Its process dies before it is sent.
    DiesBefore,
    /// Its process dies when it is done.
    DiesAfter,
}

/// A target around yours that fails where it is told to.
pub struct Faulty<'a, T> {
    inner: &'a T,
    faults: Mutex<BTreeMap<StepId, Fault>>,
    /// How often each step has arrived at the inner target.
    arrivals: Mutex<BTreeMap<StepId, u32>>,
    dies: Notify,
}

/// Why a call failed: because it was told to, or by itself.
#[derive(Debug)]
pub enum Trouble<E> {
    /// It was told to.
    Injected,
    /// By itself.
    Own(E),
}

impl<E: fmt::Display> fmt::Display for Trouble<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Injected => f.write_str("injected"),
            Self::Own(error) => error.fmt(f),
        }
    }
}

impl<E: std::error::Error> std::error::Error for Trouble<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Injected => None,
            Self::Own(error) => error.source(),
        }
    }
}

impl<'a, T: Target> Faulty<'a, T> {
    pub(super) fn new(inner: &'a T) -> Self {
        let (faults, arrivals, dies) = (Mutex::default(), Mutex::default(), Notify::new());
        Self { inner, faults, arrivals, dies }
    }

    /// The same target, which fails once so at that step.
    pub(super) fn failing(self, step: StepId, fault: Fault) -> Self {
        lock(&self.faults).insert(step, fault);
        self
    }

    /// How often the step has arrived.
    pub(super) fn arrivals(&self, step: StepId) -> u32 {
        lock(&self.arrivals).get(&step).copied().unwrap_or(0)
    }

    /// `None` where the process died in the middle of it.
    pub(super) async fn until_it_dies<R>(&self, process: impl Future<Output = R>) -> Option<R> {
        tokio::select! {
            biased;
            ended = process => Some(ended),
            () = self.dies.notified() => None,
        }
    }

    async fn die(&self) -> ! {
        self.dies.notify_one();
        std::future::pending().await
    }
}

fn lock<R>(mutex: &Mutex<R>) -> MutexGuard<'_, R> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn own<E>(failure: Failure<E>) -> Failure<Trouble<E>> {
    let Failure { error, reach, resend_after } = failure;
    Failure { error: Trouble::Own(error), reach, resend_after }
}

fn injected<E>(reach: Reach) -> Failure<Trouble<E>> {
    Failure { error: Trouble::Injected, reach, resend_after: None }
}

/// The call, as the inner target knows it.
fn inner<'c, T: Target>(call: Call<'c, Faulty<'_, T>>) -> Call<'c, T> {
    let Call { step, change, marker, recorded, undo, receipts } = call;
    Call { step, change, marker, recorded, undo, receipts }
}

impl<T: Target> Target for Faulty<'_, T> {
    type Change = T::Change;
    type Undo = T::Undo;
    type Receipt = T::Receipt;
    type Error = Trouble<T::Error>;

    fn reversible(&self, change: &T::Change) -> bool {
        self.inner.reversible(change)
    }

    fn marks(&self, change: &T::Change, marker: &Marker) -> bool {
        self.inner.marks(change, marker)
    }

    async fn invert(&self, call: Call<'_, Self>) -> Result<T::Undo, Failure<Self::Error>> {
        self.inner.invert(inner(call)).await.map_err(own)
    }

    async fn execute(&self, call: Call<'_, Self>) -> Result<Progress<T::Receipt>, Failure<Self::Error>> {
        let fault = lock(&self.faults).remove(&call.step);
        match fault {
            Some(Fault::Unsent) => return Err(injected(Reach::Unsent)),
            Some(Fault::Refused) => return Err(injected(Reach::Sent)),
            Some(Fault::DiesBefore) => self.die().await,
            Some(Fault::Lost | Fault::DiesAfter) | None => {}
        }
        *lock(&self.arrivals).entry(call.step).or_default() += 1;
        let progress = self.inner.execute(inner(call)).await.map_err(own)?;
        if let (Some(_), Progress::Accepted(operation)) = (fault, &progress) {
            // Nobody hears how it ends, but it does.
            self.inner.wait(inner(call), operation).await.map_err(own)?;
        }
        match fault {
            Some(Fault::Lost) => Err(injected(Reach::Sent)),
            Some(Fault::DiesAfter) => self.die().await,
            _ => Ok(progress),
        }
    }

    async fn wait(&self, call: Call<'_, Self>, operation: &str) -> Result<T::Receipt, Failure<Self::Error>> {
        self.inner.wait(inner(call), operation).await.map_err(own)
    }

    async fn reconcile(&self, call: Call<'_, Self>) -> Result<Found<T::Receipt>, Failure<Self::Error>> {
        self.inner.reconcile(inner(call)).await.map_err(own)
    }

    async fn undo(
        &self,
        call: Call<'_, Self>,
        undo: &T::Undo,
        receipt: &T::Receipt,
    ) -> Result<Undone, Failure<Self::Error>> {
        self.inner.undo(inner(call), undo, receipt).await.map_err(own)
    }

    async fn unmark(&self, call: Call<'_, Self>, receipt: &T::Receipt) -> Result<(), Failure<Self::Error>> {
        self.inner.unmark(inner(call), receipt).await.map_err(own)
    }
}

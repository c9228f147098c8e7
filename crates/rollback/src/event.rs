//! What happens in a transaction, as it happens, for whoever renders it.

use std::time::Duration;

use crate::{Step, StepId, TransactionId, Undone};

/// Something happened.
#[non_exhaustive]
pub enum Event<'a, C> {
    /// A step is about to be carried out.
    Started(&'a Step<C>),
    /// The other side accepted it and works on it by itself.
    Accepted(&'a Step<C>),
    /// It failed and may have been done all the same; it is being read back.
    InDoubt {
        /// The step.
        step: &'a Step<C>,
        /// The failure.
        error: &'a (dyn std::error::Error + 'static),
    },
    /// It was read back as not done, or put off, or its undo failed in passing; it is sent again after a wait.
    Resending {
        /// The step.
        step: &'a Step<C>,
        /// The number of the coming attempt, from 2.
        attempt: u32,
        /// How long is waited before it.
        delay: Duration,
    },
    /// It could not be read back, for a reason that may pass; it is read again after a wait.
    ReadingAgain {
        /// The step.
        step: &'a Step<C>,
        /// The number of the coming attempt, from 2.
        attempt: u32,
        /// How long is waited before it.
        delay: Duration,
        /// Why it could not be read.
        error: &'a (dyn std::error::Error + 'static),
    },
    /// It was sent and not answered, by this process or one before it, and may still be on its way; it is looked for until that is over.
    InFlight {
        /// The step.
        step: &'a Step<C>,
        /// How long that may be.
        most: Duration,
    },
    /// It is done, and a sending of it before that one may still be on its way: it is not undone until that is over.
    KeepsPlace {
        /// The step.
        step: &'a Step<C>,
        /// How long that may be.
        most: Duration,
    },
    /// It is undone, and a sending of the undo may still be on its way: the undo is not over until that is.
    UndoInFlight {
        /// The step.
        step: &'a Step<C>,
        /// How long that may be.
        most: Duration,
    },
    /// It is done.
    Done {
        /// The step.
        step: &'a Step<C>,
        /// Whether it was found done after an answer that did not say so.
        adopted: bool,
    },
    /// It failed for good.
    Failed {
        /// The step.
        step: &'a Step<C>,
        /// The failure.
        error: &'a (dyn std::error::Error + 'static),
    },
    /// It was under way when the transaction was asked to stop, and is not waited for any more: the rollback finds out what became of it.
    Halted(&'a Step<C>),
    /// The decision to roll back is durable.
    RollingBack {
        /// The transaction.
        id: TransactionId,
        /// Why.
        reason: &'a str,
    },
    /// A step is about to be undone.
    Undoing(&'a Step<C>),
    /// It was undone, was gone already, or was kept.
    Undone {
        /// The step.
        step: &'a Step<C>,
        /// How.
        how: &'a Undone,
    },
    /// It could not be undone now.
    UndoFailed {
        /// The step.
        step: &'a Step<C>,
        /// Why.
        reason: &'a str,
    },
    /// A marker is still on what a step of the committed transaction made.
    StillMarked {
        /// The step.
        step: StepId,
        /// Why.
        reason: &'a str,
    },
}

/// Is told what happens. Implemented by closures.
pub trait Observer<C>: Sync {
    /// Takes note of `event`. Must not block.
    fn on(&self, event: &Event<'_, C>);
}

impl<C, F: Fn(&Event<'_, C>) + Sync> Observer<C> for F {
    fn on(&self, event: &Event<'_, C>) {
        self(event);
    }
}

//! Transactions over anything that can be changed.
//!
//! A [`Plan`] is a list of changes. [`Transaction`] makes it true, one durable [`Journal`] record before and one after
//! each change, and takes everything back when a change fails, in reverse order and verified. Changes that do not build on
//! one another are made, and taken back, at the same time. A process that died leaves the journal; [`Transaction::recover`]
//! goes on from it, forward or back, on any machine that can read it.
//!
//! What a change *is* belongs to the [`Target`], the one trait an embedder implements. This crate knows nothing of HTTP
//! and nothing of Microsoft Fabric.
//!
//! # What is promised
//!
//! This is a saga with a write-ahead log: crash-consistent, compensating, without isolation. Others see the
//! intermediate states. In particular:
//!
//! * No call is made whose intent is not durable.
//! * No error answer is taken as proof that nothing happened. A change in doubt is read back ([`Target::reconcile`])
//!   until it is known to be done, not done, or somebody else's.
//! * An undo acts on what this transaction's own receipts name, never on a name.
//! * [`Verdict::RolledBack`] means that every undo was carried out and verified. Anything less is [`Verdict::Left`],
//!   which names what is left.
//! * An [`Interrupt`] is written down as the decision to roll back at once, whatever is under way.
//! * Changes that cannot be undone come last, one after the other; [`Transaction::begin`] refuses a plan where they do not.
//!
//! # Something of your own
//!
//! `examples/files` makes files in a folder or leaves them as they were; below is its target. What you have to say of a
//! change is how it is sent, how it is told from somebody else's, and what reverses it. The feature `testing` has laws that every
//! target must keep: they make each step fail, kill the process at each record and in each call, and compare what is left.
#![doc = concat!("```no_run\n", include_str!("../examples/files/folder.rs"), "# fn main() {}\n```")]

#[cfg(test)]
extern crate self as selvedge_rollback;

mod disk;
mod engine;
mod event;
mod events;
mod id;
pub mod journal;
pub mod lease;
#[cfg(feature = "object-store")]
pub mod objects;
mod plan;
pub mod record;
#[cfg(any(feature = "simulation", all(test, feature = "object-store")))]
pub mod simulation;
mod state;
mod step_state;
mod target;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod verdict;

pub use engine::{Error, Interrupt, Policy, Transaction, Unfinished, View, describe, plain};
pub use event::{Event, Observer};
pub use id::{Marker, TransactionId};
pub use journal::{Journal, Store};
pub use plan::{Plan, Step, StepId};
pub use state::{Illegal, State};
pub use step_state::{Direction, StepState, Todo};
pub use target::{Call, Failure, Found, Progress, Reach, Receipts, Target, Undone};
pub use verdict::{Cause, Remaining, Verdict};

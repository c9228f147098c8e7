//! What the journal holds: one record per fact, each durable before anything is done on the strength of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{Plan, StepId, Target, TransactionId};

/// The version of the record format that this crate writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// One line of the journal.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Record<T: Target> {
    /// The format's version.
    pub v: u32,
    /// The record's number, from 0, without gaps.
    pub seq: u64,
    /// How many processes have had the transaction in hand, from 1.
    pub epoch: u32,
    /// When it was written, for people. Order and meaning never come from it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// What it says.
    pub body: Body<T>,
}

/// What a record says.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Body<T: Target> {
    /// The transaction exists, and this is its plan. Always the first record.
    Begin(Begin<T::Change>),
    /// Another process has taken the transaction up. Its records are of the next epoch, and so is this one.
    TakenUp {
        /// That process.
        writer: String,
    },
    /// The step may be sent from now on, once: what is sent again is intended again.
    Intent {
        /// The step.
        step: StepId,
        /// The marker that is sent along, where one fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<String>,
        /// What reverses it.
        undo: T::Undo,
        /// Whether an earlier sending of it was not answered, and may still be carried out.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unanswered: bool,
    },
    /// The other side accepted the step and works on it.
    Accepted {
        /// The step.
        step: StepId,
        /// The operation to ask for.
        operation: String,
    },
    /// It is known what became of the step.
    Outcome {
        /// The step.
        step: StepId,
        /// What became of it.
        #[serde(flatten)]
        outcome: Outcome<T::Receipt>,
    },
    /// The transaction is rolled back from now on; there is no way forward again. What became of steps that were under way follows.
    RollBack {
        /// The step that failed, if one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// Why.
        reason: String,
    },
    /// The undo of the step may be sent from now on.
    UndoIntent {
        /// The step.
        step: StepId,
    },
    /// It is known what became of the undo.
    UndoOutcome {
        /// The step.
        step: StepId,
        /// What became of it.
        #[serde(flatten)]
        outcome: UndoOutcome,
    },
    /// The marker is off what the step made.
    Unmarked {
        /// The step.
        step: StepId,
        /// Whether the transaction had ended by then, for who reads no more than the last record.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        ended: bool,
    },
    /// The transaction has ended; nothing but [`Body::Unmarked`] follows.
    End {
        /// How.
        state: End,
    },
    /// An operator has ended the transaction where it stood. Nothing was taken back, and nothing follows.
    Abandoned {
        /// Why.
        reason: String,
        /// The process by which it was decided.
        writer: String,
    },
}

/// The first record of a transaction.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "C: Serialize + Clone", deserialize = "C: Deserialize<'de>"))]
pub struct Begin<C> {
    /// The transaction.
    pub id: TransactionId,
    /// The program and version that began it, such as `selvedge 0.1.0`.
    pub tool: String,
    /// The process that began it: its host and number.
    pub writer: String,
    /// What the transaction writes to. Two open transactions on one subject get in each other's way.
    pub subject: String,
    /// What else a later process needs in order to take the transaction up: endpoint, tenant, principal.
    pub context: BTreeMap<String, String>,
    /// [`Plan::digest`] of the plan.
    pub plan_digest: String,
    /// The plan.
    pub plan: Plan<C>,
}

impl<C: Serialize> Begin<C> {
    /// The first record of a new transaction of `plan`, without any context.
    ///
    /// # Errors
    ///
    /// Where a change cannot be written as JSON.
    pub fn new(
        plan: Plan<C>,
        tool: impl Into<String>,
        writer: impl Into<String>,
        subject: impl Into<String>,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: TransactionId::generate(),
            tool: tool.into(),
            writer: writer.into(),
            subject: subject.into(),
            context: BTreeMap::new(),
            plan_digest: plan.digest()?,
            plan,
        })
    }
}

/// What became of a step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome<R> {
    /// Done.
    Done {
        /// What it gave back.
        receipt: R,
        /// Whether it was found done by reading back.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        adopted: bool,
    },
    /// Not done, and proven so.
    NotDone {
        /// The failure.
        detail: String,
    },
    /// Something that is not ours stands in its place.
    Foreign {
        /// What stands there.
        detail: String,
    },
}

/// What became of an undo.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum UndoOutcome {
    /// Reversed and verified.
    Reversed,
    /// Removed and verified, but not for good.
    Recycled {
        /// Where a trace of it stays.
        detail: String,
    },
    /// Gone already.
    AlreadyGone,
    /// Changed by somebody else since, and kept.
    Kept {
        /// What was found.
        detail: String,
    },
    /// Failed.
    Failed {
        /// Why.
        detail: String,
        /// Whether a sending of it was not answered, or not seen to end, and may still be carried out.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unanswered: bool,
    },
    /// Left where it is by an operator. May follow a failed undo, or a step of which nothing could be found out; no undo is intended for it.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Every change is made.
    Committed,
    /// Every change made has been undone.
    RolledBack,
    /// Every change made has been undone, but for what somebody else has changed since, and what an operator left where it is.
    RolledBackPartial,
}

//! How a transaction ended.

use crate::{Direction, StepId};

/// How a transaction ended.
#[derive(Debug)]
#[must_use = "a verdict decides the exit code"]
pub enum Verdict {
    /// Every change is made.
    Committed,
    /// A change failed, and every change made before it has been undone and verified.
    RolledBack {
        /// What started the rollback.
        cause: Cause,
        /// What left a trace where nobody works with it, such as a recycle bin.
        traces: Vec<Remaining>,
    },
    /// Something remains. Where the direction has not ended, the transaction can be taken up again.
    Left {
        /// What started the rollback, or what stops the transaction from going on.
        cause: Cause,
        /// Which way the transaction still has to go.
        direction: Direction,
        /// What remains, in the order of the plan.
        remaining: Vec<Remaining>,
    },
}

/// Why a transaction did not commit.
#[derive(Debug)]
pub struct Cause {
    /// The step that failed. `None` for an interrupt or an operator's decision.
    pub step: Option<StepId>,
    /// The failure, as it was written to the journal.
    pub reason: String,
    /// The failure itself, where it happened in this process.
    pub error: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// One thing that a rollback could not take back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remaining {
    /// The step that made it, or may have made it.
    pub step: StepId,
    /// The change, as a person reads it.
    pub change: String,
    /// Why it remains.
    pub reason: String,
}

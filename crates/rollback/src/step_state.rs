//! How far a transaction and each of its steps have come, and what is left to be done about them.

/// Which way a transaction goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Steps are being made.
    Forward,
    /// Steps are being undone.
    Back,
    /// Ended: committed.
    Committed,
    /// Ended: rolled back.
    RolledBack,
    /// Ended: rolled back, but for what somebody else has changed since, and what an operator left where it is.
    RolledBackPartial,
    /// Ended where it stood, by an operator's decision.
    Abandoned,
}

impl Direction {
    /// Whether there is nothing left to be done.
    #[must_use]
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Forward | Self::Back)
    }
}

/// How far one step has come.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StepState {
    /// Nothing was sent.
    Planned,
    /// It may have been sent; what became of it is not known. In doubt.
    Open {
        /// The operation that the other side accepted, if it did.
        operation: Option<String>,
    },
    /// Done; there is a receipt.
    Done,
    /// Proven not done.
    NotDone,
    /// Something foreign stands in its place.
    Foreign,
    /// Its undo may have been sent.
    Undoing,
    /// Undone, or gone already.
    Undone,
    /// Its undo was given up in favour of what somebody else has changed since.
    Kept {
        /// What was found.
        reason: String,
    },
    /// Its undo failed. Can be tried again.
    Stuck {
        /// Why.
        reason: String,
    },
    /// An operator has left it where it is.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// What is left to be done about a step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Todo {
    /// Nothing.
    Nothing,
    /// Make the change.
    Make,
    /// Find out whether the change was made, then make it or not.
    Settle,
    /// Undo the change.
    Undo,
    /// Find out whether the change was made, then undo it or not.
    SettleAndUndo,
}

impl StepState {
    /// What a transaction that goes forward still has to do about the step.
    #[must_use]
    pub fn forward(&self) -> Todo {
        match self {
            Self::Planned | Self::NotDone => Todo::Make,
            // What is foreign is settled, and the transaction to be rolled back: its process may have died before it said so.
            Self::Open { .. } | Self::Foreign => Todo::Settle,
            Self::Done => Todo::Nothing,
            // The direction is back as soon as one of these exists.
            Self::Undoing | Self::Undone | Self::Kept { .. } | Self::Stuck { .. } | Self::Skipped { .. } => {
                Todo::Nothing
            }
        }
    }

    /// What a transaction that is rolled back still has to do about the step.
    #[must_use]
    pub fn backward(&self) -> Todo {
        match self {
            Self::Planned
            | Self::NotDone
            | Self::Foreign
            | Self::Undone
            | Self::Kept { .. }
            | Self::Skipped { .. } => Todo::Nothing,
            Self::Open { .. } => Todo::SettleAndUndo,
            Self::Done | Self::Undoing | Self::Stuck { .. } => Todo::Undo,
        }
    }

    /// Why it is stuck, was kept or was skipped.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Kept { reason } | Self::Stuck { reason } | Self::Skipped { reason } => Some(reason),
            _ => None,
        }
    }

    /// Whether something of the step is, or may be, there, and a rollback still has to do with it.
    #[must_use]
    pub fn remains(&self) -> bool {
        self.backward() != Todo::Nothing
    }

    /// Whether something of the step is, or may be, there.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.remains() || matches!(self, Self::Kept { .. } | Self::Skipped { .. })
    }

    /// Whether a rollback has failed at it, so that an operator may leave it where it is.
    #[must_use]
    pub fn may_be_skipped(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Undoing | Self::Stuck { .. })
    }
}

//! What changes give back, and how later ones refer to it.

use selvedge_fabric_client::{ConnectionId, FolderId, ItemId, WorkspaceId};
use selvedge_rollback::{Receipts, StepId};
use serde::{Deserialize, Serialize};

/// What a change gave back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "receipt", rename_all = "snake_case")]
pub enum Receipt {
    /// A workspace was made.
    Workspace {
        /// Its id.
        id: WorkspaceId,
    },
    /// A folder was made.
    Folder {
        /// Its id.
        id: FolderId,
    },
    /// An item was made.
    Item {
        /// Its id.
        id: ItemId,
    },
    /// A connection was made.
    Connection {
        /// Its id.
        id: ConnectionId,
    },
    /// A content was overwritten.
    Definition {
        /// [`Definition::digest`](crate::definition::Definition::digest) of what the service returns now. Empty where nobody will ask.
        after: String,
    },
    /// Items were promoted.
    Promoted {
        /// Those that were not.
        left_out: Vec<LeftOut>,
    },
    /// It is done, and there is no more to say.
    Done,
}

/// An item that was not promoted while others were.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its id in the stage that it was to be copied from.
    pub item: ItemId,
    /// Why.
    pub reason: String,
}

/// Something that exists, or that an earlier step of the same plan makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ref<I> {
    /// It exists.
    Id(I),
    /// That step makes it.
    Step(StepId),
}

impl<I> Ref<I> {
    /// The step that makes it, if one does.
    pub fn step(&self) -> Option<StepId> {
        match self {
            Self::Id(_) => None,
            Self::Step(step) => Some(*step),
        }
    }
}

/// An id that a receipt may hold.
pub trait Made: Copy {
    /// The id, where the receipt holds one of this kind.
    fn in_receipt(receipt: &Receipt) -> Option<Self>;
}

impl Made for WorkspaceId {
    fn in_receipt(receipt: &Receipt) -> Option<Self> {
        match receipt {
            Receipt::Workspace { id } => Some(*id),
            _ => None,
        }
    }
}

impl Made for FolderId {
    fn in_receipt(receipt: &Receipt) -> Option<Self> {
        match receipt {
            Receipt::Folder { id } => Some(*id),
            _ => None,
        }
    }
}

impl Made for ConnectionId {
    fn in_receipt(receipt: &Receipt) -> Option<Self> {
        match receipt {
            Receipt::Connection { id } => Some(*id),
            _ => None,
        }
    }
}

impl<I: Made> Ref<I> {
    /// The id, once the step that makes it is done.
    #[must_use]
    pub fn resolve(&self, receipts: &Receipts<Receipt>) -> Option<I> {
        match self {
            Self::Id(id) => Some(*id),
            Self::Step(step) => receipts.get(step).and_then(I::in_receipt),
        }
    }
}

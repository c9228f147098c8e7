//! What reverses a change, as data.

use selvedge_fabric_client::{CapacityId, FolderId};
use serde::{Deserialize, Serialize};

use crate::definition::Definition;
use crate::desired::Role;

/// What reverses a change. Removals name no id: they act on what the change itself gave back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "undo", rename_all = "snake_case")]
pub enum Undo {
    /// Removes what the change made.
    Remove,
    /// Puts the description back.
    RestoreDescription {
        /// What it said before.
        before: String,
    },
    /// Puts the name back.
    RestoreName {
        /// The name before.
        before: String,
    },
    /// Moves it back.
    RestoreFolder {
        /// The folder it was in; `None` at the top.
        before: Option<FolderId>,
    },
    /// Puts the content back.
    RestoreDefinition {
        /// The content before.
        before: Definition,
    },
    /// Puts the role back.
    RestoreRole {
        /// The role before.
        before: Role,
    },
    /// Puts the capacity assignment back.
    RestoreCapacity {
        /// The capacity before, if there was one.
        before: Option<CapacityId>,
    },
    /// Disconnects the workspace from Git.
    Disconnect,
    /// Nothing of its own: it goes with what another step made.
    Nothing,
    /// It cannot be reversed.
    Impossible,
}

//! What is emulated of Fabric's REST interface, operation by operation, and how well each is known.

use std::fmt;

use crate::fabric;

/// One operation of Fabric's REST interface that the emulator has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Operation {
    /// Path as Microsoft's OpenAPI documents write it, for example `/v1/workspaces/{workspaceId}/items`.
    pub path: String,
    /// HTTP method, in capitals.
    pub method: &'static str,
    /// What the emulator's answers rest on.
    pub evidence: Evidence,
    /// The item type, of the operations that every typed collection has, such as `/v1/workspaces/{workspaceId}/lakehouses`.
    pub item_type: Option<&'static str>,
}

/// What is known of how the service behaves, best first. Says nothing about refusals, which are mostly [`Self::Spec`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Evidence {
    /// Traffic of the real service was recorded by a client's own test suite; status, headers and keys follow it.
    Recorded,
    /// Somebody measured or described it; the documents agree as far as they go.
    Reported,
    /// Microsoft's OpenAPI documents, and nothing else.
    Spec,
    /// The documents leave open what happens; the emulator does what seems likely.
    Guessed,
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Recorded => "recorded",
            Self::Reported => "reported",
            Self::Spec => "spec",
            Self::Guessed => "guessed",
        })
    }
}

/// Every operation that is emulated, by path and method. Entra ID and Graph are not among them.
pub fn operations() -> Vec<Operation> {
    let mut operations: Vec<Operation> = fabric::operations().collect();
    operations.sort();
    operations
}

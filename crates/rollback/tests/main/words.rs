//! What can be done to a shelf, what reverses it, and what it gives back.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Change {
    /// Makes a thing. Made twice, there are two.
    Put { name: String, slow: bool },
    /// Overwrites the text of a thing.
    Write { name: String, text: String },
    /// Shows the shelf to the world, for good.
    Publish,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Put { name, .. } => write!(f, "put {name}"),
            Self::Write { name, .. } => write!(f, "write {name}"),
            Self::Publish => f.write_str("publish"),
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) enum Undo {
    Remove,
    Restore { name: String, before: String },
    Impossible,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Receipt {
    pub(crate) id: u32,
    pub(crate) text: String,
}

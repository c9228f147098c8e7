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

/// What happens to one request.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Fault {
    /// It works.
    None,
    /// It never leaves.
    Unsent,
    /// It is refused.
    Refused,
    /// It is refused, and asks for another try.
    Busy,
    /// It is not taken up, and asks for another try.
    PutOff,
    /// It is carried out, and the answer says it was not.
    Lost,
    /// It is carried out, and the answer asks for another try.
    LostBusy,
    /// It is carried out, and the answer says that it was not taken up.
    LostPutOff,
    /// Nothing is heard of it. A thing comes later, all else is carried out at once. It may be tried again.
    Unanswered,
    /// The same, and it must not be tried again.
    UnansweredOnce,
    /// As that one, but it was accepted, and its end was not seen.
    Pending,
}

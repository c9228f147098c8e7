//! What goes wrong with journals.

use std::io;
use std::path::PathBuf;

use super::Corrupt;

/// Why a journal could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The journal of a new transaction could not be created.
    #[error("could not create the journal `{place}`")]
    Create {
        /// The journal.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The store failed.
    #[error("could not write record {seq} of the journal{}", told(.spilled.as_ref()))]
    Append {
        /// The record's number.
        seq: u64,
        /// What the store said.
        #[source]
        source: io::Error,
        /// Where the record is kept instead, if it tells what has happened and there is a place for that.
        spilled: Option<io::Result<PathBuf>>,
    },
    /// Another process goes on with the transaction: its record is where this one was to be.
    #[error("could not write record {seq} of the journal: another process has taken this transaction up")]
    Superseded {
        /// The record's number.
        seq: u64,
    },
    /// The lease is lost, or soon may be: another process may write by now.
    #[error("the lease is lost, or soon may be: nothing more is sent")]
    Fenced,
    /// The journal could not be opened or read.
    #[error("could not read the journal `{place}`")]
    Read {
        /// The journal.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The journal could not be removed, or not all of it.
    #[error("could not remove the journal `{place}`")]
    Remove {
        /// The journal.
        place: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process has the journal open.
    #[error("the journal `{place}` is in use: its transaction is still running")]
    Running {
        /// The journal.
        place: String,
    },
    /// A record could not be put into JSON.
    #[error("could not encode record {seq} of the journal")]
    Encode {
        /// The record's number.
        seq: u64,
        /// What the encoder said.
        #[source]
        source: serde_json::Error,
    },
    /// What was read is not a journal that can be acted on.
    #[error("the journal `{place}` is damaged; nothing was done on the strength of it")]
    Corrupt {
        /// The journal.
        place: String,
        /// What is wrong and where.
        #[source]
        source: Corrupt,
    },
    /// The record does not fit the ones before it: a defect of this crate, caught before it was written.
    #[error("refused to write a record that could not be read back")]
    Illegal {
        /// Why.
        #[source]
        source: crate::state::Illegal,
    },
    /// No journal is there under that id.
    #[error("there is no transaction `{0}`")]
    NotFound(String),
    /// More than one journal is meant by that abbreviation.
    #[error("`{0}` is the beginning of more than one transaction's id")]
    Ambiguous(String),
}

/// Where a record is that is not in the journal.
fn told(spilled: Option<&io::Result<PathBuf>>) -> String {
    match spilled {
        None => String::new(),
        Some(Ok(path)) => format!("; it was written to `{}` instead", path.display()),
        Some(Err(error)) => format!(", nor to a file beside it ({error})"),
    }
}

/// Another process has gone on with the journal. A [`Store`](super::Store) that finds another's line in the place of its own
/// fails with an error made of this.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("another process has taken this transaction up")]
pub struct Superseded;

impl Superseded {
    /// Whether `error` was made of it.
    #[must_use]
    pub fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

impl From<Superseded> for io::Error {
    fn from(superseded: Superseded) -> Self {
        Self::other(superseded)
    }
}

//! The journal: records in one total order, each chained to the one before it.
//!
//! A line is the record's JSON with one more member, `chain`: the SHA-256 over the previous line's `chain` and the
//! record's JSON. A line that was changed, dropped or moved is found when the journal is read.

mod chain;
#[cfg(feature = "failpoints")]
pub mod failpoint;
mod file;
mod memory;

use std::future::Future;

pub use chain::Corrupt;
pub use file::{FileStore, Journals, Summary};
pub use memory::MemoryStore;
use time::OffsetDateTime;

use crate::record::{Body, FORMAT, Record};
use crate::{State, Target};
use chain::Chain;

/// Where lines are kept.
pub trait Store: Send {
    /// Adds a line. When this returns `Ok`, the line survives a crash.
    ///
    /// # Errors
    ///
    /// When that cannot be said. The store takes no further line then: what is on the disk is not known any more.
    fn append(&mut self, line: Vec<u8>) -> impl Future<Output = std::io::Result<()>> + Send;
}

/// Why a journal could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The store failed.
    #[error("could not write record {seq} of the journal")]
    Append {
        /// The record's number.
        seq: u64,
        /// What the store said.
        #[source]
        source: std::io::Error,
    },
    /// The journal could not be opened or read.
    #[error("could not read the journal `{path}`")]
    Read {
        /// The journal.
        path: std::path::PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// Another process has the journal open.
    #[error("the journal `{path}` is in use: its transaction is still running")]
    Running {
        /// The journal.
        path: std::path::PathBuf,
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
    #[error("the journal `{path}` is damaged; nothing was done on the strength of it")]
    Corrupt {
        /// The journal.
        path: std::path::PathBuf,
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

/// A journal that is open for writing.
pub struct Journal<S> {
    store: S,
    chain: Chain,
    seq: u64,
    epoch: u32,
}

impl<S: Store> Journal<S> {
    /// A journal without records.
    pub fn new(store: S) -> Self {
        Self { store, chain: Chain::default(), seq: 0, epoch: 1 }
    }

    /// Puts the next record into a line, and gives back what it says.
    pub(crate) fn encode<T: Target>(&self, body: Body<T>) -> Result<(Line, Body<T>), JournalError> {
        let seq = self.seq;
        let epoch = if matches!(body, Body::TakenUp { .. }) { self.epoch + 1 } else { self.epoch };
        let record = Record { v: FORMAT, seq, epoch, at: OffsetDateTime::now_utc(), body };
        let json = serde_json::to_vec(&record).map_err(|source| JournalError::Encode { seq, source })?;
        let mut chain = self.chain.clone();
        let bytes = chain.link(json);
        Ok((Line { bytes, chain, epoch }, record.body))
    }

    /// Writes the next line. When this returns `Ok`, it survives a crash.
    ///
    /// # Errors
    ///
    /// When that cannot be said. Whatever was to be done on the strength of the record must not be done.
    pub(crate) async fn append(&mut self, line: Line) -> Result<(), JournalError> {
        let seq = self.seq;
        #[cfg(feature = "failpoints")]
        failpoint::reached(seq, failpoint::Point::Before);
        self.store.append(line.bytes).await.map_err(|source| JournalError::Append { seq, source })?;
        self.chain = line.chain;
        self.epoch = line.epoch;
        self.seq += 1;
        #[cfg(feature = "failpoints")]
        failpoint::reached(seq, failpoint::Point::After);
        Ok(())
    }
}

/// A record that is ready to be written.
pub(crate) struct Line {
    bytes: Vec<u8>,
    chain: Chain,
    epoch: u32,
}

/// A journal that was read: what it says, and the journal itself, ready for the next record.
pub struct Loaded<T: Target, S> {
    /// What the records amount to.
    pub state: State<T>,
    /// The journal.
    pub journal: Journal<S>,
}

/// What was read: the state, and where to go on.
pub(crate) struct Read<T: Target> {
    pub(crate) state: State<T>,
    chain: Chain,
    seq: u64,
    epoch: u32,
    /// How many bytes at the end belong to a record that was never finished.
    pub(crate) torn: usize,
}

impl<T: Target> Read<T> {
    /// The journal in `store`, ready for the next record.
    pub(crate) fn into_loaded<S>(self, store: S) -> Loaded<T, S> {
        let Self { state, chain, seq, epoch, .. } = self;
        Loaded { state, journal: Journal { store, chain, seq, epoch } }
    }
}

/// Reads the records in `bytes`: a pure function, whatever the bytes are.
pub(crate) fn read<T: Target>(bytes: &[u8]) -> Result<Read<T>, Corrupt> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut chain = Chain::default();
    let mut state = None;
    let (mut seq, mut epoch) = (0, 1);
    for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
        let json = chain.check(seq, line)?;
        let record = chain::decode::<T>(seq, &json)?;
        if matches!(record.body, Body::TakenUp { .. }) {
            epoch += 1;
        }
        if record.epoch != epoch {
            return Err(Corrupt::new(seq, format!("it is of epoch {}, and {epoch} was due", record.epoch)));
        }
        match (&mut state, record.body) {
            (None, Body::Begin(begin)) => state = Some(State::new(begin)),
            (None, _) => return Err(Corrupt::new(seq, "it is the first and does not begin a transaction")),
            (Some(state), body) => {
                state.apply(body).map_err(|illegal| Corrupt::new(seq, illegal.to_string()))?;
            }
        }
        seq += 1;
    }
    let state = state.ok_or_else(|| Corrupt::new(0, "there is no complete record"))?;
    Ok(Read { state, chain, seq, epoch, torn: bytes.len() - whole })
}

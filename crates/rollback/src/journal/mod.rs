//! The journal: records in one total order, each chained to the one before it.
//!
//! A line is the record's JSON with one more member, `chain`: the SHA-256 over the previous line's `chain` and the
//! record's JSON. A line that was changed, dropped or moved is found when the journal is read.
//!
//! One process at a time writes a journal. Who takes a transaction up says so in its next record, and whoever wrote before
//! cannot write after it: its next append finds [`Superseded`]. Each backend says how.
//!
//! With a key ([`SealKey`], feature `seal`) each line is sealed before it is written: `{"key":…,"sealed":…}`, bound to its
//! transaction and number.

mod chain;
mod envelope;
mod error;
mod export;
#[cfg(feature = "failpoints")]
pub mod failpoint;
mod folder;
mod glance;
mod journals;
mod memory;
#[cfg(feature = "object-store")]
mod objects;
mod purge;
#[cfg(feature = "seal")]
mod seal;
#[cfg(not(feature = "seal"))]
#[path = "no_seal.rs"]
mod seal;

use std::borrow::Cow;
use std::future::{Future, ready};
use std::io;
use std::path::PathBuf;

pub use chain::Corrupt;
pub use error::{JournalError, Superseded};
pub use journals::{JournalStore, Journals, Summary};
pub use memory::MemoryStore;
pub use purge::Ended;
#[cfg(feature = "seal")]
pub use seal::{InvalidKey, SealKey};
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
    /// When that cannot be said. The store takes no further line then: what is on the disk is not known any more. An error
    /// made of [`Superseded`] says that another process goes on with the journal.
    fn append(&mut self, line: Vec<u8>) -> impl Future<Output = io::Result<()>> + Send;

    /// Keeps a line that could not be appended in a file elsewhere, for an operator, and says where. `None`: there is no such
    /// place.
    fn spill(&mut self, line: Vec<u8>) -> impl Future<Output = Option<io::Result<PathBuf>>> + Send {
        drop(line);
        ready(None)
    }
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
        Ok((Line { bytes, chain, epoch, tells: tells(&record.body) }, record.body))
    }

    /// Refuses a line, because a record before it may have been written in part. What it tells is spilled.
    pub(crate) async fn refuse(&mut self, line: Line) -> JournalError {
        self.lost(line.tells.then_some(line.bytes), after_failure()).await
    }

    /// Writes the next line. When this returns `Ok`, it survives a crash.
    ///
    /// # Errors
    ///
    /// When that cannot be said. Whatever was to be done on the strength of the record must not be done. A record that tells
    /// what has happened is spilled.
    pub(crate) async fn append(&mut self, line: Line) -> Result<(), JournalError> {
        let seq = self.seq;
        let copy = line.tells.then(|| line.bytes.clone());
        #[cfg(feature = "failpoints")]
        failpoint::reached(seq, failpoint::Point::Before);
        if let Err(source) = self.store.append(line.bytes).await {
            if Superseded::is(&source) {
                return Err(JournalError::Superseded { seq });
            }
            return Err(self.lost(copy, source).await);
        }
        self.chain = line.chain;
        self.epoch = line.epoch;
        self.seq += 1;
        #[cfg(feature = "failpoints")]
        failpoint::reached(seq, failpoint::Point::After);
        Ok(())
    }

    async fn lost(&mut self, line: Option<Vec<u8>>, source: std::io::Error) -> JournalError {
        let spilled = match line {
            Some(line) => self.store.spill(line).await,
            None => None,
        };
        JournalError::Append { seq: self.seq, source, spilled }
    }
}

/// What every write after one that failed ends with.
fn after_failure() -> io::Error {
    io::Error::other("an earlier write to the journal failed")
}

/// A record that is ready to be written.
pub(crate) struct Line {
    bytes: Vec<u8>,
    chain: Chain,
    epoch: u32,
    /// Whether it tells what has happened outside: lost, it is not found out again without asking.
    tells: bool,
}

fn tells<T: Target>(body: &Body<T>) -> bool {
    matches!(
        body,
        Body::Accepted { .. } | Body::Outcome { .. } | Body::UndoOutcome { .. } | Body::Unmarked { .. }
    )
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
    /// The number of the next record.
    seq: u64,
    epoch: u32,
    /// When the last record was written, by the clock of who wrote it.
    at: OffsetDateTime,
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
    read_opened(bytes, |_, line| Ok(Cow::Borrowed(line)))
}

/// The same, where each line, by its number, is opened first.
fn read_opened<T: Target>(
    bytes: &[u8],
    open: impl Fn(u64, &[u8]) -> Result<Cow<'_, [u8]>, Corrupt>,
) -> Result<Read<T>, Corrupt> {
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut chain = Chain::default();
    let mut state = None;
    let (mut seq, mut epoch, mut at) = (0, 1, OffsetDateTime::UNIX_EPOCH);
    for line in bytes[..whole].split_inclusive(|byte| *byte == b'\n') {
        let line = open(seq, line)?;
        let json = chain.check(seq, &line)?;
        let record = chain::decode::<T>(seq, &json)?;
        if matches!(record.body, Body::TakenUp { .. }) {
            epoch += 1;
        }
        if record.epoch != epoch {
            return Err(Corrupt::new(seq, format!("it is of epoch {}, and {epoch} was due", record.epoch)));
        }
        at = record.at;
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
    Ok(Read { state, chain, seq, epoch, at, torn: bytes.len() - whole })
}

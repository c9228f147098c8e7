//! Journals line by line, as they can be read, whether or not they can be acted on: for people who look into them.

use std::io;

use serde::de::IgnoredAny;

use super::envelope::{self, Spot};
use super::journals::{Journals, Place};
use super::{Corrupt, JournalError};
use crate::TransactionId;

/// What one line holds: the record's JSON with its chain, opened where it was sealed; or why it cannot be read.
type Line = Result<Vec<u8>, Corrupt>;

impl Journals {
    /// Every line of a transaction's journal, in order. Whether they follow one another is not looked at:
    /// [`peek`](Self::peek) says whether they can be acted on.
    ///
    /// # Errors
    ///
    /// When there is no such journal, or the place fails.
    pub async fn export(&self, id: TransactionId) -> Result<Vec<Line>, JournalError> {
        let found = match &self.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                lines(&self.blocking(id, move || folder.read(id)).await?)
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.read_each(id).await?,
        };
        let open = |(at, line): (u64, Line)| self.opened(Spot::record(id, at), at, &line?);
        Ok(found.into_iter().map(open).collect())
    }

    /// Every line that could not be written to the journal and was spilled on this machine.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub async fn export_spilled(&self, id: TransactionId) -> Result<Vec<Line>, JournalError> {
        let Some(path) = self.spilled(id) else { return Ok(Vec::new()) };
        let place = path.display().to_string();
        let read = move || match std::fs::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            read => read.map_err(|source| JournalError::Read { place, source }),
        };
        let found = lines(&self.blocking(id, read).await?);
        let open = |(at, line): (u64, Line)| self.opened(Spot::spill(id), at, &line?);
        Ok(found.into_iter().map(open).collect())
    }

    fn opened(&self, spot: Spot, at: u64, line: &[u8]) -> Line {
        let line = envelope::open(self.key.as_ref(), spot, at, line)?;
        match serde_json::from_slice::<IgnoredAny>(&line) {
            Ok(_) => Ok(line.into_owned()),
            Err(error) => Err(Corrupt::new(at, format!("it is not JSON: {error}"))),
        }
    }
}

/// The lines of a file, with their numbers.
fn lines(bytes: &[u8]) -> Vec<(u64, Line)> {
    let whole = |(at, line): (u64, &[u8])| match line.ends_with(b"\n") {
        true => (at, Ok(line.to_vec())),
        false => (at, Err(Corrupt::new(at, "it was never finished, and does not count"))),
    };
    (0..).zip(bytes.split_inclusive(|byte| *byte == b'\n')).map(whole).collect()
}

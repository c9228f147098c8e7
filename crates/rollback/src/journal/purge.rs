//! Journals that are not needed any more: with them go the definitions and the pre-images that they hold.

use std::io;
use std::time::Duration;

use time::OffsetDateTime;

use super::JournalError;
use super::journals::{Journals, Place, Summary};
use crate::disk::remove;
use crate::{Direction, Target, TransactionId};

/// A transaction that has ended, as its journal said. It will not change any more, and its journal may be removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    id: TransactionId,
    direction: Direction,
    last: OffsetDateTime,
}

impl Ended {
    /// The transaction.
    #[must_use]
    pub fn id(&self) -> TransactionId {
        self.id
    }

    /// How it ended.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// How long ago its last record was written, as far as the clocks of this machine and of the one that wrote it agree.
    #[must_use]
    pub fn age(&self) -> Duration {
        Duration::try_from(OffsetDateTime::now_utc() - self.last).unwrap_or_default()
    }
}

impl<T: Target> Summary<T> {
    /// The same as one that has ended; `None` for one that is open, and for one of which that cannot be said.
    #[must_use]
    pub fn ended(&self) -> Option<Ended> {
        let (state, last) = (self.state.as_ref().ok()?, self.last?);
        let direction = state.direction();
        (direction.has_ended() && !self.running).then_some(Ended { id: self.id, direction, last })
    }
}

impl Journals {
    /// Removes the journal of a transaction that has ended, and what of it was spilled on this machine. Cut off halfway, it leaves
    /// the journal as it was or no journal at all; [`finish_removals`](Self::finish_removals) clears away the rest.
    ///
    /// # Errors
    ///
    /// When a process has it open, or the place fails.
    pub async fn remove(&self, ended: &Ended) -> Result<(), JournalError> {
        let id = ended.id;
        let failed = |source| JournalError::Remove { place: self.place(id), source };
        if let Some(spilled) = self.spilled(id) {
            let removed = tokio::task::spawn_blocking(move || remove(&spilled)).await;
            removed.map_err(io::Error::other).flatten().map_err(failed)?;
        }
        match &self.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                let removed = tokio::task::spawn_blocking(move || folder.remove(id)).await;
                removed.map_err(|error| failed(io::Error::other(error))).flatten()
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.remove(id).await.map_err(failed),
        }
    }

    /// Clears away what is left of journals whose removal was cut off, and says of how many.
    ///
    /// # Errors
    ///
    /// When the place fails.
    pub async fn finish_removals(&self) -> Result<usize, JournalError> {
        match &self.place {
            // A file is there or is not.
            Place::Folder(_) => Ok(0),
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.finish_removals().await,
        }
    }
}

//! What the last record of a journal says, without the rest: enough to pass over what has ended.

use std::time::Duration;

use futures_util::StreamExt as _;
use serde::Deserialize;
use time::OffsetDateTime;

use super::envelope::{self, Spot};
use super::journals::{AT_ONCE, Journals, Place, Summary};
use crate::record::FORMAT;
use crate::{Target, TransactionId};

/// As much of a record as tells whether its transaction has ended.
#[derive(Deserialize)]
struct Last {
    v: u32,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    body: Body,
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Body {
    End,
    Abandoned,
    Unmarked {
        #[serde(default)]
        ended: bool,
    },
    #[serde(other)]
    Other,
}

impl Last {
    fn has_ended(&self) -> bool {
        self.v <= FORMAT && matches!(self.body, Body::End | Body::Abandoned | Body::Unmarked { ended: true })
    }
}

impl Journals {
    /// Every journal there, oldest first, but those of transactions that ended within a time `kept`. Of those nothing but the last record is
    /// read, and taken at its word, so that a place with many of them is read as fast as they can be listed.
    ///
    /// # Errors
    ///
    /// When the place cannot be read. A journal that cannot be read is listed with the reason.
    pub async fn list_unless_ended<T: Target>(
        &self,
        kept: Duration,
    ) -> Result<Vec<Summary<T>>, crate::journal::JournalError> {
        let now = OffsetDateTime::now_utc();
        let ids = self.ids().await?;
        let looks = ids.iter().map(|id| async move { (*id, self.last(*id).await) });
        let due = futures_util::stream::iter(looks).buffered(AT_ONCE).filter_map(|(id, last)| async move {
            let is_kept = last.is_some_and(|last| last.has_ended() && now - last.at < kept);
            (!is_kept).then_some(id)
        });
        Ok(self.summaries(due.collect().await).await)
    }

    /// The last whole record of a journal, where it can be read. Whatever else is the matter with the journal is for who reads all of it.
    async fn last(&self, id: TransactionId) -> Option<Last> {
        let (seq, line) = match &self.place {
            Place::Folder(folder) => {
                let folder = folder.clone();
                self.blocking(id, move || Ok(folder.last(id))).await.ok()??
            }
            #[cfg(feature = "object-store")]
            Place::Objects(objects) => objects.last(id).await?,
        };
        let line = envelope::open(self.key.as_ref(), Spot::record(id, seq), seq, &line).ok()?;
        serde_json::from_slice(&line).ok()
    }
}

//! Lists that are answered in pages.

use super::{Client, decode, member};
use crate::{Error, ErrorKind, Paged, ResultKind, call::Message};
use futures_util::{Stream, TryStreamExt, stream};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// More pages than any list has: a workspace holds 1,000 items at most.
const MOST_PAGES: usize = 10_000;

/// How far a list has been read.
struct Progress {
    /// The token of the next page; outermost `None` after the last one.
    next: Option<Option<String>>,
    seen: HashSet<String>,
}

impl Client {
    /// The entries of a list, page after page, as the service gives them: between two pages the list may change, so
    /// an entry may come twice.
    ///
    /// Only the token of `continuationToken` is used; the address in `continuationUri` is not.
    ///
    /// # Errors
    ///
    /// The stream ends with the first error. [`ErrorKind::PageLoop`] where a token comes a second time.
    pub fn list<T: DeserializeOwned>(
        &self,
        paged: Paged<T>,
    ) -> impl Stream<Item = Result<T, Error>> + use<T> {
        let client = self.clone();
        let start = Progress { next: Some(None), seen: HashSet::new() };
        stream::try_unfold(start, move |progress| {
            let client = client.clone();
            let message = paged.message.clone();
            let key = paged.key;
            async move { client.page(message, key, progress).await }
        })
        .map_ok(|entries| stream::iter(entries.into_iter().map(Ok)))
        .try_flatten()
    }

    /// All entries of a list.
    ///
    /// # Errors
    ///
    /// As [`Client::list`].
    pub async fn list_all<T: DeserializeOwned>(&self, paged: Paged<T>) -> Result<Vec<T>, Error> {
        self.list(paged).try_collect().await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        mut message: Message,
        key: &'static str,
        mut progress: Progress,
    ) -> Result<Option<(Vec<T>, Progress)>, Error> {
        let Some(token) = progress.next else {
            return Ok(None);
        };
        let name = message.name;
        if let Some(token) = token {
            message = message.with_query("continuationToken", token);
        }
        let response = self.exchange(&message).await?;
        let mut page: Map<String, Value> = decode(name, ResultKind::Json, &response)?;
        progress.next = match page.remove("continuationToken") {
            Some(Value::String(token)) if !token.is_empty() => {
                if !progress.seen.insert(token.clone()) || progress.seen.len() >= MOST_PAGES {
                    return Err(Error::new(name, ErrorKind::PageLoop));
                }
                Some(Some(token))
            }
            _ => None,
        };
        let entries = member(page, key).map_err(|error| Error::new(name, ErrorKind::Body(error.into())))?;
        Ok(Some((entries, progress)))
    }
}

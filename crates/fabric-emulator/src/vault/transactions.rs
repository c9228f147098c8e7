//! How many requests a vault takes: so many in ten seconds, whoever they are from.
//!
//! <https://learn.microsoft.com/azure/key-vault/general/service-limits>

use std::collections::HashMap;

use time::{Duration, OffsetDateTime};

use crate::world::VaultError;

const WINDOW: Duration = Duration::seconds(10);

/// The windows that are open, by the names of the vaults.
#[derive(Default)]
pub(crate) struct Transactions(HashMap<String, (OffsetDateTime, u32)>);

impl Transactions {
    /// Counts a request, or refuses it until the window is over.
    pub(super) fn count(
        &mut self,
        vault: &str,
        limit: Option<u32>,
        now: OffsetDateTime,
    ) -> Result<(), VaultError> {
        let Some(limit) = limit else { return Ok(()) };
        let (since, calls) = self.0.entry(vault.to_owned()).or_insert((now, 0));
        let until = since.saturating_add(WINDOW);
        if now >= until {
            (*since, *calls) = (now, 0);
        }
        if *calls < limit {
            *calls += 1;
            return Ok(());
        }
        let left = (since.saturating_add(WINDOW) - now).as_seconds_f64().ceil().max(1.0);
        let message = "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached";
        Err(VaultError { retry_after: Some(left as u32), ..VaultError::new(429, "Throttled", message) })
    }
}

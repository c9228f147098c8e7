//! What the emulator can be told when it is made.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::demo;
use crate::fault::Chaos;

/// How the emulated services behave. Every field has a default that a correct client must cope with.
#[derive(Clone)]
pub struct Config {
    /// Entries per page of a list; `None` puts everything on one page.
    pub page_size: Option<usize>,
    /// How long an operation answered with 202 takes. Zero: done before its first poll.
    pub operation_duration: Duration,
    /// Seconds in the `Retry-After` header of a 202 and of a poll that is still running. The service says 20.
    pub retry_after: u32,
    /// Which requests are answered with 202 and an operation.
    pub long_running: LongRunning,
    /// How long the name of a deleted item stays reserved in its workspace.
    pub name_reservation: Duration,
    /// Status of `ItemDisplayNameNotAvailableYet`: the service was seen with 409 and with 400.
    pub reservation_status: u16,
    /// Whether deleted items go to a recycle bin (the tenant setting "Item Recovery") unless `hardDelete=true`.
    pub item_recovery: bool,
    /// Whether the `Location` of an operation names a host that is not this server, as the service's does.
    pub foreign_location: bool,
    /// The tenant whose token endpoint answers, a GUID.
    pub tenant: String,
    /// Application (client) id of the caller, a GUID.
    pub client_id: String,
    /// The caller's client secret.
    pub client_secret: String,
    /// Faults for a share of all requests, by a seeded schedule.
    pub chaos: Option<Chaos>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            page_size: None,
            operation_duration: Duration::ZERO,
            retry_after: 20,
            long_running: LongRunning::Table,
            name_reservation: Duration::ZERO,
            reservation_status: 409,
            item_recovery: true,
            foreign_location: true,
            tenant: demo::TENANT_ID.to_owned(),
            client_id: demo::CLIENT_ID.to_owned(),
            client_secret: demo::CLIENT_SECRET.to_owned(),
            chaos: None,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("page_size", &self.page_size)
            .field("operation_duration", &self.operation_duration)
            .field("retry_after", &self.retry_after)
            .field("long_running", &self.long_running)
            .field("name_reservation", &self.name_reservation)
            .field("reservation_status", &self.reservation_status)
            .field("item_recovery", &self.item_recovery)
            .field("foreign_location", &self.foreign_location)
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("chaos", &self.chaos)
            .finish_non_exhaustive()
    }
}

/// Which of the requests that may be long-running are answered with 202.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongRunning {
    /// As recorded from the service: by item type and presence of a definition.
    #[default]
    Table,
    /// All of them.
    Always,
    /// None of them.
    Never,
}

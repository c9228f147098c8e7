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
    /// How long a run of a job takes. Zero: over before it is looked at.
    pub job_duration: Duration,
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
    /// Items a workspace can hold, deleted ones included.
    pub max_items: usize,
    /// How long after an item the one comes that the service makes beside it: a lakehouse's SQL endpoint, for example.
    pub child_delay: Duration,
    /// How long a workspace takes to get its capacity.
    pub capacity_assignment: Duration,
    /// How long it takes to delete a secret of a vault, and to recover it.
    pub secret_deletion: Duration,
    /// Calls per minute and identity.
    pub quotas: Quotas,
    /// How many bytes of the latest requests and their answers the log keeps, about.
    pub log_bytes: usize,
    /// Whether the `Location` of an operation names a host that is not this server, as the service's does.
    pub foreign_location: bool,
    /// The tenant whose token endpoint answers, a GUID.
    pub tenant: String,
    /// Application (client) id of the caller, a GUID.
    pub client_id: String,
    /// The caller's client secret.
    pub client_secret: String,
    /// Whether the caller is a Fabric administrator, who may use what is under `/v1/admin`.
    pub tenant_admin: bool,
    /// Whose assertions the caller may show instead. By default [`demo::federated_credentials`].
    pub federated_credentials: Vec<FederatedCredential>,
    /// Faults for a share of all requests, by a seeded schedule.
    pub chaos: Option<Chaos>,
}

/// An assertion that an application may show instead of a secret. All three must be the same, letter for letter:
/// <https://learn.microsoft.com/graph/api/resources/federatedidentitycredential>.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FederatedCredential {
    /// The claim `iss`: the URL of who issues the assertions.
    pub issuer: String,
    /// The claim `sub`: the workload, as the issuer writes it.
    pub subject: String,
    /// The claim `aud`, in a seed `api://AzureADTokenExchange` if left out.
    #[serde(default = "FederatedCredential::usual_audience")]
    pub audience: String,
}

impl FederatedCredential {
    /// One with the audience that Microsoft recommends.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { issuer: issuer.into(), subject: subject.into(), audience: Self::usual_audience() }
    }

    fn usual_audience() -> String {
        "api://AzureADTokenExchange".to_owned()
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            page_size: None,
            operation_duration: Duration::ZERO,
            job_duration: Duration::ZERO,
            retry_after: 20,
            long_running: LongRunning::Table,
            name_reservation: Duration::ZERO,
            reservation_status: 409,
            item_recovery: true,
            max_items: 1000,
            child_delay: Duration::ZERO,
            capacity_assignment: Duration::ZERO,
            secret_deletion: Duration::ZERO,
            quotas: Quotas::default(),
            log_bytes: 64 << 20,
            foreign_location: true,
            tenant: demo::TENANT_ID.to_owned(),
            client_id: demo::CLIENT_ID.to_owned(),
            client_secret: demo::CLIENT_SECRET.to_owned(),
            tenant_admin: true,
            federated_credentials: demo::federated_credentials(),
            chaos: None,
        }
    }
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("page_size", &self.page_size)
            .field("operation_duration", &self.operation_duration)
            .field("job_duration", &self.job_duration)
            .field("retry_after", &self.retry_after)
            .field("long_running", &self.long_running)
            .field("name_reservation", &self.name_reservation)
            .field("reservation_status", &self.reservation_status)
            .field("item_recovery", &self.item_recovery)
            .field("max_items", &self.max_items)
            .field("child_delay", &self.child_delay)
            .field("capacity_assignment", &self.capacity_assignment)
            .field("secret_deletion", &self.secret_deletion)
            .field("quotas", &self.quotas)
            .field("log_bytes", &self.log_bytes)
            .field("foreign_location", &self.foreign_location)
            .field("tenant", &self.tenant)
            .field("client_id", &self.client_id)
            .field("tenant_admin", &self.tenant_admin)
            .field("federated_credentials", &self.federated_credentials)
            .field("chaos", &self.chaos)
            .finish_non_exhaustive()
    }
}

/// Calls in a minute that each identity has, by kind of call, and those that a vault takes; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quotas {
    /// What the other quotas are not about.
    pub platform: Option<u32>,
    /// Calls about jobs.
    pub jobs: Option<u32>,
    /// Polls of long-running operations and reads of their results.
    pub operations: Option<u32>,
    /// Calls under `/v1/admin/`.
    pub admin: Option<u32>,
    /// Calls to each vault, whoever makes them, in ten seconds.
    pub vault: Option<u32>,
}

impl Quotas {
    /// The services' figures, as far as they are known: Fabric's documents have said 200 and 500 for the same quota, Key
    /// Vault's 2,000 and 4,000.
    pub const SERVICE: Self = Self {
        platform: Some(200),
        jobs: Some(200),
        operations: Some(200),
        admin: Some(25),
        vault: Some(4000),
    };
}

/// Which of the requests that may be long-running are answered with 202.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LongRunning {
    /// As recorded from the service: by item type and presence of a definition.
    #[default]
    #[serde(rename = "recorded")]
    Table,
    /// All of them, but for what Microsoft's documents do not let be long-running.
    #[serde(rename = "all")]
    Always,
    /// None of those that may be answered at once.
    #[serde(rename = "none")]
    Never,
}

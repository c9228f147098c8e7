//! A local Microsoft Fabric, with Entra ID's tokens, Graph's look-ups and Key Vault's secrets, in memory, with rules and faults on demand.
//!
//! The emulator is a [`tower::Service`] ([`Emulator::service`]) that tests put innermost in a real client stack, with
//! paused time and no socket, and an HTTP/1.1 server ([`Emulator::serve`], `Emulator::serve_tls`) that any client can
//! talk to. The path tells the service that is meant:
//!
//! | path | service |
//! | --- | --- |
//! | `/v1/...` | Fabric REST |
//! | `/v1.0/...` | Microsoft Graph: look-ups of users, groups and service principals |
//! | `/{tenant}/oauth2/v2.0/token` and what clients look up before it | Entra ID: client credentials with a secret, a certificate or a federated assertion, users with a password |
//! | `/secrets...`, `/deletedsecrets...`, and all of `{vault}.vault.azure.net` | Azure Key Vault: secrets |
//! | `/metadata/identity/oauth2/token`, `/msi/token` | the tokens of managed identities |
//! | `/actions/idtoken`, `/{organisation}/{project}/_apis/distributedtask/...` | what GitHub Actions and Azure DevOps say of a job |
//! | `/_emulator/...` | the emulator's own surface, without authentication: see [`admin`] |
//!
//! ```
//! use bytes::Bytes;
//! use selvedge_fabric_emulator::{Config, Emulator};
//! use tower::ServiceExt as _;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let emulator = Emulator::new(Config::default()).with_demo_tenant();
//! emulator.inject("GET */workspaces=503,times=1".parse()?);
//! let request = http::Request::get("/v1/workspaces").body(Bytes::new())?;
//! let answer = emulator.service().oneshot(request).await?;
//! assert_eq!(answer.status(), 503);
//! assert_eq!(emulator.requests()[0].status, Some(503));
//! # Ok(())
//! # }
//! ```
//!
//! It shares no type with the client it is there to test: both must not be wrong together. JSON is written by hand,
//! keys in the service's order. Behaviour nobody has recorded (git, authorisation failures, paused capacities)
//! follows Microsoft's OpenAPI documents and is a guess where those are silent.

pub mod admin;
mod catalogue;
mod clock;
mod config;
pub mod demo;
mod duration;
mod emulator;
mod entra;
mod fabric;
mod fault;
mod graph;
mod hold;
mod log;
mod operations;
mod paging;
mod pattern;
mod seed;
mod serve;
mod service;
mod snapshot;
mod state;
#[cfg(feature = "tls")]
pub mod tls;
mod vault;
mod wire;
mod wire_fault;
mod workload;
mod world;

pub use catalogue::{Evidence, Operation, operations};
pub use config::{Config, FederatedCredential, LongRunning, Quotas};
pub use emulator::{Emulator, Inventory};
pub use fault::{
    Action, Body, Casing, Chaos, Edit, Effect, Ending, Fault, ParseChaosError, ParseFaultError, RetryAfter,
    Substitute,
};
pub use hold::{HoldId, HoldPoint};
pub use log::LoggedRequest;
pub use pattern::{ParsePatternError, Pattern};
pub use seed::{Seed, SeedError};
pub use service::{BoxError, EmulatorService};
pub use snapshot::{Snapshot, SnapshotError, UnderWay};

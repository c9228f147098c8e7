//! Microsoft Fabric's REST API: requests as values, typed answers, paging and long-running operations.
//!
//! A function of a resource's module ([`workspaces`], [`items`], ...) describes a request and touches no network. A
//! [`Client`] sends it over any [`tower::Service`] and answers with a type, or with an [`Error`] that keeps what the
//! service said and tells whether the request may have had an effect.
//!
//! ```
//! use selvedge_fabric_client::{Client, workspaces};
//! # async fn f(client: Client) -> Result<(), selvedge_fabric_client::Error> {
//! let workspace = client.send(workspaces::create(&workspaces::New::named("sales-dev"))).await?;
//! let items = client.list_all(selvedge_fabric_client::items::list(workspace.id)).await?;
//! # drop(items);
//! # Ok(())
//! # }
//! ```
//!
//! The service is a stack of layers round a transport ([`layer`], [`transport`], and the retry, breaker and timeout
//! of `selvedge-resilience`, which [`FabricClassify`] teaches what Fabric's answers mean). Requests carry their
//! [`Operation`] as an extension, for those layers.
//!
//! What a server sends is never trusted with more than it needs: absolute URLs in answers (`Location`,
//! `continuationUri`) are not followed; the operation id or the token is taken out and the request is rebuilt on the
//! configured base.

pub mod azure;
mod call;
mod classify;
mod client;
mod error;
mod events;
mod ids;
pub mod layer;
mod open_enum;
mod quota;
mod service;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(feature = "transport")]
pub mod transport;

pub mod capacities;
pub mod connections;
pub mod deployment_pipelines;
pub mod folders;
pub mod git;
pub mod graph;
pub mod items;
pub mod operations;
pub mod roles;
pub mod workspaces;

pub use call::{Call, Lro, Operation, Paged, ResultKind};
pub use classify::FabricClassify;
pub use client::{Accepted, Client, PollConfig, PollMode, Started};
pub use error::{ApiError, Error, ErrorCode, ErrorDetail, ErrorKind, KnownCode, RelatedResource, Treatment};
pub use ids::{
    CapacityId, ConnectionId, DeploymentId, FolderId, ItemId, OperationId, PipelineId, PrincipalId, StageId,
    WorkspaceId,
};
pub use quota::Quota;
pub use selvedge_resilience::Unsent;
pub use service::{BodyTooLarge, BoxService, Request, Response, Withheld};

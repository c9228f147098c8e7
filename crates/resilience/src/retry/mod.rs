//! Sending a request once more, where that is safe and worth it.
//!
//! [`RetryLayer`] puts [`tower::retry::Retry`] with a [`RetryPolicy`] round a service. The decision is a table over
//! [`Effect`](crate::Effect) and [`Outcome`](crate::Outcome) ([`may_resend`]), the pause a pure function
//! ([`pause`]), and a budget shared by all requests of the layer bounds what retries add to a struggling server.
//!
//! No pause goes past the call's [deadline](crate::deadline): a server that asks for more time than is left is an error
//! now, which says when to come back ([`Attempts::retry_after`]). So is one that asks for more than [`after::CAP`].

pub mod after;
mod budget;
mod config;
mod decision;
#[cfg(test)]
mod decision_tests;
mod error;
mod jitter;
mod layer;
#[cfg(test)]
#[cfg(selvedge_loom)]
mod loom;
mod policy;
#[cfg(test)]
mod tests;

pub use config::{BudgetConfig, RetryConfig};
pub use decision::{delay, may_resend, pause};
pub use error::{Attempts, Retried};
pub use layer::RetryLayer;
pub use policy::RetryPolicy;

//! Sending a request once more, where that is safe and worth it.
//!
//! [`RetryLayer`] puts [`tower::retry::Retry`] with a [`RetryPolicy`] round a service. The decision is a table over
//! [`Effect`](crate::Effect) and [`Outcome`](crate::Outcome) ([`may_resend`]), the pause a pure function
//! ([`delay`]), and a budget shared by all requests of the layer bounds what retries add to a struggling server.

mod config;
mod decision;
mod error;
mod layer;
mod policy;
#[cfg(test)]
mod tests;

pub use config::RetryConfig;
pub use decision::{delay, may_resend};
pub use error::Retried;
pub use layer::RetryLayer;
pub use policy::RetryPolicy;

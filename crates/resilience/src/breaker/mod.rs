//! A circuit breaker that counts consecutive failures.
//!
//! A [`Breaker`] is shared by all requests that fail together: one per host and class of endpoints. While it is
//! open, requests are answered at once with [`BreakerOpen`]; after a while a few probes are let through, and enough
//! successes among them close it again.
//!
//! Why not a published one: an answer that belongs to an earlier state must not move a later one, a dropped probe
//! must give its permit back, time must be the runtime's (so that tests can pause it), and an open breaker must
//! never make a caller wait in `poll_ready`.
//!
//! Only [`Transient`](crate::Outcome::Transient) and [`Unsent`](crate::Outcome::Unsent) outcomes are failures. A
//! refusal is an answer, and so is throttling: the service is there.

mod config;
mod handle;
mod layer;
mod state;
#[cfg(test)]
mod tests;

pub use config::BreakerConfig;
pub use handle::{Breaker, BreakerOpen, BreakerStatus};
pub use layer::{BreakerLayer, BreakerService};

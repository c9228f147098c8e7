//! A circuit breaker, by failures in a row or by failure rate.
//!
//! [`Breakers`] has one [`Breaker`] for each [`Class`](crate::Class) of requests, shared by all requests that fail together.
//! While it is open, requests are answered at once with [`BreakerOpen`]; after a while a few probes are let through, and
//! enough successes among them close it again.
//!
//! Why not a published one: an answer that belongs to an earlier state must not move a later one, a dropped probe
//! must give its permit back, a probe that never ends must not hold its permit for ever, a window must slide, time must
//! be the runtime's (so that tests can pause it), and an open breaker must never make a caller wait in `poll_ready`.
//!
//! Only [`Transient`](crate::Outcome::Transient) and [`Unsent`](crate::Outcome::Unsent) outcomes are failures. A
//! refusal is an answer, and so is throttling: the service is there. (To a probe throttling says nothing either way: a service that
//! throttles every probe keeps its breaker half-open, with a few requests at a time.) What ends on our own side, a cancelled call or one
//! whose own deadline came, says nothing.
//!
//! The state is this process's and is not kept: each process finds out for itself.

mod config;
mod handle;
mod layer;
#[cfg(test)]
#[cfg(selvedge_loom)]
mod loom;
#[cfg(test)]
mod machine_tests;
mod registry;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub use config::{BreakerConfig, Trip};
pub use handle::{Breaker, BreakerOpen, BreakerSnapshot, BreakerStatus};
pub use layer::{BreakerLayer, BreakerService, Guarded};
pub use registry::Breakers;

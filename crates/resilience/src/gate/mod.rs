//! One pace for all requests of one identity.
//!
//! A server that throttles means the caller, not the request: when one of many workers is told to wait, all of them
//! have to. [`Gates`] has one [`Gate`] for each [`Class`](crate::Class) of requests, which the layer's clones share. It
//! holds all requests back until the longest `Retry-After` has passed, and lets at most so many through at a time as the
//! server has shown to bear: the limit is halved when it throttles, and grows by one for each round of successes (AIMD).
//! Those who wait are let through in the order in which they came, as many at once as the limit says.
//!
//! A quota belongs to an identity: a stack for each credential, or a class that names it, keeps them apart.
//!
//! Who comes during a pause that ends after the call's [deadline](crate::deadline) is told so at once, with [`Paused`]; who
//! stands in line already when it begins, when its turn has come or its time is over.

mod config;
mod handle;
mod layer;
#[cfg(test)]
#[cfg(selvedge_loom)]
mod loom;
#[cfg(test)]
mod places_tests;
mod state;
#[cfg(test)]
mod tests;

pub use config::GateConfig;
pub use handle::{Gate, GateSnapshot, Gates, Paused};
pub use layer::{GateLayer, GateService, Passage};

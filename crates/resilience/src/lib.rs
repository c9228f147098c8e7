//! Retry, circuit breaker and attempt timeout as [`tower`] layers, over an explicit vocabulary.
//!
//! Two questions decide what may be done after a failure, and the layers of this crate ask nothing else:
//!
//! - what does sending the request *again* do: [`Effect`] (RFC 9110 section 9.2.2);
//! - what does the answer tell about the attempt: [`Outcome`].
//!
//! A [`Classify`] answers both for one protocol. The crate knows no protocol itself.
//!
//! # Order
//!
//! Every layer maps a request to `Result<Response, BoxError>`, so that `tower::util::option_layer` switches any of
//! them on or off. From the outside in:
//!
//! ```text
//! RetryLayer           decides once more per answer; waits out an open breaker, once
//! BreakerLayer         counts attempts: outside the retry it would see only what the retry could not heal
//! AttemptTimeoutLayer  bounds each attempt, so that a hung one is a failure the breaker can count
//! the service
//! ```
//!
//! ```
//! use selvedge_resilience::{Classify, Effect, Outcome};
//! use selvedge_resilience::{breaker, retry, timeout::AttemptTimeoutLayer};
//! use std::time::Duration;
//! use tower::{BoxError, ServiceBuilder, util::option_layer};
//!
//! #[derive(Clone)]
//! struct Always;
//!
//! impl Classify<String, String, BoxError> for Always {
//!     fn effect(&self, _: &String) -> Effect {
//!         Effect::Read
//!     }
//!     fn outcome(&self, result: Result<&String, &BoxError>) -> Outcome {
//!         match result {
//!             Ok(_) => Outcome::Success,
//!             Err(_) => Outcome::Transient { retry_after: None },
//!         }
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let retry = retry::RetryLayer::new(retry::RetryConfig::default(), Always)?;
//! let breaker = breaker::Breaker::new("store", breaker::BreakerConfig::default())?;
//! let stack = ServiceBuilder::new()
//!     .layer(option_layer(Some(retry)))
//!     .layer(option_layer(Some(breaker::BreakerLayer::new(breaker, Always))))
//!     .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
//!     .service(tower::service_fn(|name: String| async move { Ok::<_, BoxError>(name) }));
//! # drop(stack);
//! # Ok(())
//! # }
//! ```

pub mod breaker;
mod classify;
pub mod deadline;
mod error;
mod events;
pub mod gate;
#[cfg(feature = "http")]
pub mod http;
#[cfg(test)]
mod pitfalls;
pub mod retry;
mod sync;
#[cfg(test)]
mod testing;

pub use classify::{Class, Classify, Effect, Outcome, Unsent, outcome_of};
pub use error::{InvalidConfig, find_cause};

/// What a breaker or gate is called.
fn class_name(service: &str, class: &Class) -> String {
    match (service.is_empty(), class.is_empty()) {
        (false, false) => format!("{service}/{class}"),
        (false, true) => service.to_owned(),
        (true, _) => class.clone().into_owned(),
    }
}

//! Retry, circuit breaker, throttle gate and deadlines as [`tower`] layers, over an explicit vocabulary.
//!
//! Two questions decide what may be done after a failure, and the layers of this crate ask nothing else:
//!
//! - what does sending the request *again* do: [`Effect`] (RFC 9110 section 9.2.2);
//! - what does the answer tell about the attempt: [`Outcome`].
//!
//! A [`Classify`] answers both for one protocol. [`http::HttpClassify`] does so for HTTP in general; the crate knows no
//! service, and no transport.
//!
//! # Order
//!
//! Every layer maps a request to `Result<Response, BoxError>`, so that `tower::util::option_layer` switches any of
//! them on or off. From the outside in:
//!
//! ```text
//! DeadlineLayer        bounds the call with all its attempts and pauses; those beneath see what is left
//! RetryLayer           decides once more per answer; waits out an open breaker, once
//! GateLayer            one pause and one limit for all
//! BreakerLayer         counts attempts: outside the retry it would see only what the retry could not heal; inside the gate, or
//!                      those who queue there would be let through by what it knew when they came
//! AttemptTimeoutLayer  bounds each attempt, so that a hung one is a failure the breaker can count
//! the service
//! ```
//!
//! ```
//! use http::{Request, Response};
//! use selvedge_resilience::breaker::{BreakerConfig, BreakerLayer, Breakers};
//! use selvedge_resilience::deadline::{AttemptTimeoutLayer, DeadlineLayer};
//! use selvedge_resilience::gate::{GateConfig, GateLayer, Gates};
//! use selvedge_resilience::http::HttpClassify;
//! use selvedge_resilience::retry::{RetryConfig, RetryLayer};
//! use std::time::Duration;
//! use tower::{BoxError, ServiceBuilder, util::option_layer};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let retry = RetryLayer::new(RetryConfig::robust(), HttpClassify)?;
//! let breakers = Breakers::new("store", BreakerConfig::robust())?;
//! let stack = ServiceBuilder::new()
//!     .layer(DeadlineLayer::new(Duration::from_secs(300))?)
//!     .layer(option_layer(Some(retry)))
//!     .layer(GateLayer::new(Gates::new("store", GateConfig::default())?, HttpClassify))
//!     .layer(option_layer(Some(BreakerLayer::new(breakers.clone(), HttpClassify))))
//!     .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
//!     .service(tower::service_fn(|_: Request<String>| async { Ok::<_, BoxError>(Response::new("done")) }));
//! # drop(stack);
//! // For a health report:
//! for breaker in breakers.snapshot() {
//!     println!("{}: {:?}", breaker.name, breaker.status);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A service beneath these layers has to be [`Clone`], as clients are: what is readied is used for one request. Where a task is
//! spawned with a call of a stack over a closure's future, the compiler may say that "one type is more general than the other"; box
//! the stack (`tower::util::BoxCloneSyncService`), which also gives it a name.
//!
//! # The other order
//!
//! A breaker *outside* the retry counts calls, not attempts. Take three attempts a call, and a service that answers every third
//! one: a breaker by failure rate inside the retry sees two failures in three attempts and opens; outside it sees nothing but
//! successes and never opens, while the service carries three times its load. Outside, an open breaker also ends a call at once,
//! where inside the retry waits for it. Take that order where callers would rather fail than wait, and keep the retries few:
//!
//! ```
//! # use http::{Request, Response};
//! # use selvedge_resilience::breaker::{BreakerConfig, BreakerLayer, Breakers};
//! # use selvedge_resilience::http::HttpClassify;
//! # use selvedge_resilience::retry::{RetryConfig, RetryLayer};
//! # use tower::{BoxError, ServiceBuilder};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let impatient = ServiceBuilder::new()
//!     .layer(BreakerLayer::new(Breakers::new("store", BreakerConfig::guide())?, HttpClassify))
//!     .layer(RetryLayer::new(RetryConfig { max_attempts: 2, ..RetryConfig::guide() }, HttpClassify)?)
//!     .service(tower::service_fn(|_: Request<String>| async { Ok::<_, BoxError>(Response::new("done")) }));
//! # drop(impatient);
//! # Ok(())
//! # }
//! ```
//!
//! Whichever the order: exactly one layer retries. Two of them multiply, as do the hidden retries of an HTTP client or an SDK;
//! turn those off.
//!
//! # A request that cannot be repeated
//!
//! A retry needs the request again, so it has to be [`Clone`]; one that is not does not compile, rather than silently losing its
//! retries:
//!
//! ```compile_fail,E0277
//! # use selvedge_resilience::{Classify, Effect, Outcome, retry::{RetryConfig, RetryLayer}};
//! # use tower::{BoxError, Service, ServiceBuilder};
//! struct Stream; // not Clone
//! # #[derive(Clone)] struct Always;
//! # impl Classify<Stream, ()> for Always {
//! #     fn effect(&self, _: &Stream) -> Effect { Effect::Read }
//! #     fn outcome(&self, _: Result<&(), &BoxError>) -> Outcome { Outcome::Success }
//! # }
//! # fn needs_service<S: Service<Stream>>(_: S) {}
//! let retry = RetryLayer::new(RetryConfig::guide(), Always).unwrap();
//! needs_service(ServiceBuilder::new().layer(retry).service_fn(|_: Stream| async { Ok::<_, BoxError>(()) }));
//! ```
//!
//! # Time
//!
//! Every wait, window and deadline runs on tokio's monotonic clock: setting the wall clock changes nothing, and
//! `tokio::time::pause` lets tests of the whole stack run without waiting.

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

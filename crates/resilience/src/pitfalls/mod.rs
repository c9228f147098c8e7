//! What retries, breakers, gates and deadlines have been seen to get wrong elsewhere: a test for each that the layers of this
//! crate can show. Those that need HTTP or a transport are tested, under the same names, where those are.

mod breaker;
mod sending;
mod shared;

use crate::{
    Effect, Outcome, Unsent,
    breaker::{BreakerConfig, BreakerLayer, BreakerOpen, BreakerStatus, Breakers, Trip},
    deadline::{AttemptTimeoutLayer, Deadline, DeadlineLayer, TooLate},
    find_cause,
    gate::{GateConfig, GateLayer, Gates, Paused},
    retry::{BudgetConfig, Retried, RetryConfig, RetryLayer},
    testing::{Act, Answer, Ask, Lines, Literal, READ, Script, THROTTLED, TRANSIENT, throttled},
};
use std::{
    pin::pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::Instant;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt};

const SECOND: Duration = Duration::from_secs(1);
const CREATE: Ask = Ask(Effect::Once, "");

fn retry() -> RetryConfig {
    RetryConfig { jitter: 0.0, ..RetryConfig::guide() }
}

fn breakers(failures: u32) -> Breakers {
    let trip = Trip::Consecutive { failures };
    Breakers::new("test", BreakerConfig { trip, ..BreakerConfig::guide() }).unwrap()
}

fn gates() -> Gates {
    Gates::new("test", GateConfig::default()).unwrap()
}

/// The whole stack, in the order that the crate's documentation shows.
fn stack(
    config: RetryConfig,
    breakers: &Breakers,
    gates: &Gates,
    script: &Script,
) -> impl Service<Ask, Response = Answer, Error = BoxError, Future: Send> + Clone + Send + use<> {
    ServiceBuilder::new()
        .layer(DeadlineLayer::new(600 * SECOND).unwrap())
        .layer(RetryLayer::new(config, Literal).unwrap())
        .layer(GateLayer::new(gates.clone(), Literal))
        .layer(BreakerLayer::new(breakers.clone(), Literal))
        .layer(AttemptTimeoutLayer::new(30 * SECOND))
        .service(script.clone())
}

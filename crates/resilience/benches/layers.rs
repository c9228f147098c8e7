//! What each layer costs over a service that answers at once: no network, one thread.
#![expect(clippy::unwrap_used, reason = "a bench whose layers cannot be built has nothing to say")]

use std::{future::Ready, time::Duration};

use divan::Bencher;
use selvedge_resilience::{
    Classify, Effect, Outcome,
    breaker::{BreakerConfig, BreakerLayer, Breakers},
    deadline::{AttemptTimeoutLayer, DeadlineLayer},
    gate::{GateConfig, GateLayer, Gates},
    retry::{RetryConfig, RetryLayer, after},
};
use tokio::runtime::Runtime;
use tower::{BoxError, Layer, Service, ServiceBuilder, ServiceExt, layer::util::Identity, service_fn};

fn main() {
    divan::main();
}

#[derive(Clone, Copy)]
struct Fine;

impl Classify<u64, u64> for Fine {
    fn effect(&self, _: &u64) -> Effect {
        Effect::Read
    }
    fn outcome(&self, result: Result<&u64, &BoxError>) -> Outcome {
        result.map_or(Outcome::Permanent, |_| Outcome::Success)
    }
}

type Answer = Ready<Result<u64, BoxError>>;

fn ready(request: u64) -> Answer {
    std::future::ready(Ok(request))
}

/// One call of a clone of the service, as clients make them.
fn measure<L>(bencher: Bencher<'_, '_>, layer: L)
where
    L: Layer<tower::util::ServiceFn<fn(u64) -> Answer>>,
    L::Service: Service<u64, Response = u64, Error = BoxError> + Clone,
{
    // Its timers are what the timeouts register with.
    let runtime = Runtime::new().unwrap();
    let service = layer.layer(service_fn(ready as fn(u64) -> Answer));
    bencher.bench_local(|| runtime.block_on(service.clone().oneshot(divan::black_box(1))).unwrap());
}

fn gate() -> GateLayer<Fine> {
    GateLayer::new(Gates::new("bench", GateConfig::default()).unwrap(), Fine)
}

fn breaker() -> BreakerLayer<Fine> {
    BreakerLayer::new(Breakers::new("bench", BreakerConfig::robust()).unwrap(), Fine)
}

fn retry() -> RetryLayer<Fine> {
    RetryLayer::new(RetryConfig::robust(), Fine).unwrap()
}

const MINUTE: Duration = Duration::from_secs(60);

/// What the others are to be compared with.
#[divan::bench]
fn a_no_layer(bencher: Bencher<'_, '_>) {
    measure(bencher, Identity::new());
}

#[divan::bench]
fn b_deadline(bencher: Bencher<'_, '_>) {
    measure(bencher, DeadlineLayer::new(MINUTE).unwrap());
}

#[divan::bench]
fn c_retry(bencher: Bencher<'_, '_>) {
    measure(bencher, retry());
}

#[divan::bench]
fn d_breaker(bencher: Bencher<'_, '_>) {
    measure(bencher, breaker());
}

#[divan::bench]
fn e_gate(bencher: Bencher<'_, '_>) {
    measure(bencher, gate());
}

#[divan::bench]
fn f_attempt_timeout(bencher: Bencher<'_, '_>) {
    measure(bencher, AttemptTimeoutLayer::new(MINUTE));
}

#[divan::bench]
fn g_all(bencher: Bencher<'_, '_>) {
    let all = ServiceBuilder::new()
        .layer(DeadlineLayer::new(MINUTE).unwrap())
        .layer(retry())
        .layer(gate())
        .layer(breaker())
        .layer(AttemptTimeoutLayer::new(MINUTE));
    measure(bencher, all);
}

#[divan::bench(args = ["58", "Sun, 06 Nov 1994 08:50:37 GMT", "soon"])]
fn h_retry_after(value: &str) -> Option<Duration> {
    after::parse(divan::black_box(value), Some("Sun, 06 Nov 1994 08:49:37 GMT"))
}

//! The layers on a service that is not HTTP: a shop that is out of order now and then. `cargo run --example not_http`
#![expect(clippy::print_stdout, reason = "an example talks to the terminal that started it")]

use selvedge_resilience::{
    Classify, Effect, Outcome,
    breaker::{BreakerConfig, BreakerLayer, Breakers},
    deadline::DeadlineLayer,
    gate::{GateConfig, GateLayer, Gates},
    outcome_of,
    retry::{RetryConfig, RetryLayer},
};
use std::{sync::atomic::AtomicU32, sync::atomic::Ordering::Relaxed, time::Duration};
use tower::{BoxError, ServiceBuilder, ServiceExt};

#[derive(Clone)]
enum Order {
    Look,
    Buy,
}

enum Reply {
    Here,
    ComeBackIn(Duration),
    SoldOut,
}

/// What the shop's orders and replies mean to the layers: all that they need to be told.
#[derive(Clone, Copy)]
struct Shop;

impl Classify<Order, Reply> for Shop {
    fn effect(&self, order: &Order) -> Effect {
        match order {
            Order::Look => Effect::Read,
            Order::Buy => Effect::Once,
        }
    }

    fn outcome(&self, result: Result<&Reply, &BoxError>) -> Outcome {
        match result {
            Ok(Reply::Here) => Outcome::Success,
            Ok(Reply::ComeBackIn(wait)) => Outcome::Throttled { retry_after: Some(*wait) },
            Ok(Reply::SoldOut) => Outcome::Permanent,
            Err(error) => outcome_of(&**error),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    static VISITS: AtomicU32 = AtomicU32::new(0);
    let shop = ServiceBuilder::new()
        .layer(DeadlineLayer::new(Duration::from_secs(60))?)
        .layer(RetryLayer::new(RetryConfig::robust(), Shop)?)
        .layer(GateLayer::new(Gates::new("shop", GateConfig::default())?, Shop))
        .layer(BreakerLayer::new(Breakers::new("shop", BreakerConfig::default())?, Shop))
        .service_fn(async |order: Order| match (VISITS.fetch_add(1, Relaxed), order) {
            (0, _) => Err(BoxError::from("the door is stuck")),
            (1, _) => Ok(Reply::ComeBackIn(Duration::from_millis(700))),
            (_, Order::Look) => Ok(Reply::Here),
            (_, Order::Buy) => Ok(Reply::SoldOut),
        });
    for order in [Order::Look, Order::Buy] {
        let said = match shop.clone().oneshot(order).await? {
            Reply::Here => "here you are",
            Reply::ComeBackIn(_) => "come back later",
            Reply::SoldOut => "sold out",
        };
        println!("{said}, after {} visits", VISITS.load(Relaxed));
    }
    Ok(())
}

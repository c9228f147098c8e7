//! The smallest protocol that has everything: requests with a number, and four kinds of answers.

use std::time::Duration;

use selvedge_resilience::breaker::{BreakerConfig, BreakerLayer, Breakers};
use selvedge_resilience::deadline::{AttemptTimeoutLayer, DeadlineLayer};
use selvedge_resilience::gate::{GateConfig, GateLayer, Gates};
use selvedge_resilience::retry::{RetryConfig, RetryLayer};
use selvedge_resilience::{Classify, Effect, Outcome, outcome_of};
use tower::util::{BoxCloneSyncService, option_layer};
use tower::{BoxError, Service, ServiceBuilder};

/// A request: its number, which its repetitions have too.
pub(crate) type Request = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// 429, with a `Retry-After`.
    TooMany(Duration),
    /// 503.
    Unavailable,
}

/// Everything is a read.
#[derive(Clone, Copy)]
pub(crate) struct Meaning;

impl Classify<Request, Answer> for Meaning {
    fn effect(&self, _: &Request) -> Effect {
        Effect::Read
    }

    fn outcome(&self, result: Result<&Answer, &BoxError>) -> Outcome {
        match result {
            Ok(Answer::Done) => Outcome::Success,
            Ok(Answer::TooMany(wait)) => Outcome::Throttled { retry_after: Some(*wait) },
            Ok(Answer::Unavailable) => Outcome::Transient { retry_after: None },
            Err(error) => outcome_of(&**error),
        }
    }
}

/// Which layers there are, and how they are set.
#[derive(Clone)]
pub(crate) struct Layers {
    pub(crate) name: &'static str,
    pub(crate) retry: RetryConfig,
    pub(crate) breaker: Option<BreakerConfig>,
    pub(crate) gate: Option<GateConfig>,
}

impl Layers {
    pub(crate) fn guide() -> Self {
        Self {
            name: "guide",
            retry: RetryConfig::guide(),
            breaker: Some(BreakerConfig::guide()),
            gate: Some(GateConfig::default()),
        }
    }

    pub(crate) fn robust() -> Self {
        Self {
            name: "robust",
            retry: RetryConfig::robust(),
            breaker: Some(BreakerConfig::robust()),
            gate: Some(GateConfig::default()),
        }
    }

    /// The layers in the order that the crate's documentation shows, round `service`, and the breakers among them.
    pub(crate) fn stack<S>(
        &self,
        service: S,
    ) -> (BoxCloneSyncService<Request, Answer, BoxError>, Option<Breakers>)
    where
        S: Service<Request, Response = Answer, Error = BoxError> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
    {
        let breakers = self.breaker.clone().map(|config| Breakers::new("service", config).unwrap());
        let gates = self.gate.clone().map(|config| Gates::new("service", config).unwrap());
        let stack = ServiceBuilder::new()
            .layer(DeadlineLayer::new(Duration::from_secs(600)).unwrap())
            .layer(RetryLayer::new(self.retry.clone(), Meaning).unwrap())
            .layer(option_layer(gates.map(|gates| GateLayer::new(gates, Meaning))))
            .layer(option_layer(breakers.clone().map(|breakers| BreakerLayer::new(breakers, Meaning))))
            .layer(AttemptTimeoutLayer::new(Duration::from_secs(30)))
            .service(service);
        (BoxCloneSyncService::new(stack), breakers)
    }
}

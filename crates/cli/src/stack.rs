//! The one place where the layers that a request goes through are put together.

use std::time::Duration;

use selvedge_fabric_client::layer::{Auth, BaseUri, SpanLayer};
use selvedge_fabric_client::{BoxService, FabricClassify, Request, Response};
use selvedge_resilience::InvalidConfig;
use selvedge_resilience::breaker::{BreakerConfig, BreakerLayer, Breakers};
use selvedge_resilience::deadline::{AttemptTimeoutLayer, DeadlineLayer};
use selvedge_resilience::gate::{GateConfig, GateLayer, Gates};
use selvedge_resilience::retry::{RetryConfig, RetryLayer, after};
use tower::util::option_layer;
use tower::{BoxError, Service, ServiceBuilder};

/// The most time for one token. The layers know of it, so that none of them pauses for longer.
pub const TOKEN_DEADLINE: Duration = Duration::from_secs(90);

/// Which layers there are, and how they are set.
#[derive(Clone, Debug)]
pub struct StackConfig {
    /// The most that a request may take with all its attempts and pauses.
    pub call_deadline: Duration,
    /// `FEATURE_USE_RETRY_LOGIC`.
    pub retry: Option<RetryConfig>,
    /// `FEATURE_USE_CIRCUIT_BREAKER`.
    pub breaker: Option<BreakerConfig>,
    /// The pace of all requests.
    pub gate: GateConfig,
    /// The most that one attempt may take.
    pub attempt_timeout: Duration,
    /// `FEATURE_USE_TELEMETRY`: a span round each call and each attempt.
    pub spans: bool,
}

impl StackConfig {
    /// The same for what gets tokens, which are waited for by requests of their own: an attempt has 30 s at most, and all of them
    /// [`TOKEN_DEADLINE`]. What ends because those are over tells the circuit breaker nothing of the service.
    #[must_use]
    pub fn for_tokens(mut self) -> Self {
        self.attempt_timeout = self.attempt_timeout.min(TOKEN_DEADLINE / 3);
        self.call_deadline = self.call_deadline.min(TOKEN_DEADLINE);
        self
    }
}

/// The two ways into the stack of one service.
///
/// They share the token, the breakers, the gates and the retry budget. What takes back must not fail because the way forward
/// did: its retries are counted and logged, but not refused, and a call has time to wait for as long as a server may ask.
#[derive(Clone, Debug)]
pub struct Stacks {
    /// The usual way.
    pub forward: BoxService,
    /// For what takes back, and for reading back what is in doubt.
    pub undo: BoxService,
    /// The breakers of both, for health reports and for operators.
    pub breakers: Option<Breakers>,
    /// The gates of both.
    pub gates: Gates,
}

/// The stack of the service called `name`, outermost first, with `transport` at the bottom.
///
/// Each service has a stack of its own, and with it breakers and gates: trouble at Entra ID is not Fabric's.
///
/// # Errors
///
/// When a configuration cannot work.
pub fn stacks<S, F>(
    name: &str,
    config: &StackConfig,
    api: Option<(Auth, BaseUri)>,
    transport: S,
) -> Result<Stacks, InvalidConfig>
where
    S: Service<Request, Response = Response, Error = BoxError, Future = F> + Clone + Send + Sync + 'static,
    F: Future<Output = Result<Response, BoxError>> + Send + 'static,
{
    let retry = config.retry.clone().map(|config| RetryLayer::new(config, FabricClassify)).transpose()?;
    let breakers = config.breaker.clone().map(|config| Breakers::new(name, config)).transpose()?;
    let gates = Gates::new(name, config.gate.clone())?;
    let (auth, base) = api.unzip();
    let core = ServiceBuilder::new()
        // Inside the retry, so that a later attempt carries a fresh token; outside the breaker, which is not Entra's.
        .layer(option_layer(auth))
        .layer(GateLayer::new(gates.clone(), FabricClassify))
        // Inside the gate: those who waited there are judged by what the breaker knows when they are let through. An open one
        // answers at once, and holds no place.
        .layer(option_layer(breakers.clone().map(|breakers| BreakerLayer::new(breakers, FabricClassify))))
        // Outside of what drops an attempt that takes too long, and inside of what may not send it at all.
        .layer(option_layer(config.spans.then(|| SpanLayer::attempt(base.clone()))))
        .layer(AttemptTimeoutLayer::new(config.attempt_timeout))
        .layer(option_layer(base))
        .service(transport);
    let span = || option_layer(config.spans.then(SpanLayer::call));
    let forward = ServiceBuilder::new()
        .layer(span())
        .layer(DeadlineLayer::new(config.call_deadline)?)
        .layer(option_layer(retry.clone()))
        .service(core.clone());
    let undo = ServiceBuilder::new()
        .layer(span())
        .layer(DeadlineLayer::new(config.call_deadline.saturating_add(after::CAP))?)
        .layer(option_layer(retry.map(RetryLayer::unbudgeted)))
        .service(core);
    Ok(Stacks { forward: BoxService::new(forward), undo: BoxService::new(undo), breakers, gates })
}

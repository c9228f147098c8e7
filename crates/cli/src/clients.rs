//! The clients of one run: settings and flags become stacks.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use azure_core::credentials::TokenCredential;
use selvedge_fabric_client::azure::HttpClient;
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::transport::{HttpTransport, TransportConfig};
use selvedge_fabric_client::{BoxService, Client, PollConfig, PollMode};
use selvedge_observability::redact::Scrubbing;
use selvedge_resilience::breaker::Breakers;

use crate::fenced::{FenceSlot, Fenced};
use crate::flags::Flags;
use crate::identity;
use crate::redaction::redactor;
use crate::report::ExitWith;
use crate::run::App;
use crate::settings::{Environment, PollingMode, Service, Settings};
use crate::stack::{StackConfig, Stacks, stacks};
use crate::stack_config::stack_config;

/// The clients of one run.
pub(crate) struct Clients {
    pub(crate) fabric: Client,
    /// Fabric once more, for what takes back: it shares all but the bounds of a call with the way forward.
    pub(crate) fabric_undo: Client,
    pub(crate) graph: Client,
    /// Who signs in to Fabric.
    pub(crate) identity: Auth,
    /// What Fabric's transport asks before a write.
    pub(crate) fence: FenceSlot,
    /// The circuit breakers of all of these, where there are some.
    pub(crate) breakers: Vec<Breakers>,
}

impl Clients {
    /// Builds the stacks, of the layers that the flags ask for.
    ///
    /// # Errors
    ///
    /// When a setting does not make sense, or there are no credentials.
    pub(crate) async fn new(app: &App) -> anyhow::Result<Self> {
        let settings = &app.settings;
        let builder = Connections::new(settings, &app.flags, &app.environment)?;
        let credential = identity::credential(identity::of_deployer(app).await?, &builder)?;
        let Service { base_url, scope, .. } = &settings.fabric;
        let (identity, base) = auth(base_url, scope, &credential)?;
        let fabric = builder.stacks(FABRIC, Some((identity.clone(), base)))?;
        let Service { base_url, scope, .. } = &settings.graph;
        let graph = builder.stacks("graph", Some(auth(base_url, scope, &credential)?))?;
        Ok(Self {
            fabric: builder.client(fabric.forward),
            fabric_undo: builder.client(fabric.undo),
            graph: builder.client(graph.forward),
            identity,
            breakers: builder.breakers(),
            fence: builder.fence,
        })
    }
}

pub(crate) fn transport_config(settings: &Settings, environment: &Environment) -> TransportConfig {
    TransportConfig {
        connect_timeout: settings.http.connect_timeout,
        // The stack bounds an attempt.
        request_timeout: None,
        // No settings: their addresses may hold a password.
        proxy: either_case(environment, "HTTPS_PROXY"),
        no_proxy: either_case(environment, "NO_PROXY"),
        ..TransportConfig::default()
    }
}

/// Azure Storage, with tokens where `base` says for which host and scope. Never with retries: who writes a journal knows better.
///
/// # Errors
///
/// When a setting does not make sense, or tokens are needed and there are no credentials.
pub(crate) async fn storage(app: &App, base: Option<(&str, &str)>) -> anyhow::Result<BoxService> {
    let builder = Connections::new(&app.settings, &app.flags, &app.environment)?;
    let api = match base {
        None => None,
        Some((url, scope)) => {
            let credential = identity::credential(identity::of_deployer(app).await?, &builder)?;
            Some(auth(url, scope, &credential)?)
        }
    };
    let config = StackConfig { retry: None, ..stack_config(&app.settings, &app.flags) };
    Ok(builder.composed("storage", &config, api)?.forward)
}

/// Tokens for a service, and where they go.
fn auth(url: &str, scope: &str, credential: &Arc<dyn TokenCredential>) -> anyhow::Result<(Auth, BaseUri)> {
    let base = BaseUri::new(url).with_context(|| ExitWith::usage(format!("set up requests to {url}")))?;
    Ok((Auth::new(Arc::clone(credential), scope, base.clone()), base))
}

/// What stacks are made of.
pub(crate) struct Connections<'a> {
    settings: &'a Settings,
    flags: &'a Flags,
    transport: HttpTransport,
    /// Set once there is a lease. What is not Fabric's only reads, or is no part of a change.
    fence: FenceSlot,
    /// Those of all stacks that were composed.
    breakers: Mutex<Vec<Breakers>>,
}

impl<'a> Connections<'a> {
    /// # Errors
    ///
    /// When a setting does not make sense.
    pub(crate) fn new(
        settings: &'a Settings,
        flags: &'a Flags,
        environment: &Environment,
    ) -> anyhow::Result<Self> {
        let config = transport_config(settings, environment);
        let transport = HttpTransport::new(&config).context("set up HTTPS")?;
        Ok(Self { settings, flags, transport, fence: FenceSlot::default(), breakers: Mutex::default() })
    }

    /// What gets tokens.
    ///
    /// # Errors
    ///
    /// When a setting does not make sense.
    pub(crate) fn tokens(&self) -> anyhow::Result<HttpClient> {
        let config = stack_config(self.settings, self.flags).for_tokens();
        Ok(HttpClient::tokens(self.composed("entra", &config, None)?.forward))
    }

    /// What a client of Key Vault sends by. It brings its own tokens, and what reads a secret waits no longer than for a token.
    ///
    /// # Errors
    ///
    /// When a setting does not make sense.
    pub(crate) fn vault(&self) -> anyhow::Result<HttpClient> {
        let config = stack_config(self.settings, self.flags).for_tokens();
        Ok(HttpClient::new(self.composed("key-vault", &config, None)?.forward, "keyvault.secrets"))
    }

    /// The circuit breakers of what was made of these connections so far.
    pub(crate) fn breakers(&self) -> Vec<Breakers> {
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn client(&self, stack: BoxService) -> Client {
        let settings = &self.settings.polling;
        let polling = PollConfig {
            first_poll: settings.first_poll,
            deadline: settings.deadline,
            mode: match settings.mode {
                PollingMode::Adaptive => PollMode::Adaptive,
                PollingMode::RetryAfter => PollMode::RetryAfter,
            },
            ..PollConfig::default()
        };
        Client::new(stack).with_polling(polling)
    }

    fn stacks(&self, name: &str, api: Option<(Auth, BaseUri)>) -> anyhow::Result<Stacks> {
        self.composed(name, &stack_config(self.settings, self.flags), api)
    }

    fn composed(
        &self,
        name: &str,
        config: &StackConfig,
        api: Option<(Auth, BaseUri)>,
    ) -> anyhow::Result<Stacks> {
        let fence = if name == FABRIC { self.fence.clone() } else { FenceSlot::default() };
        let transport = Scrubbing::new(Fenced::new(self.transport.clone(), fence), redactor().clone());
        let stacks = stacks(name, config, api, transport)
            .with_context(|| ExitWith::usage(format!("set up requests to {name}")))?;
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner).extend(stacks.breakers.clone());
        Ok(stacks)
    }
}

/// A variable that other programs take in either case.
fn either_case(environment: &Environment, name: &str) -> Option<String> {
    environment.set(name).or_else(|| environment.set(&name.to_lowercase())).map(str::to_owned)
}

/// The name of Fabric's stack.
const FABRIC: &str = "fabric";

/// The variable of a storage account's key.
pub(crate) const STORAGE_KEY: &str = "AZURE_STORAGE_KEY";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Profile, load};

    #[test]
    fn the_transport_never_ends_an_attempt_before_the_stack_does() {
        let root = tempfile::tempdir().unwrap();
        let environment = Environment::of(&[], &[]);
        let settings = load(root.path(), &environment, &[], Profile::Guide).unwrap();
        assert_eq!(transport_config(&settings, &environment).request_timeout, None);
    }
}

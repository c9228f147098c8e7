//! The clients of one run: settings and flags become stacks, variables become credentials.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use azure_core::credentials::TokenCredential;
use secrecy::SecretString;
use selvedge_fabric_client::azure::{self, CredentialConfig, CredentialKind};
use selvedge_fabric_client::layer::{Auth, BaseUri};
use selvedge_fabric_client::transport::{HttpTransport, TransportConfig};
use selvedge_fabric_client::{BoxService, Client, PollConfig, PollMode};
use selvedge_observability::redact::Scrubbing;

use crate::exit;
use crate::fenced::{FenceSlot, Fenced};
use crate::flags::Flags;
use crate::redaction::{Watched, redactor};
use crate::report::ExitWith;
use crate::run::App;
use crate::settings::{CLIENT_SECRET, CredentialChoice, Environment, PollingMode, Service, Settings};
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
}

impl Clients {
    /// Builds the stacks, of the layers that the flags ask for.
    ///
    /// # Errors
    ///
    /// When a setting does not make sense, or there are no credentials.
    pub(crate) async fn new(app: &App) -> anyhow::Result<Self> {
        let settings = &app.settings;
        let fence = FenceSlot::default();
        let connections = Connections::new(settings, &app.flags, &app.environment)?;
        let builder = Connections { fence: fence.clone(), ..connections };
        let credential = credential(app, builder.bare("entra")?).await?;
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
            fence,
        })
    }
}

fn transport_config(settings: &Settings, environment: &Environment) -> TransportConfig {
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
            let credential = credential(app, builder.bare("entra")?).await?;
            Some(auth(url, scope, &credential)?)
        }
    };
    let config = StackConfig { retry: None, ..stack_config(&app.settings, &app.flags) };
    let transport = Scrubbing::new(builder.transport, redactor().clone());
    let stacks = stacks("storage", &config, api, transport)
        .with_context(|| ExitWith::usage("set up requests to Azure Storage"))?;
    Ok(stacks.forward)
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
        Ok(Self { settings, flags, transport, fence: FenceSlot::default() })
    }

    /// A stack without tokens: for what gets them, or sends its own.
    ///
    /// # Errors
    ///
    /// When a setting does not make sense.
    pub(crate) fn bare(&self, name: &str) -> anyhow::Result<BoxService> {
        Ok(self.stacks(name, None)?.forward)
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
        let mut config = stack_config(self.settings, self.flags);
        let fence = if name == FABRIC { self.fence.clone() } else { FenceSlot::default() };
        if api.is_none() {
            config.attempt_timeout = config.attempt_timeout.min(TOKEN_ATTEMPT);
        }
        let transport = Scrubbing::new(Fenced::new(self.transport.clone(), fence), redactor().clone());
        stacks(name, &config, api, transport)
            .with_context(|| ExitWith::usage(format!("set up requests to {name}")))
    }
}

/// A variable that other programs take in either case.
fn either_case(environment: &Environment, name: &str) -> Option<String> {
    let found = environment.variable(name).or_else(|| environment.variable(&name.to_lowercase()));
    found.filter(|value| !value.is_empty())
}

/// Whether something says who we are. The Azure CLI, which may, is only known by asking it.
pub(crate) async fn has_credentials(app: &App) -> bool {
    let entra = &app.settings.entra;
    match entra.credential {
        CredentialChoice::Auto => {
            let application = entra.tenant_id.is_some() && entra.client_id.is_some();
            // Who cannot open the vault has none either.
            let has_secret = async || matches!(app.secret(CLIENT_SECRET).await, Ok(Some(_)));
            application && (entra.federated_token_file.is_some() || has_secret().await)
        }
        _ => true,
    }
}

/// The most time for one attempt to get a token. All of them have 90 s, and what ends because those are over tells the circuit
/// breaker nothing of the service.
const TOKEN_ATTEMPT: Duration = Duration::from_secs(30);

/// The name of Fabric's stack.
const FABRIC: &str = "fabric";

/// The variable of a storage account's key.
pub(crate) const STORAGE_KEY: &str = "AZURE_STORAGE_KEY";

async fn credential(app: &App, service: BoxService) -> anyhow::Result<Arc<dyn TokenCredential>> {
    let entra = &app.settings.entra;
    // Who signs in as something else has no use for it.
    let secret = match entra.credential {
        CredentialChoice::ClientSecret => app.secret(CLIENT_SECRET).await?,
        CredentialChoice::Auto if entra.client_id.is_some() => app.secret(CLIENT_SECRET).await?,
        _ => None,
    };
    let config = CredentialConfig {
        authority: entra.authority.clone(),
        kind: credential_kind(&app.settings, secret)?,
    };
    let tried = || {
        ExitWith::usage("set up the credentials")
            .help("check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_LOGIN_BASE_URL")
    };
    Ok(Arc::new(Watched(azure::credential(config, service).with_context(tried)?)))
}

/// A value without which there is no credential.
fn needed<T>(value: Option<T>, name: &str) -> anyhow::Result<T> {
    value.ok_or_else(|| {
        let help = format!("set {name}, in .env or the environment");
        anyhow!("{name} is not set").context(ExitWith::new(exit::DENIED, "find credentials").help(help))
    })
}

fn credential_kind(settings: &Settings, secret: Option<SecretString>) -> anyhow::Result<CredentialKind> {
    let entra = &settings.entra;
    let tenant = || needed(entra.tenant_id.clone(), "AZURE_TENANT_ID");
    let client = || needed(entra.client_id.clone(), "AZURE_CLIENT_ID");
    let choice = match entra.credential {
        CredentialChoice::Auto if secret.is_some() => CredentialChoice::ClientSecret,
        CredentialChoice::Auto if entra.federated_token_file.is_some() => CredentialChoice::WorkloadIdentity,
        CredentialChoice::Auto => CredentialChoice::AzureCli,
        choice => choice,
    };
    Ok(match choice {
        CredentialChoice::ClientSecret => {
            let secret = needed(secret, CLIENT_SECRET)?;
            CredentialKind::ClientSecret { tenant_id: tenant()?, client_id: client()?, secret }
        }
        CredentialChoice::WorkloadIdentity => CredentialKind::WorkloadIdentity {
            tenant_id: tenant()?,
            client_id: client()?,
            token_file: needed(entra.federated_token_file.clone(), "AZURE_FEDERATED_TOKEN_FILE")?,
        },
        CredentialChoice::ManagedIdentity => {
            CredentialKind::ManagedIdentity { client_id: entra.client_id.clone() }
        }
        CredentialChoice::AzureCli | CredentialChoice::Auto => {
            CredentialKind::AzureCli { tenant_id: entra.tenant_id.clone() }
        }
    })
}

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

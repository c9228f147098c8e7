//! Where the secrets of a run come from: the environment with `.env` beneath it, or Azure Key Vault and these behind it.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use secrecy::SecretString;
use selvedge_secrets::{
    CacheConfig, Cached, Chain, EnvFile, ErrorKind, Fallback, FallbackPolicy, KeyVault, KeyVaultConfig,
    Secret, SecretError, SecretName, SecretProperties, SecretStore, Source, Stage, may_fall_back,
};
use tokio::sync::OnceCell;

use crate::clients::Connections;
use crate::exit;
use crate::flags::{self, Flags};
use crate::identity;
use crate::redaction;
use crate::report::ExitWith;
use crate::settings::{CLIENT_SECRET, CredentialChoice, Environment, Origin, SecretPolicy, Settings};

/// What a token for Key Vault is asked for where its address does not tell.
pub(crate) const PUBLIC_AUDIENCE: &str = "https://vault.azure.net";

/// The secrets of a run. Nothing is connected before the first is asked for.
#[derive(Default)]
pub(crate) struct Secrets(OnceCell<Arc<dyn SecretStore>>);

impl Secrets {
    /// The store that flags and settings name.
    ///
    /// # Errors
    ///
    /// When a setting is missing or does not make sense.
    pub(crate) async fn store(&self, sources: &Sources<'_>) -> anyhow::Result<&Arc<dyn SecretStore>> {
        self.0.get_or_try_init(|| std::future::ready(sources.open())).await
    }
}

/// A vault of whose values the redactor knows before anybody has them. What the environment holds is known since the start.
#[derive(Debug)]
struct Learning(KeyVault);

impl Learning {
    fn learn(name: &SecretName, value: &SecretString) {
        if let Some(warning) = redaction::learn(&name.variable(), value) {
            tracing::warn!("{warning}");
        }
    }
}

#[async_trait::async_trait]
impl SecretStore for Learning {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let secret = self.0.get(name).await?;
        Self::learn(name, &secret.value);
        Ok(secret)
    }

    async fn set(&self, name: &SecretName, value: SecretString) -> Result<Source, SecretError> {
        Self::learn(name, &value);
        self.0.set(name, value).await
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        self.0.list().await
    }

    fn refresh(&self) {
        self.0.refresh();
    }
}

/// What a store of secrets is made of.
pub(crate) struct Sources<'a> {
    pub(crate) root: &'a Path,
    pub(crate) settings: &'a Settings,
    pub(crate) flags: &'a Flags,
    pub(crate) environment: &'a Environment,
}

impl Sources<'_> {
    fn open(&self) -> anyhow::Result<Arc<dyn SecretStore>> {
        let environment = Arc::new(self.environment());
        if !self.flags.key_vault.on {
            return Ok(environment);
        }
        let policy = match self.settings.secrets.policy {
            SecretPolicy::KeyVaultThenEnv => FallbackPolicy::KeyVaultThenEnv,
            SecretPolicy::KeyVaultOnly => FallbackPolicy::KeyVaultOnly,
            SecretPolicy::EnvOnly => return Ok(environment),
        };
        let stage = self.stage();
        let ttl = self.settings.secrets.cache_ttl;
        let vault = Cached::new(Learning(self.vault()?), CacheConfig { ttl, ..CacheConfig::default() });
        Ok(Arc::new(Fallback::new(policy, stage, Arc::new(vault), environment)))
    }

    /// The real environment, and `.env` beneath it.
    fn environment(&self) -> Chain {
        let given =
            [Origin::Environment, Origin::Local].into_iter().flat_map(|origin| self.environment.only(origin));
        let process =
            selvedge_secrets::Environment::of(given.map(|(name, value)| (name.to_owned(), value.into())));
        Chain::environment(process, EnvFile::of(self.root.join(".env"), self.environment.file()))
    }

    /// The stage, in the words of the store.
    fn stage(&self) -> Stage {
        match self.flags.stage {
            flags::Stage::Current => Stage::Current,
            flags::Stage::Intermediate => Stage::Intermediate,
            flags::Stage::Target => Stage::Target,
        }
    }

    /// Up to which stage what the vault cannot give is taken from the environment, or else not there. `None`: never.
    pub(crate) fn falls_back(&self) -> Option<Stage> {
        let falls_back =
            self.flags.key_vault.on && self.settings.secrets.policy == SecretPolicy::KeyVaultThenEnv;
        falls_back.then(|| self.stage())
    }

    /// Whether what opens the vault is the application's secret, which then has to be in the environment.
    pub(crate) fn opens_with_client_secret(&self) -> bool {
        let may =
            matches!(self.settings.entra.credential, CredentialChoice::Auto | CredentialChoice::ClientSecret);
        may && self.environment.secret(CLIENT_SECRET).is_some()
    }

    /// The vault, opened by who we are without what is in it. Nothing is cached, and nothing answers in its place.
    ///
    /// # Errors
    ///
    /// A setting is missing or does not make sense.
    pub(crate) fn vault(&self) -> anyhow::Result<KeyVault> {
        self.vault_over(&Connections::new(self.settings, self.flags, self.environment)?)
    }

    /// The same, over these connections.
    ///
    /// # Errors
    ///
    /// As [`Sources::vault`].
    pub(crate) fn vault_over(&self, connections: &Connections<'_>) -> anyhow::Result<KeyVault> {
        let settings = &self.settings.secrets;
        let Some(url) = &settings.vault_url else {
            let problem = anyhow!(
                "KEY_VAULT_URL not set but FEATURE_USE_KEY_VAULT=true. Please set KEY_VAULT_URL or disable Key Vault feature flag."
            );
            return Err(problem.context(ExitWith::usage("open Key Vault")));
        };
        let who = identity::of_vault(self.settings, self.environment)?;
        let credential = identity::credential(who, connections)?;
        let transport = Arc::new(connections.vault()?);
        let config = KeyVaultConfig { audience: settings.audience.clone(), ..KeyVaultConfig::new(url) };
        KeyVault::new(config, credential, transport).with_context(|| {
            ExitWith::usage(format!("use the vault {url}")).help(format!(
                "set KEY_VAULT_URL to https://NAME.vault.azure.net; for a vault elsewhere set secrets.audience too, such as {PUBLIC_AUDIENCE}"
            ))
        })
    }
}

/// A secret, by the name of its variable. `None`: there is none; where the environment answers in the vault's place (`falls_back`), also
/// one of which the environment knows nothing.
///
/// # Errors
///
/// Whatever keeps the one that may be there from us.
pub(crate) async fn find(
    store: &dyn SecretStore,
    falls_back: Option<Stage>,
    variable: &str,
) -> anyhow::Result<Option<SecretString>> {
    let name = variable.parse::<SecretName>().with_context(|| ExitWith::usage("get a secret"))?;
    match store.get(&name).await {
        Ok(secret) => Ok(Some(secret.value)),
        Err(error) if *error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if falls_back.is_some_and(|stage| may_fall_back(stage, error.kind())) => {
            tracing::warn!("{error}; the environment has none either, so {variable} counts as not set");
            Ok(None)
        }
        Err(error) => Err(failed(error)),
    }
}

/// What to do about a secret that could not be had.
pub(crate) fn failed(error: SecretError) -> anyhow::Error {
    failed_to("get secrets", error)
}

/// As [`failed`], where something else was tried.
pub(crate) fn failed_to(tried: impl Into<String>, error: SecretError) -> anyhow::Error {
    let with = ExitWith::new(exit_code(&error), tried);
    let with = match error.help() {
        Some(help) => with.help(help),
        None => with,
    };
    anyhow::Error::from(error).context(with)
}

/// What its failure means.
pub(crate) fn exit_code(error: &SecretError) -> u8 {
    match error.kind() {
        ErrorKind::Unreachable(_)
        | ErrorKind::Throttled { .. }
        | ErrorKind::AnotherSecret
        | ErrorKind::Other { .. } => exit::FAILED,
        ErrorKind::ReadOnly | ErrorKind::Deleted => exit::USAGE,
        _ => exit::DENIED,
    }
}

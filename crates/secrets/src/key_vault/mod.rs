//! Azure Key Vault, through Microsoft's own client.
//!
//! <https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups>

mod address;
mod guard;
#[cfg(test)]
pub(crate) mod tests;

pub use address::InvalidVault;

use crate::{
    Clock, ErrorKind, Secret, SecretError, SecretName, SecretProperties, SecretStore, Source, Unreachable,
    error::{Place, Tried, classify},
    identity::TokenCache,
};
use address::Address;
use azure_core::{
    credentials::TokenCredential,
    http::{ClientOptions, HttpClient, RetryOptions, Transport},
};
use azure_security_keyvault_secrets::{
    ResourceExt as _, SecretClient, SecretClientOptions,
    models::{Secret as Answer, SecretAttributes, SecretProperties as Listed, SetSecretParameters},
};
use futures_util::TryStreamExt as _;
use guard::{Guard, OwnTokens, WrongChallenge, one_call};
use secrecy::{ExposeSecret, SecretString};
use std::{future::Future, sync::Arc, time::Duration};

/// The most secrets of one list.
const MOST_LISTED: usize = 100_000;

/// A vault.
#[derive(Clone, Debug)]
pub struct KeyVaultConfig {
    /// Its address, `https://NAME.vault.azure.net`; `http` to this machine alone.
    pub url: String,
    /// What a token for it is for. `None` follows from the address; for an address outside of Azure's domains, such as an
    /// emulator's, it must be said: `https://vault.azure.net`.
    pub audience: Option<String>,
    /// How long one call may take, retries and a token included.
    pub timeout: Duration,
    /// When it is that a secret has expired.
    pub clock: Clock,
}

impl KeyVaultConfig {
    /// A vault of one of Azure's clouds, with 60 seconds for a call.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), audience: None, timeout: Duration::from_secs(60), clock: Clock::default() }
    }
}

/// A vault as a store.
///
/// It needs the permission `get`, and `set` and `list` only where these are called: no question is asked to see whether the
/// vault is there. The first request goes without a token, as Microsoft's clients do, to hear what the vault wants
/// one for; a token goes to this vault's host and for its own audience only. It retries nothing: that is the transport's.
#[derive(Debug)]
pub struct KeyVault {
    client: Sdk,
    tokens: Arc<OwnTokens>,
    address: Address,
    timeout: Duration,
    clock: Clock,
}

/// The SDK's client, which has no `Debug`.
struct Sdk(SecretClient);

impl std::fmt::Debug for Sdk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretClient")
    }
}

impl KeyVault {
    /// A vault to be spoken to through `transport`, as `credential`, whose tokens are kept here.
    ///
    /// # Errors
    ///
    /// When no token may be sent to that address.
    pub fn new(
        config: KeyVaultConfig,
        credential: Arc<dyn TokenCredential>,
        transport: Arc<dyn HttpClient>,
    ) -> Result<Self, InvalidVault> {
        let KeyVaultConfig { url, audience, timeout, clock } = config;
        let address = Address::parse(&url, audience.as_deref())?;
        let tokens = Arc::new(OwnTokens::new(TokenCache::new(credential, clock.clone()), address.scope()));
        let guard = Guard { inner: transport, address: address.clone(), tokens: Arc::clone(&tokens) };
        let options = SecretClientOptions {
            client_options: ClientOptions {
                retry: RetryOptions::none(),
                transport: Some(Transport::new(Arc::new(guard))),
                ..ClientOptions::default()
            },
            // The guard's is stricter, and knows addresses that are not Azure's.
            verify_challenge_resource: Some(false),
            ..SecretClientOptions::default()
        };
        let credential: Arc<dyn TokenCredential> = tokens.clone();
        let client = SecretClient::new(address.endpoint(), credential, Some(options))
            .map_err(|_| InvalidVault::Client)?;
        Ok(Self { client: Sdk(client), tokens, address, timeout, clock })
    }

    /// The vault's host.
    #[must_use]
    pub fn host(&self) -> &str {
        self.address.host()
    }

    fn error(&self, tried: Tried, name: Option<&SecretName>, kind: ErrorKind) -> SecretError {
        SecretError::new(tried, name, Place::KeyVault(self.host().to_owned()), kind)
    }

    async fn call<T>(
        &self,
        tried: Tried,
        name: Option<&SecretName>,
        call: impl Future<Output = azure_core::Result<T>>,
    ) -> Result<T, SecretError> {
        let call = async {
            self.tokens.prepare().await?;
            one_call(call).await
        };
        match tokio::time::timeout(self.timeout, call).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.failed(tried, name, error)),
            Err(_) => Err(self.error(tried, name, ErrorKind::Unreachable(Unreachable::Timeout))),
        }
    }

    fn failed(&self, tried: Tried, name: Option<&SecretName>, error: azure_core::Error) -> SecretError {
        if let Some(WrongChallenge { resource }) = error.downcast_ref() {
            return self.error(tried, name, ErrorKind::WrongChallenge { resource: resource.clone() });
        }
        let kind = classify(&error);
        let from_below =
            kind == ErrorKind::SignIn || (kind.is_unreachable() && error.http_status().is_none());
        if !from_below {
            // What a server says is told by its codes, and what could not be read may hold the value.
            return self.error(tried, name, kind);
        }
        let place = Place::KeyVault(self.host().to_owned());
        SecretError::with_source(tried, name, place, kind, error)
    }

    /// The version of the secret in an answer, which says by its id whose it is.
    /// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers>
    ///
    /// # Errors
    ///
    /// It is about another secret than `name`, or does not say.
    fn version_of(
        &self,
        tried: Tried,
        name: &SecretName,
        answer: &Answer,
    ) -> Result<Option<String>, SecretError> {
        let own = answer.resource_id().ok().filter(|id| {
            id.name.eq_ignore_ascii_case(name.vault()) && self.address.may_be_called(&id.vault_url)
        });
        own.map(|id| id.version).ok_or_else(|| self.error(tried, Some(name), ErrorKind::AnotherSecret))
    }

    fn source(&self, version: Option<String>) -> Source {
        let version =
            version.filter(|it| it.len() <= 64 && it.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        Source::KeyVault { vault: self.host().to_owned(), version: version.unwrap_or_default() }
    }

    /// Key Vault hands out what has expired or is not valid yet, and leaves it to us.
    /// <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#secret-attributes>
    fn refusal(&self, attributes: &SecretAttributes) -> Option<ErrorKind> {
        let now = self.clock.now();
        if attributes.enabled == Some(false) {
            return Some(ErrorKind::Disabled);
        }
        if let Some(since) = attributes.expires.filter(|expires| *expires <= now) {
            return Some(ErrorKind::Expired { since });
        }
        let from = attributes.not_before.filter(|not_before| *not_before > now)?;
        Some(ErrorKind::NotYetValid { from })
    }

    fn properties(&self, listed: Listed) -> SecretProperties {
        let name = listed.resource_id().map_or_else(|_| String::new(), |id| id.name);
        let attributes = listed.attributes.unwrap_or_default();
        SecretProperties {
            enabled: attributes.enabled.unwrap_or(true),
            not_before: attributes.not_before,
            expires: attributes.expires,
            updated: attributes.updated,
            content_type: listed.content_type,
            ..SecretProperties::new(name, self.source(None))
        }
    }
}

#[async_trait::async_trait]
impl SecretStore for KeyVault {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let call = async { self.client.0.get_secret(name.vault(), None).await?.into_model() };
        let mut secret = self.call(Tried::Get, Some(name), call).await?;
        let value = secret.value.take().map(SecretString::from);
        let value = value.filter(|value| !value.expose_secret().is_empty());
        let version = self.version_of(Tried::Get, name, &secret)?;
        let attributes = secret.attributes.unwrap_or_default();
        if let Some(refusal) = self.refusal(&attributes) {
            return Err(self.error(Tried::Get, Some(name), refusal));
        }
        let Some(value) = value else {
            return Err(self.error(Tried::Get, Some(name), ErrorKind::NotFound));
        };
        Ok(Secret {
            value,
            source: self.source(version),
            expires: attributes.expires,
            valid_for: attributes.expires.map(|expires| self.clock.until(expires)),
        })
    }

    async fn set(&self, name: &SecretName, value: SecretString) -> Result<Source, SecretError> {
        let call = async {
            let value = Some(value.expose_secret().to_owned());
            let parameters = SetSecretParameters { value, ..SetSecretParameters::default() };
            self.client.0.set_secret(name.vault(), parameters.try_into()?, None).await?.into_model()
        };
        let mut secret = self.call(Tried::Set, Some(name), call).await?;
        drop(secret.value.take().map(SecretString::from));
        Ok(self.source(self.version_of(Tried::Set, name, &secret)?))
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        let failed = |error| self.failed(Tried::List, None, error);
        let mut pages = self.client.0.list_secret_properties(None).map_err(failed)?;
        let mut all = Vec::new();
        while let Some(listed) = self.call(Tried::List, None, pages.try_next()).await? {
            if all.len() == MOST_LISTED {
                // Pages without end.
                return Err(self.error(Tried::List, None, ErrorKind::Other { status: None, code: None }));
            }
            all.push(self.properties(listed));
        }
        Ok(all)
    }

    fn refresh(&self) {}
}

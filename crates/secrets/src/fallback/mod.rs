//! Which store is asked, and when another may answer in its place.

use crate::{
    ErrorKind, Secret, SecretError, SecretName, SecretProperties, SecretStore, Source, Unreachable, events,
};
use secrecy::SecretString;
use std::sync::Arc;

/// Where secrets come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FallbackPolicy {
    /// From Key Vault, and where [`may_fall_back`] allows it from the environment.
    #[default]
    KeyVaultThenEnv,
    /// From Key Vault alone.
    KeyVaultOnly,
    /// From the environment alone.
    EnvOnly,
}

/// Where a team stands in the migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Flags decide, and the environment still holds what Key Vault may lack.
    #[default]
    Current,
    /// As [`Current`](Self::Current), with warnings.
    Intermediate,
    /// Production: nothing falls back.
    Target,
}

/// Whether the environment may answer in place of a vault that said `error`.
///
/// | the vault | before stage target | stage target |
/// | --- | --- | --- |
/// | cannot be reached: DNS, connection, timeout, 5xx | yes | no |
/// | has no such secret (404), or denies it (403) | yes | no |
/// | disabled, expired or not yet valid secret | no | no |
/// | does not take the token (401), or there is none | no | no |
/// | too many requests (429) | no | no |
/// | no trusted TLS connection, a challenge for somebody else's token | no | no |
///
/// What somebody decided (disabled, expired, revoked) is never undone by an older copy. A vault that throttles is
/// there, and answers later. Who cannot prove to be the vault must not be able to make us take the older copy.
#[must_use]
pub fn may_fall_back(stage: Stage, error: &ErrorKind) -> bool {
    let may = match error {
        ErrorKind::Unreachable(unreachable) => *unreachable != Unreachable::Tls,
        ErrorKind::Forbidden { .. } | ErrorKind::NotFound => true,
        _ => false,
    };
    may && stage < Stage::Target
}

/// Key Vault, and the environment by policy and stage.
#[derive(Clone, Debug)]
pub struct Fallback {
    kind: Kind,
}

#[derive(Clone, Debug)]
enum Kind {
    One(Arc<dyn SecretStore>),
    Two { vault: Arc<dyn SecretStore>, environment: Arc<dyn SecretStore>, stage: Stage },
}

impl Fallback {
    /// Asks `vault`, `environment` or both. From [`Stage::Target`] on, [`FallbackPolicy::KeyVaultThenEnv`] is
    /// [`FallbackPolicy::KeyVaultOnly`].
    #[must_use]
    pub fn new(
        policy: FallbackPolicy,
        stage: Stage,
        vault: Arc<dyn SecretStore>,
        environment: Arc<dyn SecretStore>,
    ) -> Self {
        let kind = match policy {
            FallbackPolicy::KeyVaultThenEnv => Kind::Two { vault, environment, stage },
            FallbackPolicy::KeyVaultOnly => Kind::One(vault),
            FallbackPolicy::EnvOnly => Kind::One(environment),
        };
        Self { kind }
    }

    fn first(&self) -> &dyn SecretStore {
        match &self.kind {
            Kind::One(store) | Kind::Two { vault: store, .. } => &**store,
        }
    }
}

#[async_trait::async_trait]
impl SecretStore for Fallback {
    /// Where neither has the secret, the vault's error is told: that one is to be mended.
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let secret = match (&self.kind, self.first().get(name).await) {
            (Kind::Two { environment, stage, .. }, Err(error)) if may_fall_back(*stage, error.kind()) => {
                let answer = environment.get(name).await;
                // What is in neither has not fallen back.
                if answer.is_ok() {
                    events::falling_back(name, error.kind());
                }
                answer.map_err(|other| {
                    if *other.kind() != ErrorKind::NotFound {
                        events::fallback_failed(&other);
                    }
                    error
                })?
            }
            (_, answer) => answer?,
        };
        events::retrieved(name, &secret.source);
        Ok(secret)
    }

    async fn set(&self, name: &SecretName, value: SecretString) -> Result<Source, SecretError> {
        let source = self.first().set(name, value).await?;
        events::updated(name, &source);
        Ok(source)
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        self.first().list().await
    }

    fn refresh(&self) {
        self.first().refresh();
    }
}

/// Stores in order: the first that has the secret answers. Any other error than that it has none ends the search.
#[derive(Clone, Debug)]
pub struct Chain {
    stores: Vec<Arc<dyn SecretStore>>,
    last: Arc<dyn SecretStore>,
}

impl Chain {
    /// `stores`, and after them `last`, whose error is told where nobody has the secret.
    #[must_use]
    pub fn new(stores: Vec<Arc<dyn SecretStore>>, last: Arc<dyn SecretStore>) -> Self {
        Self { stores, last }
    }

    /// The real environment, and `.env` beneath it.
    #[must_use]
    pub fn environment(process: crate::Environment, file: crate::EnvFile) -> Self {
        Self::new(vec![Arc::new(process)], Arc::new(file))
    }

    fn all(&self) -> impl Iterator<Item = &Arc<dyn SecretStore>> {
        self.stores.iter().chain([&self.last])
    }
}

#[async_trait::async_trait]
impl SecretStore for Chain {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        for store in &self.stores {
            match store.get(name).await {
                Err(error) if *error.kind() == ErrorKind::NotFound => {}
                answer => return answer,
            }
        }
        self.last.get(name).await
    }

    /// In the first store that can be written.
    async fn set(&self, name: &SecretName, value: SecretString) -> Result<Source, SecretError> {
        for store in &self.stores {
            match store.set(name, value.clone()).await {
                Err(error) if *error.kind() == ErrorKind::ReadOnly => {}
                answer => return answer,
            }
        }
        self.last.set(name, value).await
    }

    /// Of each name the one that [`get`](SecretStore::get) gives.
    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        let mut all: Vec<SecretProperties> = Vec::new();
        for store in self.all() {
            for properties in store.list().await? {
                if !all.iter().any(|known| known.name == properties.name) {
                    all.push(properties);
                }
            }
        }
        Ok(all)
    }

    fn refresh(&self) {
        self.all().for_each(|store| store.refresh());
    }
}

#[cfg(test)]
mod tests;

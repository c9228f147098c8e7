//! Credentials for Entra ID: who we are, proven in the way that there is something for.
//!
//! | way | what it takes | where |
//! | --- | --- | --- |
//! | client secret | tenant, application, its secret | anywhere |
//! | certificate | tenant, application, a PEM with its key | anywhere; signed by ring, without OpenSSL |
//! | workload identity | tenant, application, a token file | Kubernetes |
//! | GitHub Actions | tenant, application, the job's token service | no stored secret |
//! | Azure DevOps | tenant, application, the job's token service, a service connection | no stored secret |
//! | managed identity | for one of several: its client id | Azure's machines |
//! | Azure CLI | `az login` | desks |
//!
//! [`Choice::Auto`] takes the first that there is something for, and only that: a wrong secret is an error, not a reason to be
//! somebody else. The environment is not read here, with one exception of the SDK's: which service a managed identity has to
//! ask stands in variables of the platform. Nothing is written anywhere.
//!
//! Tokens come from Microsoft's credentials over a transport of yours, which is to retry; none of them retries by itself, and
//! none keeps a token: [`TokenCache`] does.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # async fn f(transport: Arc<dyn azure_core::http::HttpClient>) -> Result<(), Box<dyn std::error::Error>> {
//! use azure_core::credentials::TokenCredential as _;
//! use selvedge_secrets::identity::{Identity, IdentityConfig};
//!
//! let identity = Identity::new(IdentityConfig::default(), transport)?;
//! let token = identity.get_token(&["https://vault.azure.net/.default"], None).await?;
//! # Ok(())
//! # }
//! ```

mod certificate;
mod config;
mod error;
mod federated;
mod help;
mod sealed;
#[cfg(test)]
mod tests;
mod token_cache;
mod way;

pub use config::{AzureDevOps, CertificateConfig, Choice, GitHubActions, IdentityConfig};
pub use error::IdentityError;
pub use token_cache::TokenCache;

use crate::events;
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::HttpClient,
};
use error::Problem;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use way::Way;

/// How long a way that may not exist here is waited for. A machine without a metadata service often says nothing.
const PROBE: Duration = Duration::from_secs(1);
/// No way works yet.
const UNKNOWN: usize = usize::MAX;

/// A credential. Each question for a token asks Entra ID; put a [`TokenCache`], or a layer that keeps tokens, above it.
pub struct Identity {
    ways: Vec<Way>,
    /// The one that works, once one did.
    works: AtomicUsize,
}

impl Identity {
    /// Who `config` says, over `transport`.
    ///
    /// # Errors
    ///
    /// When something is missing or malformed: found here, before the first call.
    pub fn new(
        config: IdentityConfig,
        transport: Arc<dyn HttpClient>,
    ) -> std::result::Result<Self, IdentityError> {
        let ways = config.ways();
        let ways = ways.into_iter().map(|choice| Way::new(choice, &config, Arc::clone(&transport)));
        let ways: Vec<Way> = ways.collect::<std::result::Result<_, _>>()?;
        if let [way] = &*ways {
            events::signing_in(way.name());
        }
        Ok(Self { ways, works: AtomicUsize::new(UNKNOWN) })
    }

    /// The way that is used; `None` while several may be.
    #[must_use]
    pub fn choice(&self) -> Option<Choice> {
        match &*self.ways {
            [way] => Some(way.choice()),
            ways => ways.get(self.works.load(Ordering::Acquire)).map(Way::choice),
        }
    }

    async fn token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> std::result::Result<AccessToken, IdentityError> {
        let known = self.ways.get(self.works.load(Ordering::Acquire));
        if let Some(way) = known.or(match &*self.ways {
            [way] => Some(way),
            _ => None,
        }) {
            return way.token(scopes, options, None).await;
        }
        let mut tried = Vec::new();
        for (at, way) in self.ways.iter().enumerate() {
            let probe = (way.choice() == Choice::ManagedIdentity).then_some(PROBE);
            match way.token(scopes, options.clone(), probe).await {
                Ok(token) => {
                    self.works.store(at, Ordering::Release);
                    events::signing_in(way.name());
                    return Ok(token);
                }
                Err(error) if error.is_unavailable() => {
                    events::passed_over(way.name());
                    tried.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(IdentityError::from(Problem::Nothing(tried)))
    }
}

#[async_trait::async_trait]
impl TokenCredential for Identity {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken> {
        Ok(self.token(scopes, options).await?)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ways: Vec<_> = self.ways.iter().map(Way::name).collect();
        f.debug_struct("Identity").field("ways", &ways).finish_non_exhaustive()
    }
}

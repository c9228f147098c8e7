//! Secrets for programs that work with Azure: from the environment and `.env`, from Azure Key Vault, or from Key Vault
//! with the environment as a fallback that cannot betray you; and credentials for Entra ID.
//!
//! # Names
//!
//! A [`SecretName`] has two spellings: `AZURE_CLIENT_SECRET` in the environment is `azure-client-secret` in Key Vault.
//! Either may be given, and whatever is kept is kept once for both.
//!
//! # Stores
//!
//! | store | reads | writes |
//! | --- | --- | --- |
//! | [`Environment`] | the process's variables (the one place of all our libraries that does), or given ones | no |
//! | [`EnvFile`] | a `.env` file, once | no |
//! | [`KeyVault`] | Azure Key Vault, through Microsoft's client over a transport of yours | yes |
//! | [`Chain`] | the first store that has the secret: the real environment before `.env` | where it can |
//! | [`Cached`] | another store, once for all who ask, and keeps the answer | through it |
//! | [`Fallback`] | Key Vault, the environment, or both by [`FallbackPolicy`] and [`Stage`] | Key Vault |
//!
//! All are a [`SecretStore`]. Put the cache round the vault and the fallback round both, so that no value of the fallback
//! is kept.
//!
//! ```
//! use selvedge_secrets::{Chain, EnvFile, Environment, SecretStore as _};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let variables = [("GITHUB_TOKEN".to_owned(), "from the environment".into())];
//! let store = Chain::environment(Environment::of(variables), EnvFile::read("does-not-exist/.env")?);
//! let secret = store.get(&"github-token".parse()?).await?;
//! assert_eq!(secret.source.to_string(), "environment variable GITHUB_TOKEN");
//! # Ok(())
//! # }
//! ```
//!
//! # Key Vault, and what it takes
//!
//! The machine's identity opens the vault, which holds the secret of the application that deploys; where the vault is away
//! and the stage allows it, the environment answers. Everything goes through one `transport`, which alone retries.
//!
//! ```no_run
//! use selvedge_secrets::identity::{Choice, Identity, IdentityConfig};
//! use selvedge_secrets::{
//!     CacheConfig, Cached, Chain, EnvFile, Environment, Fallback, FallbackPolicy, KeyVault, KeyVaultConfig,
//!     SecretStore as _, Stage,
//! };
//! use std::sync::Arc;
//!
//! # async fn f(transport: Arc<dyn azure_core::http::HttpClient>) -> Result<(), Box<dyn std::error::Error>> {
//! let opener = IdentityConfig { choice: Choice::ManagedIdentity, ..IdentityConfig::default() };
//! let opener = Arc::new(Identity::new(opener, Arc::clone(&transport))?);
//! let config = KeyVaultConfig::new("https://my-vault.vault.azure.net");
//! let vault = Cached::new(KeyVault::new(config, opener, Arc::clone(&transport))?, CacheConfig::default());
//! let environment = Chain::environment(Environment::process(), EnvFile::read(".env")?);
//! let secrets =
//!     Fallback::new(FallbackPolicy::KeyVaultThenEnv, Stage::Current, Arc::new(vault), Arc::new(environment));
//!
//! let secret = secrets.get(&"AZURE_CLIENT_SECRET".parse()?).await?;
//! println!("found in {}", secret.source);
//! let deployer = IdentityConfig {
//!     tenant_id: Some("contoso.example".into()),
//!     client_id: Some("11111111-2222-3333-4444-555555555555".into()),
//!     client_secret: Some(secret.value),
//!     ..IdentityConfig::default()
//! };
//! let deployer = Identity::new(deployer, transport)?;
//! # Ok(())
//! # }
//! ```
//!
//! # Values
//!
//! A value is a [`secrecy::SecretString`] from the moment that it is read: it has no `Display`, its `Debug` says nothing,
//! and it is zeroed when dropped. Errors and events name the secret and the store, never the value. That is about this crate's
//! own copies: a value that came through a socket was in the buffers of TLS and of the Azure SDK before.
//!
//! # Errors
//!
//! [`SecretError::kind`] tells what happened; [`SecretError::help`] the `az` command that mends it. Which of them lets the
//! environment answer in the vault's place is one function, [`may_fall_back`].

mod base;
mod cached;
mod clock;
pub mod env_file;
mod environment;
mod error;
mod events;
mod fallback;
pub mod identity;
mod key_vault;
mod name;
#[cfg(test)]
mod rotation;
mod secret;
mod store;
#[cfg(test)]
mod testing;

pub use cached::{CacheConfig, Cached};
pub use clock::Clock;
pub use env_file::EnvFile;
pub use environment::Environment;
pub use error::{ErrorKind, SecretError, Unreachable};
pub use fallback::{Chain, Fallback, FallbackPolicy, Stage, may_fall_back};
pub use key_vault::{InvalidVault, KeyVault, KeyVaultConfig};
pub use name::{InvalidName, SecretName};
pub use secret::{Secret, Source};
pub use store::{SecretProperties, SecretStore};

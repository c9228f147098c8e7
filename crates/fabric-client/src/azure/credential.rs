//! The ways to sign in.

use super::{HttpClient, http_client::Plain};
use crate::BoxService;
use crate::layer::TokenError;
use azure_core::{
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{ClientOptions, RetryOptions, Transport},
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertionCredentialOptions, ClientSecretCredential,
    ClientSecretCredentialOptions, ManagedIdentityCredential, ManagedIdentityCredentialOptions,
    UserAssignedId, WorkloadIdentityCredential, WorkloadIdentityCredentialOptions,
};
use secrecy::{ExposeSecret, SecretString};
use selvedge_resilience::{Effect, deadline::Deadline};
use std::{path::PathBuf, sync::Arc, time::Duration};
use url::{Position, Url};

/// The most time to get one token, whatever the way.
const DEADLINE: Duration = Duration::from_secs(90);

/// How to sign in.
#[derive(Clone, Debug)]
pub struct CredentialConfig {
    /// Entra ID's address: `https://login.microsoftonline.com`, or a sovereign cloud's, or an emulator's on this
    /// machine (the only one that may be `http`).
    pub authority: String,
    /// As whom.
    pub kind: CredentialKind,
}

/// As whom to sign in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum CredentialKind {
    /// An application, by a client secret.
    ClientSecret {
        /// The tenant's id or domain.
        tenant_id: String,
        /// The application's id.
        client_id: String,
        /// Its secret.
        secret: SecretString,
    },
    /// An application, by a token that the platform (Kubernetes, a CI service) keeps in a file.
    WorkloadIdentity {
        /// The tenant's id or domain.
        tenant_id: String,
        /// The application's id.
        client_id: String,
        /// The file.
        token_file: PathBuf,
    },
    /// The identity that Azure gave this machine. The SDK finds its endpoint by the platform's own variables.
    ManagedIdentity {
        /// The client id of a user-assigned identity; `None` for the system-assigned one.
        client_id: Option<String>,
    },
    /// Whoever is signed in to the Azure CLI.
    AzureCli {
        /// The tenant; `None` for the CLI's own choice.
        tenant_id: Option<String>,
    },
}

/// A credential that cannot work, found before it is used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The authority is no safe address.
    #[error("invalid authority host")]
    Authority(#[source] crate::layer::InvalidBaseUri),
    /// Something is missing or malformed: a tenant, a secret, a token file.
    #[error("could not set up the credential")]
    Setup(#[source] azure_core::Error),
}

impl CredentialConfig {
    /// The authority of Azure's public cloud.
    pub const PUBLIC_AUTHORITY: &str = "https://login.microsoftonline.com";

    /// Signs in to Azure's public cloud.
    #[must_use]
    pub fn public(kind: CredentialKind) -> Self {
        Self { authority: Self::PUBLIC_AUTHORITY.to_owned(), kind }
    }
}

/// A credential whose calls go through `service`, which takes absolute addresses.
///
/// It keeps no token: each `get_token` asks. The SDK's credentials keep theirs until shortly before its end, and so
/// would give a rejected token again; [`Auth`](crate::layer::Auth) keeps tokens, and can replace them.
///
/// # Errors
///
/// When the configuration cannot work.
pub fn credential(
    config: CredentialConfig,
    service: BoxService,
) -> Result<Arc<dyn TokenCredential>, CredentialError> {
    let source = Source::new(config, service)?;
    // Built once for nothing but its checks, so that a mistake is found before the first call.
    source.build().map_err(CredentialError::Setup)?;
    Ok(Arc::new(source))
}

/// Makes a fresh credential of the SDK for each token.
#[derive(Debug)]
struct Source {
    kind: CredentialKind,
    options: ClientOptions,
}

impl Source {
    fn new(config: CredentialConfig, service: BoxService) -> Result<Self, CredentialError> {
        let base = crate::layer::BaseUri::new(&config.authority).map_err(CredentialError::Authority)?;
        let mut authority_host = base.to_string();
        let mut plain = None;
        if let Some(rest) = authority_host.strip_prefix("http://") {
            let https = format!("https://{rest}");
            plain =
                authority(&https).zip(authority(&authority_host)).map(|(https, http)| Plain { https, http });
            authority_host = https;
        }
        let client = HttpClient::new(service, "entra.token")
            // Asking for a token once more leaves nothing but another token.
            .with_post_effect(Effect::Read)
            .with_plain(plain)
            // The SDK retries the metadata service six times over whatever it is told.
            .sealed();
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority_host;
        let options = ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::new(client))),
            cloud: Some(Arc::new(CloudConfiguration::from(cloud))),
            ..ClientOptions::default()
        };
        Ok(Self { kind: config.kind, options })
    }

    fn build(&self) -> azure_core::Result<Arc<dyn TokenCredential>> {
        let client_options = self.options.clone();
        Ok(match self.kind.clone() {
            CredentialKind::ClientSecret { tenant_id, client_id, secret } => ClientSecretCredential::new(
                &tenant_id,
                client_id,
                Secret::new(secret.expose_secret().to_owned()),
                Some(ClientSecretCredentialOptions { client_options }),
            )?,
            CredentialKind::WorkloadIdentity { tenant_id, client_id, token_file } => {
                WorkloadIdentityCredential::new(Some(WorkloadIdentityCredentialOptions {
                    credential_options: ClientAssertionCredentialOptions { client_options },
                    client_id: Some(client_id),
                    tenant_id: Some(tenant_id),
                    token_file_path: Some(token_file),
                }))?
            }
            CredentialKind::ManagedIdentity { client_id } => {
                ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
                    user_assigned_id: client_id.map(UserAssignedId::ClientId),
                    client_options,
                }))?
            }
            CredentialKind::AzureCli { tenant_id } => {
                AzureCliCredential::new(Some(AzureCliCredentialOptions {
                    tenant_id,
                    ..AzureCliCredentialOptions::default()
                }))?
            }
        })
    }
}

#[async_trait::async_trait]
impl TokenCredential for Source {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let credential = self.build()?;
        let token = tokio::time::timeout(DEADLINE, credential.get_token(scopes, options));
        // Told to the layers beneath, so that none of them pauses for longer than that.
        Deadline::within(DEADLINE).scope(token).await.unwrap_or_else(|_| {
            Err(azure_core::Error::new(ErrorKind::Credential, TokenError::Late { after: DEADLINE }))
        })
    }
}

/// The host and port of an address, default port left out.
fn authority(address: &str) -> Option<http::uri::Authority> {
    let url = Url::parse(address).ok()?;
    url[Position::BeforeHost..Position::AfterPort].parse().ok()
}

//! What a sign-in is made of. The names of variables are those that the platforms set; nothing here reads them.

use super::error::{IdentityError, Problem};
use crate::{Clock, base::is_local};
use azure_core::http::Url;
use azure_identity::Executor;
use secrecy::SecretString;
use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

/// Who we are, and what we have to show for it.
#[derive(Clone, Debug)]
pub struct IdentityConfig {
    /// Entra ID's address: [`PUBLIC`](Self::PUBLIC), a sovereign cloud's
    /// (<https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud>), or one on this machine, the
    /// only one that may be `http`.
    pub authority: String,
    /// How to sign in.
    pub choice: Choice,
    /// The tenant's id or domain; `AZURE_TENANT_ID`.
    pub tenant_id: Option<String>,
    /// The application's id, or that of a user-assigned managed identity; `AZURE_CLIENT_ID`.
    pub client_id: Option<String>,
    /// The application's secret; `AZURE_CLIENT_SECRET`. It may come from a vault that another identity opens.
    pub client_secret: Option<SecretString>,
    /// The application's certificate, which is in a file; `AZURE_CLIENT_CERTIFICATE_PATH`.
    pub certificate: Option<CertificateConfig>,
    /// A file with a token of the platform, such as Kubernetes; `AZURE_FEDERATED_TOKEN_FILE`.
    pub federated_token_file: Option<PathBuf>,
    /// The token service of a GitHub Actions job.
    pub github: Option<GitHubActions>,
    /// The token service of an Azure DevOps job.
    pub azure_devops: Option<AzureDevOps>,
    /// What runs the Azure CLI; `None`: processes.
    pub executor: Option<Arc<dyn Executor>>,
    /// The most time for one token, retries included.
    pub timeout: Duration,
    /// What the time in an assertion is taken from.
    pub clock: Clock,
}

/// How to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Choice {
    /// The first of these that there is something for, and that one alone: client secret, certificate, workload identity,
    /// GitHub Actions, Azure DevOps. Where there is nothing for any of them, the managed identity of this machine, and
    /// where it has none the Azure CLI. This is the order of Azure's default credential, which the predecessor used.
    #[default]
    Auto,
    /// [`IdentityConfig::client_secret`].
    ClientSecret,
    /// [`IdentityConfig::certificate`].
    Certificate,
    /// [`IdentityConfig::federated_token_file`].
    WorkloadIdentity,
    /// [`IdentityConfig::github`].
    GitHubActions,
    /// [`IdentityConfig::azure_devops`].
    AzureDevOps,
    /// The identity that Azure gave this machine. The SDK finds its endpoint by the platform's own variables.
    ManagedIdentity,
    /// Whoever is signed in to the Azure CLI.
    AzureCli,
}

/// A certificate of an application, with its key.
#[derive(Clone, Debug)]
pub struct CertificateConfig {
    /// The certificate and its RSA key (PKCS #8 or PKCS #1, not encrypted), as PEM. Chain certificates may follow.
    pub pem: SecretString,
    /// Whether the certificate goes along, for applications that trust a subject name and issuer rather than one
    /// certificate.
    pub send_chain: bool,
}

/// The token service of a GitHub Actions job, which has one where the workflow says `permissions: id-token: write`.
/// <https://docs.github.com/actions/reference/security/oidc>
#[derive(Clone, Debug)]
pub struct GitHubActions {
    /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
    pub request_url: String,
    /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
    pub request_token: SecretString,
    /// Whom the token is for. `None`: what Entra ID of that cloud expects, `api://AzureADTokenExchange`.
    pub audience: Option<String>,
}

/// The token service of an Azure DevOps job.
/// <https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>
#[derive(Clone, Debug)]
pub struct AzureDevOps {
    /// `SYSTEM_OIDCREQUESTURI`.
    pub request_uri: String,
    /// `SYSTEM_ACCESSTOKEN`, which a step has to map from `$(System.AccessToken)`.
    pub access_token: SecretString,
    /// The id of the service connection; `AZURESUBSCRIPTION_SERVICE_CONNECTION_ID`, which the tasks of Azure DevOps set.
    pub service_connection_id: String,
}

impl Default for IdentityConfig {
    /// Azure's public cloud, nothing to show, and 90 seconds for a token.
    fn default() -> Self {
        Self {
            authority: Self::PUBLIC.to_owned(),
            choice: Choice::Auto,
            tenant_id: None,
            client_id: None,
            client_secret: None,
            certificate: None,
            federated_token_file: None,
            github: None,
            azure_devops: None,
            executor: None,
            timeout: Duration::from_secs(90),
            clock: Clock::default(),
        }
    }
}

impl IdentityConfig {
    /// Entra ID of Azure's public cloud.
    pub const PUBLIC: &str = "https://login.microsoftonline.com";

    /// Whom a federated token has to be for, by cloud.
    /// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations>
    pub(super) fn exchange(&self) -> &'static str {
        let host = Url::parse(&self.authority).ok();
        match host.as_ref().and_then(Url::host_str) {
            Some("login.microsoftonline.us") => "api://AzureADTokenExchangeUSGov",
            Some("login.partner.microsoftonline.cn" | "login.chinacloudapi.cn") => {
                "api://AzureADTokenExchangeChina"
            }
            _ => "api://AzureADTokenExchange",
        }
    }

    /// The way of an application that there is something to show for, of several the first: what [`Choice::Auto`] takes.
    #[must_use]
    pub fn application(&self) -> Option<Choice> {
        let given = [
            (self.client_secret.is_some(), Choice::ClientSecret),
            (self.certificate.is_some(), Choice::Certificate),
            (self.federated_token_file.is_some(), Choice::WorkloadIdentity),
            (self.github.is_some() && self.client_id.is_some(), Choice::GitHubActions),
            (self.azure_devops.is_some() && self.client_id.is_some(), Choice::AzureDevOps),
        ];
        given.into_iter().find_map(|(given, choice)| given.then_some(choice))
    }

    /// The ways to try, in order.
    pub(super) fn ways(&self) -> Vec<Choice> {
        match self.choice {
            Choice::Auto => match self.application() {
                Some(choice) => vec![choice],
                None => vec![Choice::ManagedIdentity, Choice::AzureCli],
            },
            choice => vec![choice],
        }
    }
}

impl Choice {
    /// What it is called, in the words that people know from the SDK.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "DefaultAzureCredential",
            Self::ClientSecret => "ClientSecretCredential",
            Self::Certificate => "ClientCertificateCredential",
            Self::WorkloadIdentity => "WorkloadIdentityCredential",
            Self::GitHubActions => "GitHub Actions federation",
            Self::AzureDevOps => "AzurePipelinesCredential",
            Self::ManagedIdentity => "ManagedIdentityCredential",
            Self::AzureCli => "AzureCliCredential",
        }
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An address that something secret may be sent to: https, or http to this machine; nothing before the host.
pub(super) fn safe(address: &str, what: &'static str) -> Result<Url, IdentityError> {
    let url = Url::parse(address).ok().filter(|url| {
        let plain = url.scheme() == "http" && is_local(url);
        (url.scheme() == "https" || plain) && url.username().is_empty() && url.password().is_none()
    });
    url.ok_or_else(|| Problem::Address { what }.into())
}

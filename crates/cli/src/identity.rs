//! Who we are to Entra ID: settings and variables become credentials.

use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use azure_core::credentials::TokenCredential;
use secrecy::SecretString;
use selvedge_secrets::env_file;
use selvedge_secrets::identity::{
    AzureDevOps, CertificateConfig, Choice, GitHubActions, Identity, IdentityConfig, IdentityError,
};

use crate::clients::Connections;
use crate::exit;
use crate::redaction::{Watched, redact};
use crate::report::ExitWith;
use crate::run::App;
use crate::settings::{CLIENT_SECRET, CredentialChoice, Environment, Settings};

/// Who deploys. The application's secret may come from a vault that another identity opens.
///
/// # Errors
///
/// The secret, or the certificate, cannot be had.
pub(crate) async fn of_deployer(app: &App) -> anyhow::Result<IdentityConfig> {
    let entra = &app.settings.entra;
    // Who signs in as something else has no use for it.
    let client_secret = match entra.credential {
        CredentialChoice::ClientSecret => app.secret(CLIENT_SECRET).await?,
        CredentialChoice::Auto if entra.client_id.is_some() => app.secret(CLIENT_SECRET).await?,
        _ => None,
    };
    config(&app.settings, &app.environment, client_secret)
}

/// Who opens Key Vault: never by what only the vault holds.
///
/// # Errors
///
/// The certificate cannot be read.
pub(crate) fn of_vault(settings: &Settings, environment: &Environment) -> anyhow::Result<IdentityConfig> {
    let config = config(settings, environment, environment.secret(CLIENT_SECRET))?;
    let choice = match config.choice {
        // The secret is in the vault, so somebody else opens it.
        Choice::ClientSecret if config.client_secret.is_none() => Choice::Auto,
        choice => choice,
    };
    let is_machine =
        choice == Choice::ManagedIdentity || (choice == Choice::Auto && config.application().is_none());
    // The application's id is not that of an identity of this machine.
    let client_id = if is_machine { settings.secrets.client_id.clone() } else { config.client_id.clone() };
    Ok(IdentityConfig { choice, client_id, ..config })
}

fn config(
    settings: &Settings,
    environment: &Environment,
    client_secret: Option<SecretString>,
) -> anyhow::Result<IdentityConfig> {
    let entra = &settings.entra;
    let choice = match entra.credential {
        CredentialChoice::Auto => Choice::Auto,
        CredentialChoice::ClientSecret => Choice::ClientSecret,
        CredentialChoice::Certificate => Choice::Certificate,
        CredentialChoice::WorkloadIdentity => Choice::WorkloadIdentity,
        CredentialChoice::GithubActions => Choice::GitHubActions,
        CredentialChoice::AzureDevops => Choice::AzureDevOps,
        CredentialChoice::ManagedIdentity => Choice::ManagedIdentity,
        CredentialChoice::AzureCli => Choice::AzureCli,
    };
    // Not read where nobody asks for it.
    let by_certificate = choice == Choice::Certificate || (choice == Choice::Auto && client_secret.is_none());
    Ok(IdentityConfig {
        authority: entra.authority.clone(),
        choice,
        tenant_id: entra.tenant_id.clone(),
        client_id: entra.client_id.clone(),
        client_secret,
        certificate: if by_certificate { certificate(settings)? } else { None },
        federated_token_file: entra.federated_token_file.clone(),
        github: github(environment, choice == Choice::GitHubActions),
        azure_devops: azure_devops(environment, choice == Choice::AzureDevOps),
        ..IdentityConfig::default()
    })
}

fn certificate(settings: &Settings) -> anyhow::Result<Option<CertificateConfig>> {
    let Some(path) = &settings.entra.certificate else {
        return Ok(None);
    };
    let tried = || {
        ExitWith::new(exit::DENIED, "read the application's certificate")
            .help("AZURE_CLIENT_CERTIFICATE_PATH names a PEM file with the certificate and its key, which is not encrypted")
    };
    let pem = env_file::text(path).with_context(tried)?;
    let pem = pem.ok_or_else(|| anyhow!("{} does not exist", path.display()).context(tried()))?;
    if let Some(warning) = redact("the key of AZURE_CLIENT_CERTIFICATE_PATH", &pem) {
        tracing::warn!("{warning}");
    }
    Ok(Some(CertificateConfig { pem, send_chain: settings.entra.send_certificate_chain }))
}

/// The token service of this job, where there is one. Where it is what was asked for (`is_chosen`), also half of it: what is missing is told.
fn github(environment: &Environment, is_chosen: bool) -> Option<GitHubActions> {
    let url = environment.of_job("ACTIONS_ID_TOKEN_REQUEST_URL")?;
    let token = environment.of_job("ACTIONS_ID_TOKEN_REQUEST_TOKEN").or(is_chosen.then_some(""))?;
    Some(GitHubActions { request_url: url.to_owned(), request_token: token.into(), audience: None })
}

/// As [`github`].
fn azure_devops(environment: &Environment, is_chosen: bool) -> Option<AzureDevOps> {
    let or_missing = |value: Option<&str>| value.or(is_chosen.then_some("")).map(str::to_owned);
    Some(AzureDevOps {
        request_uri: environment.of_job("SYSTEM_OIDCREQUESTURI")?.to_owned(),
        access_token: or_missing(environment.of_job("SYSTEM_ACCESSTOKEN"))?.into(),
        service_connection_id: or_missing(environment.set("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"))?,
    })
}

/// The credential of `config`, whose tokens are known to the redactor before anybody has them.
///
/// # Errors
///
/// When something is missing or malformed.
pub(crate) fn credential(
    config: IdentityConfig,
    connections: &Connections<'_>,
) -> anyhow::Result<Arc<dyn TokenCredential>> {
    let identity = Identity::new(config, Arc::new(connections.tokens()?)).map_err(incomplete)?;
    Ok(Arc::new(Watched(Arc::new(identity))))
}

fn incomplete(error: IdentityError) -> anyhow::Error {
    let with = ExitWith::new(exit::DENIED, "find credentials");
    let with = match error.help() {
        Some(help) => with.help(help),
        None => with,
    };
    anyhow::Error::from(error).context(with)
}

/// Whether something says who we are. The machine's identity and the Azure CLI, which may, are only known by asking them.
pub(crate) async fn is_known(app: &App) -> bool {
    let entra = &app.settings.entra;
    if entra.credential != CredentialChoice::Auto {
        return true;
    }
    let is_named = entra.tenant_id.is_some() && entra.client_id.is_some();
    // Who cannot open the vault has none either.
    is_named && of_deployer(app).await.is_ok_and(|config| config.application().is_some())
}

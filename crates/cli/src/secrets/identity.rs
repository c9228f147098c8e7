//! Who opens the vault: never by what only the vault holds.

use secrecy::SecretString;
use selvedge_secrets::identity::{AzureDevOps, Choice, GitHubActions, IdentityConfig};

use crate::settings::{CLIENT_SECRET, CredentialChoice, Environment, Settings};

/// The identity that opens Key Vault.
///
/// The predecessor's order: the application's secret where the environment has it, then what the platform vouches for, then the
/// identity of the machine, then the Azure CLI.
pub(super) fn of_vault(settings: &Settings, environment: &Environment) -> anyhow::Result<IdentityConfig> {
    let entra = &settings.entra;
    let client_secret = environment.secret(CLIENT_SECRET);
    let choice = match entra.credential {
        // The secret is in the vault, so somebody else opens it.
        CredentialChoice::ClientSecret if client_secret.is_none() => Choice::Auto,
        CredentialChoice::Auto => Choice::Auto,
        CredentialChoice::ClientSecret => Choice::ClientSecret,
        CredentialChoice::WorkloadIdentity => Choice::WorkloadIdentity,
        CredentialChoice::ManagedIdentity => Choice::ManagedIdentity,
        CredentialChoice::AzureCli => Choice::AzureCli,
    };
    let config = IdentityConfig {
        authority: entra.authority.clone(),
        choice,
        tenant_id: entra.tenant_id.clone(),
        client_secret,
        federated_token_file: entra.federated_token_file.clone(),
        github: github(environment),
        azure_devops: azure_devops(environment),
        ..IdentityConfig::default()
    };
    let is_application = config.client_secret.is_some()
        || config.federated_token_file.is_some()
        || config.github.is_some()
        || config.azure_devops.is_some();
    let is_machine = choice == Choice::ManagedIdentity || (choice == Choice::Auto && !is_application);
    // The application's id is not that of an identity of this machine.
    let client_id = if is_machine { &settings.secrets.client_id } else { &entra.client_id };
    Ok(IdentityConfig { client_id: client_id.clone(), ..config })
}

fn set(environment: &Environment, name: &str) -> Option<String> {
    environment.variable(name).filter(|value| !value.is_empty())
}

fn github(environment: &Environment) -> Option<GitHubActions> {
    let request_url = set(environment, "ACTIONS_ID_TOKEN_REQUEST_URL")?;
    let request_token = SecretString::from(set(environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN")?);
    Some(GitHubActions { request_url, request_token, audience: None })
}

fn azure_devops(environment: &Environment) -> Option<AzureDevOps> {
    Some(AzureDevOps {
        request_uri: set(environment, "SYSTEM_OIDCREQUESTURI")?,
        access_token: set(environment, "SYSTEM_ACCESSTOKEN")?.into(),
        service_connection_id: set(environment, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")?,
    })
}

//! One way to sign in, by Microsoft's credentials.

use super::{
    Choice, IdentityConfig, IdentityError,
    certificate::{Certificate, Signed},
    config::safe,
    error::{Claims, Problem},
    federated::{Federated, Platform, TokenFile},
    sealed::{Failure, Sealed},
};
use crate::base::Base;
use azure_core::{
    Error,
    cloud::{CloudConfiguration, CustomConfiguration},
    credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{ClientOptions, HttpClient, RetryOptions, Transport},
};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ClientAssertion, ClientAssertionCredential,
    ClientAssertionCredentialOptions, ClientSecretCredential, ClientSecretCredentialOptions,
    ManagedIdentityCredential, ManagedIdentityCredentialOptions, UserAssignedId,
};
use secrecy::ExposeSecret as _;
use std::{
    error::Error as StdError,
    iter,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The most characters that are told of what the Azure CLI says.
const LONGEST: usize = 300;

/// A way to sign in. It makes a credential of the SDK's for each token, because those keep their tokens until shortly before
/// their end, and would give one that a service rejected again.
pub(super) struct Way {
    choice: Choice,
    config: IdentityConfig,
    options: ClientOptions,
    transport: Arc<dyn HttpClient>,
    /// Entra ID.
    authority: Base,
    certificate: Option<Certificate>,
    platform: Option<Platform>,
    claims: Arc<Mutex<Claims>>,
}

impl Way {
    pub(super) fn new(
        choice: Choice,
        config: &IdentityConfig,
        transport: Arc<dyn HttpClient>,
    ) -> Result<Self, IdentityError> {
        let authority = authority(&config.authority)?;
        let certificate = config.certificate.as_ref().filter(|_| choice == Choice::Certificate);
        let platform = match (choice, &config.github, &config.azure_devops) {
            (Choice::GitHubActions, Some(github), _) => Some(Platform::github(github, config.exchange())?),
            (Choice::AzureDevOps, _, Some(devops)) => Some(Platform::azure_devops(devops)?),
            _ => None,
        };
        let transport: Arc<dyn HttpClient> = Arc::new(Sealed {
            inner: transport,
            authority: authority.clone(),
            platform: platform.as_ref().map(|platform| platform.url().clone()),
            metadata: choice == Choice::ManagedIdentity,
        });
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority.told().to_string();
        let options = ClientOptions {
            retry: RetryOptions::none(),
            transport: Some(Transport::new(Arc::clone(&transport))),
            cloud: Some(Arc::new(CloudConfiguration::from(cloud))),
            ..ClientOptions::default()
        };
        let way = Self {
            choice,
            config: config.clone(),
            options,
            transport,
            authority,
            certificate: certificate.map(Certificate::new).transpose()?,
            platform,
            claims: Arc::default(),
        };
        // Built once for nothing but its checks.
        way.credential()?;
        Ok(way)
    }

    pub(super) fn choice(&self) -> Choice {
        self.choice
    }

    pub(super) fn name(&self) -> &'static str {
        self.choice.name()
    }

    /// A new token. With `probe` the way may not exist here, and is not waited for longer than that.
    pub(super) async fn token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
        probe: Option<Duration>,
    ) -> Result<AccessToken, IdentityError> {
        let credential = self.credential()?;
        let after = probe.unwrap_or(self.config.timeout);
        match tokio::time::timeout(after, credential.get_token(scopes, options)).await {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(error)) => Err(self.failed(error)),
            Err(_) => Err(IdentityError::from(Problem::Late { way: self.choice, after })),
        }
    }

    fn needed<T>(&self, value: Option<T>, what: &'static str) -> Result<T, IdentityError> {
        value.ok_or_else(|| Problem::Missing { way: self.choice, what }.into())
    }

    fn credential(&self) -> Result<Arc<dyn TokenCredential>, IdentityError> {
        let config = &self.config;
        let tenant = || self.needed(config.tenant_id.clone(), "AZURE_TENANT_ID");
        let client = || self.needed(config.client_id.clone(), "AZURE_CLIENT_ID");
        let setup = |source| IdentityError::from(Problem::Setup { way: self.choice, source });
        let client_options = self.options.clone();
        Ok(match self.choice {
            Choice::ClientSecret => {
                let secret = self.needed(config.client_secret.as_ref(), "AZURE_CLIENT_SECRET")?;
                let secret = Secret::new(secret.expose_secret().to_owned());
                let options = ClientSecretCredentialOptions { client_options };
                ClientSecretCredential::new(&tenant()?, client()?, secret, Some(options)).map_err(setup)?
            }
            Choice::Certificate => {
                let certificate = self.needed(self.certificate.clone(), "AZURE_CLIENT_CERTIFICATE_PATH")?;
                let audience = format!("{}{}/oauth2/v2.0/token", self.authority.real(), tenant()?);
                let clock = config.clock.clone();
                self.asserted(Signed { certificate, audience, client_id: client()?, clock })?
            }
            Choice::WorkloadIdentity => {
                let path = self.needed(config.federated_token_file.clone(), "AZURE_FEDERATED_TOKEN_FILE")?;
                let file = TokenFile { path, claims: Arc::clone(&self.claims) };
                file.read()?;
                self.asserted(file)?
            }
            Choice::GitHubActions => self.federated("ACTIONS_ID_TOKEN_REQUEST_URL")?,
            Choice::AzureDevOps => self.federated("SYSTEM_OIDCREQUESTURI")?,
            Choice::ManagedIdentity => {
                let user_assigned_id = config.client_id.clone().map(UserAssignedId::ClientId);
                let options = ManagedIdentityCredentialOptions { user_assigned_id, client_options };
                ManagedIdentityCredential::new(Some(options)).map_err(setup)?
            }
            Choice::AzureCli | Choice::Auto => {
                let options = AzureCliCredentialOptions {
                    tenant_id: config.tenant_id.clone(),
                    executor: config.executor.clone(),
                    ..AzureCliCredentialOptions::default()
                };
                AzureCliCredential::new(Some(options)).map_err(setup)?
            }
        })
    }

    fn federated(&self, variable: &'static str) -> Result<Arc<dyn TokenCredential>, IdentityError> {
        let platform = self.needed(self.platform.clone(), variable)?;
        let (transport, claims) = (Arc::clone(&self.transport), Arc::clone(&self.claims));
        self.asserted(Federated { platform, transport, claims })
    }

    fn asserted<A: ClientAssertion + 'static>(
        &self,
        assertion: A,
    ) -> Result<Arc<dyn TokenCredential>, IdentityError> {
        let tenant = self.needed(self.config.tenant_id.clone(), "AZURE_TENANT_ID")?;
        let client = self.needed(self.config.client_id.clone(), "AZURE_CLIENT_ID")?;
        let options = ClientAssertionCredentialOptions { client_options: self.options.clone() };
        let credential = ClientAssertionCredential::new(tenant, client, assertion, Some(options));
        Ok(credential.map_err(|source| IdentityError::from(Problem::Setup { way: self.choice, source }))?)
    }

    /// Of what the SDK says, our own part; of what the Azure CLI says, its first line.
    fn failed(&self, error: Error) -> IdentityError {
        let way = self.choice;
        let own = take(error, &|error| error.is::<Failure>() || error.is::<IdentityError>());
        let error = match own {
            Ok(own) => match own.downcast::<Failure>() {
                Ok(failure) => {
                    return match *failure {
                        Failure::Answered(answer) => IdentityError::from(Problem::Refused {
                            way,
                            answer,
                            claims: self.claims(),
                            client_id: self.config.client_id.clone(),
                        }),
                        Failure::NoAnswer(source) => IdentityError::from(Problem::NoAnswer { way, source }),
                    };
                }
                Err(own) => match own.downcast::<IdentityError>() {
                    Ok(error) => return *error,
                    Err(other) => other.to_string(),
                },
            },
            // What could not be read may hold a token.
            Err(error) if self.choice == Choice::AzureCli && *error.kind() == ErrorKind::Credential => {
                innermost(&error)
            }
            Err(_) => "the answer makes no sense".to_owned(),
        };
        let line = error.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        let mut told: String = line.chars().filter(|it| !it.is_control()).take(LONGEST).collect();
        if line.chars().count() > LONGEST {
            // By this sign the redactor knows that a secret may be cut off here.
            told.push('…');
        }
        IdentityError::from(Problem::Unavailable { way, told })
    }

    /// Who the platform's token was of, where it was one.
    fn claims(&self) -> Claims {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn authority(address: &str) -> Result<Base, IdentityError> {
    let what = "Entra ID's address";
    Base::new(safe(address, what)?).ok_or_else(|| Problem::Address { what }.into())
}

/// The cause that is `wanted`, taken out of what is round it.
fn take(
    error: Error,
    wanted: &impl Fn(&(dyn StdError + 'static)) -> bool,
) -> Result<Box<dyn StdError + Send + Sync>, Error> {
    match error.get_ref() {
        Some(cause) if wanted(cause) => error.into_inner(),
        Some(cause) if cause.is::<Error>() => match error.into_inner()?.downcast::<Error>() {
            Ok(cause) => take(*cause, wanted),
            Err(_) => Err(Error::from(ErrorKind::Other)),
        },
        _ => Err(error),
    }
}

/// What the last of the SDK's errors says, which those round it say again; nothing where something could not be read.
fn innermost(error: &Error) -> String {
    let causes = || iter::successors(Some(error), |error| error.downcast_ref::<Error>());
    if causes().any(|error| *error.kind() == ErrorKind::DataConversion) {
        return "the answer makes no sense".to_owned();
    }
    causes().last().map(ToString::to_string).unwrap_or_default()
}

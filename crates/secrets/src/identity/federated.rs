//! Tokens of a platform, in a file or of a CI service, to be exchanged for one of Entra ID: no secret is stored anywhere.

use super::{
    Choice,
    config::{AzureDevOps, GitHubActions, safe},
    error::{Claims, IdentityError, Problem},
};
use crate::env_file;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        ClientMethodOptions, HttpClient, Method, Request, Url,
        headers::{AUTHORIZATION, CONTENT_LENGTH, HeaderName},
    },
};
use azure_identity::ClientAssertion;
use secrecy::{ExposeSecret, SecretString};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

/// Makes Azure DevOps answer 401 rather than send a browser to a sign-in page.
const NO_REDIRECT: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");

/// How a platform is asked for a token.
#[derive(Clone, Debug)]
pub(super) struct Platform {
    url: Url,
    token: SecretString,
    method: Method,
    /// The member of the answer that holds the token.
    member: &'static str,
}

impl Platform {
    pub(super) fn github(config: &GitHubActions, exchange: &str) -> Result<Self, IdentityError> {
        let mut url = safe(&config.request_url, "ACTIONS_ID_TOKEN_REQUEST_URL")?;
        url.query_pairs_mut().append_pair("audience", config.audience.as_deref().unwrap_or(exchange));
        let missing = Problem::Missing { way: Choice::GitHubActions, what: "ACTIONS_ID_TOKEN_REQUEST_TOKEN" };
        Self::new(url, &config.request_token, Method::Get, "value", missing)
    }

    /// As the SDK's `AzurePipelinesCredential`, which reads its address from the environment by itself.
    pub(super) fn azure_devops(config: &AzureDevOps) -> Result<Self, IdentityError> {
        let mut url = safe(&config.request_uri, "SYSTEM_OIDCREQUESTURI")?;
        url.query_pairs_mut()
            .append_pair("api-version", "7.1")
            .append_pair("serviceConnectionId", &config.service_connection_id);
        if config.service_connection_id.is_empty() {
            let what = "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID";
            return Err(IdentityError::from(Problem::Missing { way: Choice::AzureDevOps, what }));
        }
        let missing = Problem::Missing { way: Choice::AzureDevOps, what: "SYSTEM_ACCESSTOKEN" };
        Self::new(url, &config.access_token, Method::Post, "oidcToken", missing)
    }

    fn new(
        url: Url,
        token: &SecretString,
        method: Method,
        member: &'static str,
        missing: Problem,
    ) -> Result<Self, IdentityError> {
        if token.expose_secret().is_empty() {
            return Err(missing.into());
        }
        Ok(Self { url, token: token.clone(), method, member })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    fn request(&self) -> Request {
        let mut request = Request::new(self.url.clone(), self.method);
        request.insert_header(AUTHORIZATION, format!("Bearer {}", self.token.expose_secret()));
        request.insert_header("accept", "application/json");
        if self.method == Method::Post {
            request.insert_header(NO_REDIRECT, "Suppress");
            request.insert_header(CONTENT_LENGTH, "0");
        }
        request
    }
}

/// Asks the platform for a new token each time: it lives some minutes.
#[derive(Debug)]
pub(super) struct Federated {
    pub(super) platform: Platform,
    pub(super) transport: Arc<dyn HttpClient>,
    /// Who the last token was of.
    pub(super) claims: Arc<Mutex<Claims>>,
}

#[async_trait::async_trait]
impl ClientAssertion for Federated {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let response = self.transport.execute_request(&self.platform.request()).await?;
        let body = response.into_body().collect().await?;
        // What it says instead of a token may be anything, and is not told.
        let token = serde_json::from_slice::<serde_json::Value>(&body)
            .ok()
            .and_then(|answer| Some(answer.get(self.platform.member)?.as_str()?.to_owned()))
            .ok_or_else(|| Error::with_message(ErrorKind::Other, "the platform's answer holds no token"))?;
        remember(&self.claims, &token);
        Ok(token)
    }
}

/// Reads the platform's token each time: it is replaced in its file. The SDK would send a line break at its end along, and not tell why the
/// file cannot be read.
#[derive(Debug)]
pub(super) struct TokenFile {
    pub(super) path: PathBuf,
    /// Who the last token was of.
    pub(super) claims: Arc<Mutex<Claims>>,
}

impl TokenFile {
    pub(super) fn read(&self) -> Result<String, IdentityError> {
        let problem = |problem| IdentityError::from(Problem::TokenFile { path: self.path.clone(), problem });
        let text = env_file::text(&self.path).map_err(|error| problem(error.into()))?;
        let text = text.ok_or_else(|| problem("there is no such file".into()))?;
        match text.expose_secret().trim() {
            "" => Err(problem("it is empty".into())),
            token => Ok(token.to_owned()),
        }
    }
}

#[async_trait::async_trait]
impl ClientAssertion for TokenFile {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        // A few kilobytes on this machine, once an hour: not worth a thread.
        let token = self.read()?;
        remember(&self.claims, &token);
        Ok(token)
    }
}

fn remember(claims: &Mutex<Claims>, token: &str) {
    *claims.lock().unwrap_or_else(PoisonError::into_inner) = Claims::of(token);
}

//! Azure Blob Storage, through our own stack of layers.
//!
//! Nothing beneath retries: the journal and the leases try again themselves, and know what an answer that was lost means.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use http_body_util::BodyExt as _;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use secrecy::ExposeSecret as _;
use selvedge_fabric_client::{BoxService, Operation, Quota, Unsent};
use selvedge_resilience::{Effect, find_cause};
use tower::ServiceExt as _;

use super::address::Address;
use crate::clients::{self, STORAGE_KEY};
use crate::report::ExitWith;
use crate::run::App;

/// What a token for Azure Storage is asked for.
const SCOPE: &str = "https://storage.azure.com/.default";

/// The container of `address`. Nothing is asked of it yet.
///
/// # Errors
///
/// When there are no credentials for it.
pub(super) fn store(app: &App, address: &Address) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let key = app.environment.secret(STORAGE_KEY);
    if address.is_plain && key.is_none() {
        let problem = anyhow::anyhow!("a token is not sent over plain http, and {STORAGE_KEY} is not set");
        return Err(problem.context(
            ExitWith::usage("reach the journal that rollback.journal names")
                .help(format!("set {STORAGE_KEY}")),
        ));
    }
    let signs_in = key.is_none();
    let base = signs_in.then_some((address.endpoint.as_str(), SCOPE));
    let service = clients::storage(&app.settings, &app.flags, &app.environment, base)?;
    let builder = MicrosoftAzureBuilder::new()
        .with_account(&address.account)
        .with_container_name(&address.container)
        .with_endpoint(address.endpoint.clone())
        .with_allow_http(address.is_plain)
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
        .with_http_connector(Stack { service, is_relative: signs_in });
    let builder = match key {
        Some(key) => builder.with_access_key(key.expose_secret()),
        // The stack has a layer for tokens.
        None => builder.with_skip_signature(true),
    };
    let store =
        builder.build().with_context(|| ExitWith::usage("use the journal that rollback.journal names"))?;
    Ok(Arc::new(store))
}

/// The stack, as object_store takes a client.
#[derive(Clone)]
struct Stack {
    service: BoxService,
    /// Whether requests go to the stack without the host, which it has by itself, and a token for.
    is_relative: bool,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").finish_non_exhaustive()
    }
}

impl HttpConnector for Stack {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for Stack {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (mut parts, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        if self.is_relative {
            parts.uri = parts.uri.path_and_query().cloned().map(Into::into).unwrap_or_default();
        }
        let effect = if parts.method.is_safe() { Effect::Read } else { Effect::Once };
        parts.extensions.insert(Operation { name: "storage.blob", effect, quota: Quota::default() });
        let answer = self.service.clone().oneshot(http::Request::from_parts(parts, body)).await;
        let (parts, body) = answer.map_err(failed)?.into_parts();
        Ok(HttpResponse::from_parts(parts, body.into()))
    }
}

fn failed(error: tower::BoxError) -> HttpError {
    let kind = match find_cause::<Unsent>(&*error) {
        Some(_) => HttpErrorKind::Connect,
        None => HttpErrorKind::Interrupted,
    };
    HttpError::new_boxed(kind, error)
}

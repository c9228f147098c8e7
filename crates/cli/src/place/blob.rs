//! Azure Blob Storage, through our own stack of layers.
//!
//! Nothing beneath retries: the journal and the leases try again themselves, and know what an answer that was lost means.

use std::fmt;
use std::sync::Arc;

use anyhow::Context as _;
use http::header::DATE;
use http_body_util::BodyExt as _;
use object_store::azure::{AzureAccessKey, AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use secrecy::{ExposeSecret as _, SecretString};
use selvedge_fabric_client::{BoxService, Operation, Quota, Unsent};
use selvedge_resilience::{Effect, find_cause};
use selvedge_rollback::objects::StoreTime;
use tower::ServiceExt as _;

use super::address::Address;
use super::container::Container;
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
pub(super) async fn store(app: &App, address: &Address) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let key = app.secret(STORAGE_KEY).await?;
    if address.is_plain && key.is_none() {
        let problem = anyhow::anyhow!("a token is not sent over plain http, and {STORAGE_KEY} is not set");
        return Err(problem.context(
            ExitWith::usage("reach the journal that rollback.journal names")
                .help(format!("set {STORAGE_KEY}")),
        ));
    }
    let origin = address.origin();
    let base = key.is_none().then_some((origin.as_str(), SCOPE));
    let service = clients::storage(app, base).await?;
    build(address, service, key)
        .with_context(|| ExitWith::usage("use the journal that rollback.journal names"))
}

fn build(
    address: &Address,
    service: BoxService,
    key: Option<SecretString>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let stack = Stack { service, is_relative: key.is_none() };
    let key = key.as_ref().map(|key| key.expose_secret());
    let credential =
        key.map(AzureAccessKey::try_new).transpose()?.map(AzureCredential::AccessKey).map(Arc::new);
    let builder = MicrosoftAzureBuilder::new()
        .with_account(&address.account)
        .with_container_name(&address.container)
        .with_endpoint(address.endpoint.clone())
        .with_allow_http(address.is_plain)
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
        .with_http_connector(stack.clone());
    let builder = match key {
        Some(key) => builder.with_access_key(key),
        // The stack has a layer for tokens.
        None => builder.with_skip_signature(true),
    };
    Ok(Arc::new(Container::new(builder.build()?, Arc::new(stack), address.clone(), credential)))
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
        let (mut parts, body) = answer.map_err(failed)?.into_parts();
        // For saying how long ago a lease was renewed without comparing it with another clock.
        let date = parts.headers.get(DATE).and_then(|date| date.to_str().ok());
        if let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) {
            parts.extensions.insert(StoreTime(date.into()));
        }
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

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use http::StatusCode;
    use http::header::{AUTHORIZATION, IF_NONE_MATCH};
    use object_store::path::Path;
    use object_store::{Error, ObjectStoreExt as _, PutMode, PutPayload};
    use selvedge_fabric_client::{Request, Response};
    use tower::service_fn;

    use super::*;

    /// A service that answers so, and what it is asked.
    fn answering(status: StatusCode) -> (BoxService, Arc<Mutex<Vec<Request>>>) {
        let sent = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&sent);
        let service = BoxService::new(service_fn(move |request: Request| {
            log.lock().unwrap().push(request);
            let mut answer = Response::default();
            *answer.status_mut() = status;
            answer.headers_mut().insert("etag", http::HeaderValue::from_static("1"));
            std::future::ready(Ok(answer))
        }));
        (service, sent)
    }

    /// What a creating put sends, and how it ends, where the service answers so.
    async fn put(key: Option<SecretString>, status: StatusCode) -> (Vec<Request>, object_store::Result<()>) {
        let (service, sent) = answering(status);
        let address = Address::parse("az://contoso/journals/a").unwrap().unwrap();
        let store = build(&address, service, key).unwrap();
        let body = PutPayload::from_iter([Bytes::from_static(b"one "), Bytes::from_static(b"line")]);
        let put = store.put_opts(&Path::from("a/b.json"), body, PutMode::Create.into()).await;
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        (sent, put.map(drop))
    }

    #[tokio::test]
    async fn r5_a_record_is_put_once_to_be_created_and_signed_by_a_key_or_by_the_stack() {
        for (key, uri) in [
            (None, "/journals/a/b.json"),
            (Some("QUJD".into()), "https://contoso.blob.core.windows.net/journals/a/b.json"),
        ] {
            let signed = key.is_some();
            let (sent, put) = put(key, StatusCode::CREATED).await;
            assert!(put.is_ok(), "{put:?}");
            let [request] = &sent[..] else { panic!("{sent:?}") };
            assert_eq!(request.uri(), uri);
            assert_eq!(request.body().as_ref(), b"one line");
            assert_eq!(request.headers()[IF_NONE_MATCH], "*");
            assert_eq!(request.headers().contains_key(AUTHORIZATION), signed);
        }
    }

    /// What a delete sends, and how it ends, where the service answers so.
    async fn delete(
        key: Option<SecretString>,
        status: StatusCode,
    ) -> (Vec<Request>, object_store::Result<()>) {
        let (service, sent) = answering(status);
        let address = Address::parse("az://contoso/journals/a").unwrap().unwrap();
        let deleted = build(&address, service, key).unwrap().delete(&Path::from("a/b.json")).await;
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        (sent, deleted)
    }

    #[tokio::test]
    async fn a_blob_is_deleted_by_a_request_of_its_own_that_a_key_or_the_stack_signs() {
        for (key, uri) in [
            (None, "/journals/a/b.json"),
            (Some("QUJD".into()), "https://contoso.blob.core.windows.net/journals/a/b.json"),
        ] {
            let signed = key.is_some();
            let (sent, deleted) = delete(key, StatusCode::ACCEPTED).await;
            assert!(deleted.is_ok(), "{deleted:?}");
            let [request] = &sent[..] else { panic!("{sent:?}") };
            assert_eq!((request.method(), request.uri().to_string().as_str()), (&http::Method::DELETE, uri));
            assert!(request.headers().contains_key("x-ms-version"));
            assert_eq!(request.headers().contains_key(AUTHORIZATION), signed);
        }
        let (_, gone) = delete(None, StatusCode::NOT_FOUND).await;
        assert!(matches!(gone, Err(Error::NotFound { .. })), "{gone:?}");
        let (_, denied) = delete(None, StatusCode::FORBIDDEN).await;
        assert!(matches!(denied, Err(Error::PermissionDenied { .. })), "{denied:?}");
    }

    #[tokio::test]
    async fn r5_nothing_beneath_the_journal_tries_again() {
        for status in [StatusCode::SERVICE_UNAVAILABLE, StatusCode::CONFLICT, StatusCode::FORBIDDEN] {
            let (sent, put) = put(None, status).await;
            assert_eq!(sent.len(), 1, "{status}");
            let error = put.unwrap_err();
            let expected = match status {
                StatusCode::CONFLICT => matches!(error, Error::AlreadyExists { .. }),
                StatusCode::FORBIDDEN => matches!(error, Error::PermissionDenied { .. }),
                _ => matches!(error, Error::Generic { .. }),
            };
            assert!(expected, "{error:?}");
        }
    }
}

//! The Azure SDK's transport, over a tower service.

use crate::{BoxService, Operation, Quota, Request, Response, Unsent};
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{AsyncRawResponse, Body, Method, StatusCode, headers::Headers},
};
use selvedge_resilience::{Effect, find_cause, gate::Paused};
use std::fmt;
use tower::{BoxError, ServiceExt};
use url::{Host, Url};

/// Sends the Azure SDK's requests through a stack of layers.
#[derive(Clone)]
pub struct HttpClient {
    service: BoxService,
    name: &'static str,
    post: Effect,
}

impl HttpClient {
    /// Sends through `service`; `name` is the [`Operation`] of every request.
    #[must_use]
    pub fn new(service: BoxService, name: &'static str) -> Self {
        Self { service, name, post: Effect::Once }
    }

    /// Sends requests for tokens through `service`. Asking for a token once more leaves nothing but another token, so that it may be asked
    /// again, whatever the method.
    #[must_use]
    pub fn tokens(service: BoxService) -> Self {
        Self { service, name: "entra.token", post: Effect::Read }
    }

    fn effect(&self, method: Method) -> Effect {
        match method {
            Method::Get | Method::Head => Effect::Read,
            Method::Put | Method::Delete => Effect::Idempotent,
            Method::Post => self.post,
            _ => Effect::Once,
        }
    }

    fn translate(&self, request: &azure_core::http::Request) -> std::result::Result<Request, BoxError> {
        let url = request.url();
        if url.scheme() != "https" && !may_be_plain(url) {
            return Err("an address outside this machine must be https".into());
        }
        let Body::Bytes(body) = request.body() else {
            return Err("a streamed body cannot be sent again".into());
        };
        let mut translated = http::Request::builder()
            .method(request.method().as_ref())
            .uri(url.as_str())
            .body(body.clone())?;
        for (name, value) in request.headers().iter() {
            let mut header = http::HeaderValue::try_from(value.as_str())?;
            let name = http::HeaderName::try_from(name.as_str())?;
            header.set_sensitive(name == http::header::AUTHORIZATION);
            translated.headers_mut().append(name, header);
        }
        let effect = self.effect(request.method());
        translated.extensions_mut().insert(Operation { name: self.name, effect, quota: Quota::default() });
        Ok(translated)
    }
}

/// On this machine, and on this link: there are the services that give a machine tokens of its managed identity.
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
fn may_be_plain(url: &Url) -> bool {
    crate::layer::is_loopback(url)
        || matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local())
}

fn answer(response: Response) -> AsyncRawResponse {
    let (head, body) = response.into_parts();
    let mut headers = Headers::new();
    for (name, value) in &head.headers {
        if let Ok(value) = value.to_str() {
            headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    AsyncRawResponse::from_bytes(head.status.as_u16().into(), headers, body)
}

#[async_trait::async_trait]
impl azure_core::http::HttpClient for HttpClient {
    async fn execute_request(&self, request: &azure_core::http::Request) -> Result<AsyncRawResponse> {
        let request = self
            .translate(request)
            .map_err(|error| Error::with_error(ErrorKind::Other, error, "could not translate the request"))?;
        match self.service.clone().oneshot(request).await {
            Ok(response) => Ok(answer(response)),
            Err(error) => {
                let kind = if find_cause::<Paused>(&*error).is_some() {
                    // Answered before: somebody is there, and wants to be left alone.
                    let status = StatusCode::TooManyRequests;
                    ErrorKind::HttpResponse { status, error_code: None, raw_response: None }
                } else if find_cause::<Unsent>(&*error).is_some() {
                    ErrorKind::Connection
                } else {
                    ErrorKind::Io
                };
                Err(Error::with_error(kind, error, "the request got no answer"))
            }
        }
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("name", &self.name).finish_non_exhaustive()
    }
}

//! The Azure SDK's transport, over a tower service.

use crate::{ApiError, BoxService, Operation, Quota, Request, Response, Unsent, layer::TokenError};
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{AsyncRawResponse, Body, Method, StatusCode, headers::Headers},
};
use http::uri::{Authority, Scheme};
use selvedge_resilience::{Effect, find_cause, gate::Paused};
use std::fmt;
use tower::{BoxError, ServiceExt};
use url::{Host, Url};

/// The address of the instance metadata service, the one plain address outside this machine that is spoken to.
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
const INSTANCE_METADATA: Host<&str> = Host::Ipv4(std::net::Ipv4Addr::new(169, 254, 169, 254));

/// Sends the Azure SDK's requests through a stack of layers.
#[derive(Clone)]
pub struct HttpClient {
    service: BoxService,
    name: &'static str,
    post: Effect,
    plain: Option<Plain>,
    sealed: bool,
}

/// An authority on this machine that speaks `http`, while the SDK insists on `https`.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    /// As the SDK writes it.
    pub(super) https: Authority,
    /// As it is.
    pub(super) http: Authority,
}

impl HttpClient {
    /// Sends through `service`; `name` is the [`Operation`] of every request.
    #[must_use]
    pub fn new(service: BoxService, name: &'static str) -> Self {
        Self { service, name, post: Effect::Once, plain: None, sealed: false }
    }

    /// What sending a POST again does. [`Effect::Once`] unless said otherwise.
    #[must_use]
    pub fn with_post_effect(mut self, effect: Effect) -> Self {
        self.post = effect;
        self
    }

    pub(super) fn with_plain(mut self, plain: Option<Plain>) -> Self {
        self.plain = plain;
        self
    }

    /// For tokens: lets no error out but as a [`TokenError`]. The SDK would retry on some, and of others drop all but
    /// that it could not read them: a 503 in HTML, the wait that was asked for, how often it was tried.
    pub(super) fn sealed(mut self) -> Self {
        self.sealed = true;
        self
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
        let Body::Bytes(body) = request.body() else {
            return Err("a streamed body cannot be sent again".into());
        };
        let mut translated = http::Request::builder()
            .method(request.method().as_ref())
            .uri(self.target(request.url())?)
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

    fn target(&self, url: &Url) -> std::result::Result<http::Uri, BoxError> {
        let uri: http::Uri = url.as_str().parse()?;
        if url.scheme() == "https" {
            let plain = self.plain.as_ref();
            let Some(plain) = plain.filter(|plain| uri.authority() == Some(&plain.https)) else {
                return Ok(uri);
            };
            let mut parts = uri.into_parts();
            parts.scheme = Some(Scheme::HTTP);
            parts.authority = Some(plain.http.clone());
            return Ok(parts.try_into()?);
        }
        if crate::layer::is_loopback(url) || url.host() == Some(INSTANCE_METADATA) {
            return Ok(uri);
        }
        Err("an address outside this machine must be https".into())
    }

    fn answer(&self, response: Response) -> Result<AsyncRawResponse> {
        if self.sealed && !response.status().is_success() {
            let attempts = response.extensions().get().copied();
            let source = ApiError::from_response(&response);
            return Err(Error::new(ErrorKind::Other, TokenError::Answered { source, attempts }));
        }
        let (head, body) = response.into_parts();
        let mut headers = Headers::new();
        for (name, value) in &head.headers {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.to_owned());
            }
        }
        let status = head.status.as_u16().into();
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

#[async_trait::async_trait]
impl azure_core::http::HttpClient for HttpClient {
    async fn execute_request(&self, request: &azure_core::http::Request) -> Result<AsyncRawResponse> {
        let request = self
            .translate(request)
            .map_err(|error| Error::with_error(ErrorKind::Other, error, "could not translate the request"))?;
        match self.service.clone().oneshot(request).await {
            Ok(response) => self.answer(response),
            Err(error) => {
                if self.sealed {
                    return Err(Error::new(ErrorKind::Other, TokenError::NoAnswer(error)));
                }
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

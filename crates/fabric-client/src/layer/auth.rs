//! The bearer token.

use super::{
    AuthError, BaseUri, Principal,
    token::{Token, TokenSource},
};
use crate::{Request, Response, events};
use azure_core::credentials::TokenCredential;
use http::{StatusCode, header::AUTHORIZATION};
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{BoxError, Layer, Service, ServiceExt};

/// Sends requests with an access token, and only to the base it is made for.
///
/// The token is kept in memory, asked for once however many requests wait for it, replaced five minutes before it
/// ends, and used on while it is valid when that fails. A 401 is answered by one new token and one more attempt (a
/// 401 proves that nothing was done); a second 401 is returned.
#[derive(Clone)]
pub struct Auth {
    shared: Arc<Shared>,
}

struct Shared {
    tokens: TokenSource,
    base: BaseUri,
}

/// A service whose requests carry a token.
#[derive(Clone)]
pub struct AuthService<S> {
    inner: S,
    shared: Arc<Shared>,
}

// ===== impl Auth =====

impl Auth {
    /// Authenticates requests to `base` with tokens of `credential` for `scope` (such as
    /// `https://api.fabric.microsoft.com/.default`).
    #[must_use]
    pub fn new(credential: Arc<dyn TokenCredential>, scope: impl Into<String>, base: BaseUri) -> Self {
        let tokens = TokenSource::new(credential, scope.into());
        Self { shared: Arc::new(Shared { tokens, base }) }
    }

    /// Who the token is for that requests carry, by what it says itself. Asks for one where there is none yet.
    ///
    /// # Errors
    ///
    /// When there is no token to be had.
    pub async fn principal(&self) -> Result<Option<Principal>, AuthError> {
        Ok(Principal::of(&self.shared.tokens.token().await?.header))
    }
}

impl<S> Layer<S> for Auth {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AuthService { inner, shared: Arc::clone(&self.shared) }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("base", &self.shared.base).finish_non_exhaustive()
    }
}

// ===== impl AuthService =====

impl<S> Service<Request> for AuthService<S>
where
    S: Service<Request, Response = Response, Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The instance that was made ready is the one to call; the clone left behind has yet to be.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            if !shared.base.covers(request.uri()) {
                let host = request.uri().host().unwrap_or_default().to_owned();
                return Err(AuthError::foreign_host(host).into());
            }
            let token = shared.tokens.token().await?;
            let response = inner.call(with(request.clone(), &token)).await?;
            if response.status() != StatusCode::UNAUTHORIZED {
                return Ok(response);
            }
            drop(response);
            events::token_rejected();
            let again = async move {
                let token = shared.tokens.replace(&token).await?;
                inner.ready().await?.call(with(request, &token)).await
            };
            // Rare: by itself, so that not every request allocates for it.
            Box::pin(again).await
        })
    }
}

fn with(mut request: Request, token: &Token) -> Request {
    request.headers_mut().insert(AUTHORIZATION, token.header.clone());
    request
}

impl<S> fmt::Debug for AuthService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthService").field("base", &self.shared.base).finish_non_exhaustive()
    }
}

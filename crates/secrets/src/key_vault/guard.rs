//! What stands between the vault's SDK and the transport, so that no token goes where it does not belong.

use super::address::Address;
use crate::{events, identity::TokenCache};
use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{
        AsyncRawResponse, HttpClient, Request, StatusCode, Url,
        headers::{AUTHORIZATION, Headers, WWW_AUTHENTICATE},
    },
    time::OffsetDateTime,
};
use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

tokio::task_local! {
    /// Whether a token was rejected in this call already: the SDK tries one more, and then gives up.
    static REJECTED: Cell<bool>;
}

/// One call of the SDK, which may be two requests.
pub(super) async fn one_call<T>(call: impl Future<Output = T>) -> T {
    REJECTED.scope(Cell::new(false), call).await
}

/// A vault asked for a token of somebody else's.
#[derive(Debug, thiserror::Error)]
#[error("the vault asked for a token that is not its own")]
pub(super) struct WrongChallenge {
    pub(super) resource: Option<String>,
}

/// The SDK would have sent a request elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("a request was not sent, because it is for another host than the vault")]
struct ForeignHost;

/// The transport of one vault's client.
#[derive(Debug)]
pub(super) struct Guard {
    pub(super) inner: Arc<dyn HttpClient>,
    pub(super) address: Address,
    pub(super) tokens: Arc<OwnTokens>,
}

#[async_trait::async_trait]
impl HttpClient for Guard {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let Some(target) = self.address.target(request.url()) else {
            return Err(Error::new(ErrorKind::Other, ForeignHost));
        };
        let mut sent = request.clone();
        *sent.url_mut() = target;
        let response = self.inner.execute_request(&sent).await?;
        if response.status() == StatusCode::Unauthorized && self.challenged(request, response.headers())? {
            self.tokens.prepare().await?;
        }
        if request.url().path() == "/secrets" && response.status() == StatusCode::Ok {
            return self.page(response).await;
        }
        Ok(response)
    }
}

impl Guard {
    /// Before the SDK asks for another token: which one was rejected, and whether the next is for this vault. It would
    /// look only at how the hosts end, and keep a wrong scope for good. Whether it will ask.
    fn challenged(&self, request: &Request, headers: &Headers) -> Result<bool> {
        let mut again = false;
        let bearer = request.headers().get_optional_str(&AUTHORIZATION);
        if let Some(token) = bearer.and_then(|value| value.strip_prefix("Bearer ")) {
            events::token_rejected(self.address.host());
            self.tokens.cache.reject(token);
            again = REJECTED.try_with(|rejected| rejected.replace(true)).unwrap_or_default();
        }
        let Some(challenge) = headers.get_optional_str(&WWW_AUTHENTICATE) else {
            return Ok(false);
        };
        let resource = resource(challenge);
        if resource.is_some_and(|resource| self.address.is_own(resource)) {
            self.tokens.challenged.store(true, Ordering::Release);
            return Ok(!again);
        }
        // Only what looks like an address is told.
        let resource =
            resource.filter(|text| Url::parse(text).is_ok() && text.is_ascii() && text.len() < 200);
        Err(Error::new(ErrorKind::Other, WrongChallenge { resource: resource.map(str::to_owned) }))
    }

    /// A page of a list, its link to the next rebuilt on our own base: of an address that a server gives only path and
    /// query are taken.
    async fn page(&self, response: AsyncRawResponse) -> Result<AsyncRawResponse> {
        let (status, headers, body) = response.deconstruct();
        let body = body.collect().await?;
        let mut page: serde_json::Value = serde_json::from_slice(&body)?;
        let next = page.get("nextLink").and_then(|link| Url::parse(link.as_str()?).ok());
        let Some(next) = next else {
            return Ok(AsyncRawResponse::from_bytes(status, headers, body));
        };
        page["nextLink"] = self.address.rebuilt(&next).as_str().into();
        Ok(AsyncRawResponse::from_bytes(status, headers, serde_json::to_vec(&page)?))
    }
}

/// What a challenge asks a token for: `Bearer authorization="..", resource="https://vault.azure.net"`, or `scope`.
/// <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>
fn resource(challenge: &str) -> Option<&str> {
    challenge.split([',', ' ']).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        matches!(key.trim(), "resource" | "scope").then(|| value.trim_matches('"'))
    })
}

/// What the SDK takes for the credential: tokens for the vault and for nobody else.
///
/// The SDK holds a lock while it asks for a token. Those who wait for that lock wake one another for as long as it is held,
/// which keeps a core busy (async-lock 3.4: a waiter that cannot have it wakes the next). So it never waits here: what it
/// will ask for is there before it does.
#[derive(Debug)]
pub(super) struct OwnTokens {
    cache: TokenCache,
    scope: String,
    /// Whether the vault has said what it wants, from when on every request needs a token.
    challenged: AtomicBool,
}

impl OwnTokens {
    pub(super) fn new(cache: TokenCache, scope: String) -> Self {
        Self { cache, scope, challenged: AtomicBool::new(false) }
    }

    /// Sees to it that there is a token. The first request of all goes without.
    pub(super) async fn prepare(&self) -> Result<()> {
        if self.challenged.load(Ordering::Acquire) {
            self.cache.get_token(&[&self.scope], None).await?;
        }
        Ok(())
    }

    fn is_own(&self, scope: &str) -> bool {
        let audience = |scope: &str| scope.trim_end_matches("/.default").trim_end_matches('/').to_owned();
        audience(scope) == audience(&self.scope)
    }
}

#[async_trait::async_trait]
impl TokenCredential for OwnTokens {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> Result<AccessToken> {
        if !scopes.iter().all(|scope| self.is_own(scope)) {
            return Err(Error::new(ErrorKind::Other, WrongChallenge { resource: None }));
        }
        let token = match self.cache.kept(&self.scope) {
            Some(token) => token,
            // It ended, or was rejected, since it was prepared.
            None => self.cache.get_token(&[&self.scope], options).await?,
        };
        // As if it had ended: so the SDK asks each time, and there is one cache, on the monotonic clock.
        Ok(AccessToken::new(token.token, OffsetDateTime::UNIX_EPOCH))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_challenge_asks_for() {
        for (challenge, expected) in [
            (
                r#"Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net""#,
                Some("https://vault.azure.net"),
            ),
            (
                r#"Bearer scope="https://vault.azure.net/.default",authorization_uri="https://login.windows.net/t""#,
                Some("https://vault.azure.net/.default"),
            ),
            (r#"Bearer resource_id="x", authorization="y""#, None),
            ("Basic", None),
            ("", None),
        ] {
            assert_eq!(resource(challenge), expected, "{challenge}");
        }
    }
}

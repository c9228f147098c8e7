//! One access token, shared by all requests that need it.

use super::AuthError;
use crate::events;
use azure_core::credentials::TokenCredential;
use http::HeaderValue;
use std::{sync::Arc, time::Duration};
use time::OffsetDateTime;
use tokio::{sync::Mutex, time::Instant};

/// How long before its end a token is replaced, so that no request carries one that ends under way.
const REFRESH_BEFORE_END: Duration = Duration::from_secs(5 * 60);
/// A token that ends sooner is not used any more, even when no other can be had.
const LEAST_USEFUL: Duration = Duration::from_secs(30);
/// How long a valid token is used on after its replacement could not be had.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);

/// Asks the credential when there is need, one request at a time, and keeps what it answers.
pub(super) struct TokenSource {
    credential: Arc<dyn TokenCredential>,
    scope: String,
    // Held while the credential is asked: those who come meanwhile wait for the same answer.
    current: Mutex<Option<Token>>,
}

#[derive(Clone)]
pub(super) struct Token {
    pub(super) header: HeaderValue,
    /// By the monotonic clock, so that setting the wall clock does not make a token look valid.
    ends: Instant,
    refresh: Instant,
}

impl TokenSource {
    pub(super) fn new(credential: Arc<dyn TokenCredential>, scope: String) -> Self {
        Self { credential, scope, current: Mutex::new(None) }
    }

    /// A token that is good for a while.
    pub(super) async fn token(&self) -> Result<Token, AuthError> {
        let mut current = self.current.lock().await;
        let now = Instant::now();
        match &mut *current {
            Some(token) if now < token.refresh => Ok(token.clone()),
            Some(token) if now + LEAST_USEFUL < token.ends => match self.ask().await {
                Ok(fresh) => Ok(current.insert(fresh).clone()),
                Err(error) => {
                    events::token_refresh_failed(&error);
                    // Not past the time up to which it is any use.
                    let last = token.ends.checked_sub(LEAST_USEFUL);
                    let next = Instant::now() + PAUSE_AFTER_FAILURE;
                    token.refresh = last.map_or(next, |last| next.min(last));
                    Ok(token.clone())
                }
            },
            _ => {
                let fresh = self.ask().await?;
                Ok(current.insert(fresh).clone())
            }
        }
    }

    /// A token other than `rejected`, which the service did not take.
    pub(super) async fn replace(&self, rejected: &Token) -> Result<Token, AuthError> {
        let mut current = self.current.lock().await;
        match &*current {
            Some(token) if token.header != rejected.header => Ok(token.clone()),
            _ => {
                *current = None;
                let fresh = self.ask().await?;
                Ok(current.insert(fresh).clone())
            }
        }
    }

    async fn ask(&self) -> Result<Token, AuthError> {
        let token = self.credential.get_token(&[&self.scope], None).await;
        let token = token.map_err(AuthError::token).inspect_err(events::token_failed)?;
        let mut header = HeaderValue::try_from(format!("Bearer {}", token.token.secret())).map_err(|_| {
            AuthError::token(azure_core::Error::with_message(
                azure_core::error::ErrorKind::Credential,
                "the access token holds characters that a header cannot",
            ))
        })?;
        header.set_sensitive(true);
        let valid_for = token.expires_on - OffsetDateTime::now_utc();
        // A clock that runs wrong may make it negative; then the token is used once and asked for again.
        let valid_for = Duration::try_from(valid_for).unwrap_or_default();
        let now = Instant::now();
        Ok(Token {
            header,
            ends: now + valid_for,
            refresh: now + valid_for.saturating_sub(REFRESH_BEFORE_END),
        })
    }
}

//! Access tokens kept in memory, for clients of the Azure SDK.

use crate::{Clock, events};
use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

/// How long before its end a token is replaced, so that no request carries one that ends under way.
const REFRESH_BEFORE_END: Duration = Duration::from_secs(5 * 60);
/// By how much earlier at most, so that processes that were started together do not ask together.
const JITTER: Duration = Duration::from_secs(60);
/// A token that ends sooner is not used any more, even when no other can be had.
const LEAST_USEFUL: Duration = Duration::from_secs(30);
/// How long a valid token is used on after its replacement could not be had.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);
/// What a clock can be moved by without care.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A credential whose tokens are kept, one for each scope, in memory and nowhere else.
///
/// A token is asked for once however many wait for it, and replaced five to six minutes before it ends; who comes while
/// that is under way gets the old one, and so does everybody while it fails. All is counted by the monotonic clock.
///
/// `selvedge_fabric_client::layer::Auth` keeps its own token, because it can tell which one a service rejected: do not put
/// this beneath it. This one is for the clients of the Azure SDK, whose own cache asks the wall clock, and makes all who
/// need a token wait while one is replaced.
pub struct TokenCache {
    inner: Arc<dyn TokenCredential>,
    clock: Clock,
    cells: Mutex<HashMap<String, Arc<Cell>>>,
}

#[derive(Default)]
struct Cell {
    token: Mutex<Option<Kept>>,
    /// How many questions were answered so far.
    answers: AtomicU64,
    /// Held while the credential is asked; the last failure.
    asking: AsyncMutex<Option<Arc<Error>>>,
}

#[derive(Clone)]
struct Kept {
    token: AccessToken,
    ends: Instant,
    refresh: Instant,
}

/// A failure that several wait for.
#[derive(Debug)]
struct Shared(Arc<Error>);

impl TokenCache {
    /// Keeps the tokens of `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn TokenCredential>, clock: Clock) -> Self {
        Self { inner, clock, cells: Mutex::default() }
    }

    /// Forgets `token`, which a service did not take.
    pub fn reject(&self, token: &str) {
        for cell in lock(&self.cells).values() {
            let mut kept = lock(&cell.token);
            if kept.as_ref().is_some_and(|kept| kept.token.token.secret() == token) {
                *kept = None;
            }
        }
    }

    /// A token that there is, without asking for one.
    pub(crate) fn kept(&self, scope: &str) -> Option<AccessToken> {
        let cell = Arc::clone(lock(&self.cells).get(scope)?);
        let kept = cell.kept().filter(Kept::is_useful)?;
        Some(kept.token)
    }

    async fn ask(&self, cell: &Cell, scopes: &[&str]) -> Result<AccessToken> {
        let token = self.inner.get_token(scopes, None).await.inspect_err(events::token_failed)?;
        let valid_for = self.clock.until(token.expires_on).min(LONGEST);
        // A token of minutes is used for half of them.
        let early = (REFRESH_BEFORE_END + JITTER.mul_f64(rand::random())).min(valid_for / 2);
        let now = Instant::now();
        let kept = Kept { token: token.clone(), ends: now + valid_for, refresh: now + (valid_for - early) };
        *lock(&cell.token) = Some(kept);
        Ok(token)
    }
}

impl Kept {
    fn is_fresh(&self) -> bool {
        Instant::now() < self.refresh
    }

    fn is_useful(&self) -> bool {
        Instant::now() + LEAST_USEFUL < self.ends
    }
}

impl Cell {
    fn kept(&self) -> Option<Kept> {
        lock(&self.token).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it is held, and what it guards is never half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait::async_trait]
impl TokenCredential for TokenCache {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        let cell = Arc::clone(lock(&self.cells).entry(scopes.join(" ")).or_default());
        let seen = cell.answers.load(Ordering::Acquire);
        if let Some(kept) = cell.kept().filter(Kept::is_fresh) {
            return Ok(kept.token);
        }
        if let Some(kept) = cell.kept().filter(Kept::is_useful) {
            // Somebody else is at it already, or this one is.
            let Ok(_asking) = cell.asking.try_lock() else {
                return Ok(kept.token);
            };
            // It may have come meanwhile.
            if let Some(kept) = cell.kept().filter(Kept::is_fresh) {
                return Ok(kept.token);
            }
            return match self.ask(&cell, scopes).await {
                Ok(token) => Ok(token),
                Err(error) => {
                    events::token_refresh_failed(&error);
                    if let Some(kept) = &mut *lock(&cell.token) {
                        let pause = Instant::now() + PAUSE_AFTER_FAILURE;
                        // Not past the time from which it is of no use.
                        kept.refresh =
                            kept.ends.checked_sub(LEAST_USEFUL).map_or(pause, |last| last.min(pause));
                    }
                    Ok(kept.token)
                }
            };
        }
        let mut asking = cell.asking.lock().await;
        if let Some(kept) = cell.kept().filter(Kept::is_useful) {
            return Ok(kept.token);
        }
        if let Some(error) = asking.as_ref().filter(|_| cell.answers.load(Ordering::Acquire) != seen) {
            return Err(shared(error));
        }
        let answer = self.ask(&cell, scopes).await.map_err(Arc::new);
        *asking = answer.as_ref().err().cloned();
        cell.answers.fetch_add(1, Ordering::Release);
        answer.map_err(|error| shared(&error))
    }
}

fn shared(error: &Arc<Error>) -> Error {
    Error::new(error.kind().clone(), Shared(Arc::clone(error)))
}

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Transparent: it says what the failure says, and goes on with what is beneath that.
impl std::error::Error for Shared {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! Secrets kept in memory for a while, and asked for once however many wait for them.

use crate::{Secret, SecretError, SecretName, SecretProperties, SecretStore, Source, events};
use secrecy::SecretString;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

/// How long a value is used on before the store that could not be reached is asked again.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(30);
/// What a clock can be moved by without care.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// How long secrets are kept. All by the monotonic clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// How long a value is used without asking again; `SECRET_CACHE_TTL`. A secret that ends sooner is kept no longer
    /// than that. Zero keeps nothing.
    pub ttl: Duration,
    /// How long it is remembered that there is no such secret. No other error is remembered.
    pub absent_ttl: Duration,
    /// How long after its time a value is used on while the store cannot be reached or throttles, so that a vault that is
    /// away for a minute does not end a deployment of an hour. Never past the secret's own end, and never against what
    /// the store says: disabled, denied or gone is told at once.
    pub stale_for: Duration,
}

impl Default for CacheConfig {
    /// An hour, 30 seconds, 5 minutes.
    fn default() -> Self {
        Self {
            ttl: Duration::from_secs(3600),
            absent_ttl: Duration::from_secs(30),
            stale_for: Duration::from_secs(300),
        }
    }
}

/// A store whose answers are kept, one for each name in whatever spelling.
///
/// Whoever asks while an answer is under way gets that answer, be it an error. Who asks first and gives up leaves the
/// question to the next.
#[derive(Debug)]
pub struct Cached<S> {
    inner: S,
    config: CacheConfig,
    cells: Mutex<HashMap<SecretName, Arc<Cell>>>,
}

/// What is known of one name.
#[derive(Debug, Default)]
struct Cell {
    /// How many answers have come so far.
    answers: AtomicU64,
    /// Held while the store is asked: those who come meanwhile wait for the same answer.
    latest: AsyncMutex<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    answer: Option<Result<Secret, SecretError>>,
    /// Until when it answers whoever asks.
    fresh_until: Option<Instant>,
    kept: Option<Kept>,
}

/// A value that may outlive its time.
#[derive(Clone, Debug)]
struct Kept {
    secret: Secret,
    read: Instant,
    /// When it must not be used any more.
    ends: Instant,
}

impl<S: SecretStore> Cached<S> {
    /// Keeps what `inner` answers.
    #[must_use]
    pub fn new(inner: S, config: CacheConfig) -> Self {
        Self { inner, config, cells: Mutex::default() }
    }

    fn cells(&self) -> std::sync::MutexGuard<'_, HashMap<SecretName, Arc<Cell>>> {
        // Nothing panics while it is held, and what it guards is never half changed.
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, name: &SecretName, latest: &mut Latest) -> Result<Secret, SecretError> {
        let asked = Instant::now();
        let answer = self.inner.get(name).await;
        let now = Instant::now();
        let answer = match (answer, latest.kept.take()) {
            (Err(error), Some(kept)) if passes(&error) && now < kept.ends => {
                events::kept_stale(name, now - kept.read, error.kind());
                latest.fresh_until = Some(kept.ends.min(now + PAUSE_AFTER_FAILURE));
                let secret = kept.secret.clone();
                latest.kept = Some(kept);
                Ok(secret)
            }
            (Ok(secret), _) => {
                // From when it was asked for: the answer may have been old when it came.
                let end = |most: Duration| {
                    let most = most.min(LONGEST);
                    asked + secret.valid_for.map_or(most, |valid| valid.min(most))
                };
                latest.fresh_until = Some(end(self.config.ttl));
                let ends = end(self.config.ttl.saturating_add(self.config.stale_for));
                latest.kept = Some(Kept { secret: secret.clone(), read: now, ends });
                Ok(secret)
            }
            (Err(error), _) => {
                let absent = *error.kind() == crate::ErrorKind::NotFound;
                latest.fresh_until = absent.then(|| now + self.config.absent_ttl.min(LONGEST));
                Err(error)
            }
        };
        latest.answer = Some(answer.clone());
        answer
    }
}

/// Whether the error says nothing of the secret.
fn passes(error: &SecretError) -> bool {
    let kind = error.kind();
    kind.is_unreachable() || matches!(kind, crate::ErrorKind::Throttled { .. })
}

#[async_trait::async_trait]
impl<S: SecretStore> SecretStore for Cached<S> {
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError> {
        let cell = Arc::clone(self.cells().entry(name.clone()).or_default());
        let seen = cell.answers.load(Ordering::Acquire);
        let mut latest = cell.latest.lock().await;
        // An answer that came while this one waited is as good as one of its own.
        let shared = cell.answers.load(Ordering::Acquire) != seen;
        let fresh = latest.fresh_until.is_some_and(|until| Instant::now() < until);
        if let Some(answer) = latest.answer.as_ref().filter(|_| shared || fresh) {
            return answer.clone();
        }
        let answer = self.ask(name, &mut latest).await;
        cell.answers.fetch_add(1, Ordering::Release);
        answer
    }

    async fn set(&self, name: &SecretName, value: SecretString) -> Result<Source, SecretError> {
        let source = self.inner.set(name, value).await;
        // Whatever became of it. What is under way meanwhile answers those who wait for it, and nobody after them.
        self.cells().remove(name);
        source
    }

    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError> {
        self.inner.list().await
    }

    fn refresh(&self) {
        self.cells().clear();
        self.inner.refresh();
        events::cache_cleared();
    }
}

#[cfg(test)]
mod tests;

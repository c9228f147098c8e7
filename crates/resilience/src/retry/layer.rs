//! The layer that puts the policy round a service.

use super::{RetryConfig, RetryPolicy};
use crate::InvalidConfig;
use tower::{Layer, retry::Retry};

/// Retries the requests of the inner service by a [`RetryPolicy`]. Clones share one budget.
#[derive(Clone, Debug)]
pub struct RetryLayer<C> {
    policy: RetryPolicy<C>,
}

impl<C> RetryLayer<C> {
    /// A layer whose requests and answers `classify` understands.
    ///
    /// # Errors
    ///
    /// When `config` cannot work.
    pub fn new(config: RetryConfig, classify: C) -> Result<Self, InvalidConfig> {
        let policy = RetryPolicy::new(config, classify)?;
        Ok(Self { policy })
    }

    /// The same layer, [seeded](RetryPolicy::seeded).
    #[must_use]
    pub fn seeded(self, seed: u64) -> Self {
        Self { policy: self.policy.seeded(seed) }
    }

    /// The same layer, [unbudgeted](RetryPolicy::unbudgeted).
    #[must_use]
    pub fn unbudgeted(self) -> Self {
        Self { policy: self.policy.unbudgeted() }
    }
}

impl<C: Clone, S> Layer<S> for RetryLayer<C> {
    type Service = Retry<RetryPolicy<C>, S>;

    fn layer(&self, inner: S) -> Self::Service {
        Retry::new(self.policy.clone(), inner)
    }
}

//! The policy: one request's attempts, counted and decided.

use super::{Retried, RetryConfig, delay, may_resend};
use crate::{Classify, InvalidConfig, Outcome, breaker::BreakerOpen, events, find_cause};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Sleep;
use tower::{
    BoxError,
    retry::{
        Policy,
        budget::{Budget, TpsBudget},
    },
};

/// How long one success counts for the budget.
const BUDGET_TTL: Duration = Duration::from_secs(10);

/// Decides by effect and outcome whether a request is sent again, and when.
///
/// [`tower::retry::Retry`] clones the policy for each request, so the counters here belong to one request; the
/// budget belongs to all of them.
pub struct RetryPolicy<C> {
    config: Arc<RetryConfig>,
    classify: C,
    budget: Arc<TpsBudget>,
    attempts: u32,
    may_have_been_sent: bool,
    waited_for_breaker: bool,
}

// ===== impl RetryPolicy =====

impl<C> RetryPolicy<C> {
    /// A policy whose requests and answers `classify` understands.
    ///
    /// # Errors
    ///
    /// When `config` cannot work.
    pub fn new(config: RetryConfig, classify: C) -> Result<Self, InvalidConfig> {
        config.validate()?;
        let budget = TpsBudget::new(BUDGET_TTL, config.budget_floor, config.budget_ratio);
        Ok(Self {
            config: Arc::new(config),
            classify,
            budget: Arc::new(budget),
            attempts: 1,
            may_have_been_sent: false,
            waited_for_breaker: false,
        })
    }

    /// The pause before the request is sent again; `None` where it is not.
    fn decide<Req, Res>(&mut self, request: &Req, result: &Result<Res, BoxError>) -> Option<Duration>
    where
        C: Classify<Req, Res, BoxError>,
    {
        if let Err(error) = result
            && let Some(open) = find_cause::<BreakerOpen>(&**error)
        {
            return self.wait_for_breaker(*open);
        }
        let outcome = self.classify.outcome(result.as_ref());
        if outcome == Outcome::Success {
            self.budget.deposit();
        }
        let effect = self.classify.effect(request);
        let max_attempts = self.config.max_attempts;
        if !may_resend(effect, outcome) || self.attempts >= max_attempts {
            return None;
        }
        if !self.budget.withdraw() {
            events::retry_budget_exhausted(self.attempts, max_attempts);
            return None;
        }
        let floor = outcome.retry_after();
        let pause = delay(self.attempts, &self.config, floor, rand::random());
        self.attempts += 1;
        self.may_have_been_sent |= outcome != Outcome::Unsent;
        events::retrying(self.attempts, max_attempts, pause, effect, outcome);
        Some(pause)
    }

    /// An open breaker sent nothing, so waiting for it is no attempt. It is waited for once: a breaker that is open
    /// again afterwards says that the service is not back.
    fn wait_for_breaker(&mut self, open: BreakerOpen) -> Option<Duration> {
        if self.waited_for_breaker {
            return None;
        }
        self.waited_for_breaker = true;
        // All who wait would otherwise ask for the few probes at the same moment.
        let spread = self.config.base_delay.mul_f64(rand::random::<f64>());
        let pause = open.retry_after().saturating_add(spread);
        events::waiting_for_breaker(pause);
        Some(pause)
    }
}

impl<C, Req, Res> Policy<Req, Res, BoxError> for RetryPolicy<C>
where
    C: Classify<Req, Res, BoxError>,
    Req: Clone,
{
    type Future = Sleep;

    fn retry(&mut self, request: &mut Req, result: &mut Result<Res, BoxError>) -> Option<Sleep> {
        let pause = self.decide(request, result);
        if pause.is_none() && self.attempts > 1 {
            Retried::wrap(result, self.attempts, self.may_have_been_sent);
        }
        pause.map(tokio::time::sleep)
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        Some(request.clone())
    }
}

impl<C: Clone> Clone for RetryPolicy<C> {
    fn clone(&self) -> Self {
        Self {
            config: Arc::clone(&self.config),
            classify: self.classify.clone(),
            budget: Arc::clone(&self.budget),
            attempts: self.attempts,
            may_have_been_sent: self.may_have_been_sent,
            waited_for_breaker: self.waited_for_breaker,
        }
    }
}

impl<C> fmt::Debug for RetryPolicy<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy")
            .field("config", &self.config)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

//! The policy: one request's attempts, counted and decided.

use super::{
    Attempts, Retried, RetryConfig, after,
    budget::{Budget, Token},
    jitter::Jitter,
    may_resend, pause,
};
use crate::{
    Classify, Effect, InvalidConfig, Outcome,
    breaker::BreakerOpen,
    deadline::{self, TooLate},
    events,
    gate::Paused,
};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, Sleep};
use tower::{BoxError, retry::Policy};

/// Decides by effect and outcome whether a request is sent again, and when.
///
/// [`tower::retry::Retry`] clones the policy for each request: a clone counts from the beginning. The budget belongs
/// to all of them.
pub struct RetryPolicy<C> {
    shared: Arc<Shared>,
    classify: C,
    request: Progress,
}

/// What is the same for all requests.
#[derive(Clone)]
struct Shared {
    config: RetryConfig,
    budget: Budget,
    enforce: bool,
    jitter: Jitter,
}

/// What became of one request so far.
struct Progress {
    started: Instant,
    /// Attempts that ended.
    attempts: u32,
    /// What the coming attempt took from the budget.
    token: Option<Token>,
    may_have_been_sent: bool,
    /// Which opening of the breaker was waited out.
    waited_out: Option<u64>,
    /// How long the server asked to be left alone, where that was too long to wait.
    retry_after: Option<Duration>,
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
        let budget = Budget::new(config.budget.clone());
        let shared = Shared { config, budget, enforce: true, jitter: Jitter::Thread };
        Ok(Self { shared: Arc::new(shared), classify, request: Progress::new() })
    }

    /// The same policy with a source of chance that gives the same pauses in each run, for simulations.
    #[must_use]
    pub fn seeded(mut self, seed: u64) -> Self {
        Arc::make_mut(&mut self.shared).jitter = Jitter::seeded(seed);
        self
    }

    /// The same policy, for requests that must not fail for want of a budget, such as those that clean up. What they take is counted,
    /// and logged.
    #[must_use]
    pub fn unbudgeted(mut self) -> Self {
        Arc::make_mut(&mut self.shared).enforce = false;
        self
    }

    /// The pause before the request is sent again; `None` where it is not.
    fn decide<Req, Res>(
        &mut self,
        request: &Req,
        outcome: Outcome,
        error: Option<&BoxError>,
    ) -> Option<Duration>
    where
        C: Classify<Req, Res>,
    {
        // Only what a layer beneath this very one says: deeper in the chain stand the errors of other requests. And what the
        // classifier calls permanent is.
        if let Some(error) = error.filter(|_| outcome != Outcome::Permanent) {
            if let Some(open) = error.downcast_ref::<BreakerOpen>() {
                return self.wait_for_breaker(self.classify.name(request), *open);
            }
            if error.is::<Paused>() || error.is::<TooLate>() {
                return None;
            }
        }
        self.request.attempts += 1;
        if outcome == Outcome::Success {
            self.shared.budget.deposit();
        }
        let effect = self.classify.effect(request);
        if !may_resend(effect, outcome) || self.request.attempts >= self.max_attempts() {
            return None;
        }
        let pause = pause(self.request.attempts, &self.shared.config, outcome, self.shared.jitter.draw());
        let name = self.classify.name(request);
        self.begin_retry(name, effect, outcome, pause)
    }

    fn begin_retry(
        &mut self,
        name: &str,
        effect: Effect,
        outcome: Outcome,
        pause: Duration,
    ) -> Option<Duration> {
        let next = self.request.attempts + 1;
        let max_attempts = self.max_attempts();
        let asked = outcome.retry_after();
        // Never too early.
        if asked.is_some_and(after::may_be_longer) || !deadline::allows(pause) {
            self.request.retry_after = asked;
            events::no_time_to_retry(name, next, max_attempts, pause);
            return None;
        }
        self.request.token = self.shared.budget.withdraw();
        if self.request.token.is_none() {
            events::retry_budget_exhausted(name, next, max_attempts, self.shared.enforce);
            if self.shared.enforce {
                return None;
            }
        }
        self.request.may_have_been_sent |= outcome != Outcome::Unsent;
        events::retrying(name, next, max_attempts, pause, effect, outcome);
        Some(pause)
    }

    /// An open breaker sent nothing, so waiting for it is no attempt. One opening of it is waited out, to the end of its
    /// probes; a breaker that opens anew afterwards says that the service is not back.
    fn wait_for_breaker(&mut self, name: &str, open: BreakerOpen) -> Option<Duration> {
        if self.request.waited_out.is_some_and(|opening| opening != open.opening()) {
            events::breaker_not_waited_for(name, open.retry_after(), "it has opened again");
            return None;
        }
        // All who wait would otherwise ask for the few probes at the same moment.
        let spread = self.shared.config.base_delay.mul_f64(self.shared.jitter.draw());
        let pause = open.retry_after().saturating_add(spread);
        if !deadline::allows(pause) {
            events::breaker_not_waited_for(name, pause, "the call has not so much time");
            return None;
        }
        if self.request.waited_out.replace(open.opening()).is_none() {
            events::waiting_for_breaker(name, pause);
        }
        Some(pause)
    }

    fn max_attempts(&self) -> u32 {
        let max = self.shared.config.max_attempts;
        if cfg!(selvedge_bug = "multiplies-retries") { max.saturating_mul(max) } else { max }
    }
}

impl<C, Req, Res> Policy<Req, Res, BoxError> for RetryPolicy<C>
where
    C: Classify<Req, Res>,
    Req: Clone,
{
    type Future = Sleep;

    fn retry(&mut self, request: &mut Req, result: &mut Result<Res, BoxError>) -> Option<Sleep> {
        let outcome = self.classify.outcome(result.as_ref());
        if let Some(pause) = self.decide(request, outcome, result.as_ref().err()) {
            return Some(tokio::time::sleep(pause));
        }
        if outcome == Outcome::Success {
            return None;
        }
        let attempts = self.request.attempts();
        match result {
            // What was refused on our side, by an open breaker or a gate, is no attempt; one that was sent may precede it.
            Err(error)
                if attempts.count > 1 || attempts.may_have_been_sent || attempts.retry_after.is_some() =>
            {
                Retried::wrap(error, attempts);
            }
            Err(_) => {}
            Ok(response) => self.classify.annotate(response, attempts),
        }
        None
    }

    fn clone_request(&mut self, request: &Req) -> Option<Req> {
        // It is asked for a copy as it sends, so the retry that was taken from the budget takes place.
        if let Some(token) = self.request.token.take() {
            token.spend();
        }
        Some(request.clone())
    }
}

impl<C: Clone> Clone for RetryPolicy<C> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), classify: self.classify.clone(), request: Progress::new() }
    }
}

impl<C> fmt::Debug for RetryPolicy<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryPolicy").field("config", &self.shared.config).finish_non_exhaustive()
    }
}

// ===== impl Progress =====

impl Progress {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            attempts: 0,
            token: None,
            may_have_been_sent: false,
            waited_out: None,
            retry_after: None,
        }
    }

    fn attempts(&self) -> Attempts {
        Attempts {
            count: self.attempts,
            elapsed: self.started.elapsed(),
            may_have_been_sent: self.may_have_been_sent,
            retry_after: self.retry_after,
        }
    }
}

//! Runs checks: each at most once in an interval and never twice at a time, whoever asks; and answers in time, whatever hangs.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::{Check, Finding, Health, Status};

/// So long an answer waits for a check; then it is told as one that hangs.
pub const BUDGET: Duration = Duration::from_millis(1_500);

/// So long a check may go on after nobody waits for it any more, for what is slow is not away. Then it is dropped.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What is said of a check that is not done in time.
const HANGS: &str = "No answer in time";

type Look = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// Checks, and what they found last.
///
/// Nothing runs unless somebody asks: what is looked at is spared by the interval, however many ask.
#[derive(Debug)]
pub struct Prober {
    interval: Duration,
    slots: Vec<Arc<Slot>>,
}

/// One check.
struct Slot {
    component: &'static str,
    look: Box<dyn Fn() -> Look + Send + Sync>,
    state: watch::Sender<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    running_since: Option<Instant>,
    /// When it ended, and what it found.
    last: Option<(Instant, Check)>,
}

impl Prober {
    /// Without any check yet; each is run again when it was asked for and `interval` has passed since it ended.
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval, slots: Vec::new() }
    }

    /// Adds the check of a component.
    #[must_use]
    pub fn with<F>(mut self, component: &'static str, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Finding> + Send + 'static,
    {
        let look = Box::new(move || -> Look { Box::pin(look()) });
        self.slots.push(Arc::new(Slot { component, look, state: watch::Sender::default() }));
        self
    }

    /// How every component is: as was found within the interval, or as is found now. Takes no longer than [`BUDGET`].
    pub async fn look(&self) -> Health {
        let started = Instant::now();
        // All begin before any is waited for.
        let waits: Vec<_> = self.slots.iter().map(|slot| (slot, slot.subscribe(self.interval))).collect();
        let mut checks = Vec::with_capacity(waits.len());
        for (slot, state) in waits {
            checks.push(slot.answer(state).await);
        }
        Health::of(checks, started.elapsed())
    }
}

impl Slot {
    /// Begins to look where that is due.
    fn subscribe(self: &Arc<Self>, interval: Duration) -> watch::Receiver<State> {
        let now = Instant::now();
        let begins = self.state.send_if_modified(|state| {
            let is_fresh = state.last.as_ref().is_some_and(|(ended, _)| now - *ended < interval);
            let begins = state.running_since.is_none() && !is_fresh;
            if begins {
                state.running_since = Some(now);
            }
            begins
        });
        if begins {
            tokio::spawn(Arc::clone(self).run(now));
        }
        self.state.subscribe()
    }

    async fn run(self: Arc<Self>, started: Instant) {
        // Also where the check panics, or the runtime ends.
        let mut end = End { slot: &self, started, finding: Finding::fail("The check has failed") };
        end.finding = match timeout(PATIENCE, (self.look)()).await {
            Ok(found) if found.status == Status::Pass && started.elapsed() > BUDGET => {
                Finding { status: Status::Warn, message: "Slow to answer", counts: found.counts }
            }
            Ok(found) => found,
            Err(_) => Finding::fail(HANGS),
        };
    }

    /// What it found, or that it hangs.
    async fn answer(&self, mut state: watch::Receiver<State>) -> Check {
        let Some(since) = state.borrow().running_since else {
            return self.told(&state.borrow());
        };
        match timeout_at(since + BUDGET, state.wait_for(|state| state.running_since.is_none())).await {
            Ok(Ok(state)) => self.told(&state),
            // The sender is our own.
            Ok(Err(_)) | Err(_) => {
                Check { took: since.elapsed(), ..Check::of(self.component, Finding::fail(HANGS)) }
            }
        }
    }

    fn told(&self, state: &State) -> Check {
        let hangs = || Check::of(self.component, Finding::fail(HANGS));
        state.last.as_ref().map_or_else(hangs, |(_, check)| check.clone())
    }
}

/// Writes down what was found, however a check ends.
struct End<'a> {
    slot: &'a Slot,
    started: Instant,
    finding: Finding,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let ended = Instant::now();
        let check =
            Check { took: ended - self.started, ..Check::of(self.slot.component, self.finding.clone()) };
        self.slot
            .state
            .send_modify(|state| *state = State { running_since: None, last: Some((ended, check)) });
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").field("component", &self.component).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    /// A check that takes so long, and how often it was run.
    fn counted(took: Duration) -> (Prober, Arc<AtomicU32>) {
        let runs = Arc::new(AtomicU32::new(0));
        let counter = Arc::clone(&runs);
        let prober = Prober::new(INTERVAL).with("a", move || {
            counter.fetch_add(1, Ordering::Relaxed);
            async move {
                sleep(took).await;
                Finding::pass("well")
            }
        });
        (prober, runs)
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_runs_once_in_an_interval_however_many_ask() {
        let (prober, runs) = counted(Duration::from_millis(100));
        let all = tokio::join!(prober.look(), prober.look(), prober.look());
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        for health in [&all.0, &all.1, &all.2] {
            assert_eq!((health.status(), health.checks()[0].message), (Status::Pass, "well"));
            assert_eq!(health.checks()[0].took, Duration::from_millis(100));
        }
        advance(INTERVAL - Duration::from_millis(1)).await;
        prober.look().await;
        assert_eq!(runs.load(Ordering::Relaxed), 1);
        advance(Duration::from_millis(1)).await;
        prober.look().await;
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_hangs_is_told_in_time_and_not_begun_again_meanwhile() {
        let (hanging, runs) = counted(Duration::from_secs(3600));
        let prober = hanging.with("b", || std::future::ready(Finding::warn("so so")));
        let started = Instant::now();
        let health = prober.look().await;
        assert_eq!(started.elapsed(), BUDGET);
        let told: Vec<_> = health.checks().iter().map(|check| (check.status, check.message)).collect();
        assert_eq!(told, [(Status::Fail, HANGS), (Status::Warn, "so so")]);
        assert_eq!(health.checks()[0].took, BUDGET);
        // It is known to hang: nobody waits again.
        prober.look().await;
        assert_eq!((started.elapsed(), runs.load(Ordering::Relaxed)), (BUDGET, 1));
        sleep(PATIENCE).await;
        assert_eq!(prober.look().await.checks()[0].message, HANGS);
        assert_eq!(runs.load(Ordering::Relaxed), 1, "fresh for an interval after it was given up");
        sleep(INTERVAL).await;
        prober.look().await;
        assert_eq!(runs.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_slow_is_not_away() {
        let (prober, _) = counted(Duration::from_secs(3));
        assert_eq!(prober.look().await.status(), Status::Fail);
        sleep(Duration::from_secs(2)).await;
        let health = prober.look().await;
        assert_eq!((health.status(), health.checks()[0].message), (Status::Warn, "Slow to answer"));
        assert_eq!(health.checks()[0].took, Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn several_that_hang_are_waited_for_once() {
        let hang = || std::future::pending::<Finding>();
        let prober = Prober::new(INTERVAL).with("a", hang).with("b", hang).with("c", hang);
        let started = Instant::now();
        assert_eq!(prober.look().await.checks().len(), 3);
        assert_eq!(started.elapsed(), BUDGET);
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_panics_has_failed() {
        let prober = Prober::new(INTERVAL).with("a", || async { panic!("on purpose") });
        let health = prober.look().await;
        assert_eq!((health.status(), health.checks()[0].message), (Status::Fail, "The check has failed"));
    }
}

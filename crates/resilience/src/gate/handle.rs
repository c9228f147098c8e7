//! The gate as requests share it: the pace behind a lock, and the places of those under way.

use super::{GateConfig, state::Pace};
use crate::{
    Class, InvalidConfig, Outcome,
    deadline::{self, Deadline, LEAST, TooLate},
    events,
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;
use tower::BoxError;

/// A pause that is longer by this than the one before is another, and is logged.
const ANOTHER: Duration = Duration::from_secs(1);

/// The answer of a gate that stays shut for longer than the call's deadline. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not sent: the service asked to be left alone for another {retry_after:.1?}")]
pub struct Paused {
    retry_after: Duration,
}

/// A gate at one moment, for health reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GateSnapshot {
    /// Whose gate it is: `fabric/operations`.
    pub name: String,
    /// How long nobody passes.
    pub pause: Duration,
    /// How many may be under way at once.
    pub limit: u32,
}

/// A gate for each [`Class`] of requests of one service and identity, made when the class is first met. Shared by its
/// clones.
#[derive(Clone, Debug)]
pub struct Gates {
    shared: Arc<Registry>,
}

#[derive(Debug)]
struct Registry {
    service: String,
    config: GateConfig,
    by_class: Mutex<BTreeMap<Class, Gate>>,
}

/// One gate, shared by its clones.
#[derive(Clone, Debug)]
pub struct Gate {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    name: String,
    config: GateConfig,
    /// First come, first served. It has as many places as the limit says, and those that are [owed](State::owed).
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    /// Places that are taken beyond the limit, since it was cut: they vanish when they are given back.
    owed: u32,
}

/// The right to one attempt. Its place is given back when it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    place: Place,
    since: Instant,
}

/// One of the places. Dropped it is given back, or vanishes where one is owed.
#[derive(Debug)]
struct Place {
    gate: Gate,
    permit: Option<OwnedSemaphorePermit>,
}

/// One who stands in line. Who leaves it may have been handed a place just then, which goes back by itself, and must
/// not be given out where one is owed.
struct Waiting<'a>(&'a Gate);

// ===== impl Paused =====

impl Paused {
    /// How long to wait before asking again.
    #[must_use]
    pub fn retry_after(&self) -> Duration {
        self.retry_after
    }
}

// ===== impl Gates =====

impl Gates {
    /// No gates yet. `service` is the first part of their names.
    ///
    /// # Errors
    ///
    /// When `config` cannot work.
    pub fn new(service: impl Into<String>, config: GateConfig) -> Result<Self, InvalidConfig> {
        config.validate()?;
        let by_class = Mutex::new(BTreeMap::new());
        Ok(Self { shared: Arc::new(Registry { service: service.into(), config, by_class }) })
    }

    /// The gate of `class`.
    #[must_use]
    pub fn get(&self, class: &Class) -> Gate {
        let mut by_class = self.shared.by_class.lock();
        if let Some(gate) = by_class.get(class) {
            return gate.clone();
        }
        let Registry { service, config, .. } = &*self.shared;
        let gate = Gate::new(crate::class_name(service, class), config.clone());
        by_class.insert(class.clone(), gate.clone());
        gate
    }

    /// All gates at this moment, ordered by name.
    #[must_use]
    pub fn snapshot(&self) -> Vec<GateSnapshot> {
        self.shared.by_class.lock().values().map(Gate::snapshot).collect()
    }
}

// ===== impl Gate =====

impl Gate {
    pub(super) fn new(name: String, config: GateConfig) -> Self {
        let pace = Pace::new(&config);
        let places = Arc::new(Semaphore::new(pace.limit() as usize));
        let state = Mutex::new(State { pace, owed: 0 });
        Self { shared: Arc::new(Shared { name, config, places, state }) }
    }

    /// The gate at this moment.
    #[must_use]
    pub fn snapshot(&self) -> GateSnapshot {
        let pace = self.shared.state.lock().pace;
        GateSnapshot {
            name: self.shared.name.clone(),
            pause: pace.pause(Instant::now()),
            limit: pace.limit(),
        }
    }

    /// The limit, the free places and those that are owed.
    #[cfg(test)]
    #[cfg(selvedge_loom)]
    pub(super) fn accounts(&self) -> (u32, usize, u32) {
        let state = self.shared.state.lock();
        (state.pace.limit(), self.shared.places.available_permits(), state.owed)
    }

    /// Enters where there is neither a queue nor a pause. (A place is free only when nobody waits for one.)
    pub(super) fn try_enter(&self) -> Result<Option<Pass>, Paused> {
        if !self.pause()?.is_zero() {
            return Ok(None);
        }
        let permit = Arc::clone(&self.shared.places).try_acquire_owned().ok();
        Ok(permit.map(|permit| self.pass(Some(permit))))
    }

    /// Waits for a place and for the end of the pause, as long as the deadline leaves time for an attempt afterwards.
    pub(super) async fn enter(&self) -> Result<Pass, BoxError> {
        // Once before the queue, so that nobody stands in line for what cannot be.
        self.pause()?;
        let permit = match Deadline::current() {
            None => self.permit().await,
            Some(deadline) => {
                let came = Instant::now();
                let patience = deadline.remaining().saturating_sub(LEAST);
                match tokio::time::timeout(patience, self.permit()).await {
                    Ok(permit) => permit,
                    Err(_) => {
                        // A pause that began in the meantime is why nobody moved, and says when to come back.
                        self.pause()?;
                        return Err(TooLate::in_line(deadline.remaining(), came.elapsed()).into());
                    }
                }
            }
        };
        let mut pass = self.pass(permit);
        loop {
            let pause = self.pause()?;
            if pause.is_zero() {
                pass.since = Instant::now();
                return Ok(pass);
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        let waiting = Waiting(self);
        let permit = Arc::clone(&self.shared.places).acquire_owned().await.ok();
        std::mem::forget(waiting);
        permit
    }

    fn pass(&self, permit: Option<OwnedSemaphorePermit>) -> Pass {
        Pass { place: Place { gate: self.clone(), permit }, since: Instant::now() }
    }

    /// What is left of the pause, if the deadline lets one wait for its end.
    fn pause(&self) -> Result<Duration, Paused> {
        let pace = self.shared.state.lock().pace;
        if !pace.was_paused() {
            // As most gates are: no clock need be read.
            return Ok(Duration::ZERO);
        }
        let retry_after = pace.pause(Instant::now());
        if retry_after.is_zero() || deadline::allows(retry_after) {
            Ok(retry_after)
        } else {
            Err(Paused { retry_after })
        }
    }
}

// ===== impl Pass =====

impl Pass {
    /// Lets what the attempt showed set the pace.
    pub(super) fn settle(self, outcome: Outcome) {
        let Shared { name, config, places, state } = &*self.place.gate.shared;
        let mut state = state.lock();
        let before = state.pace;
        match outcome {
            // It answered, whatever it said.
            Outcome::Success | Outcome::Permanent | Outcome::Busy { .. } => {
                state.pace = before.succeeded(config)
            }
            Outcome::Throttled { retry_after }
            | Outcome::Transient { retry_after: retry_after @ Some(_) } => {
                let now = Instant::now();
                state.pace = before.throttled(self.since, retry_after, config, now);
                let (rest, pause) = (before.pause(now), state.pace.pause(now));
                // Those who were under way are told of the same pause, one after the other.
                let least = if rest.is_zero() { rest } else { rest + ANOTHER };
                if pause > least {
                    events::gate_paused(name, pause, pause - rest, state.pace.limit());
                }
            }
            Outcome::Transient { retry_after: None } | Outcome::Unsent => return,
        }
        let (limit, old) = (state.pace.limit(), before.limit());
        if limit > old {
            // What is owed need not vanish any more, and the rest is new.
            let forgiven = state.owed.min(limit - old);
            state.owed -= forgiven;
            places.add_permits((limit - old - forgiven) as usize);
        } else if limit < old {
            let free = places.forget_permits((old - limit) as usize);
            state.owed += old - limit - u32::try_from(free).unwrap_or(u32::MAX).min(old - limit);
        }
    }
}

// ===== impl Place =====

impl Drop for Place {
    fn drop(&mut self) {
        // Given back under the lock: a cut in between would count the place as taken, and owe what nobody gives back.
        let mut state = self.gate.shared.state.lock();
        let Some(permit) = self.permit.take() else { return };
        if state.owed > 0 {
            state.owed -= 1;
            permit.forget();
        }
    }
}

// ===== impl Waiting =====

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.shared.state.lock();
        let free = self.0.shared.places.forget_permits(state.owed as usize);
        state.owed -= u32::try_from(free).unwrap_or(u32::MAX).min(state.owed);
    }
}

//! Requests stopped on purpose, until a test lets them go: the window in which processes are killed.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::pattern::Pattern;

/// Where in its life a request is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldPoint {
    /// It arrived and nothing has happened yet.
    Before,
    /// Its effect took place and the answer has not been sent.
    After,
}

/// Names a hold. Numbered from 1 in the order they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HoldId(pub(crate) u64);

impl std::fmt::Display for HoldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HoldState {
    Waiting,
    Held,
    Released,
}

#[derive(Default)]
pub(crate) struct Holds(Mutex<HoldTable>);

#[derive(Default)]
struct HoldTable {
    last: u64,
    holds: HashMap<HoldId, Hold>,
}

struct Hold {
    pattern: Pattern,
    point: HoldPoint,
    claimed: bool,
    state: watch::Sender<HoldState>,
}

impl Holds {
    pub(crate) fn add(&self, pattern: Pattern, point: HoldPoint) -> HoldId {
        let mut table = self.table();
        table.last += 1;
        let id = HoldId(table.last);
        let state = watch::Sender::new(HoldState::Waiting);
        table.holds.insert(id, Hold { pattern, point, claimed: false, state });
        id
    }

    /// The oldest hold that waits for such a request; it is this request's from now on.
    pub(crate) fn claim(&self, method: &str, path: &str, point: HoldPoint) -> Option<HoldId> {
        let mut table = self.table();
        let (id, hold) = table
            .holds
            .iter_mut()
            .filter(|(_, hold)| !hold.claimed && hold.point == point && hold.pattern.matches(method, path))
            .min_by_key(|(id, _)| id.0)?;
        hold.claimed = true;
        Some(*id)
    }

    /// Stops here until the hold is released.
    pub(crate) async fn stop(&self, id: HoldId) {
        let Some(mut state) = self.subscribe(id) else { return };
        if let Some(hold) = self.table().holds.get(&id) {
            hold.state.send_if_modified(|state| {
                let waiting = *state == HoldState::Waiting;
                if waiting {
                    *state = HoldState::Held;
                }
                waiting
            });
        }
        wait(&mut state, |state| state == HoldState::Released).await;
    }

    /// Waits until a request has been stopped by this hold. Returns at once for a hold that was released or never was.
    pub(crate) async fn held(&self, id: HoldId) {
        if let Some(mut state) = self.subscribe(id) {
            wait(&mut state, |state| state != HoldState::Waiting).await;
        }
    }

    pub(crate) fn release(&self, id: HoldId) -> bool {
        match self.table().holds.get_mut(&id) {
            Some(hold) => {
                hold.claimed = true;
                hold.state.send_replace(HoldState::Released);
                true
            }
            None => false,
        }
    }

    /// Lets everything go and forgets every hold, so that a reset leaves nobody waiting.
    pub(crate) fn clear(&self) {
        for (_, hold) in self.table().holds.drain() {
            hold.state.send_replace(HoldState::Released);
        }
    }

    pub(crate) fn state(&self, id: HoldId) -> Option<HoldState> {
        self.table().holds.get(&id).map(|hold| *hold.state.borrow())
    }

    fn subscribe(&self, id: HoldId) -> Option<watch::Receiver<HoldState>> {
        self.table().holds.get(&id).map(|hold| hold.state.subscribe())
    }

    fn table(&self) -> MutexGuard<'_, HoldTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn wait(state: &mut watch::Receiver<HoldState>, done: impl Fn(HoldState) -> bool) {
    // A closed channel means that the hold was cleared, which is a release.
    while !done(*state.borrow_and_update()) {
        if state.changed().await.is_err() {
            return;
        }
    }
}

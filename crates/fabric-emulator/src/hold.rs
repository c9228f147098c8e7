//! Requests stopped on purpose, until a test lets them go: the window in which processes are killed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::HeaderName;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::pattern::Pattern;
use crate::wire::Incoming;

/// The header by which a request asks for the hold of that name, and by which the answer of a held one names its hold.
pub(crate) const HOLD: HeaderName = HeaderName::from_static("x-emulator-hold");

/// Where in its life a request is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HoldPoint {
    /// It arrived and nothing has happened yet.
    Before,
    /// Its effect took place and the answer has not been sent.
    After,
}

/// Names a hold. Numbered from 1 in the order they were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct HoldId(pub(crate) u64);

impl std::fmt::Display for HoldId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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
    holds: BTreeMap<HoldId, Hold>,
}

struct Hold {
    whom: Whom,
    point: HoldPoint,
    /// How many such requests still pass.
    skip: u32,
    claimed: bool,
    request: Option<HeldRequest>,
    state: watch::Sender<HoldState>,
}

/// Which request a hold stops.
#[derive(Clone, Debug)]
pub(crate) enum Whom {
    Matching(Pattern),
    /// The one that brings this name in its header.
    Asking(String),
}

impl Whom {
    fn is(&self, request: &Incoming) -> bool {
        match self {
            Self::Matching(pattern) => pattern.matches(&request.method, &request.path),
            Self::Asking(name) => {
                request.headers.get_all(HOLD).iter().any(|value| value.as_bytes() == name.as_bytes())
            }
        }
    }
}

/// A hold as the admin surface shows it.
#[derive(Serialize)]
pub(crate) struct Shown {
    id: HoldId,
    state: HoldState,
    point: HoldPoint,
    #[serde(skip_serializing_if = "Option::is_none")]
    pattern: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The request that is or was stopped.
    request: Option<HeldRequest>,
}

#[derive(Clone, Serialize)]
struct HeldRequest {
    method: String,
    path: String,
}

impl Hold {
    fn shown(&self, id: HoldId) -> Shown {
        let (pattern, name) = match &self.whom {
            Whom::Matching(pattern) => (Some(pattern.to_string()), None),
            Whom::Asking(name) => (None, Some(name.clone())),
        };
        let (state, request) = (*self.state.borrow(), self.request.clone());
        Shown { id, state, point: self.point, pattern, name, request }
    }
}

impl Holds {
    /// A hold for the request that comes after `skip` others that it would stop.
    pub(crate) fn add(&self, whom: Whom, point: HoldPoint, skip: u32) -> HoldId {
        let mut table = self.table();
        table.last += 1;
        let id = HoldId(table.last);
        let state = watch::Sender::new(HoldState::Waiting);
        table.holds.insert(id, Hold { whom, point, skip, claimed: false, request: None, state });
        id
    }

    /// The oldest hold that waits for such a request; it is this request's from now on. Those that let it pass count it.
    pub(crate) fn claim(&self, request: &Incoming, point: HoldPoint) -> Option<HoldId> {
        let mut table = self.table();
        let (id, hold) = table
            .holds
            .iter_mut()
            .filter(|(_, hold)| !hold.claimed && hold.point == point && hold.whom.is(request))
            .find_map(|(id, hold)| match hold.skip.checked_sub(1) {
                Some(left) => {
                    hold.skip = left;
                    None
                }
                None => Some((id, hold)),
            })?;
        hold.claimed = true;
        hold.request = Some(HeldRequest { method: request.method.clone(), path: request.target.clone() });
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
        for hold in std::mem::take(&mut self.table().holds).into_values() {
            hold.state.send_replace(HoldState::Released);
        }
    }

    pub(crate) fn show(&self, id: HoldId) -> Option<Shown> {
        self.table().holds.get(&id).map(|hold| hold.shown(id))
    }

    pub(crate) fn all(&self) -> Vec<Shown> {
        self.table().holds.iter().map(|(id, hold)| hold.shown(*id)).collect()
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

//! The faults in force, and what they decide.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{HeaderName, header};
use time::OffsetDateTime;
use uuid::Uuid;

use super::action::{Action, Effect, Ending};
use super::chaos::{Chaos, Schedule};
use super::edit::{Edit, RetryAfter};
use super::partial::reduced;
use super::{Fault, ParseFaultError, Verdict};
use crate::clock::later;
use crate::fabric::{Bucket, may_be_long_running};
use crate::wire::{Api, Incoming};

/// The header by which a request asks for faults of its own. It may come several times.
const FAULT: HeaderName = HeaderName::from_static("x-emulator-fault");

/// The faults in force, in the order they were injected, and what they have brought about.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Table>);

#[derive(Default)]
struct Table {
    armed: Vec<Armed>,
    throttled: Vec<Window>,
    /// `Authorization` headers of tokens that were called expired.
    expired: HashSet<Vec<u8>>,
    chaos: Option<Schedule>,
}

struct Armed {
    fault: Fault,
    /// Until when it is in force, if not for ever.
    until: Option<OffsetDateTime>,
    seen: u32,
}

/// Requests that are answered with 429 for a while.
struct Window {
    name: String,
    principal: Option<Uuid>,
    class: Class,
    until: OffsetDateTime,
}

/// What is throttled apart: each service, and of Fabric each kind of call that it counts apart.
type Class = (Api, Bucket);

impl Faults {
    pub(crate) fn inject(&self, fault: Fault, now: OffsetDateTime) {
        let until = fault.lasts.map(|lasts| later(now, lasts));
        self.table().armed.push(Armed { fault, until, seen: 0 });
    }

    /// The faults in force at that time, as they were injected.
    pub(crate) fn all(&self, now: OffsetDateTime) -> Vec<String> {
        let table = self.table();
        let lasting = table.armed.iter().filter(|armed| armed.until.is_none_or(|until| now < until));
        lasting.map(|armed| armed.fault.to_string()).collect()
    }

    /// No fault is in force any more, and what they brought about is over.
    pub(crate) fn clear(&self) {
        *self.table() = Table::default();
    }

    /// Starts a schedule at its beginning, or ends the one that there is.
    pub(crate) fn schedule(&self, chaos: Option<Chaos>) {
        self.table().chaos = chaos.map(Schedule::new);
    }

    /// The request's own faults come first, then what earlier ones have brought about, then those in force in their
    /// order, chaos last. The first that settles the answer ends it, and those after it do not count the request.
    ///
    /// # Errors
    /// When the request's own faults cannot be read.
    pub(crate) fn decide(
        &self,
        request: &Incoming,
        principal: Option<Uuid>,
        now: OffsetDateTime,
    ) -> Result<Verdict, ParseFaultError> {
        let mut verdict = Verdict::default();
        let mut table = self.table();
        for action in own(request)? {
            if applies(&action, request) && !verdict.is_settled() {
                table.hit(&mut verdict, action, request, principal, now);
            }
        }
        table.stand(&mut verdict, request, principal, now);
        if !verdict.is_settled() {
            for action in table.due(request, now) {
                table.hit(&mut verdict, action, request, principal, now);
            }
        }
        if !verdict.is_settled()
            && let Some(action) = table.chaos.as_mut().and_then(|chaos| chaos.next(request))
        {
            table.hit(&mut verdict, action, request, principal, now);
        }
        Ok(verdict)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The actions of the faults that hit the request, up to the first that settles its answer; counts it.
    fn due(&mut self, request: &Incoming, now: OffsetDateTime) -> Vec<Action> {
        let mut due = Vec::new();
        for armed in &mut self.armed {
            let Fault { pattern, skip, times, action, .. } = &armed.fault;
            if armed.until.is_some_and(|until| now >= until)
                || !pattern.matches(&request.method, &request.path)
                || !applies(action, request)
            {
                continue;
            }
            let nth = armed.seen;
            armed.seen = armed.seen.saturating_add(1);
            if nth >= *skip && times.is_none_or(|times| nth - skip < times) {
                due.push(action.clone());
                if action.decides() {
                    break;
                }
            }
        }
        due
    }

    /// Adds an action to the verdict, as what it comes to.
    fn hit(
        &mut self,
        verdict: &mut Verdict,
        action: Action,
        request: &Incoming,
        principal: Option<Uuid>,
        now: OffsetDateTime,
    ) {
        let name = action.to_string();
        match action {
            Action::Throttle(window) => {
                let (class, until) = (class(request), later(now, window));
                verdict.add(name.clone(), throttled(until, now));
                self.throttled.push(Window { name, principal, class, until });
            }
            Action::TokenExpired => {
                self.expired
                    .extend(request.headers.get(header::AUTHORIZATION).map(|token| token.as_bytes().into()));
                verdict.add(name, Action::error(401, Vec::new()));
            }
            Action::ContinuationRejected => {
                let code = Edit::Code("InvalidContinuationToken".to_owned());
                verdict.add(name, Action::error(400, vec![code]));
            }
            action => verdict.add(name, action),
        }
    }

    /// What earlier hits have brought about.
    fn stand(
        &mut self,
        verdict: &mut Verdict,
        request: &Incoming,
        principal: Option<Uuid>,
        now: OffsetDateTime,
    ) {
        if verdict.is_settled() {
            return;
        }
        self.throttled.retain(|window| now < window.until);
        let token = request.headers.get(header::AUTHORIZATION);
        let throttling = self
            .throttled
            .iter()
            .find(|window| window.principal == principal && window.class == class(request));
        if token.is_some_and(|token| self.expired.contains(token.as_bytes())) {
            verdict.add(Action::TokenExpired.to_string(), Action::error(401, Vec::new()));
        } else if let Some(window) = throttling {
            verdict.add(window.name.clone(), throttled(window.until, now));
        }
    }
}

/// 429 with the rest of the window, in whole seconds and not too few.
fn throttled(until: OffsetDateTime, now: OffsetDateTime) -> Action {
    let rest = std::time::Duration::try_from(until - now).unwrap_or_default();
    let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
    let retry_after = RetryAfter::Seconds(seconds.try_into().unwrap_or(u32::MAX));
    Action::error(429, vec![Edit::RetryAfter(retry_after), Edit::Until(rest)])
}

/// The faults that a request asks for itself.
fn own(request: &Incoming) -> Result<Vec<Action>, ParseFaultError> {
    let headers = request.headers.get_all(FAULT).iter();
    let texts = headers.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let texts: Vec<String> = texts.collect();
    let actions =
        texts.iter().flat_map(|text| text.split(';')).map(str::trim).filter(|text| !text.is_empty());
    actions.map(str::parse).collect()
}

/// Whether a request is one that the action can hit at all; one that is not is not counted.
pub(super) fn applies(action: &Action, request: &Incoming) -> bool {
    // What has a world that reads can lag behind, and writes that can come twice.
    let stateful = matches!(request.api, Api::Fabric | Api::Vault);
    let long = || may_be_long_running(request);
    // The run of a job is no operation, but it can fail.
    let job = || request.segments.last().is_some_and(|last| last.eq_ignore_ascii_case("instances"));
    let has_parts = |effect: &Effect| *effect != Effect::Partial || reduced(request).is_some();
    match action {
        Action::Operation { effect: Effect::Nothing, ending: Ending::Fails } => long(),
        Action::Operation { effect, .. } => long() && !job() && has_parts(effect),
        Action::AsOperation | Action::AtOnce => long() && !job(),
        Action::Instead { effect, .. } => has_parts(effect),
        Action::Lag(_) => stateful && request.method == "GET",
        Action::Twice => stateful && request.method != "GET",
        Action::ContinuationRejected => {
            ["continuationToken", "$skiptoken"].iter().any(|name| request.query(name).is_some())
        }
        Action::Edit(edit) => edit.applies(request),
        _ => true,
    }
}

fn class(request: &Incoming) -> Class {
    match request.api {
        Api::Fabric => (request.api, Bucket::of(&request.segments)),
        other => (other, Bucket::Platform),
    }
}

//! The emulator's own surface under `/_emulator/`. No authentication, no faults, not in the request log.
//!
//! | call | does |
//! | --- | --- |
//! | `POST reset` | back to the start: clock, settings, world, operations, tokens, faults, holds and request log. 204 |
//! | `POST seed` | adds to the world what the JSON of the body says. 204, or 400 and an unchanged world |
//! | `GET inventory` | `{hash, world, emptyDeletedWorkspaces, unknownRoutes}`; see [`crate::Inventory`] |
//! | `GET snapshot` | the whole tenant as JSON, a [`crate::Snapshot`]; 409 while operations run or requests are to take effect late |
//! | `PUT snapshot` | puts the tenant of a snapshot in the place of this one, its clock included. 204, or 400 and an unchanged tenant; see [`crate::Emulator::restore`] for what stays |
//! | `GET clock` | `{now, frozen}`: what time it is in the tenant |
//! | `POST clock` | `{"freeze": true}`, `{"advance": "10m"}`, `{"resume": true}`, or an advance with one of the others. 200 `{now, frozen}` |
//! | `GET settings` | the rules that are settings: `{pageSize, operationDuration, jobDuration, retryAfter, longRunning, nameReservation, reservationStatus, itemRecovery, maxItems, childDelay, capacityAssignment, secretDeletion, quotas, foreignLocation}` |
//! | `POST settings` | changes those that the body names, for what happens from now on: `{"nameReservation": "10m", "longRunning": "always"}`. 200 and all of them |
//! | `GET requests` | the request log, a list of [`crate::LoggedRequest`]; with `?format=jsonl` one a line, with `?format=har` an HTTP archive with headers and answers |
//! | `DELETE requests` | empties it. 204 |
//! | `GET faults` | the faults in force, a list of lines |
//! | `POST faults` | injects faults in the syntax of [`crate::Fault`]: one per line as `text/plain`, or a JSON list of such lines as `application/json`. All or none. 204 |
//! | `DELETE faults` | no fault is in force any more: no chaos either, no throttling, no token called expired. 204 |
//! | `POST chaos` | starts a schedule in the syntax of [`crate::Chaos`] as `text/plain`, or `{"seed": 42, "rate": 0.1, "actions": ["503"]}` as `application/json`; rate and actions may be left out. 204 |
//! | `DELETE chaos` | ends it. 204 |
//! | `POST capacities/{id}` | `{"state": "Inactive"}` pauses a capacity, `{"state": "Active"}` resumes it. 204 |
//! | `POST assertions` | `{"issuer": "..", "subject": ".."}`, and `audience` and `lifetime` in seconds if it is not to be the usual one and an hour: 200 `{"assertion": ".."}`, signed by the emulator's key |
//! | `POST holds` | `{"pattern": "POST */items", "point": "before"}` (or `"after"`) stops the next matching request, or with `"skip": 2` the one after two others; with `"name": "NAME"` instead of the pattern, the next one that brings the header `x-emulator-hold: NAME`. 201 and the hold |
//! | `GET holds` | all of them: `{id, state, point, pattern or name, request}`; `request` is `{method, path}` of the one that is or was stopped |
//! | `GET holds/{id}` | one; its state is `waiting`, `held` or `released`. The answer of a held request names its hold in the header `x-emulator-hold` |
//! | `POST holds/{id}/release` | lets it go on. 204 |
//!
//! What is wrong with a request is said as `{"error": ".."}` with 400 or 404.
//!
//! A seed is a JSON object; `docs/emulator-seed.md` has a whole one, with every key explained, and
//! `docs/emulator-settings.md` has the settings.

mod assertions;
mod clock;
mod faults;
mod holds;
mod settings;
mod snapshot;

use bytes::Bytes;
use http::{Response, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::{Shared, caller_id};
use crate::seed::{CapacityState, Seed, seeded};
use crate::service::BoxError;
use crate::wire::{Incoming, Reply};
use crate::world::inventory;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CapacityBody {
    state: CapacityState,
}

pub(crate) fn handle(shared: &Shared, request: &Incoming) -> Response<Bytes> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let done = || Reply::empty(204);
    let reply = match (request.method.as_str(), segments.as_slice()) {
        ("POST", ["reset"]) => {
            shared.reset();
            Ok(done())
        }
        ("POST", ["seed"]) => seed(shared, request).map(|()| done()),
        ("GET", ["inventory"]) => Ok(Reply::json(200, take_inventory(shared))),
        ("GET", ["snapshot"]) => snapshot::take(shared),
        ("PUT", ["snapshot"]) => snapshot::restore(shared, request).map(|()| done()),
        ("GET", ["clock"]) => Ok(clock::show(&shared.clock)),
        ("POST", ["clock"]) => clock::set(&shared.clock, request),
        ("GET", ["settings"]) => Ok(settings::show(shared)),
        ("POST", ["settings"]) => settings::change(shared, request),
        ("POST", ["assertions"]) => assertions::sign(shared, request),
        ("GET", ["requests"]) => requests(shared, request),
        ("DELETE", ["requests"]) => {
            shared.log.clear();
            Ok(done())
        }
        ("GET", ["faults"]) => Ok(faults::list(shared)),
        ("POST", ["faults"]) => faults::inject(shared, request),
        ("DELETE", ["faults"]) => {
            shared.clear_faults();
            Ok(done())
        }
        ("POST", ["chaos"]) => faults::start_chaos(shared, request),
        ("DELETE", ["chaos"]) => {
            shared.schedule(None);
            Ok(done())
        }
        ("POST", ["capacities", id]) => {
            set_capacity(shared, id, request).map(|reply| reply.unwrap_or_else(not_found))
        }
        ("GET", ["holds"]) => Ok(holds::list(&shared.holds)),
        ("POST", ["holds"]) => holds::add(&shared.holds, request),
        ("GET", ["holds", id]) => Ok(holds::show(&shared.holds, id).unwrap_or_else(not_found)),
        ("POST", ["holds", id, "release"]) => Ok(holds::release(&shared.holds, id).unwrap_or_else(not_found)),
        _ => Ok(not_found()),
    };
    reply.unwrap_or_else(|error: BoxError| Reply::json(400, json!({"error": with_sources(&*error)}))).plain()
}

fn seed(shared: &Shared, request: &Incoming) -> Result<(), BoxError> {
    let seed: Value = serde_json::from_slice(&request.body)?;
    let mut state = shared.state();
    state.world = seeded(&state.world, Seed::read(&seed)?, caller_id())?;
    Ok(())
}

fn take_inventory(shared: &Shared) -> Value {
    let state = shared.state();
    let (world, hash) = inventory(&state.world);
    let empty = state.world.deleted_workspaces.iter().filter(|workspace| workspace.is_empty()).count();
    json!({"hash": hash, "world": world, "emptyDeletedWorkspaces": empty, "unknownRoutes": state.unknown_routes})
}

fn requests(shared: &Shared, request: &Incoming) -> Result<Reply, BoxError> {
    match request.query("format") {
        None | Some("json") => Ok(Reply::json(200, json!(shared.log.all()))),
        Some("har") => Ok(Reply::json(200, shared.log.archive())),
        Some("jsonl") => {
            let lines = shared.log.all().iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
            let lines: String = lines.iter().flat_map(|line| [line, "\n"]).collect();
            Ok(Reply::bytes(200, Bytes::from(lines)).header(header::CONTENT_TYPE, "application/jsonl"))
        }
        Some(other) => Err(format!("`{other}` is no format of the log: json, jsonl or har").into()),
    }
}

/// Pauses a capacity or resumes it, as its owner does in Azure.
fn set_capacity(shared: &Shared, id: &str, request: &Incoming) -> Result<Option<Reply>, BoxError> {
    let CapacityBody { state } = serde_json::from_slice(&request.body)?;
    let mut tenant = shared.state();
    let mut capacities = tenant.world.capacities.iter_mut();
    let Some(capacity) = capacities.find(|capacity| capacity.id.to_string().eq_ignore_ascii_case(id)) else {
        return Ok(None);
    };
    capacity.active = state == CapacityState::Active;
    Ok(Some(Reply::empty(204)))
}

fn not_found() -> Reply {
    Reply::json(404, json!({"error": "no such thing under /_emulator/"}))
}

fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

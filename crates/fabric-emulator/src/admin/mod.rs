//! The emulator's own surface under `/_emulator/`. No authentication, no faults, not in the request log.
//!
//! | call | does |
//! | --- | --- |
//! | `POST reset` | back to the start: clock, world, operations, tokens, faults, holds and request log. 204 |
//! | `POST seed` | adds to the world. 204, or 400 and an unchanged world |
//! | `GET inventory` | `{hash, world, emptyDeletedWorkspaces, unknownRoutes}`; see [`crate::Inventory`] |
//! | `GET clock` | `{now, frozen}`: what time it is in the tenant |
//! | `POST clock` | `{"freeze": true}`, `{"advance": "10m"}`, `{"resume": true}`, or an advance with one of the others. 200 `{now, frozen}` |
//! | `GET requests` | the request log, a list of [`crate::LoggedRequest`]; with `?format=jsonl` one a line, with `?format=har` an HTTP archive with headers and answers |
//! | `DELETE requests` | empties it. 204 |
//! | `POST faults` | injects faults in the syntax of [`crate::Fault`]: one per line as `text/plain`, or a JSON list of such lines as `application/json`. All or none. 204 |
//! | `DELETE faults` | no fault is in force any more. 204 |
//! | `POST holds` | `{"pattern": "POST */items", "point": "before"}` (or `"after"`) stops the next matching request. 201 `{id, state}` |
//! | `GET holds/{id}` | `{id, state}`: `waiting`, `held` or `released` |
//! | `POST holds/{id}/release` | lets it go on. 204 |
//!
//! What is wrong with a request is said as `{"error": ".."}` with 400 or 404.
//!
//! A seed is a JSON object; every list and every `id` in it may be left out:
//!
//! ```json
//! {
//!   "capacities": [{"id": "..", "displayName": "..", "sku": "F2", "region": "..", "state": "Active"}],
//!   "users": [{"id": "..", "displayName": "..", "mail": "..", "userPrincipalName": "..", "password": "..", "mayCreateWorkspaces": true}],
//!   "groups": [{"id": "..", "displayName": "..", "mail": "..", "members": ["<principal id>"]}],
//!   "servicePrincipals": [{"id": "..", "displayName": "..", "appId": "..", "secret": "..", "secretExpired": false,
//!     "federatedCredentials": [{"issuer": "https://..", "subject": "..", "audience": "api://AzureADTokenExchange"}], "mayCreateWorkspaces": true}],
//!   "connections": [{"id": "..", "displayName": "..", "type": "GitHubSourceControl", "path": "https://.."}],
//!   "workspaces": [{
//!     "id": "..", "displayName": "..", "description": "..", "capacityId": "..",
//!     "roleAssignments": [{"principalId": "..", "role": "Admin"}],
//!     "folders": ["Bronze/Raw"],
//!     "items": [{"id": "..", "type": "Notebook", "displayName": "..", "description": "..", "folder": "Bronze/Raw", "definition": {"parts": []}}]
//!   }]
//! }
//! ```
//!
//! `"accountEnabled": false` on a user or service principal keeps it from getting tokens.
//! A workspace without an Admin gets the caller of the configuration as its Admin. A seeded connection is everybody's.

mod clock;

use bytes::Bytes;
use http::{Response, header};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::emulator::{Shared, caller_id};
use crate::fault::Fault;
use crate::hold::{HoldId, HoldPoint, HoldState};
use crate::seed::{Seed, seeded};
use crate::service::BoxError;
use crate::wire::{Incoming, Reply};
use crate::world::inventory;

#[derive(Deserialize)]
struct HoldBody {
    pattern: String,
    point: Point,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Point {
    Before,
    After,
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
        ("GET", ["clock"]) => Ok(clock::show(&shared.clock)),
        ("POST", ["clock"]) => clock::set(&shared.clock, request),
        ("GET", ["requests"]) => requests(shared, request),
        ("DELETE", ["requests"]) => {
            shared.log.clear();
            Ok(done())
        }
        ("POST", ["faults"]) => inject(shared, request).map(|()| done()),
        ("DELETE", ["faults"]) => {
            shared.faults.clear();
            Ok(done())
        }
        ("POST", ["holds"]) => hold(shared, request),
        ("GET", ["holds", id]) => {
            Ok(hold_id(id).and_then(|id| hold_reply(shared, id, 200)).unwrap_or_else(not_found))
        }
        ("POST", ["holds", id, "release"]) => {
            let released = hold_id(id).is_some_and(|id| shared.holds.release(id));
            Ok(if released { Reply::empty(204) } else { not_found() })
        }
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

fn inject(shared: &Shared, request: &Incoming) -> Result<(), BoxError> {
    let kind =
        request.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let text = std::str::from_utf8(&request.body)?;
    let lines: Vec<String> = match kind.starts_with("application/json") {
        true => serde_json::from_str(text)?,
        false => text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
    };
    let faults = lines.iter().map(|line| line.parse::<Fault>()).collect::<Result<Vec<_>, _>>()?;
    faults.into_iter().for_each(|fault| shared.faults.inject(fault));
    Ok(())
}

fn hold(shared: &Shared, request: &Incoming) -> Result<Reply, BoxError> {
    let body: HoldBody = serde_json::from_slice(&request.body)?;
    let point = match body.point {
        Point::Before => HoldPoint::Before,
        Point::After => HoldPoint::After,
    };
    let id = shared.holds.add(body.pattern.parse()?, point);
    Ok(hold_reply(shared, id, 201).unwrap_or_else(not_found))
}

fn hold_id(text: &str) -> Option<HoldId> {
    text.parse().ok().map(HoldId)
}

fn hold_reply(shared: &Shared, id: HoldId, status: u16) -> Option<Reply> {
    let state = match shared.holds.state(id)? {
        HoldState::Waiting => "waiting",
        HoldState::Held => "held",
        HoldState::Released => "released",
    };
    Some(Reply::json(status, json!({"id": id.0, "state": state})))
}

fn not_found() -> Reply {
    Reply::json(404, json!({"error": "no such thing under /_emulator/"}))
}

fn with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let sources = std::iter::successors(Some(error), |error| error.source());
    sources.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

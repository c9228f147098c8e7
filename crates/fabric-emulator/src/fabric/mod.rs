//! Fabric's REST interface: routes to what they do to the world.

mod capacities;
mod connections;
mod folders;
mod git;
mod items;
mod operations;
mod roles;
mod workspaces;

use bytes::Bytes;
use http::{Response, header};
use serde_json::Value;
use uuid::Uuid;

use crate::config::Config;
use crate::emulator::Shared;
use crate::entra;
use crate::fault::Tweaks;
use crate::operations::{Effect, Long};
use crate::paging::page;
use crate::state::State;
use crate::wire::{CLUSTER, Incoming, OPERATION_ID, Reply, fabric_error};
use crate::world::{ApiError, World, guid};

pub(crate) type Answer = Result<Reply, ApiError>;

/// One request on its way into the world, made by `caller`.
struct Call<'a> {
    request: &'a Incoming,
    config: &'a Config,
    state: &'a mut State,
    caller: Uuid,
    /// What faults make different.
    tweaks: &'a Tweaks,
}

pub(crate) fn handle(shared: &Shared, request: &Incoming, tweaks: &Tweaks) -> Response<Bytes> {
    let config = shared.config();
    let mut state = shared.state();
    let present = tweaks.lag.map(|lag| state.look_back(lag));
    let answer =
        caller(&mut state, request).and_then(|caller| act(&config, &mut state, request, caller, tweaks));
    if let Some(present) = present {
        state.world = present;
    }
    drop(state);
    match answer {
        Ok(reply) => reply.fabric(Uuid::new_v4()),
        Err(error) => fabric_error(&error, None),
    }
}

/// Whose request it is.
pub(crate) fn caller(state: &mut State, request: &Incoming) -> Result<Uuid, ApiError> {
    match request.segments.first().is_some_and(|first| first.eq_ignore_ascii_case("v1")) {
        true => state.tokens.check(request, entra::FABRIC, state.world.now),
        false => Err(unknown(state, request)),
    }
}

/// Carries a request of that caller out.
pub(crate) fn act(
    config: &Config,
    state: &mut State,
    request: &Incoming,
    caller: Uuid,
    tweaks: &Tweaks,
) -> Answer {
    if request.method != "GET" {
        state.past.remember(&state.world);
    }
    Call { request, config, state, caller, tweaks }.route()
}

impl<'a> Call<'a> {
    /// Paths are matched whatever the case of their names, as the service does.
    fn route(mut self) -> Answer {
        let request = self.request;
        let lower: Vec<String> = request.segments.iter().map(|segment| segment.to_lowercase()).collect();
        let segments: Vec<&str> = lower.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        match segments.as_slice() {
            ["v1", "capacities", rest @ ..] => capacities::route(&mut self, method, rest),
            ["v1", "connections", rest @ ..] => connections::route(&mut self, method, rest),
            ["v1", "operations", rest @ ..] => operations::route(&mut self, method, rest),
            ["v1", "workspaces"] => workspaces::collection(&mut self, method),
            ["v1", "workspaces", workspace, rest @ ..] => {
                let workspace = guid("workspaceId", workspace)?;
                match rest {
                    ["folders", rest @ ..] => folders::route(&mut self, workspace, method, rest),
                    ["items", rest @ ..] => items::route(&mut self, workspace, method, rest),
                    ["roleassignments", rest @ ..] => roles::route(&mut self, workspace, method, rest),
                    ["git", rest @ ..] => git::route(&mut self, workspace, method, rest),
                    rest => workspaces::route(&mut self, workspace, method, rest),
                }
            }
            _ => self.unknown(),
        }
    }

    fn unknown(&mut self) -> Answer {
        Err(unknown(self.state, self.request))
    }

    fn world(&mut self) -> &mut World {
        &mut self.state.world
    }

    fn list(&self, values: Vec<Value>) -> Answer {
        Ok(Reply::json(200, page(self.request, self.config.page_size, values)?))
    }

    /// A 201 that says where the new thing is. Items are created without this header.
    fn created(&self, id: Uuid, body: Value) -> Answer {
        let location = self.request.absolute(&format!("{}/{id}", self.request.path.trim_end_matches('/')));
        Ok(Reply::json(201, body).header(header::LOCATION, location))
    }

    /// Does what was asked at once, or as an operation. The caller has checked that it would be accepted now.
    fn run(
        &mut self,
        long: Long<'_>,
        git_of: Option<Uuid>,
        effect: Effect,
        at_once: fn(Option<Value>) -> Reply,
    ) -> Answer {
        let Tweaks { operation, long_running, .. } = self.tweaks;
        let is_long = long_running.unwrap_or_else(|| self.config.long_running.applies(long));
        if operation.is_none() && !is_long {
            return effect(&mut self.state.world).map(at_once);
        }
        let (effect, ending) = match operation.clone() {
            None => (effect, None),
            Some((true, ending)) => (effect, Some(ending)),
            Some((false, ending)) => (Box::new(|_: &mut World| Ok(None)) as Effect, Some(ending)),
        };
        let now = self.state.world.now;
        let id = self.state.operations.start(now, self.config.operation_duration, git_of, effect, ending);
        self.state.settle();
        Ok(Reply::json(202, Value::Null)
            .header(header::LOCATION, self.operation_location(id))
            .header(OPERATION_ID, id.to_string())
            .header(header::RETRY_AFTER, self.config.retry_after.to_string())
            .header(header::ETAG, "\"\""))
    }

    fn operation_location(&self, id: Uuid) -> String {
        let path = format!("/v1/operations/{id}");
        if self.config.foreign_location { format!("{CLUSTER}{path}") } else { self.request.absolute(&path) }
    }
}

/// What is not emulated says so, and is counted: a client's missing call must be seen at once.
fn unknown(state: &mut State, request: &Incoming) -> ApiError {
    state.unknown_routes += 1;
    let message = format!("The endpoint {} {} could not be found", request.method, request.path);
    ApiError::new(404, "EndpointNotFound", message)
}

//! Fabric's REST interface: routes to what they do to the world.

mod capacities;
mod connections;
mod folders;
mod git;
mod items;
mod operations;
mod properties;
mod roles;
mod route;
mod typed;
mod workspaces;

use bytes::Bytes;
use http::{Response, header};
use serde_json::Value;
use uuid::Uuid;

use crate::catalogue::Operation;
use crate::config::Config;
use crate::emulator::{Shared, State};
use crate::entra;
use crate::operations::{Effect, Long};
use crate::paging::page;
use crate::wire::{CLUSTER, Incoming, OPERATION_ID, Reply, fabric_error};
use crate::world::{ApiError, World, guid};
use route::{ROUTER, Route, Row};

/// What is emulated, a table per topic; typed collections come in addition, see [`typed`].
const TABLES: &[&[Row]] = &[
    capacities::ROUTES,
    connections::ROUTES,
    folders::ROUTES,
    git::ROUTES,
    items::ROUTES,
    operations::ROUTES,
    roles::ROUTES,
    workspaces::ROUTES,
];

pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    ROUTER.operations()
}

type Answer = Result<Reply, ApiError>;

/// One request on its way into the world, made by `caller`.
struct Call<'a> {
    request: &'a Incoming,
    route: &'static Route,
    config: &'a Config,
    state: &'a mut State,
    caller: Uuid,
    /// An injected fault: if this is a long-running request, its operation fails.
    fails: bool,
}

pub(crate) fn handle(shared: &Shared, request: &Incoming, fails: bool) -> Response<Bytes> {
    let mut state = shared.state();
    let answer = answer(shared, &mut state, request, fails);
    drop(state);
    match answer {
        Ok(reply) => reply.fabric(Uuid::new_v4()),
        Err(error) => fabric_error(&error, None),
    }
}

/// Who is not signed on learns nothing about routes under `/v1/`.
fn answer(shared: &Shared, state: &mut State, request: &Incoming, fails: bool) -> Answer {
    let route = ROUTER.find(&request.method, &request.segments);
    let is_fabric = request.segments.first().is_some_and(|first| first.eq_ignore_ascii_case("v1"));
    let caller = match state.tokens.check(request, entra::FABRIC, state.world.now) {
        Err(error) if is_fabric => return Err(error),
        caller => caller,
    };
    match (route, caller) {
        (Some(route), Ok(caller)) => {
            let call = &mut Call { request, route, config: &shared.config, state, caller, fails };
            (route.handler)(call)
        }
        _ => Err(unknown(state, request)),
    }
}

impl Call<'_> {
    /// A parameter of the path, decoded, by its name in the template.
    fn parameter(&self, name: &str) -> &str {
        let place = self.route.parameters().find(|(_, known)| *known == name);
        place.and_then(|(at, _)| self.request.segments.get(at)).map(String::as_str).unwrap_or_default()
    }

    fn id(&self, name: &str) -> Result<Uuid, ApiError> {
        guid(name, self.parameter(name))
    }

    fn workspace(&self) -> Result<Uuid, ApiError> {
        self.id("workspaceId")
    }

    /// The item in the path: its parameter follows the collection, and is called after the collection.
    fn item(&self) -> Result<Uuid, ApiError> {
        let (_, name) = self.route.parameters().nth(1).unwrap_or_default();
        self.id(name)
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
        if !self.fails && !self.config.long_running.applies(long) {
            return effect(&mut self.state.world).map(at_once);
        }
        let effect = if self.fails { Box::new(failing) } else { effect };
        let now = self.state.world.now;
        let id = self.state.operations.start(now, self.config.operation_duration, git_of, effect);
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

fn failing(_: &mut World) -> Result<Option<Value>, ApiError> {
    Err(ApiError::new(500, "UnknownError", "An unexpected error occurred while processing the request")
        .retriable(false))
}

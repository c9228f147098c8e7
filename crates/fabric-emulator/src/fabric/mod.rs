//! Fabric's REST interface: routes to what they do to the world.

mod admin;
mod bindings;
mod bulk;
mod capacities;
mod connections;
mod domains;
mod environments;
mod folders;
mod git;
mod identity;
mod items;
mod jobs;
mod operations;
mod pipelines;
mod principals;
mod private_endpoints;
mod properties;
mod quota;
mod restore_points;
mod roles;
mod route;
mod shortcuts;
mod spark;
mod sql_audit;
mod sql_endpoints;
mod tables;
mod tags;
mod typed;
mod workspaces;

use bytes::Bytes;
use http::{Response, header};
use serde_json::Value;
use uuid::Uuid;

use crate::catalogue::Operation;
use crate::config::Config;
use crate::emulator::Shared;
use crate::entra;
use crate::fault::Tweaks;
use crate::operations::{Busy, Effect, Long, Order};
use crate::paging::page;
use crate::state::State;
use crate::wire::{CLUSTER, Incoming, OPERATION_ID, Reply, fabric_error};
use crate::world::{ApiError, World, guid};
pub(crate) use quota::{Bucket, Usage};
use route::{ROUTER, Route, Row};

/// What is emulated, a table per topic; typed collections come in addition, see [`typed`].
const TABLES: &[&[Row]] = &[
    admin::domains::ROUTES,
    admin::workspaces::ROUTES,
    bindings::ROUTES,
    bulk::ROUTES,
    capacities::ROUTES,
    connections::ROUTES,
    connections::roles::ROUTES,
    connections::types::ROUTES,
    domains::ROUTES,
    environments::ROUTES,
    folders::ROUTES,
    git::ROUTES,
    identity::ROUTES,
    items::ROUTES,
    jobs::ROUTES,
    operations::ROUTES,
    pipelines::ROUTES,
    pipelines::deployments::ROUTES,
    pipelines::roles::ROUTES,
    pipelines::stages::ROUTES,
    private_endpoints::ROUTES,
    restore_points::ROUTES,
    roles::ROUTES,
    shortcuts::ROUTES,
    spark::ROUTES,
    sql_audit::ROUTES,
    sql_endpoints::ROUTES,
    tables::ROUTES,
    tags::ROUTES,
    workspaces::ROUTES,
];

pub(crate) fn operations() -> impl Iterator<Item = Operation> {
    ROUTER.operations()
}

pub(crate) type Answer = Result<Reply, ApiError>;

/// One request on its way into the world, made by `caller`.
struct Call<'a> {
    request: &'a Incoming,
    route: &'static Route,
    config: &'a Config,
    state: &'a mut State,
    caller: Uuid,
    /// The id that the answer will have, unless it is a refusal.
    request_id: Uuid,
    /// What faults make different.
    tweaks: &'a Tweaks,
}

pub(crate) fn handle(shared: &Shared, request: &Incoming, tweaks: &Tweaks) -> Response<Bytes> {
    let config = shared.config();
    let mut state = shared.state();
    let present = tweaks.lag.map(|lag| state.look_back(lag));
    let request_id = Uuid::new_v4();
    let answer = answer(&config, &mut state, request, request_id, tweaks);
    if let Some(present) = present {
        state.world = present;
    }
    drop(state);
    match answer {
        Ok(reply) => reply.fabric(request_id),
        Err(error) => fabric_error(&error, None),
    }
}

fn answer(
    config: &Config,
    state: &mut State,
    request: &Incoming,
    request_id: Uuid,
    tweaks: &Tweaks,
) -> Answer {
    let caller = match caller(state, request) {
        Ok(caller) => caller,
        Err(refusal) => {
            let unknown = refusal.status == 401 && ROUTER.find(&request.method, &request.segments).is_none();
            state.unknown_routes += u64::from(unknown);
            return Err(refusal);
        }
    };
    state.usage.count(caller, Bucket::of(&request.segments), &config.quotas, state.world.now)?;
    act(config, state, request, caller, request_id, tweaks)
}

/// Who asks. Who is not signed on learns nothing about routes under `/v1/`, but a missing one is counted.
pub(crate) fn caller(state: &mut State, request: &Incoming) -> Result<Uuid, ApiError> {
    match request.segments.first().is_some_and(|first| first.eq_ignore_ascii_case("v1")) {
        true => state.caller(request, entra::FABRIC),
        false => Err(unknown(state, request)),
    }
}

/// Whether a request may become an operation, or runs a job.
pub(crate) fn may_be_long_running(request: &Incoming) -> bool {
    ROUTER.find(&request.method, &request.segments).is_some_and(|route| route.long)
}

/// Carries a request of that caller out.
pub(crate) fn act(
    config: &Config,
    state: &mut State,
    request: &Incoming,
    caller: Uuid,
    request_id: Uuid,
    tweaks: &Tweaks,
) -> Answer {
    let Some(route) = ROUTER.find(&request.method, &request.segments) else {
        return Err(unknown(state, request));
    };
    if request.method != "GET" {
        state.past.remember(&state.world);
    }
    (route.handler)(&mut Call { request, route, config, state, caller, request_id, tweaks })
}

impl Call<'_> {
    /// A parameter of the path, decoded, by its name in the template.
    fn parameter(&self, name: &str) -> &str {
        self.segments(name).first().map(String::as_str).unwrap_or_default()
    }

    /// The segments that a parameter of the path stands for: one, but for the path of a shortcut.
    fn segments(&self, parameter: &str) -> &[String] {
        let segments = &self.request.segments;
        let place = self.route.place(parameter, segments.len());
        place.and_then(|place| segments.get(place)).unwrap_or_default()
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
        self.list_as("value", values)
    }

    /// A page of a list; `key` is what the operation calls its entries.
    fn list_as(&self, key: &str, values: Vec<Value>) -> Answer {
        Ok(Reply::json(200, page(self.request, self.config.page_size, key, values)?))
    }

    /// A 201 that says where the new thing is. Items are created without this header.
    fn created(&self, id: Uuid, body: Value) -> Answer {
        let location = self.request.absolute(&format!("{}/{id}", self.request.path.trim_end_matches('/')));
        Ok(Reply::json(201, body).header(header::LOCATION, location))
    }

    /// Whether the request is answered with 202 and an operation.
    fn becomes_operation(&self, long: Long<'_>) -> bool {
        let Tweaks { operation, long_running, .. } = self.tweaks;
        let is_long = || long_running.unwrap_or_else(|| self.config.long_running.applies(long));
        operation.is_some() || is_long()
    }

    /// Says what an operation would be refused for before it is started; what is done at once says so itself.
    fn check_before<T>(
        &self,
        long: Long<'_>,
        check: impl FnOnce(&World) -> Result<T, ApiError>,
    ) -> Result<(), ApiError> {
        if self.becomes_operation(long) {
            check(&self.state.world)?;
        }
        Ok(())
    }

    /// Does what was asked at once, or as an operation. The caller has checked that it would be accepted now.
    fn run(
        &mut self,
        long: Long<'_>,
        busy: Option<Busy>,
        effect: Effect,
        at_once: fn(Option<Value>) -> Reply,
    ) -> Answer {
        debug_assert!(self.route.long, "{} is not marked as one that may be long-running", self.route.path);
        if !self.becomes_operation(long) {
            return effect(&mut self.state.world).map(at_once);
        }
        let (effect, ending) = match self.tweaks.operation.clone() {
            None => (effect, None),
            Some((true, ending)) => (effect, Some(ending)),
            Some((false, ending)) => (Box::new(|_: &mut World| Ok(None)) as Effect, Some(ending)),
        };
        let retry_after = long.retry_after(self.config.retry_after);
        let order = Order {
            now: self.state.world.now,
            takes: self.config.operation_duration,
            retry_after,
            caller: self.caller,
            workspace: self.workspace().ok(),
            busy,
        };
        let id = self.state.operations.start(order, effect, ending);
        self.state.settle();
        let accepted = Reply::json(202, Value::Null)
            .header(header::LOCATION, self.operation_location(id))
            .header(OPERATION_ID, id.to_string())
            .header(header::RETRY_AFTER, retry_after.to_string());
        Ok(if long.has_etag() { accepted.header(header::ETAG, "\"\"") } else { accepted })
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

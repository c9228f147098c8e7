//! The scenarios, a file for each topic.
//!
//! A new one is a function that sends requests, and a line in the list of its topic. It need not ask what is emulated:
//! a request for an operation that the emulator does not say it has ends its scenario, quietly.

mod bulk;
mod capacities;
mod connections;
mod deployment_pipelines;
mod domains;
mod environments;
mod faults;
mod folders;
mod git;
mod items;
mod jobs;
mod operations;
mod private_endpoints;
mod refusals;
mod roles;
mod shortcuts;
mod spark;
mod sql;
mod typed;
mod typed_jobs;
mod workspaces;

use selvedge_fabric_emulator::demo;
use serde_json::{Value, json};

use super::session::{NOTHING, STRANGER, Session, Stop};
use super::{Scenario, Step, scenario};

/// All of them, in the order of a reader who starts with a workspace.
pub(super) fn all() -> Vec<Scenario> {
    [
        capacities::scenarios(),
        workspaces::scenarios(),
        roles::scenarios(),
        folders::scenarios(),
        items::scenarios(),
        typed::scenarios(),
        operations::scenarios(),
        git::scenarios(),
        connections::scenarios(),
        deployment_pipelines::scenarios(),
        bulk::scenarios(),
        environments::scenarios(),
        jobs::scenarios(),
        typed_jobs::scenarios(),
        spark::scenarios(),
        shortcuts::scenarios(),
        sql::scenarios(),
        private_endpoints::scenarios(),
        domains::scenarios(),
        refusals::scenarios(),
        faults::scenarios(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The id of nothing.
const NOBODY: &str = "00000000-0000-4000-8000-000000000000";

/// The `id` of what a request made.
fn id(made: &Value) -> Step<String> {
    text(made, "id")
}

fn text(value: &Value, name: &str) -> Step<String> {
    let text = value[name].as_str().map(str::to_owned);
    text.ok_or_else(|| Stop::Failed(format!("no {name} in {value}")))
}

/// Fails the scenario when an answer is not what the step before it must have led to.
fn check(right: bool, why: &str, answer: &Value) -> Step {
    if right { Ok(()) } else { Err(Stop::Failed(format!("{why}: {answer}"))) }
}

/// A workspace on the demo capacity; returns its path.
fn workspace(session: &mut Session<'_>) -> Step<String> {
    workspace_named(session, "Workspace")
}

fn workspace_named(session: &mut Session<'_>, name: &str) -> Step<String> {
    let body = json!({"displayName": name, "capacityId": demo::CAPACITY_ID});
    Ok(format!("/v1/workspaces/{}", id(&session.post("/v1/workspaces", body)?)?))
}

/// The id in the path of a workspace.
fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// An item without a definition; returns its id.
fn item(session: &mut Session<'_>, workspace: &str, kind: &str, name: &str) -> Step<String> {
    id(&session.post(&format!("{workspace}/items"), json!({"type": kind, "displayName": name}))?)
}

/// A definition of one part, which holds an empty JSON object.
fn definition(path: &str) -> Value {
    json!({"parts": [{"path": path, "payload": "e30=", "payloadType": "InlineBase64"}]})
}

//! The session, over documents of a few lines that the emulator does and does not keep to.

use std::time::Duration;

use selvedge_fabric_emulator::{Config, LongRunning};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use super::session::{NOTHING, Session, Stop};
use super::{Ledger, Step};
use crate::spec::{Documents, Specs};

/// Documents that say of a capacity what is so, with one property more, and of an item that it must have a colour.
fn ledger() -> Ledger {
    let text = json!({"type": "string"});
    let capacity = json!({"type": "object", "properties": {
        "id": text, "displayName": text, "sku": text, "region": {"type": "integer"},
    }});
    let list = json!({"type": "object", "properties": {"value": {"type": "array", "items": capacity}}});
    let any = json!({"description": "* NotThere - a", "schema": {"type": "object"}});
    let item = json!({"type": "object", "required": ["colour"]});
    let body = json!({"in": "body", "name": "b", "schema": {"type": "object"}});
    let mut documents = Documents::default();
    documents.insert(
        "swagger.json",
        json!({"basePath": "/v1", "paths": {
            "/capacities": {"get": {"responses": {"200": {"schema": list}, "default": any}}},
            "/riverboats": {"get": {"responses": {"200": {}}}},
            "/workspaces": {"post": {"parameters": [body], "responses": {"201": {"schema": {"type": "object"}}, "default": any}}},
            "/workspaces/{workspaceId}/items": {"post": {
                "parameters": [body], "x-ms-fabric-sdk-long-running-operation": true,
                "responses": {"201": {"schema": item}, "202": {}, "default": any},
            }},
            "/operations/{operationId}": {"get": {"responses": {"200": {"schema": {"type": "object"}}}}},
            "/operations/{operationId}/result": {"get": {"responses": {"200": {"schema": {"type": "file"}}}}},
        }}),
    );
    Ledger::new(Specs::new(&documents).unwrap()).unwrap()
}

/// How `run` ends, and what was found by then.
fn run(run: impl Fn(&mut Session<'_>) -> Step<Value>) -> (Result<Value, String>, String) {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut ledger = ledger();
    let config = Config {
        long_running: LongRunning::Always,
        operation_duration: Duration::from_secs(30),
        ..Config::default()
    };
    let mut session =
        Session::start(&runtime, &mut ledger, "a scenario", config).unwrap_or_else(|_| panic!("no session"));
    let ended = run(&mut session).map_err(|stop| match stop {
        Stop::NotEmulated => "not emulated".to_owned(),
        Stop::Failed(why) => why,
    });
    (ended, ledger.report.lines().join("\n"))
}

#[test]
fn an_answer_that_is_not_as_documented_is_found() {
    let (ended, found) = run(|session| session.get("/v1/capacities"));
    assert!(ended.is_ok());
    assert_eq!(
        found,
        "GET /v1/capacities -> 200: /value/*/region [type] \"West Europe\" is not of type \"integer\"\n    first in: a scenario, 2 times\n\
         GET /v1/capacities -> 200: /value/*/state [unknown-property] no schema names the property `state`\n    first in: a scenario, 2 times"
    );
}

#[test]
fn a_long_running_operation_is_followed_to_its_result() {
    let (ended, found) = run(|session| {
        let workspace = session.post("/v1/workspaces", json!({"displayName": "W"}))?;
        let items = format!("/v1/workspaces/{}/items", workspace["id"].as_str().unwrap_or_default());
        let model =
            json!({"parts": [{"path": "model.bim", "payload": "e30=", "payloadType": "InlineBase64"}]});
        session.post(&items, json!({"type": "SemanticModel", "displayName": "M", "definition": model}))
    });
    assert_eq!(ended.unwrap()["displayName"], "M");
    assert_eq!(
        found,
        "POST /v1/workspaces/{workspaceId}/items -> result: /colour [missing] \"colour\" is a required property\n    first in: a scenario"
    );
}

#[test]
fn a_scenario_ends_where_the_emulator_does() {
    assert_eq!(run(|session| session.get("/v1/riverboats")).0.unwrap_err(), "not emulated");
    assert_eq!(run(|session| session.get("/v1/admin/riverboats")).0.unwrap_err(), "not emulated");
    assert_eq!(
        run(|session| session.get("/v1/riverboat")).0.unwrap_err(),
        "GET /v1/riverboat is neither documented nor emulated"
    );
    let (ended, _) = run(|session| {
        session.refused("GET", "/v1/capacities", NOTHING, "NotThere")?;
        Ok(NOTHING)
    });
    assert_eq!(ended.unwrap_err(), "GET /v1/capacities is answered success, not NotThere");
    let (ended, _) = run(|session| session.post("/v1/workspaces", json!({"displayName": ""})));
    assert!(ended.unwrap_err().starts_with("POST /v1/workspaces is answered 400 "));
}

//! `/v1/workspaces/{id}/environments/{id}`: staging, libraries and publish.
//!
//! Most calls have two forms, told apart by the query parameter `beta`. Without it they are what they have been since
//! 31 August 2026: the ones of `beta=false`.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Reported, Spec};
use crate::operations::Long;
use crate::wire::{Reply, timestamp};
use crate::world::{
    ApiError, Definition, Environment, ExternalLibrary, Item, Part, Published, Role, World, default_compute,
    listed, no_libraries,
};

macro_rules! environment {
    ($rest:literal) => {
        concat!("/v1/workspaces/{workspaceId}/environments/{environmentId}", $rest)
    };
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("POST", environment!("/staging/publish"), Recorded, publish).long(),
    Row::new("POST", environment!("/staging/cancelPublish"), Spec, cancel),
    Row::new("GET", environment!("/staging/sparkcompute"), Spec, staged_compute),
    Row::new("PATCH", environment!("/staging/sparkcompute"), Spec, stage_compute),
    Row::new("GET", environment!("/sparkcompute"), Spec, published_compute),
    Row::new("GET", environment!("/staging/libraries"), Reported, staged_libraries),
    Row::new("GET", environment!("/libraries"), Recorded, published_libraries),
    Row::new("POST", environment!("/staging/libraries/{libraryName}"), Spec, upload),
    Row::new("DELETE", environment!("/staging/libraries/{libraryName}"), Spec, remove),
    Row::new("POST", environment!("/staging/libraries/importExternalLibraries"), Spec, import),
    Row::new("POST", environment!("/staging/libraries/removeExternalLibrary"), Spec, remove_external),
    Row::new("GET", environment!("/staging/libraries/exportExternalLibraries"), Spec, export_staged),
    Row::new("GET", environment!("/libraries/exportExternalLibraries"), Spec, export_published),
];

fn publish(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let takes = call.config.operation_duration;
    let differs = call.world().publish_environment(caller, workspace, id, takes)?;
    let details = move |world: &mut World| {
        let (_, environment) = world.environment(caller, workspace, id, Role::Contributor)?;
        Ok(Some(json!({"publishDetails": publish_json(environment, world)})))
    };
    if is_beta(call) || !differs {
        return details(call.world()).map(|details| Reply::json(200, details.unwrap_or_default()));
    }
    call.run(Long::Publish, None, Box::new(details), |details| Reply::json(200, details.unwrap_or_default()))
}

fn cancel(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    call.world().cancel_publish(caller, workspace, id)?;
    let world = call.world();
    let (_, environment) = world.environment(caller, workspace, id, Role::Viewer)?;
    Ok(Reply::json(200, json!({"publishDetails": publish_json(environment, world)})))
}

/// These times end in `Z`, unlike most others of the service.
pub(super) fn publish_json(environment: &Environment, world: &World) -> Value {
    let state = environment.state(world.now);
    let time = |at| format!("{}Z", timestamp(at));
    let mut json = json!({
        "state": state,
        "targetVersion": environment.publish.version,
        "startTime": time(environment.publish.started),
    });
    if state != "Running" {
        json["endTime"] = time(environment.publish.ends).into();
    }
    json["componentPublishInfo"] =
        json!({"sparkLibraries": {"state": state}, "sparkSettings": {"state": state}});
    json
}

/// The staged definition and state of the environment in the path, with what is published of it.
fn read<'c>(call: &'c mut Call<'_>) -> Result<(&'c Item, &'c Environment, &'c Published), ApiError> {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let world = &*call.world();
    let (item, environment) = world.environment(caller, workspace, id, Role::Viewer)?;
    Ok((item, environment, environment.published(world.now)))
}

fn staged_compute(call: &mut Call<'_>) -> Answer {
    let staged = read(call)?.1.staged.clone();
    Ok(Reply::json(200, compute_json(staged, is_beta(call))))
}

fn published_compute(call: &mut Call<'_>) -> Answer {
    let published = read(call)?.2.compute.clone();
    Ok(Reply::json(200, compute_json(published, is_beta(call))))
}

fn stage_compute(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let mut change: Map<String, Value> = call.request.parse()?;
    if let Some(properties) = change.get_mut("sparkProperties") {
        *properties = spark_properties(std::mem::take(properties), is_beta(call))?;
    }
    if !is_beta(call) {
        check_memory(&change)?;
    }
    call.world().stage_compute(caller, workspace, id, change)?;
    staged_compute(call)
}

/// Sizes of a driver's or an executor's memory, as `common/definitions.json` of the environments lists them.
const MEMORY: [&str; 5] = ["28g", "56g", "112g", "224g", "400g"];

/// Without `beta=true` memory is of one of a few sizes; with it, of any.
fn check_memory(change: &Map<String, Value>) -> Result<(), ApiError> {
    let is_size = |value: &Value| value.as_str().is_some_and(|size| MEMORY.contains(&size));
    let wrong = ["driverMemory", "executorMemory"]
        .into_iter()
        .find(|name| change.get(*name).is_some_and(|value| !is_size(value)));
    match wrong {
        Some(name) => Err(ApiError::invalid(name, &format!("must be one of {}", MEMORY.join(", ")))),
        None => Ok(()),
    }
}

/// Spark properties are an object with `beta=true` and a list of keys and values without; the list is what is kept.
fn spark_properties(sent: Value, beta: bool) -> Result<Value, ApiError> {
    match sent {
        Value::Object(pairs) if beta => {
            Ok(pairs.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect())
        }
        Value::Array(list) if !beta => Ok(list.into()),
        _ => Err(ApiError::invalid("sparkProperties", "has not the form that this value of `beta` asks for")),
    }
}

fn compute_json(compute: Map<String, Value>, beta: bool) -> Value {
    let mut json = default_compute();
    json.extend(compute);
    if let (true, Some(Value::Array(list))) = (beta, json.get("sparkProperties")) {
        let pairs =
            list.iter().filter_map(|pair| Some((pair["key"].as_str()?.to_owned(), pair["value"].clone())));
        let pairs: Map<String, Value> = pairs.collect();
        json.insert("sparkProperties".to_owned(), pairs.into());
    }
    json.into()
}

fn staged_libraries(call: &mut Call<'_>) -> Answer {
    let parts = read(call)?.0.definition.parts.clone();
    libraries(call, &parts)
}

fn published_libraries(call: &mut Call<'_>) -> Answer {
    let parts = read(call)?.2.libraries.clone();
    libraries(call, &parts)
}

fn libraries(call: &Call<'_>, parts: &[Part]) -> Answer {
    let custom: Vec<&str> = Definition::custom_libraries(parts).collect();
    let yml = Definition::external_libraries(parts).map(String::from_utf8_lossy);
    if custom.is_empty() && yml.is_none() {
        return Err(no_libraries());
    }
    if is_beta(call) {
        let of = |ending: &str| custom.iter().filter(|name| name.ends_with(ending)).collect::<Vec<_>>();
        let files = json!({
            "wheelFiles": of(".whl"), "pyFiles": of(".py"), "jarFiles": of(".jar"), "rTarFiles": of(".tar.gz"),
        });
        return Ok(Reply::json(
            200,
            json!({"customLibraries": files, "environmentYml": yml.unwrap_or_default()}),
        ));
    }
    let custom = custom.iter().map(|name| json!({"libraryType": "Custom", "name": name}));
    let external = listed(yml.as_deref().unwrap_or_default())
        .map(|library| json!({"libraryType": "External", "name": library.name, "version": library.version}));
    call.list_as("libraries", custom.chain(external).collect())
}

fn upload(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let (name, content) = (call.parameter("libraryName").to_owned(), call.request.body.to_vec());
    call.world().stage_library(caller, workspace, id, &name, Some(content))?;
    Ok(Reply::empty(200))
}

fn remove(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let name = call.parameter("libraryName").to_owned();
    call.world().stage_library(caller, workspace, id, &name, None)?;
    Ok(Reply::empty(200))
}

fn import(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let yml = call.request.body.to_vec();
    call.world().stage_external(caller, workspace, id, yml)?;
    Ok(Reply::empty(200))
}

#[derive(Deserialize)]
struct LibraryBody {
    name: String,
    version: String,
}

fn remove_external(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let LibraryBody { name, version } = call.request.parse()?;
    let gone = ExternalLibrary { name: &name, version: &version };
    call.world().unstage_external(caller, workspace, id, &gone)?;
    Ok(Reply::empty(200))
}

fn export_staged(call: &mut Call<'_>) -> Answer {
    export(&read(call)?.0.definition.parts)
}

fn export_published(call: &mut Call<'_>) -> Answer {
    export(&read(call)?.2.libraries)
}

fn export(parts: &[Part]) -> Answer {
    let yml = Definition::external_libraries(parts).ok_or_else(no_libraries)?;
    Ok(Reply::bytes(200, Bytes::copy_from_slice(yml)))
}

fn is_beta(call: &Call<'_>) -> bool {
    call.request.flag("beta").unwrap_or(false)
}

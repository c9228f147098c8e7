//! `/v1/workspaces/{id}/spark`: settings and pools.

use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::Reply;
use crate::world::{PoolInput, Role};

const SETTINGS: &str = "/v1/workspaces/{workspaceId}/spark/settings";
const POOLS: &str = "/v1/workspaces/{workspaceId}/spark/pools";
const POOL: &str = "/v1/workspaces/{workspaceId}/spark/pools/{poolId}";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", SETTINGS, Recorded, settings),
    Row::new("PATCH", SETTINGS, Spec, update_settings),
    Row::new("GET", POOLS, Recorded, list),
    Row::new("POST", POOLS, Recorded, create),
    Row::new("GET", POOL, Recorded, get),
    Row::new("PATCH", POOL, Recorded, update),
    Row::new("DELETE", POOL, Spec, delete),
];

fn settings(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let settings = call.world().spark(caller, workspace, Role::Viewer)?.settings();
    Ok(Reply::json(200, json!(settings)))
}

fn update_settings(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let patch: Value = call.request.parse()?;
    let settings = call.world().update_spark_settings(caller, workspace, patch)?;
    Ok(Reply::json(200, json!(settings)))
}

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let spark = call.world().spark(caller, workspace, Role::Viewer)?;
    let pools = spark.pools().map(|pool| json!(pool)).collect();
    call.list(pools)
}

/// With the documented `Location`, which the service sends at times only.
fn create(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let new: PoolInput = call.request.parse()?;
    let pool = call.world().create_pool(caller, workspace, new)?;
    call.created(pool.id, json!(pool))
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("poolId")?);
    let pool = call.world().spark(caller, workspace, Role::Viewer)?.pool(id)?;
    Ok(Reply::json(200, json!(pool)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("poolId")?);
    let patch: PoolInput = call.request.parse()?;
    let pool = call.world().update_pool(caller, workspace, id, patch)?;
    Ok(Reply::json(200, json!(pool)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.id("poolId")?);
    call.world().delete_pool(caller, workspace, id)?;
    Ok(Reply::empty(200))
}

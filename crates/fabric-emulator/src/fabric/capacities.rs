//! `/v1/capacities`

use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::Reply;
use crate::world::{ApiError, Capacity};

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/capacities", Recorded, list),
    Row::new("GET", "/v1/capacities/{capacityId}", Spec, get),
];

fn list(call: &mut Call<'_>) -> Answer {
    let capacities = call.world().capacities.iter().map(capacity_json).collect();
    call.list(capacities)
}

fn get(call: &mut Call<'_>) -> Answer {
    let id = call.id("capacityId")?;
    let capacity = call.world().capacity(id);
    let capacity = capacity.ok_or_else(|| ApiError::not_found("CapacityNotFound", id, "Capacity"))?;
    Ok(Reply::json(200, capacity_json(capacity)))
}

fn capacity_json(capacity: &Capacity) -> Value {
    json!({
        "id": capacity.id,
        "displayName": capacity.display_name,
        "sku": capacity.sku,
        "region": capacity.region,
        "state": if capacity.active { "Active" } else { "Inactive" },
    })
}

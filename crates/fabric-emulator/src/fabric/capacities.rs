//! `/v1/capacities`

use serde_json::json;

use super::{Answer, Call};

pub(super) fn route(call: &mut Call<'_>, method: &str, rest: &[&str]) -> Answer {
    let ("GET", []) = (method, rest) else { return call.unknown() };
    let capacities = call.world().capacities.iter().map(|capacity| {
        json!({
            "id": capacity.id,
            "displayName": capacity.display_name,
            "sku": capacity.sku,
            "region": capacity.region,
            "state": if capacity.active { "Active" } else { "Inactive" },
        })
    });
    let capacities = capacities.collect();
    call.list(capacities)
}

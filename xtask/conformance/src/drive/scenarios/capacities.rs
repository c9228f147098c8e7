//! Capacities.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![scenario("capacities", read)]
}

fn read(session: &mut Session<'_>) -> Step {
    let capacities = session.list("/v1/capacities")?;
    check(capacities.len() == 2, "the demo tenant has two capacities", &json!(capacities))?;
    session.get(&format!("/v1/capacities/{}", demo::CAPACITY_ID))?;
    session.refused("GET", &format!("/v1/capacities/{NOBODY}"), NOTHING, "CapacityNotFound")
}

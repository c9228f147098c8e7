//! Spark settings and pools.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("spark: pools", pools),
        scenario("spark: pools of a capacity", capacity_pools),
        scenario("spark: settings", settings),
        scenario("spark: settings of a capacity", capacity_settings),
    ]
}

fn pool(name: &str) -> Value {
    json!({
        "name": name, "nodeFamily": "MemoryOptimized", "nodeSize": "Small",
        "autoScale": {"enabled": true, "minNodeCount": 1, "maxNodeCount": 3},
        "dynamicExecutorAllocation": {"enabled": true, "minExecutors": 1, "maxExecutors": 2},
    })
}

fn pools(session: &mut Session<'_>) -> Step {
    let all = format!("{}/spark/pools", workspace(session)?);
    lifecycle(session, &all, "")
}

fn capacity_pools(session: &mut Session<'_>) -> Step {
    let all = format!("/v1/capacities/{}/spark/pools", demo::CAPACITY_ID);
    lifecycle(session, &all, "?beta=true")
}

fn lifecycle(session: &mut Session<'_>, all: &str, query: &str) -> Step {
    let target = format!("{all}{query}");
    let one = format!("{all}/{}{query}", id(&session.post(&target, pool("Small"))?)?);
    let mut fixed = pool("Fixed");
    fixed["dynamicExecutorAllocation"] = json!({"enabled": false, "minExecutors": 1, "maxExecutors": 1});
    session.post(&target, fixed)?;
    session.list(&target)?;
    session.get(&one)?;
    session.patch(&one, json!({"name": "Smaller", "nodeSize": "Medium"}))?;
    session.delete(&one)?;
    session.refused_somehow("GET", &one, NOTHING)
}

fn settings(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let target = format!("{workspace}/spark/settings");
    session.get(&target)?;
    let body = json!({
        "automaticLog": {"enabled": false},
        "highConcurrency": {"notebookInteractiveRunEnabled": true},
        "pool": {"customizeComputeEnabled": false},
        "environment": {"runtimeVersion": "1.3"},
    });
    session.patch(&target, body)?;
    session.post(&format!("{workspace}/unassignFromCapacity"), NOTHING)?;
    session.refused("GET", &target, NOTHING, "WorkspaceHasNoCapacityAssigned")
}

fn capacity_settings(session: &mut Session<'_>) -> Step {
    let target = format!("/v1/capacities/{}/spark/settings?beta=true", demo::CAPACITY_ID);
    session.get(&target)?;
    session.patch(&target, json!({"jobBurstSupport": "Disabled"}))?;
    Ok(())
}

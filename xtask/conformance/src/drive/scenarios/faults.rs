//! Refusals that any operation can meet: throttling, an outage, a token that is no good.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![scenario("faults", any)]
}

fn any(session: &mut Session<'_>) -> Step {
    let faults = [
        ("GET */workspaces=429,retry-after=7,times=1", "RequestBlocked"),
        ("GET */workspaces=503,times=1", "UnknownError"),
        ("GET */workspaces=401,times=1", "TokenExpired"),
    ];
    for (fault, code) in faults {
        session.inject(fault)?;
        session.refused("GET", "/v1/workspaces", NOTHING, code)?;
    }
    session.list("/v1/workspaces")?;
    session.sign_off();
    session.refused("GET", "/v1/workspaces", NOTHING, "Unauthorized")
}

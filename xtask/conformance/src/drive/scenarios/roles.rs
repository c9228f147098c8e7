//! Role assignments of workspaces.

use super::*;

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("role assignments: added, read, changed, removed", lifecycle),
        scenario("role assignments: refused", refused),
    ]
}

fn assignment(principal: &str, kind: &str, role: &str) -> Value {
    json!({"principal": {"id": principal, "type": kind}, "role": role})
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let all = format!("{}/roleAssignments", workspace(session)?);
    let added = session.post(&all, assignment(demo::ANALYST_ID, "User", "Viewer"))?;
    let one = format!("{all}/{}", id(&added)?);
    session.post(&all, assignment(demo::DATA_ENGINEERING_ID, "Group", "Contributor"))?;
    session.post(&all, assignment(STRANGER, "ServicePrincipal", "Admin"))?;
    let listed = session.list(&all)?;
    check(listed.len() == 4, "the maker and three more have roles", &json!(listed))?;
    session.get(&one)?;
    let changed = session.patch(&one, json!({"role": "Member"}))?;
    check(changed["role"] == "Member", "the role is changed", &changed)?;
    session.delete(&one)?;
    session.refused("GET", &one, NOTHING, "EntityNotFound")
}

fn refused(session: &mut Session<'_>) -> Step {
    let all = format!("{}/roleAssignments", workspace(session)?);
    let own = format!("{all}/{}", demo::CALLER_ID);
    session.post(&all, assignment(demo::ANALYST_ID, "User", "Viewer"))?;
    let twice = assignment(demo::ANALYST_ID, "User", "Viewer");
    session.refused("POST", &all, twice, "PrincipalAlreadyHasWorkspaceRolePermissions")?;
    session.refused("POST", &all, assignment(NOBODY, "User", "Viewer"), "PrincipalNotFound")?;
    session.refused("POST", &all, assignment(STRANGER, "User", "Owner"), "InvalidWorkspacePrincipalRole")?;
    session.refused(
        "POST",
        &all,
        json!({"principal": {"id": STRANGER, "type": "User"}}),
        "MissingWorkspaceRole",
    )?;
    session.refused("DELETE", &own, NOTHING, "BadRequest")?;
    session.refused("PATCH", &own, json!({"role": "Viewer"}), "BadRequest")
}

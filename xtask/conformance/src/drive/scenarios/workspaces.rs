//! Workspaces, from their creation to their restoration.

use super::*;

const ALL: &str = "/v1/workspaces";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("workspaces: made, read, changed, deleted", lifecycle),
        scenario("workspaces: refused", refused),
        scenario("workspaces: of somebody else", of_somebody_else),
        scenario("workspaces: capacity", capacity),
        scenario("workspaces: identity", identity),
        scenario("workspaces: restored", restored),
    ]
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let made = session.post(
        ALL,
        json!({"displayName": "Sales", "description": "All of it", "capacityId": demo::CAPACITY_ID}),
    )?;
    let path = format!("{ALL}/{}", id(&made)?);
    session.post(ALL, json!({"displayName": "Without a capacity"}))?;
    let listed = session.list(ALL)?;
    check(listed.len() == 2, "both workspaces are listed", &json!(listed))?;
    session.list(&format!("{ALL}?roles=Admin,Member"))?;
    session.get(&path)?;
    let changed = session.patch(&path, json!({"displayName": "Sales 2", "description": ""}))?;
    check(changed["displayName"] == "Sales 2", "the name is changed", &changed)?;
    session.delete(&path)?;
    session.refused("GET", &path, NOTHING, "WorkspaceNotFound")
}

fn refused(session: &mut Session<'_>) -> Step {
    let path = workspace(session)?;
    let cases = [
        (ALL, json!({"displayName": "Workspace"}), "WorkspaceNameAlreadyExists"),
        (ALL, json!({"displayName": "Admin monitoring"}), "WorkspaceNameIsReserved"),
        (ALL, json!({"displayName": ""}), "InvalidInput"),
        (ALL, json!({"displayName": "A", "capacityId": NOBODY}), "CapacityNotFound"),
        (
            ALL,
            json!({"displayName": "A", "capacityId": demo::PAUSED_CAPACITY_ID}),
            "CapacityNotInActiveState",
        ),
        (ALL, json!({"displayName": "A", "domainId": NOBODY}), "DomainNotFound"),
    ];
    for (target, body, code) in cases {
        session.refused("POST", target, body, code)?;
    }
    session.refused("GET", &format!("{ALL}?roles=Owner"), NOTHING, "InvalidParameter")?;
    session.refused("GET", &format!("{ALL}?continuationToken=x"), NOTHING, "InvalidContinuationToken")?;
    session.refused("PATCH", &path, json!({"displayName": "a".repeat(257)}), "InvalidInput")?;
    session.refused("DELETE", &format!("{ALL}/{NOBODY}"), NOTHING, "WorkspaceNotFound")
}

fn of_somebody_else(session: &mut Session<'_>) -> Step {
    let path = workspace(session)?;
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": "Viewer"});
    let hidden = workspace_named(session, "Hidden")?;
    session.post(&format!("{path}/roleAssignments"), role)?;
    session.become_the_stranger()?;
    session.get(&path)?;
    session.refused("PATCH", &path, json!({"displayName": "Mine"}), "InsufficientPrivileges")?;
    session.refused("DELETE", &path, NOTHING, "InsufficientPrivileges")?;
    session.refused("POST", ALL, json!({"displayName": "Mine"}), "InsufficientPrivileges")?;
    session.refused("GET", &hidden, NOTHING, "WorkspaceNotFound")
}

fn capacity(session: &mut Session<'_>) -> Step {
    let path = workspace(session)?;
    let (assign, unassign) = (format!("{path}/assignToCapacity"), format!("{path}/unassignFromCapacity"));
    session.post(&unassign, NOTHING)?;
    let freed = session.get(&path)?;
    check(freed.get("capacityId").is_none(), "the capacity is gone", &freed)?;
    session.post(&assign, json!({"capacityId": demo::CAPACITY_ID}))?;
    session.get(&path)?;
    session.refused("POST", &assign, json!({"capacityId": NOBODY}), "CapacityNotFound")?;
    session.refused(
        "POST",
        &assign,
        json!({"capacityId": demo::PAUSED_CAPACITY_ID}),
        "CapacityNotInActiveState",
    )
}

fn identity(session: &mut Session<'_>) -> Step {
    let path = workspace(session)?;
    session.post(&format!("{path}/provisionIdentity"), NOTHING)?;
    session.get(&path)?;
    session.post(&format!("{path}/deprovisionIdentity"), NOTHING)?;
    Ok(())
}

fn restored(session: &mut Session<'_>) -> Step {
    let path = workspace(session)?;
    session.delete(&path)?;
    session.list_of("/v1/admin/workspaces", "workspaces")?;
    session.post(&format!("/v1/admin/workspaces/{}/restore", id_in(&path)), json!({}))?;
    session.get(&path)?;
    Ok(())
}

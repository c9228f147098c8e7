//! Domains and tags: what an administrator makes, and what users see and use.

use super::*;

const ADMIN: &str = "/v1/admin/domains";

pub(super) fn scenarios() -> Vec<Scenario> {
    vec![
        scenario("domains: made, changed, deleted", lifecycle),
        scenario("domains: assigned by an administrator", assigned),
        scenario("domains: assigned by a workspace", of_a_workspace),
        scenario("domains: of somebody else", of_somebody_else),
        scenario("domains: seen", seen),
        scenario("tags", tags),
        scenario("tags: refused", refused_tags),
    ]
}

fn made(session: &mut Session<'_>) -> Step<String> {
    id(&session
        .post(&format!("{ADMIN}?preview=false"), json!({"displayName": "Finance", "description": "d"}))?)
}

fn lifecycle(session: &mut Session<'_>) -> Step {
    let domain = made(session)?;
    session.list_of(&format!("{ADMIN}?preview=false"), "domains")?;
    let one = format!("{ADMIN}/{domain}");
    session.get(&format!("{one}?preview=false"))?;
    session.patch(&format!("{one}?preview=false"), json!({"displayName": "Money"}))?;
    session.delete(&one)?;
    Ok(())
}

fn assigned(session: &mut Session<'_>) -> Step {
    let domain = made(session)?;
    let workspace = workspace(session)?;
    let one = format!("{ADMIN}/{domain}");
    let body = json!({"workspacesIds": [id_in(&workspace)]});
    session.post(&format!("{one}/assignWorkspaces"), body.clone())?;
    session.list(&format!("{one}/workspaces"))?;
    session.get(&workspace)?;
    session.post(&format!("{one}/unassignWorkspaces"), body)?;
    session.post(&format!("{one}/unassignAllWorkspaces"), NOTHING)?;
    Ok(())
}

/// The id of a domain that users can see; made first where that is emulated.
fn domain(session: &mut Session<'_>) -> Step<String> {
    if let Some(domain) = session.list("/v1/domains")?.first() {
        return id(domain);
    }
    made(session)
}

fn of_a_workspace(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let (assign, unassign) =
        (format!("{workspace}/assignToDomain"), format!("{workspace}/unassignFromDomain"));
    session.refused("POST", &assign, json!({"domainId": NOBODY}), "DomainNotFound")?;
    let domain = domain(session)?;
    session.post(&assign, json!({"domainId": domain}))?;
    session.get(&workspace)?;
    session.post(&unassign, NOTHING)?;
    Ok(())
}

/// Whoever administers a workspace cannot for that reason bring it into any domain.
fn of_somebody_else(session: &mut Session<'_>) -> Step {
    let domain = made(session)?;
    let scope = json!({"contributorsScope": "AdminsOnly"});
    session.patch(&format!("{ADMIN}/{domain}?preview=true"), scope)?;
    let workspace = workspace(session)?;
    let role = json!({"principal": {"id": STRANGER, "type": "ServicePrincipal"}, "role": "Admin"});
    session.post(&format!("{workspace}/roleAssignments"), role)?;
    session.become_the_stranger()?;
    let insufficient = "InsufficientPermissionsToDomain";
    let body = json!({"domainId": domain});
    session.refused("POST", &format!("{workspace}/assignToDomain"), body, insufficient)?;
    let body = json!({"displayName": "Mine", "domainId": domain});
    session.refused("POST", "/v1/workspaces", body, insufficient)
}

fn seen(session: &mut Session<'_>) -> Step {
    let domain = domain(session)?;
    session.list("/v1/domains")?;
    session.get(&format!("/v1/domains/{domain}"))?;
    session.refused_somehow("GET", &format!("/v1/domains/{NOBODY}"), NOTHING)
}

fn tags(session: &mut Session<'_>) -> Step {
    let mut tags = session.list("/v1/tags")?;
    if tags.is_empty() {
        let body = json!({"createTagsRequest": [{"displayName": "Certified"}], "scope": {"type": "Tenant"}});
        session.post("/v1/admin/tags/bulkCreateTags", body)?;
        tags = session.list("/v1/tags")?;
    }
    let body = json!({"tags": [id(tags.first().unwrap_or(&NOTHING))?]});
    let workspace = workspace(session)?;
    let item = format!("{workspace}/items/{}", item(session, &workspace, "Lakehouse", "Bronze")?);
    for target in [workspace, item] {
        session.post(&format!("{target}/applyTags"), body.clone())?;
        session.get(&target)?;
        session.post(&format!("{target}/unapplyTags"), body.clone())?;
    }
    Ok(())
}

fn refused_tags(session: &mut Session<'_>) -> Step {
    let workspace = workspace(session)?;
    let item = format!("{workspace}/items/{}", item(session, &workspace, "Lakehouse", "Bronze")?);
    for target in [workspace, item] {
        for call in ["applyTags", "unapplyTags"] {
            let target = format!("{target}/{call}");
            session.refused("POST", &target, json!({"tags": [NOBODY]}), "EntityNotFound")?;
            session.refused("POST", &target, json!({"tags": []}), "InvalidInputs")?;
        }
    }
    Ok(())
}

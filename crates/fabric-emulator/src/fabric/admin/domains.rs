//! `/v1/admin/domains`
//!
//! The documents have two versions of most of these operations, told apart by `preview`. Their default was to change to
//! `false` in March 2026; recordings of May 2026 without the parameter still have `contributorsScope`, the one member
//! that the release version does not have. So only `preview=false` leaves it out here.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::{Incoming, Reply};
use crate::world::{ApiError, ContributorsScope, Domain, DomainPatch, NewDomain, World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DomainBody {
    display_name: Option<String>,
    description: Option<String>,
    parent_domain_id: Option<Uuid>,
    contributors_scope: Option<String>,
    default_label_id: Option<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WorkspacesBody {
    workspaces_ids: Option<Vec<Uuid>>,
}

const ALL: &str = "/v1/admin/domains";
const ONE: &str = "/v1/admin/domains/{domainId}";
const ID: &str = "domainId";

pub(in crate::fabric) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Recorded, list),
    Row::new("POST", ALL, Recorded, create),
    Row::new("GET", ONE, Recorded, get),
    Row::new("PATCH", ONE, Recorded, update),
    Row::new("DELETE", ONE, Recorded, delete),
    Row::new("GET", "/v1/admin/domains/{domainId}/workspaces", Recorded, workspaces),
    Row::new("POST", "/v1/admin/domains/{domainId}/assignWorkspaces", Recorded, assign),
    Row::new("POST", "/v1/admin/domains/{domainId}/unassignWorkspaces", Spec, unassign),
    Row::new("POST", "/v1/admin/domains/{domainId}/unassignAllWorkspaces", Spec, unassign_all),
];

/// Not in pages: the documents know no token here.
fn list(call: &mut Call<'_>) -> Answer {
    let (caller, request) = (call.caller, call.request);
    let world = call.world();
    world.check_tenant_admin(caller)?;
    let non_empty = request.flag("nonEmptyOnly").unwrap_or(false);
    let domains = world.domains.iter().filter(|domain| !non_empty || holds_an_item(world, domain));
    let listed: Vec<Value> = domains.map(|domain| domain_json(request, domain)).collect();
    Ok(Reply::json(200, json!({"domains": listed})))
}

fn create(call: &mut Call<'_>) -> Answer {
    let (caller, request) = (call.caller, call.request);
    let body: DomainBody = request.parse()?;
    let new = NewDomain {
        display_name: body.display_name.unwrap_or_default(),
        description: body.description.unwrap_or_default(),
        parent: body.parent_domain_id,
        default_label: body.default_label_id,
    };
    let domain = call.world().create_domain(caller, new)?;
    let (id, json) = (domain.id, domain_json(request, domain));
    call.created(id, json)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, request, id) = (call.caller, call.request, call.id(ID)?);
    Ok(Reply::json(200, domain_json(request, call.world().administered_domain(caller, id)?)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, request, id) = (call.caller, call.request, call.id(ID)?);
    let body: DomainBody = request.parse()?;
    let scope = body.contributors_scope.filter(|_| shows_contributors(request));
    let patch = DomainPatch {
        display_name: body.display_name,
        description: body.description,
        contributors: scope.as_deref().map(ContributorsScope::read).transpose()?,
        default_label: body.default_label_id,
    };
    Ok(Reply::json(200, domain_json(request, call.world().update_domain(caller, id, patch)?)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    call.world().delete_domain(caller, id)?;
    Ok(Reply::empty(200))
}

fn workspaces(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    let world = call.world();
    world.administered_domain(caller, id)?;
    let inside = world.workspaces.iter().filter(|workspace| workspace.domain == Some(id));
    let listed = inside.map(|it| json!({"id": it.id, "displayName": it.display_name})).collect();
    call.list(listed)
}

fn assign(call: &mut Call<'_>) -> Answer {
    let (caller, id, workspaces) = (call.caller, call.id(ID)?, read_workspaces(call)?);
    call.world().assign_workspaces(caller, id, &workspaces)?;
    Ok(Reply::empty(200))
}

fn unassign(call: &mut Call<'_>) -> Answer {
    let (caller, id, workspaces) = (call.caller, call.id(ID)?, read_workspaces(call)?);
    call.world().unassign_workspaces(caller, id, Some(&workspaces))?;
    Ok(Reply::empty(200))
}

fn unassign_all(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    call.world().unassign_workspaces(caller, id, None)?;
    Ok(Reply::empty(200))
}

fn read_workspaces(call: &Call<'_>) -> Result<Vec<Uuid>, ApiError> {
    let workspaces = call.request.parse::<WorkspacesBody>()?.workspaces_ids.unwrap_or_default();
    if workspaces.is_empty() {
        Err(ApiError::invalid("workspacesIds", "is required"))
    } else {
        Ok(workspaces)
    }
}

fn holds_an_item(world: &World, domain: &Domain) -> bool {
    world
        .workspaces
        .iter()
        .any(|workspace| workspace.domain == Some(domain.id) && !workspace.items.is_empty())
}

fn shows_contributors(request: &Incoming) -> bool {
    request.flag("preview").unwrap_or(true)
}

fn domain_json(request: &Incoming, domain: &Domain) -> Value {
    let mut json = json!({});
    if shows_contributors(request) {
        json["contributorsScope"] = domain.contributors.name().into();
    }
    json["id"] = json!(domain.id);
    json["displayName"] = domain.display_name.as_str().into();
    json["description"] = domain.description.as_str().into();
    if let Some(parent) = domain.parent {
        json["parentDomainId"] = json!(parent);
    }
    if let Some(label) = domain.default_label {
        json["defaultLabelId"] = json!(label);
    }
    json
}

//! `/v1/domains`, and the domain of a workspace

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::wire::Reply;
use crate::world::{ApiError, Domain};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssignBody {
    domain_id: Option<Uuid>,
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/domains", Spec, list),
    Row::new("GET", "/v1/domains/{domainId}", Spec, get),
    Row::new("POST", "/v1/workspaces/{workspaceId}/assignToDomain", Spec, assign),
    Row::new("POST", "/v1/workspaces/{workspaceId}/unassignFromDomain", Spec, unassign),
];

fn list(call: &mut Call<'_>) -> Answer {
    let domains = call.world().domains.iter().map(domain_json).collect();
    call.list(domains)
}

fn get(call: &mut Call<'_>) -> Answer {
    let id = call.id("domainId")?;
    Ok(Reply::json(200, domain_json(call.world().domain(id)?)))
}

fn assign(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: AssignBody = call.request.parse()?;
    let domain = body.domain_id.ok_or_else(|| ApiError::invalid("domainId", "is required"))?;
    call.world().set_domain(caller, workspace, Some(domain))?;
    Ok(Reply::empty(200))
}

fn unassign(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    call.world().set_domain(caller, workspace, None)?;
    Ok(Reply::empty(200))
}

fn domain_json(domain: &Domain) -> Value {
    let mut json =
        json!({"id": domain.id, "displayName": domain.display_name, "description": domain.description});
    if let Some(parent) = domain.parent {
        json["parentDomainId"] = json!(parent);
    }
    json
}

//! `/v1/tags`, and the tags of workspaces and items

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::wire::Reply;
use crate::world::{AppliedTag, Tag, Tagged};

#[derive(Deserialize)]
struct TagsBody {
    #[serde(default)]
    tags: Vec<Uuid>,
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/tags", Spec, list),
    Row::new("POST", "/v1/workspaces/{workspaceId}/applyTags", Spec, apply_to_workspace),
    Row::new("POST", "/v1/workspaces/{workspaceId}/unapplyTags", Spec, unapply_from_workspace),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/{itemId}/applyTags", Spec, apply_to_item),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/{itemId}/unapplyTags", Spec, unapply_from_item),
];

fn list(call: &mut Call<'_>) -> Answer {
    let tags = call.world().tags.iter().map(tag_json).collect();
    call.list(tags)
}

fn apply_to_workspace(call: &mut Call<'_>) -> Answer {
    apply(call, Tagged::Workspace)
}

fn apply_to_item(call: &mut Call<'_>) -> Answer {
    let item = call.item()?;
    apply(call, Tagged::Item(item))
}

fn unapply_from_workspace(call: &mut Call<'_>) -> Answer {
    unapply(call, Tagged::Workspace)
}

fn unapply_from_item(call: &mut Call<'_>) -> Answer {
    let item = call.item()?;
    unapply(call, Tagged::Item(item))
}

fn apply(call: &mut Call<'_>, what: Tagged) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: TagsBody = call.request.parse()?;
    call.world().apply_tags(caller, workspace, what, &body.tags)?;
    Ok(Reply::empty(200))
}

fn unapply(call: &mut Call<'_>, what: Tagged) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: TagsBody = call.request.parse()?;
    call.world().unapply_tags(caller, workspace, what, &body.tags)?;
    Ok(Reply::empty(200))
}

fn tag_json(tag: &Tag) -> Value {
    let scope = match tag.domain {
        None => json!({"type": "Tenant"}),
        Some(domain) => json!({"type": "Domain", "domainId": domain}),
    };
    json!({"id": tag.id, "displayName": tag.display_name, "scope": scope})
}

/// The tags of something, as it shows them.
pub(super) fn tags_json(tags: &[AppliedTag]) -> Value {
    tags.iter().map(|tag| json!({"id": tag.id, "displayName": tag.display_name})).collect()
}

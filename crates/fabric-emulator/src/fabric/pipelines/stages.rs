//! `/v1/deploymentPipelines/{id}/stages`

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Answer, Call, Row};
use super::ID;
use super::deployments::utc;
use crate::catalogue::Evidence::Spec;
use crate::wire::Reply;
use crate::world::{ApiError, Role, Stage, StageInput, StageItem, World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StageBody {
    display_name: Option<String>,
    description: Option<String>,
    is_public: Option<bool>,
}

impl From<StageBody> for StageInput {
    fn from(body: StageBody) -> Self {
        let StageBody { display_name, description, is_public } = body;
        Self { display_name: display_name.unwrap_or_default(), description, is_public }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssignBody {
    workspace_id: Option<Uuid>,
}

const ALL: &str = "/v1/deploymentPipelines/{deploymentPipelineId}/stages";
const ONE: &str = "/v1/deploymentPipelines/{deploymentPipelineId}/stages/{stageId}";
const STAGE: &str = "stageId";

pub(in crate::fabric) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Spec, list),
    Row::new("GET", ONE, Spec, get),
    Row::new("PATCH", ONE, Spec, update),
    Row::new("GET", "/v1/deploymentPipelines/{deploymentPipelineId}/stages/{stageId}/items", Spec, items),
    Row::new(
        "POST",
        "/v1/deploymentPipelines/{deploymentPipelineId}/stages/{stageId}/assignWorkspace",
        Spec,
        assign,
    ),
    Row::new(
        "POST",
        "/v1/deploymentPipelines/{deploymentPipelineId}/stages/{stageId}/unassignWorkspace",
        Spec,
        unassign,
    ),
];

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline) = (call.caller, call.id(ID)?);
    let world: &World = call.world();
    let stages = world.pipeline(caller, pipeline)?.stages.iter().enumerate();
    let listed = stages.map(|(order, stage)| stage_json(world, caller, order, stage)).collect();
    call.list(listed)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, id) = (call.caller, call.id(ID)?, call.id(STAGE)?);
    let world: &World = call.world();
    let (order, stage) = world.pipeline(caller, pipeline)?.stage(id)?;
    Ok(Reply::json(200, stage_json(world, caller, order, stage)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, id) = (call.caller, call.id(ID)?, call.id(STAGE)?);
    let body: StageBody = call.request.parse()?;
    call.world().update_stage(caller, pipeline, id, body.into())?;
    get(call)
}

fn items(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, id) = (call.caller, call.id(ID)?, call.id(STAGE)?);
    let listed = call.world().stage_items(caller, pipeline, id)?.iter().map(item_json).collect();
    call.list(listed)
}

fn assign(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, id) = (call.caller, call.idle_pipeline()?, call.id(STAGE)?);
    let body: AssignBody = call.request.parse()?;
    let workspace = body.workspace_id.ok_or_else(|| ApiError::invalid("workspaceId", "is required"))?;
    call.world().assign_stage(caller, pipeline, id, workspace)?;
    Ok(Reply::empty(200))
}

fn unassign(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, id) = (call.caller, call.idle_pipeline()?, call.id(STAGE)?);
    call.world().unassign_stage(caller, pipeline, id)?;
    Ok(Reply::empty(200))
}

/// The name of the workspace is for those who have a role in it.
pub(super) fn stage_json(world: &World, caller: Uuid, order: usize, stage: &Stage) -> Value {
    let mut json = json!({
        "id": stage.id,
        "order": order,
        "displayName": stage.display_name,
        "description": stage.description,
    });
    if let Some(id) = stage.workspace {
        json["workspaceId"] = json!(id);
        if let Ok(workspace) = world.workspace(caller, id, Role::Viewer) {
            json["workspaceName"] = workspace.display_name.as_str().into();
        }
    }
    json["isPublic"] = stage.is_public.into();
    json
}

fn item_json(of: &StageItem<'_>) -> Value {
    let mut json = json!({
        "itemId": of.item.id,
        "itemDisplayName": of.item.display_name,
        "itemType": of.item.kind,
    });
    if let Some(source) = of.source {
        json["sourceItemId"] = json!(source);
    }
    if let Some(target) = of.target {
        json["targetItemId"] = json!(target);
    }
    if let Some(deployed) = of.deployed {
        json["lastDeploymentTime"] = utc(deployed).into();
    }
    json
}

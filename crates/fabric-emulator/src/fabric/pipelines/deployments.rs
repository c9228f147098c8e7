//! `/v1/deploymentPipelines/{id}/deploy`, and the operations that came of it

use http::HeaderName;
use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::super::principals::principal_json;
use super::super::{Answer, Call, Row};
use super::ID;
use crate::catalogue::Evidence::Spec;
use crate::operations::{Busy, Failure, Long, OperationState, Operations};
use crate::wire::{Reply, timestamp};
use crate::world::{ApiError, Deployment, DeploymentOrder, Difference, NewTarget, Step, World, item_type};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DeployBody {
    source_stage_id: Option<Uuid>,
    target_stage_id: Option<Uuid>,
    items: Option<Vec<ItemBody>>,
    created_workspace_details: Option<NewWorkspaceBody>,
    note: Option<String>,
    #[serde(default)]
    options: OptionsBody,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemBody {
    source_item_id: Uuid,
    item_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewWorkspaceBody {
    name: String,
    capacity_id: Option<Uuid>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct OptionsBody {
    allow_cross_region_deployment: bool,
}

/// Under which a deployment is found among the operations of its pipeline: not the id of the long-running operation.
const DEPLOYMENT_ID: HeaderName = HeaderName::from_static("deployment-id");
/// So many of a pipeline's operations are listed.
const LISTED: usize = 20;

pub(in crate::fabric) const ROUTES: &[Row] = &[
    Row::new("POST", "/v1/deploymentPipelines/{deploymentPipelineId}/deploy", Spec, deploy).long(),
    Row::new("GET", "/v1/deploymentPipelines/{deploymentPipelineId}/operations", Spec, list),
    Row::new("GET", "/v1/deploymentPipelines/{deploymentPipelineId}/operations/{operationId}", Spec, get),
];

fn deploy(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline) = (call.caller, call.idle_pipeline()?);
    let order = read_order(call.request.parse()?)?;
    let id = call.world().begin_deployment(caller, pipeline, &order)?;
    let effect = Box::new(move |world: &mut World| {
        world.deploy(caller, pipeline, id, &order)?;
        let done = world.pipeline(caller, pipeline)?.deployments.iter().find(|known| known.id == id);
        Ok(done.map(|done| details_json(world, done, &Outcome::Succeeded(done.ended))))
    });
    let answer = call.run(Long::Deploy, Some(Busy::Pipeline(pipeline)), effect, |done| {
        Reply::json(200, done.unwrap_or_default())
    })?;
    let operation = answer.operation();
    call.world().follow_deployment(pipeline, id, operation);
    Ok(if operation.is_some() { answer.header(DEPLOYMENT_ID, id.to_string()) } else { answer })
}

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline) = (call.caller, call.id(ID)?);
    let world = &call.state.world;
    let deployments = &world.pipeline(caller, pipeline)?.deployments;
    let last = deployments.iter().skip(deployments.len().saturating_sub(LISTED));
    let operations = &call.state.operations;
    let listed = last.map(|it| summary_json(world, it, &Outcome::of(it, operations))).collect();
    call.list(listed)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, pipeline, id) = (call.caller, call.id(ID)?, call.id("operationId")?);
    let world = &call.state.world;
    let deployments = &world.pipeline(caller, pipeline)?.deployments;
    let missing = || ApiError::not_found("EntityNotFound", id, "DeploymentPipelineOperation");
    let deployment = deployments.iter().find(|known| known.id == id).ok_or_else(missing)?;
    let outcome = Outcome::of(deployment, &call.state.operations);
    Ok(Reply::json(200, details_json(world, deployment, &outcome)))
}

fn read_order(body: DeployBody) -> Result<DeploymentOrder, ApiError> {
    let required = |id: Option<Uuid>, field| id.ok_or_else(|| ApiError::invalid(field, "is required"));
    let read = |item: ItemBody| Ok((item.source_item_id, item_type(&item.item_type)?));
    Ok(DeploymentOrder {
        source: required(body.source_stage_id, "sourceStageId")?,
        target: required(body.target_stage_id, "targetStageId")?,
        items: body.items.map(|items| items.into_iter().map(read).collect()).transpose()?,
        new_target: body
            .created_workspace_details
            .map(|new| NewTarget { name: new.name, capacity: new.capacity_id }),
        note: body.note,
        across_regions: body.options.allow_cross_region_deployment,
    })
}

/// How a deployment stands, and since when.
enum Outcome<'a> {
    Running,
    Succeeded(Option<OffsetDateTime>),
    Failed(Option<OffsetDateTime>, Option<&'a Failure>),
}

impl<'a> Outcome<'a> {
    fn of(deployment: &Deployment, operations: &'a Operations) -> Self {
        if deployment.ended.is_some() {
            return Self::Succeeded(deployment.ended);
        }
        let id = deployment.operation;
        match id.and_then(|id| operations.state(&id.to_string())) {
            Some(OperationState::Running) => Self::Running,
            Some(OperationState::Failed(error)) => {
                Self::Failed(id.and_then(|id| operations.updated(id)), Some(error))
            }
            _ => Self::Failed(None, None),
        }
    }

    fn status(&self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Succeeded(_) => "Succeeded",
            Self::Failed(..) => "Failed",
        }
    }

    fn ended(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Running => None,
            Self::Succeeded(at) | Self::Failed(at, _) => *at,
        }
    }
}

fn summary_json(world: &World, deployment: &Deployment, outcome: &Outcome<'_>) -> Value {
    let mut json = begin_json(deployment, outcome);
    end_json(world, deployment, &mut json);
    json
}

fn details_json(world: &World, deployment: &Deployment, outcome: &Outcome<'_>) -> Value {
    let mut json = begin_json(deployment, outcome);
    let steps = deployment.steps.iter().enumerate();
    let steps: Vec<Value> = steps.map(|(index, step)| step_json(index, step, outcome)).collect();
    json["executionPlan"] = json!({"steps": steps});
    end_json(world, deployment, &mut json);
    json
}

fn begin_json(deployment: &Deployment, outcome: &Outcome<'_>) -> Value {
    let ended = outcome.ended();
    let mut json = json!({
        "id": deployment.id,
        "type": "Deploy",
        "status": outcome.status(),
        "lastUpdatedTime": utc(ended.unwrap_or(deployment.started)),
        "executionStartTime": utc(deployment.started),
    });
    if let Some(ended) = ended {
        json["executionEndTime"] = utc(ended).into();
    }
    json["sourceStageId"] = json!(deployment.source);
    json["targetStageId"] = json!(deployment.target);
    json
}

fn end_json(world: &World, deployment: &Deployment, json: &mut Value) {
    if let Some(note) = &deployment.note {
        json["note"] = json!({"content": note});
    }
    let count = |difference| deployment.steps.iter().filter(|step| step.difference == difference).count();
    json["preDeploymentDiffInformation"] = json!({
        "newItemsCount": count(Difference::New),
        "differentItemsCount": count(Difference::Different),
        "noDifferenceItemsCount": count(Difference::Same),
    });
    json["performedBy"] = principal_json(world, deployment.by);
}

/// A deployment is done whole or not at all, so its steps are as far as it is.
fn step_json(index: usize, step: &Step, outcome: &Outcome<'_>) -> Value {
    // Semantic models go by their old name, as in the documents' example.
    let kind = if step.kind == "SemanticModel" { "Dataset" } else { step.kind };
    let mut items = json!({"sourceItemId": step.source, "sourceItemDisplayName": step.source_name});
    if let Some((id, name)) = &step.target {
        items["targetItemId"] = json!(id);
        items["targetItemDisplayName"] = name.as_str().into();
    }
    items["itemType"] = step.kind.into();
    let mut json = json!({
        "index": index,
        "description": format!("{kind}Deployment"),
        "status": outcome.status(),
        "preDeploymentDiffState": step.difference.name(),
        "sourceAndTarget": items,
    });
    if let Outcome::Failed(_, Some(error)) = outcome {
        json["error"] = json!({"errorCode": error.code, "message": error.message});
    }
    json
}

/// These times have a zone in the documents' examples, all but one.
pub(super) fn utc(at: OffsetDateTime) -> String {
    timestamp(at) + "Z"
}

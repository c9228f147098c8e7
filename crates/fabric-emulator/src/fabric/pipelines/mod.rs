//! `/v1/deploymentPipelines`

pub(super) mod deployments;
pub(super) mod roles;
pub(super) mod stages;

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::operations::Busy;
use crate::wire::Reply;
use crate::world::{ApiError, Pipeline, StageInput, World};
use stages::{StageBody, stage_json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PipelineBody {
    display_name: Option<String>,
    description: Option<String>,
    #[serde(default)]
    stages: Vec<StageBody>,
}

const ALL: &str = "/v1/deploymentPipelines";
const ONE: &str = "/v1/deploymentPipelines/{deploymentPipelineId}";
const ID: &str = "deploymentPipelineId";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Spec, list),
    Row::new("POST", ALL, Spec, create),
    Row::new("GET", ONE, Spec, get),
    Row::new("PATCH", ONE, Spec, update),
    Row::new("DELETE", ONE, Spec, delete),
];

impl Call<'_> {
    /// The pipeline in the path, if no deployment is running in it.
    fn idle_pipeline(&mut self) -> Result<Uuid, ApiError> {
        let (caller, id) = (self.caller, self.id(ID)?);
        self.world().pipeline(caller, id)?;
        match self.state.operations.is_busy(Busy::Pipeline(id)) {
            true => {
                let message = "A deployment is in progress in the deployment pipeline";
                let error = ApiError::new(409, "Conflict", message).about(id, "DeploymentPipeline");
                Err(error.retriable(true))
            }
            false => Ok(id),
        }
    }
}

fn list(call: &mut Call<'_>) -> Answer {
    let caller = call.caller;
    let listed = call.world().pipelines_of(caller).map(summary_json).collect();
    call.list(listed)
}

fn create(call: &mut Call<'_>) -> Answer {
    let caller = call.caller;
    let body: PipelineBody = call.request.parse()?;
    let (name, description) = (body.display_name.unwrap_or_default(), body.description.unwrap_or_default());
    let stages: Vec<StageInput> = body.stages.into_iter().map(StageInput::from).collect();
    let id = call.world().create_pipeline(caller, name, description, stages)?.id;
    // The documents name no `Location` of a new pipeline.
    Ok(Reply::json(201, render(call, id)?))
}

fn get(call: &mut Call<'_>) -> Answer {
    let id = call.id(ID)?;
    Ok(Reply::json(200, render(call, id)?))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    let body: PipelineBody = call.request.parse()?;
    call.world().update_pipeline(caller, id, body.display_name, body.description)?;
    Ok(Reply::json(200, render(call, id)?))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.idle_pipeline()?);
    call.world().delete_pipeline(caller, id)?;
    Ok(Reply::empty(200))
}

fn render(call: &mut Call<'_>, id: Uuid) -> Result<Value, ApiError> {
    let caller = call.caller;
    let world: &World = call.world();
    let pipeline = world.pipeline(caller, id)?;
    let mut json = summary_json(pipeline);
    let stages = pipeline.stages.iter().enumerate();
    json["stages"] = stages.map(|(order, stage)| stage_json(world, caller, order, stage)).collect();
    Ok(json)
}

fn summary_json(pipeline: &Pipeline) -> Value {
    json!({"id": pipeline.id, "displayName": pipeline.display_name, "description": pipeline.description})
}

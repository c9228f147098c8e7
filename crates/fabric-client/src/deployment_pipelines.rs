//! Deployment pipelines: stages in a row, each with a workspace, through which items are promoted.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/deployment-pipelines>.

use crate::items::ItemType;
use crate::{
    ApiError, Call, DeploymentId, ItemId, Lro, Paged, PipelineId, StageId, WorkspaceId, error::ErrorBody,
    open_enum::open_enum,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many items one deployment may have.
pub const MOST_ITEMS: usize = 300;
/// How many characters its note may have.
pub const LONGEST_NOTE: usize = 1024;

open_enum! {
    /// How far a deployment, or a step of one, has come.
    Status {
        /// It has not begun.
        NOT_STARTED = "NotStarted",
        /// It is under way.
        RUNNING = "Running",
        /// It is done.
        SUCCEEDED = "Succeeded",
        /// It has failed.
        FAILED = "Failed",
    }
}

open_enum! {
    /// How an item differed from the one in the target stage before a deployment.
    Difference {
        /// There was none.
        NEW = "New",
        /// It was another.
        DIFFERENT = "Different",
        /// It was the same.
        NONE = "NoDifference",
    }
}

/// A deployment pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pipeline {
    /// Its id.
    pub id: PipelineId,
    /// Its name, which others may have too.
    pub display_name: String,
    /// Its description.
    pub description: Option<String>,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stage {
    /// Its id.
    pub id: StageId,
    /// Its place in the row, from zero on.
    pub order: u32,
    /// Its name.
    pub display_name: String,
    /// The workspace that is assigned to it, if one is.
    pub workspace_id: Option<WorkspaceId>,
    /// That workspace's name, where the caller has a role in it.
    pub workspace_name: Option<String>,
}

/// An item of a stage's workspace that can be deployed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StageItem {
    /// Its id.
    pub item_id: ItemId,
    /// Its type.
    pub item_type: ItemType,
    /// Its name.
    pub item_display_name: String,
    /// The item of the stage before that is deployed over it, where the caller is at least a Contributor there.
    pub source_item_id: Option<ItemId>,
    /// The item of the stage after that it is deployed over, where the caller is at least a Contributor there.
    pub target_item_id: Option<ItemId>,
    /// When a deployment wrote it last.
    pub last_deployment_time: Option<String>,
}

/// What to deploy, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deploy {
    /// The stage to deploy from.
    pub source_stage_id: StageId,
    /// The stage to deploy to, beside it.
    pub target_stage_id: StageId,
    /// The items, at most [`MOST_ITEMS`].
    pub items: Vec<DeployItem>,
    /// What the history of the pipeline says of it, at most [`LONGEST_NOTE`] characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// An item of a [`Deploy`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeployItem {
    /// Its id in the source stage.
    pub source_item_id: ItemId,
    /// Its type.
    pub item_type: ItemType,
}

/// A deployment, as the pipeline remembers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Its id. It is not that of the long-running operation.
    pub id: DeploymentId,
    /// How far it has come.
    pub status: Status,
    /// The stage that it deploys from.
    pub source_stage_id: Option<StageId>,
    /// The stage that it deploys to.
    pub target_stage_id: Option<StageId>,
    /// What was said of it.
    pub note: Option<Note>,
    /// What it does item by item. Only [`deployment`] tells.
    execution_plan: Option<ExecutionPlan>,
}

/// What was said of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Note {
    /// The text.
    pub content: String,
    /// Whether it was longer.
    pub is_truncated: Option<bool>,
}

/// The steps of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ExecutionPlan {
    steps: Vec<Step>,
}

/// One item of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// How far it has come.
    pub status: Status,
    /// How the item differed from the one that is there.
    pub pre_deployment_diff_state: Option<Difference>,
    /// The item, and the one that it is deployed over.
    pub source_and_target: SourceAndTarget,
    /// Why it has failed, as the service says it.
    #[serde(default)]
    error: Value,
}

/// The items of a [`Step`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceAndTarget {
    /// The item in the source stage.
    pub source_item_id: ItemId,
    /// Its name.
    pub source_item_display_name: Option<String>,
    /// The item in the target stage that it is deployed over, where there is one.
    pub target_item_id: Option<ItemId>,
}

impl Status {
    /// Whether it is this one: the service has been seen to change the case of its letters.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

impl Deployment {
    /// What it does item by item; nothing where it is one of a list, or has not begun.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        self.execution_plan.as_ref().map_or(&[], |plan| &plan.steps)
    }

    /// Whether it is over.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.status.is(&Status::SUCCEEDED) || self.status.is(&Status::FAILED)
    }
}

impl Step {
    /// Why it has failed, where the service says it.
    #[must_use]
    pub fn error(&self) -> Option<ApiError> {
        let error = self.error.is_object().then(|| ErrorBody::read(self.error.clone()))?;
        Some(ApiError::from_body(error, StatusCode::OK))
    }
}

/// All pipelines that the caller has a role in.
#[must_use]
pub fn list() -> Paged<Pipeline> {
    Paged::value("deploymentPipelines.list", "/deploymentPipelines")
}

/// The stages of a pipeline.
#[must_use]
pub fn stages(pipeline: PipelineId) -> Paged<Stage> {
    Paged::value("deploymentPipelines.stages", format!("{}/stages", path(pipeline)))
}

/// The items of a stage that can be deployed.
#[must_use]
pub fn items(pipeline: PipelineId, stage: StageId) -> Paged<StageItem> {
    Paged::value("deploymentPipelines.items", format!("{}/stages/{stage}/items", path(pipeline)))
}

/// Copies items of a stage over those of the stage beside it. This cannot be undone.
#[must_use]
pub fn deploy(pipeline: PipelineId, deploy: &Deploy) -> Lro<()> {
    let call = Call::post("deploymentPipelines.deploy", format!("{}/deploy", path(pipeline))).json(deploy);
    Lro::new(call.without_result())
}

/// The last deployments of a pipeline, without their steps. The service tells of twenty.
#[must_use]
pub fn deployments(pipeline: PipelineId) -> Paged<Deployment> {
    Paged::value("deploymentPipelines.deployments", format!("{}/operations", path(pipeline)))
}

/// A deployment, with its steps.
#[must_use]
pub fn deployment(pipeline: PipelineId, id: DeploymentId) -> Call<Deployment> {
    Call::get("deploymentPipelines.deployment", format!("{}/operations/{id}", path(pipeline)))
}

fn path(pipeline: PipelineId) -> String {
    format!("/deploymentPipelines/{pipeline}")
}

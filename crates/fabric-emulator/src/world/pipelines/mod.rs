//! Deployment pipelines: stages in a row, each with a workspace, through which content is promoted.
//!
//! Nobody has recorded them. What is refused follows the documents; with which status, and with which of the codes that
//! Microsoft's clients know, is a guess.

mod deploy;
mod pairs;
mod plan;
mod roles;

use serde_json::{Value, json};
use uuid::Uuid;

use super::inventory::{keep_id, sorted};
use super::{ApiError, Role, World, check_length, check_name};
pub(crate) use deploy::{Deployment, DeploymentOrder, NewTarget, Step};
pub(crate) use pairs::{Difference, StageItem};

#[derive(Clone)]
pub(crate) struct Pipeline {
    pub(crate) id: Uuid,
    pub(crate) given_id: bool,
    pub(crate) display_name: String,
    pub(crate) description: String,
    /// In the order of promotion.
    pub(crate) stages: Vec<Stage>,
    /// Who has Admin, the only role there is.
    pub(crate) admins: Vec<Uuid>,
    /// Oldest first.
    pub(crate) deployments: Vec<Deployment>,
}

#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) id: Uuid,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) is_public: bool,
    pub(crate) workspace: Option<Uuid>,
}

/// A stage as a request describes it; what it leaves out is as it was, or empty and not public.
#[derive(Clone, Default)]
pub(crate) struct StageInput {
    pub(crate) display_name: String,
    pub(crate) description: Option<String>,
    pub(crate) is_public: Option<bool>,
}

/// <https://learn.microsoft.com/fabric/cicd/deployment-pipelines/intro-to-deployment-pipelines>
const STAGES: std::ops::RangeInclusive<usize> = 2..=10;
const MAX_NAME: usize = 256;
const MAX_DESCRIPTION: usize = 1024;

impl StageInput {
    fn check(&self) -> Result<(), ApiError> {
        check_name("displayName", &self.display_name, MAX_NAME)?;
        check_length("description", self.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION)
    }
}

impl Pipeline {
    /// A stage, and its place in the row.
    pub(crate) fn stage(&self, id: Uuid) -> Result<(usize, &Stage), ApiError> {
        let stage = self.stages.iter().enumerate().find(|(_, stage)| stage.id == id);
        stage.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "DeploymentPipelineStage"))
    }
}

fn missing(id: Uuid) -> ApiError {
    ApiError::not_found("EntityNotFound", id, "DeploymentPipeline")
}

impl World {
    pub(crate) fn pipelines_of(&self, caller: Uuid) -> impl Iterator<Item = &Pipeline> {
        let speaks = move |admin: &Uuid| self.speaks_for(caller, *admin);
        self.pipelines.iter().filter(move |pipeline| pipeline.admins.iter().any(speaks))
    }

    pub(crate) fn pipeline(&self, caller: Uuid, id: Uuid) -> Result<&Pipeline, ApiError> {
        self.pipelines_of(caller).find(|pipeline| pipeline.id == id).ok_or_else(|| missing(id))
    }

    fn pipeline_mut(&mut self, caller: Uuid, id: Uuid) -> Result<&mut Pipeline, ApiError> {
        self.pipeline(caller, id)?;
        self.pipelines.iter_mut().find(|pipeline| pipeline.id == id).ok_or_else(|| missing(id))
    }

    pub(crate) fn create_pipeline(
        &mut self,
        caller: Uuid,
        display_name: String,
        description: String,
        stages: Vec<StageInput>,
    ) -> Result<&mut Pipeline, ApiError> {
        self.check_may_create(caller)?;
        check_name("displayName", &display_name, MAX_NAME)?;
        check_length("description", &description, MAX_DESCRIPTION)?;
        if !STAGES.contains(&stages.len()) {
            return Err(ApiError::invalid("stages", "must have 2 to 10 entries"));
        }
        stages.iter().try_for_each(StageInput::check)?;
        let stages = stages.into_iter().map(|stage| Stage {
            id: Uuid::new_v4(),
            display_name: stage.display_name,
            description: stage.description.unwrap_or_default(),
            is_public: stage.is_public.unwrap_or(false),
            workspace: None,
        });
        Ok(self.pipelines.push_mut(Pipeline {
            id: Uuid::new_v4(),
            given_id: false,
            display_name,
            description,
            stages: stages.collect(),
            admins: vec![caller],
            deployments: Vec::new(),
        }))
    }

    pub(crate) fn update_pipeline(
        &mut self,
        caller: Uuid,
        id: Uuid,
        display_name: Option<String>,
        description: Option<String>,
    ) -> Result<&Pipeline, ApiError> {
        self.pipeline(caller, id)?;
        if display_name.is_none() && description.is_none() {
            return Err(ApiError::invalid("displayName", "or a description is required"));
        }
        if let Some(name) = &display_name {
            check_name("displayName", name, MAX_NAME)?;
        }
        check_length("description", description.as_deref().unwrap_or_default(), MAX_DESCRIPTION)?;
        let pipeline = self.pipeline_mut(caller, id)?;
        pipeline.display_name = display_name.unwrap_or_else(|| std::mem::take(&mut pipeline.display_name));
        pipeline.description = description.unwrap_or_else(|| std::mem::take(&mut pipeline.description));
        Ok(pipeline)
    }

    /// The workspaces stay.
    pub(crate) fn delete_pipeline(&mut self, caller: Uuid, id: Uuid) -> Result<(), ApiError> {
        self.pipeline(caller, id)?;
        self.pipelines.retain(|pipeline| pipeline.id != id);
        Ok(())
    }

    pub(crate) fn update_stage(
        &mut self,
        caller: Uuid,
        pipeline: Uuid,
        id: Uuid,
        input: StageInput,
    ) -> Result<(), ApiError> {
        self.pipeline(caller, pipeline)?.stage(id)?;
        input.check()?;
        let stage = self.stage_mut(caller, pipeline, id)?;
        stage.display_name = input.display_name;
        stage.description = input.description.unwrap_or_else(|| std::mem::take(&mut stage.description));
        stage.is_public = input.is_public.unwrap_or(stage.is_public);
        Ok(())
    }

    /// One workspace to a stage, one stage to a workspace.
    pub(crate) fn assign_stage(
        &mut self,
        caller: Uuid,
        pipeline: Uuid,
        id: Uuid,
        workspace: Uuid,
    ) -> Result<(), ApiError> {
        let (_, stage) = self.pipeline(caller, pipeline)?.stage(id)?;
        self.workspace(caller, workspace, Role::Admin)?;
        if stage.workspace.is_some() {
            let error = ApiError::new(400, "BadRequest", "The stage has a workspace already");
            return Err(error.about(id, "DeploymentPipelineStage"));
        }
        self.check_assignable(workspace)?;
        self.stage_mut(caller, pipeline, id)?.workspace = Some(workspace);
        Ok(())
    }

    /// Whether there is such a workspace and no stage has it.
    pub(crate) fn check_assignable(&self, workspace: Uuid) -> Result<(), ApiError> {
        if !self.workspaces.iter().any(|known| known.id == workspace) {
            return Err(ApiError::not_found("WorkspaceNotFound", workspace, "Workspace"));
        }
        let mut stages = self.pipelines.iter().flat_map(|pipeline| &pipeline.stages);
        match stages.any(|stage| stage.workspace == Some(workspace)) {
            true => {
                let message = "The workspace is assigned to a stage already";
                Err(ApiError::new(400, "BadRequest", message).about(workspace, "Workspace"))
            }
            false => Ok(()),
        }
    }

    pub(crate) fn unassign_stage(&mut self, caller: Uuid, pipeline: Uuid, id: Uuid) -> Result<(), ApiError> {
        let (_, stage) = self.pipeline(caller, pipeline)?.stage(id)?;
        if stage.workspace.is_none() {
            return Err(no_workspace(id));
        }
        self.stage_mut(caller, pipeline, id)?.workspace = None;
        Ok(())
    }

    fn stage_mut(&mut self, caller: Uuid, pipeline: Uuid, id: Uuid) -> Result<&mut Stage, ApiError> {
        let stages = &mut self.pipeline_mut(caller, pipeline)?.stages;
        let stage = stages.iter_mut().find(|stage| stage.id == id);
        stage.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "DeploymentPipelineStage"))
    }

    /// A deleted workspace is in no stage.
    pub(super) fn leave_stages(&mut self, workspace: Uuid) {
        for stage in self.pipelines.iter_mut().flat_map(|pipeline| &mut pipeline.stages) {
            stage.workspace = stage.workspace.filter(|assigned| *assigned != workspace);
        }
    }

    /// What was deployed when is history, which nothing can take back: it does not count.
    pub(super) fn pipelines_inventory(&self) -> Value {
        let name = |id: Option<Uuid>| {
            let workspace = self.workspaces.iter().find(|workspace| Some(workspace.id) == id);
            workspace.map(|workspace| &workspace.display_name)
        };
        sorted(self.pipelines.iter().map(|pipeline| {
            let stages = pipeline.stages.iter().map(|stage| {
                json!({
                    "displayName": stage.display_name,
                    "description": stage.description,
                    "isPublic": stage.is_public,
                    "workspace": name(stage.workspace),
                })
            });
            let mut json = json!({
                "displayName": pipeline.display_name,
                "description": pipeline.description,
                "stages": stages.collect::<Vec<_>>(),
                "admins": sorted(pipeline.admins.iter().map(|admin| self.principal_key(*admin))),
            });
            keep_id(&mut json, pipeline.id, pipeline.given_id);
            json
        }))
    }
}

fn no_workspace(stage: Uuid) -> ApiError {
    let message = "The deployment pipeline stage has no assigned workspace";
    ApiError::new(400, "DeploymentPipelineStageHasNoAssignedWorkspace", message)
        .about(stage, "DeploymentPipelineStage")
}

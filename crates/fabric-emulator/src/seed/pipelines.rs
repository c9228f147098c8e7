//! Deployment pipelines of a seed.

use serde::Deserialize;
use uuid::Uuid;

use super::SeedError;
use super::domains::error_at;
use crate::world::{ApiError, StageInput, World};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PipelineSeed {
    id: Option<Uuid>,
    display_name: String,
    #[serde(default)]
    description: String,
    stages: Vec<StageSeed>,
    /// The caller of the configuration, where there are none.
    #[serde(default)]
    admins: Vec<Uuid>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StageSeed {
    id: Option<Uuid>,
    display_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    is_public: bool,
    workspace_id: Option<Uuid>,
}

/// Goes through the rules, but for one: the caller need not be an Admin of the workspaces.
pub(super) fn add(world: &mut World, seeds: Vec<PipelineSeed>, caller: Uuid) -> Result<(), SeedError> {
    for seed in seeds {
        let place = format!("deployment pipeline `{}`", seed.display_name);
        add_one(world, seed, caller).map_err(|error| error_at(place, error))?;
    }
    Ok(())
}

fn add_one(world: &mut World, seed: PipelineSeed, caller: Uuid) -> Result<(), ApiError> {
    for admin in &seed.admins {
        world.check_principal(*admin)?;
    }
    let stages = seed.stages.iter().map(|stage| StageInput {
        display_name: stage.display_name.clone(),
        description: Some(stage.description.clone()),
        is_public: Some(stage.is_public),
    });
    let workspaces: Vec<Uuid> = seed.stages.iter().filter_map(|stage| stage.workspace_id).collect();
    for (at, workspace) in workspaces.iter().enumerate() {
        world.check_assignable(*workspace)?;
        if workspaces.iter().take(at).any(|other| other == workspace) {
            return Err(ApiError::invalid("workspaceId", "is that of another stage"));
        }
    }
    let pipeline = world.create_pipeline(caller, seed.display_name, seed.description, stages.collect())?;
    for (stage, seed) in pipeline.stages.iter_mut().zip(&seed.stages) {
        stage.id = seed.id.unwrap_or(stage.id);
        stage.workspace = seed.workspace_id;
    }
    if !seed.admins.is_empty() {
        pipeline.admins = seed.admins;
    }
    pipeline.given_id = seed.id.is_some();
    pipeline.id = seed.id.unwrap_or(pipeline.id);
    Ok(())
}

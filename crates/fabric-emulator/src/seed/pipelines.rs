//! Deployment pipelines of a seed.

use serde::Deserialize;
use uuid::Uuid;

use super::error::{At, SeedError};
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
    for (n, seed) in seeds.into_iter().enumerate() {
        let place = format!("deploymentPipelines[{n}] `{}`", seed.display_name);
        add_one(world, seed, caller).at(place)?;
    }
    Ok(())
}

fn add_one(world: &mut World, seed: PipelineSeed, caller: Uuid) -> Result<(), SeedError> {
    for (n, admin) in seed.admins.iter().enumerate() {
        world.check_principal(*admin).at(format_args!("admins[{n}] `{admin}`"))?;
    }
    for (n, stage) in seed.stages.iter().enumerate() {
        check_place(world, &seed.stages, n).at(format_args!("stages[{n}] `{}`", stage.display_name))?;
    }
    let stages = seed.stages.iter().map(|stage| StageInput {
        display_name: stage.display_name.clone(),
        description: Some(stage.description.clone()),
        is_public: Some(stage.is_public),
    });
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

/// Whether the stage at `n` can have the workspace that it names: it is there, and no other stage's.
fn check_place(world: &World, stages: &[StageSeed], n: usize) -> Result<(), SeedError> {
    let mut before = stages.iter().take(n);
    let Some(workspace) = stages.get(n).and_then(|stage| stage.workspace_id) else { return Ok(()) };
    let place = format!("workspaceId `{workspace}`");
    if before.any(|other| other.workspace_id == Some(workspace)) {
        return Err(ApiError::invalid("workspaceId", "is that of another stage")).at(place);
    }
    world.check_assignable(workspace).at(place)
}

//! Workspaces of a seed, with what is in them.

use std::time::Duration;

use serde::Deserialize;
use uuid::Uuid;

use super::error::{At, SeedError};
use crate::world::{ApiError, Assignment, DefinitionInput, NewItem, Role, Workspace, World, item_type};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WorkspaceSeed {
    id: Option<Uuid>,
    display_name: String,
    #[serde(default)]
    description: String,
    capacity_id: Option<Uuid>,
    domain_id: Option<Uuid>,
    #[serde(default)]
    role_assignments: Vec<RoleSeed>,
    #[serde(default)]
    folders: Vec<String>,
    #[serde(default)]
    items: Vec<ItemSeed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleSeed {
    principal_id: Uuid,
    role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ItemSeed {
    id: Option<Uuid>,
    r#type: String,
    display_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    folder: String,
    definition: Option<DefinitionInput>,
}

/// Goes through the rules, as the configured caller: a seed cannot make a world that Fabric would not have. Only a
/// capacity may be paused by now.
pub(super) fn add(world: &mut World, seeds: Vec<WorkspaceSeed>, caller: Uuid) -> Result<(), SeedError> {
    for (n, seed) in seeds.into_iter().enumerate() {
        let place = format!("workspaces[{n}] `{}`", seed.display_name);
        add_workspace(world, seed, caller).at(place)?;
    }
    Ok(())
}

fn add_workspace(world: &mut World, seed: WorkspaceSeed, caller: Uuid) -> Result<(), SeedError> {
    let id = world.create_workspace(caller, &seed.display_name, &seed.description, None)?.id;
    if let Some(capacity) = seed.capacity_id {
        let missing = || ApiError::not_found("CapacityNotFound", capacity, "Capacity");
        let capacity =
            world.capacity(capacity).ok_or_else(missing).at(format_args!("capacityId `{capacity}`"))?;
        let capacity = capacity.id;
        made(world, id)?.capacity = Some(capacity);
    }
    if let Some(domain) = seed.domain_id {
        let domain = world.domain(domain).at(format_args!("domainId `{domain}`"))?.id;
        made(world, id)?.domain = Some(domain);
    }
    for (n, folder) in seed.folders.iter().enumerate() {
        made(world, id)?.folder_at(folder).at(format_args!("folders[{n}] `{folder}`"))?;
    }
    for (n, item) in seed.items.into_iter().enumerate() {
        let place = format!("items[{n}] `{}`", item.display_name);
        add_item(world, id, item, caller).at(place)?;
    }
    add_roles(world, id, &seed.role_assignments, caller)?;
    let workspace = made(world, id)?;
    workspace.given_id = seed.id.is_some();
    workspace.id = seed.id.unwrap_or(id);
    Ok(())
}

fn add_item(world: &mut World, workspace: Uuid, seed: ItemSeed, caller: Uuid) -> Result<(), SeedError> {
    let folder =
        made(world, workspace)?.folder_at(&seed.folder).at(format_args!("folder `{}`", seed.folder))?;
    let new = NewItem {
        kind: item_type(&seed.r#type)?,
        display_name: seed.display_name,
        description: seed.description,
        folder,
        definition: seed.definition,
        creation_payload: None,
    };
    let mut item = new.into_item(world.now)?;
    world.check_item_fits(world.workspace(caller, workspace, Role::Admin)?, &item)?;
    item.given_id = seed.id.is_some();
    item.id = seed.id.unwrap_or(item.id);
    // What is there from the start is complete.
    made(world, workspace)?.put_item(item, Duration::ZERO);
    Ok(())
}

fn add_roles(world: &mut World, workspace: Uuid, seeds: &[RoleSeed], caller: Uuid) -> Result<(), SeedError> {
    let (mut own, mut has_admin) = (None, false);
    for (n, RoleSeed { principal_id, role }) in seeds.iter().enumerate() {
        let place = || format!("roleAssignments[{n}] of `{principal_id}`");
        let role = Role::read(role).at(place())?;
        has_admin |= role == Role::Admin;
        if *principal_id == caller {
            own = Some(role);
        } else {
            world.add_role(caller, workspace, *principal_id, role).at(place())?;
        }
    }
    if has_admin {
        // The caller was Admin only because it made the workspace.
        let workspace = made(world, workspace)?;
        workspace.roles.retain(|assignment| assignment.principal != caller);
        workspace.roles.extend(own.map(|role| Assignment { principal: caller, role }));
    }
    Ok(())
}

fn made(world: &mut World, id: Uuid) -> Result<&mut Workspace, ApiError> {
    let workspace = world.workspaces.iter_mut().find(|workspace| workspace.id == id);
    workspace.ok_or_else(|| ApiError::not_found("WorkspaceNotFound", id, "Workspace"))
}

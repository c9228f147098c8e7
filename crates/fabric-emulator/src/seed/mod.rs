//! The seed: a world as JSON, added to the one that is there. Its format stands in [`crate::admin`].

mod domains;
mod pipelines;

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::config::FederatedCredential;
use crate::world::{
    ApiError, Assignment, Capacity, Connection, CredentialSettings, DefinitionInput, NewItem, Principal,
    PrincipalKind, Role, USUAL_PRIVACY_LEVEL, Workspace, World, item_type,
};

/// A seed could not be added; the world is as it was.
#[derive(Debug, thiserror::Error)]
#[error("seed the world{}", .place.as_deref().map(|place| format!(": {place}")).unwrap_or_default())]
pub struct SeedError {
    place: Option<String>,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// A world to be added to another, read with serde from any format and not yet held against the rules.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
pub struct Seed {
    capacities: Vec<CapacitySeed>,
    users: Vec<PrincipalSeed>,
    groups: Vec<PrincipalSeed>,
    service_principals: Vec<PrincipalSeed>,
    connections: Vec<ConnectionSeed>,
    domains: Vec<domains::DomainSeed>,
    tags: Vec<domains::TagSeed>,
    workspaces: Vec<WorkspaceSeed>,
    deployment_pipelines: Vec<pipelines::PipelineSeed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CapacitySeed {
    id: Option<Uuid>,
    display_name: String,
    sku: String,
    region: String,
    state: CapacityState,
}

#[derive(Deserialize, PartialEq)]
enum CapacityState {
    Active,
    Inactive,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PrincipalSeed {
    id: Option<Uuid>,
    display_name: String,
    mail: Option<String>,
    user_principal_name: Option<String>,
    app_id: Option<String>,
    secret: Option<String>,
    #[serde(default)]
    secret_expired: bool,
    #[serde(default)]
    federated_credentials: Vec<FederatedCredential>,
    password: Option<String>,
    #[serde(default = "enabled")]
    account_enabled: bool,
    #[serde(default)]
    members: Vec<Uuid>,
    #[serde(default)]
    may_create_workspaces: bool,
    #[serde(default)]
    tenant_admin: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConnectionSeed {
    id: Option<Uuid>,
    display_name: String,
    r#type: String,
    path: String,
    #[serde(default = "yes")]
    online: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WorkspaceSeed {
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

fn enabled() -> bool {
    true
}

impl Seed {
    pub(crate) fn read(json: &Value) -> Result<Self, SeedError> {
        Self::deserialize(json).map_err(|error| SeedError { place: None, source: error.into() })
    }
}

/// The world with the seed added.
pub(crate) fn seeded(world: &World, seed: Seed, caller: Uuid) -> Result<World, SeedError> {
    let mut world = world.clone();
    for capacity in seed.capacities {
        world.capacities.push(Capacity {
            id: capacity.id.unwrap_or_else(Uuid::new_v4),
            given_id: capacity.id.is_some(),
            display_name: capacity.display_name,
            sku: capacity.sku,
            region: capacity.region,
            active: capacity.state == CapacityState::Active,
        });
    }
    let users = seed.users.into_iter().map(|user| (PrincipalKind::User, user));
    let groups = seed.groups.into_iter().map(|group| (PrincipalKind::Group, group));
    let applications =
        seed.service_principals.into_iter().map(|application| (PrincipalKind::ServicePrincipal, application));
    world
        .principals
        .extend(users.chain(groups).chain(applications).map(|(kind, seed)| principal(kind, seed)));
    for connection in seed.connections {
        world.connections.push(Connection {
            id: connection.id.unwrap_or_else(Uuid::new_v4),
            given_id: connection.id.is_some(),
            display_name: connection.display_name,
            connectivity_type: "ShareableCloud".to_owned(),
            kind: connection.r#type,
            path: connection.path,
            privacy_level: USUAL_PRIVACY_LEVEL.to_owned(),
            credentials: CredentialSettings::new("Key"),
            in_gateway: false,
            in_code: false,
            everybodys: true,
            roles: Vec::new(),
            online: connection.online,
        });
    }
    domains::add(&mut world, seed.domains, seed.tags)?;
    for workspace in seed.workspaces {
        let place = format!("workspace `{}`", workspace.display_name);
        add_workspace(&mut world, workspace, caller)
            .map_err(|error| SeedError { place: Some(place), source: error.into() })?;
    }
    pipelines::add(&mut world, seed.deployment_pipelines, caller)?;
    let mut seen = HashSet::new();
    let twice = world.ids().find(|id| !seen.insert(*id));
    match twice {
        Some(id) => Err(SeedError { place: None, source: format!("the id {id} is there twice").into() }),
        None => Ok(world),
    }
}

fn principal(kind: PrincipalKind, seed: PrincipalSeed) -> Principal {
    Principal {
        id: seed.id.unwrap_or_else(Uuid::new_v4),
        kind,
        display_name: seed.display_name,
        mail: seed.mail,
        user_principal_name: seed.user_principal_name,
        app_id: seed.app_id,
        secret: seed.secret,
        secret_expired: seed.secret_expired,
        federated_credentials: seed.federated_credentials,
        password: seed.password,
        enabled: seed.account_enabled,
        members: seed.members,
        may_create_workspaces: seed.may_create_workspaces,
        tenant_admin: seed.tenant_admin,
    }
}

/// Goes through the rules, as the configured caller: a seed cannot make a world that Fabric would not have. Only a
/// capacity may be paused by now.
fn add_workspace(world: &mut World, seed: WorkspaceSeed, caller: Uuid) -> Result<(), ApiError> {
    let id = world.create_workspace(caller, &seed.display_name, &seed.description, None)?.id;
    if let Some(capacity) = seed.capacity_id {
        let missing = || ApiError::not_found("CapacityNotFound", capacity, "Capacity");
        made(world, id)?.capacity = Some(world.capacity(capacity).ok_or_else(missing)?.id);
    }
    if let Some(domain) = seed.domain_id {
        made(world, id)?.domain = Some(world.domain(domain)?.id);
    }
    for folder in &seed.folders {
        made(world, id)?.folder_at(folder)?;
    }
    for item in seed.items {
        let folder = made(world, id)?.folder_at(&item.folder)?;
        let new = NewItem {
            kind: item_type(&item.r#type)?,
            display_name: item.display_name,
            description: item.description,
            folder,
            definition: item.definition,
            creation_payload: None,
        };
        let mut new = new.into_item(world.now)?;
        world.check_item_fits(world.workspace(caller, id, Role::Admin)?, &new)?;
        new.given_id = item.id.is_some();
        new.id = item.id.unwrap_or(new.id);
        // What is there from the start is complete.
        made(world, id)?.put_item(new, Duration::ZERO);
    }
    let (mut own, mut has_admin) = (None, false);
    for RoleSeed { principal_id, role } in seed.role_assignments {
        let role = Role::read(&role)?;
        has_admin |= role == Role::Admin;
        if principal_id == caller {
            own = Some(role);
        } else {
            world.add_role(caller, id, principal_id, role)?;
        }
    }
    let workspace = made(world, id)?;
    if has_admin {
        // The caller was Admin only because it made the workspace.
        workspace.roles.retain(|assignment| assignment.principal != caller);
        workspace.roles.extend(own.map(|role| Assignment { principal: caller, role }));
    }
    workspace.given_id = seed.id.is_some();
    workspace.id = seed.id.unwrap_or(id);
    Ok(())
}

fn made(world: &mut World, id: Uuid) -> Result<&mut Workspace, ApiError> {
    let workspace = world.workspaces.iter_mut().find(|workspace| workspace.id == id);
    workspace.ok_or_else(|| ApiError::not_found("WorkspaceNotFound", id, "Workspace"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Config, Emulator};

    #[test]
    fn a_wrong_seed_is_refused_whole() {
        let id = "11111111-0000-4000-8000-000000000001";
        let capacity = json!({"id": id, "displayName": "c", "sku": "F2", "region": "r", "state": "Active"});
        let workspace = |rest: Value| {
            let mut workspace = json!({"displayName": "w"});
            workspace.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            json!({"capacities": [&capacity], "workspaces": [workspace]})
        };
        let cases = [
            (json!({"capacity": []}), "unknown field `capacity`"),
            (json!({"capacities": [&capacity, &capacity]}), "is there twice"),
            (json!({"workspaces": [{"displayName": "w", "capacityId": id}]}), "CapacityNotFound"),
            (workspace(json!({"items": [{"type": "X", "displayName": "x"}]})), "InvalidItemType"),
            (workspace(json!({"folders": ["a.b"]})), "InvalidFolderDisplayName"),
            (
                workspace(json!({"roleAssignments": [{"principalId": id, "role": "Viewer"}]})),
                "PrincipalNotFound",
            ),
        ];
        let emulator = Emulator::new(Config::default());
        let before = emulator.inventory();
        for (seed, expected) in cases {
            let error = emulator.seed(&seed).unwrap_err();
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(expected), "{seed}: {source}");
            assert_eq!(emulator.inventory(), before);
        }
    }
}

//! The seed: a world as data, added to the one that is there. Its format stands in `docs/emulator-seed.md`.

mod domains;
mod error;
mod pipelines;
mod vaults;
mod workspaces;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::config::FederatedCredential;
use crate::world::{
    Capacity, Certificate, Connection, CredentialSettings, ManagedIdentity, Principal, PrincipalKind,
    USUAL_PRIVACY_LEVEL, World,
};
pub use error::SeedError;

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
    workspaces: Vec<workspaces::WorkspaceSeed>,
    deployment_pipelines: Vec<pipelines::PipelineSeed>,
    vaults: Vec<vaults::VaultSeed>,
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

/// Whether a capacity runs or is paused.
#[derive(Deserialize, PartialEq)]
pub(crate) enum CapacityState {
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
    app_id: Option<Uuid>,
    secret: Option<String>,
    #[serde(default)]
    secret_expired: bool,
    #[serde(default)]
    federated_credentials: Vec<FederatedCredential>,
    #[serde(default)]
    certificates: Vec<Certificate>,
    password: Option<String>,
    #[serde(default = "yes")]
    account_enabled: bool,
    #[serde(default)]
    members: Vec<Uuid>,
    #[serde(default)]
    may_create_workspaces: bool,
    #[serde(default)]
    tenant_admin: bool,
    managed_identity: Option<ManagedIdentity>,
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

impl Seed {
    pub(crate) fn read(json: &Value) -> Result<Self, SeedError> {
        serde_path_to_error::deserialize(json).map_err(SeedError::new)
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
    workspaces::add(&mut world, seed.workspaces, caller)?;
    pipelines::add(&mut world, seed.deployment_pipelines, caller)?;
    vaults::add(&mut world, seed.vaults)?;
    let own = |principal: &&Principal| principal.managed_identity == Some(ManagedIdentity::SystemAssigned);
    if world.principals.iter().filter(own).count() > 1 {
        return Err(SeedError::new("there are two managed identities that are system-assigned"));
    }
    match world.id_twice() {
        Some(id) => Err(SeedError::new(format!("the id {id} is there twice"))),
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
        app_id: seed.app_id.map(|id| id.to_string()),
        secret: seed.secret,
        secret_expired: seed.secret_expired,
        federated_credentials: seed.federated_credentials,
        certificates: seed.certificates,
        password: seed.password,
        enabled: seed.account_enabled,
        members: seed.members,
        may_create_workspaces: seed.may_create_workspaces,
        tenant_admin: seed.tenant_admin,
        managed_identity: seed.managed_identity,
    }
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
        let item = |rest: Value| {
            let mut item = json!({"type": "Notebook", "displayName": "n"});
            item.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            workspace(
                json!({"items": [{"type": "Report", "displayName": "r", "definition": part("r.json")}, item]}),
            )
        };
        let pipeline = |stages: Value| {
            let seed = workspace(json!({"id": WORKSPACE}));
            let pipelines = json!([{"displayName": "p", "stages": stages}]);
            json!({"workspaces": seed["workspaces"], "deploymentPipelines": pipelines})
        };
        let cases = [
            (json!({"capacity": []}), "seed the world", "capacity: unknown field `capacity`"),
            (
                json!({"users": [{"id": "7", "displayName": "u"}]}),
                "seed the world",
                "users[0].id: UUID parsing",
            ),
            (
                json!({"servicePrincipals": [{"displayName": "s", "appId": "not-a-guid"}]}),
                "seed the world",
                "servicePrincipals[0].appId: UUID parsing failed",
            ),
            (json!({"capacities": [&capacity, &capacity]}), "seed the world", "is there twice"),
            (
                json!({"workspaces": [{"displayName": "v"}, {"displayName": "w", "capacityId": id}]}),
                "seed the world: workspaces[1] `w`, capacityId `11111111-0000-4000-8000-000000000001`",
                "CapacityNotFound: ",
            ),
            (
                workspace(json!({"domainId": id})),
                "seed the world: workspaces[0] `w`, domainId `11111111-0000-4000-8000-000000000001`",
                "DomainNotFound: ",
            ),
            (
                item(json!({"type": "Bogus"})),
                "seed the world: workspaces[0] `w`, items[1] `n`",
                "InvalidItemType: The provided item type is invalid (`Bogus` is not an item type)",
            ),
            (
                item(json!({"folder": "a/b?"})),
                "seed the world: workspaces[0] `w`, items[1] `n`, folder `a/b?`",
                "InvalidFolderDisplayName: ",
            ),
            (
                item(json!({"definition": {"parts": [part("a")["parts"][0], part("a")["parts"][0]]}})),
                "seed the world: workspaces[0] `w`, items[1] `n`",
                "InvalidDefinitionParts: The definition parts are invalid (The part `a` is there twice)",
            ),
            (
                workspace(json!({"folders": ["a", "a.b"]})),
                "seed the world: workspaces[0] `w`, folders[1] `a.b`",
                "InvalidFolderDisplayName: ",
            ),
            (
                workspace(json!({"roleAssignments": [{"principalId": id, "role": "Viewer"}]})),
                "seed the world: workspaces[0] `w`, roleAssignments[0] of `11111111-0000-4000-8000-000000000001`",
                "PrincipalNotFound: ",
            ),
            (
                workspace(json!({"roleAssignments": [{"principalId": id, "role": "Owner"}]})),
                "seed the world: workspaces[0] `w`, roleAssignments[0] of `11111111-0000-4000-8000-000000000001`",
                "InvalidWorkspacePrincipalRole: The provided workspace role is invalid (`Owner` is not a workspace role)",
            ),
            (
                json!({"domains": [{"displayName": "d", "contributorsScope": "Some"}]}),
                "seed the world: domains[0] `d`",
                "InvalidInput: The request has an invalid input (The contributorsScope field has an invalid value)",
            ),
            (
                json!({"tags": [{"displayName": "t", "domainId": id}]}),
                "seed the world: tags[0] `t`, domainId `11111111-0000-4000-8000-000000000001`",
                "DomainNotFound: ",
            ),
            (
                pipeline(json!([{"displayName": "a"}])),
                "seed the world: deploymentPipelines[0] `p`",
                "InvalidInput: The request has an invalid input (The stages field must have 2 to 10 entries)",
            ),
            (
                pipeline(
                    json!([{"displayName": "a", "workspaceId": WORKSPACE}, {"displayName": "b", "workspaceId": WORKSPACE}]),
                ),
                "seed the world: deploymentPipelines[0] `p`, stages[1] `b`, workspaceId `22222222-0000-4000-8000-000000000002`",
                "(The workspaceId field is that of another stage)",
            ),
        ];
        let emulator = Emulator::new(Config::default());
        let before = emulator.inventory();
        for (seed, place, reason) in cases {
            let error = emulator.seed(&seed).unwrap_err();
            assert_eq!(error.to_string(), place, "{seed}");
            let source = std::error::Error::source(&error).unwrap().to_string();
            assert!(source.contains(reason), "{seed}: {source}");
            assert_eq!(emulator.inventory(), before);
        }
    }

    const WORKSPACE: &str = "22222222-0000-4000-8000-000000000002";

    fn part(path: &str) -> Value {
        json!({"parts": [{"path": path, "payload": "e30=", "payloadType": "InlineBase64"}]})
    }
}

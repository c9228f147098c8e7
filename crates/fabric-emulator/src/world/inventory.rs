//! The inventory: the whole world as data in which a drawn id or a time never shows, and its hash.
//!
//! Two worlds have the same hash when they hold the same things under the same names, whatever ids the server drew and
//! in whatever order they were made. Ids that a seed gave are kept: a seeded item deleted and made again is not the
//! same item. Payloads count byte by byte, drawn ids inside of them included.
//!
//! A deleted workspace counts as long as it holds items, deleted ones included. An empty one does not: Fabric keeps
//! it restorable for its retention period and has no call that purges it, so a tool that has removed every item has
//! done all that can be done.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::git_tree::canonical;
use super::{AppliedTag, Credentials, Definition, Details, Git, Item, Part, Workspace, World};

/// The world by natural keys, and the SHA-256 of that in hexadecimal digits.
pub(crate) fn inventory(world: &World) -> (Value, String) {
    let capacities = world.capacities.iter().map(|capacity| {
        let mut json = json!({
            "displayName": capacity.display_name,
            "sku": capacity.sku,
            "region": capacity.region,
            "state": if capacity.active { "Active" } else { "Inactive" },
        });
        keep_id(&mut json, capacity.id, capacity.given_id);
        json
    });
    // A workspace's identity counts with its workspace: both of its ids were drawn.
    let principals = world.principals.iter().filter(|known| world.workspace_of_identity(known.id).is_none());
    let principals = principals.map(|principal| {
        json!({
            "id": principal.id,
            "type": principal.kind.name(),
            "displayName": principal.display_name,
            "members": sorted(principal.members.iter().map(|id| world.principal_key(*id))),
        })
    });
    let connections = world.connections.iter().map(|connection| {
        let mut json = json!({
            "displayName": connection.display_name,
            "connectivityType": connection.connectivity_type,
            "type": connection.kind,
            "path": connection.path,
            "privacyLevel": connection.privacy_level,
            "credentialType": connection.credentials.kind,
            "roles": sorted(connection.roles.iter().map(|given| {
                json!({"principal": world.principal_key(given.principal), "role": given.role.name()})
            })),
        });
        keep_id(&mut json, connection.id, connection.given_id);
        json
    });
    let remotes = world
        .remotes
        .iter()
        .map(|(key, remote)| json!({"directory": key, "items": canonical(&remote.items)}));
    let holding = world.deleted_workspaces.iter().filter(|workspace| !workspace.is_empty());
    let json = json!({
        "capacities": sorted(capacities),
        "principals": sorted(principals),
        "connections": sorted(connections),
        "domains": world.domains_inventory(),
        "tags": world.tags_inventory(),
        "deploymentPipelines": world.pipelines_inventory(),
        "workspaces": sorted(world.workspaces.iter().map(|workspace| workspace_json(world, workspace))),
        "deletedWorkspaces":
            sorted(holding.map(|workspace| workspace_json(world, workspace))),
        "remotes": sorted(remotes),
        "vaults": world.vaults_inventory(),
    });
    let hash = hex(&Sha256::digest(json.to_string()));
    (json, hash)
}

fn workspace_json(world: &World, workspace: &Workspace) -> Value {
    let items = |items: &[Item]| sorted(items.iter().map(|item| item_json(world, workspace, item)));
    let roles = workspace
        .roles
        .iter()
        .map(|role| json!({"principal": world.principal_key(role.principal), "role": role.role.name()}));
    let folders = workspace.folders.iter().map(|folder| workspace.folder_path(Some(folder.id)).into());
    let capacity =
        workspace.capacity.and_then(|id| world.capacity(id)).map(|capacity| &capacity.display_name);
    let mut json = json!({
        "displayName": workspace.display_name,
        "description": workspace.description,
        "capacity": capacity,
        "roles": sorted(roles),
        "folders": sorted(folders),
        "items": items(&workspace.items),
        "recycleBin": items(&workspace.recycle_bin),
        "git": workspace.git.as_ref().map(|git| git_json(world, git)),
        "domain": workspace.domain.and_then(|id| world.domain(id).ok()).map(|domain| &domain.display_name),
        "tags": tag_names(&workspace.tags),
        "identity": workspace.identity.is_some(),
    });
    if let Some(spark) = workspace.spark.inventory() {
        json["spark"] = spark;
    }
    keep_id(&mut json, workspace.id, workspace.given_id);
    json
}

fn item_json(world: &World, workspace: &Workspace, item: &Item) -> Value {
    let parent =
        workspace.items.iter().chain(&workspace.recycle_bin).find(|other| Some(other.id) == item.parent);
    let mut json = json!({
        "type": item.kind,
        "displayName": item.display_name,
        "description": item.description,
        "folder": workspace.folder_path(item.folder),
        "parent": parent.map(|parent| &parent.display_name),
        "definition": definition_digest(&item.definition),
        "tags": tag_names(&item.tags),
    });
    if let Some(details) = details_json(world, &item.details) {
        json["details"] = details;
    }
    if let Some(contents) = item.contents.inventory(world) {
        json["contents"] = contents;
    }
    keep_id(&mut json, item.id, item.given_id);
    json
}

fn tag_names(tags: &[AppliedTag]) -> Value {
    sorted(tags.iter().map(|tag| json!(tag.display_name)))
}

fn details_json(world: &World, details: &Details) -> Option<Value> {
    Some(match details {
        Details::None => return None,
        Details::Lakehouse { schemas } => json!({"schemas": schemas}),
        Details::Warehouse { collation } => json!({"collation": collation}),
        Details::VariableLibrary { active_value_set } => json!({"activeValueSet": active_value_set}),
        Details::Environment(environment) => {
            let published = environment.published(world.now);
            json!({
                "staged": environment.staged,
                "published": published.compute,
                "libraries": parts_digest(&published.libraries),
            })
        }
    })
}

fn git_json(world: &World, git: &Git) -> Value {
    let credentials = match git.credentials {
        Credentials::None => json!("None"),
        Credentials::Automatic => json!("Automatic"),
        Credentials::Configured(id) => {
            let connection = world.connections.iter().find(|connection| connection.id == id);
            json!({"connection": connection.map(|connection| &connection.display_name)})
        }
    };
    json!({
        "directory": git.provider.key,
        "credentials": credentials,
        "initialized": git.initialized,
        "base": canonical(&git.base),
    })
}

/// A definition by the hash of each part, so that an inventory stays readable.
pub(super) fn definition_digest(definition: &Definition) -> Value {
    json!({"format": definition.format, "parts": parts_digest(&definition.canonical())})
}

fn parts_digest(parts: &[Part]) -> Map<String, Value> {
    let mut parts: Vec<_> = parts.iter().collect();
    parts.sort_by(|one, other| one.path.cmp(&other.path));
    parts.iter().map(|part| (part.path.clone(), hex(&Sha256::digest(&part.content)).into())).collect()
}

pub(super) fn keep_id(json: &mut Value, id: Uuid, given: bool) {
    if given {
        json["id"] = json!(id);
    }
}

/// Order never counts: things are sorted by what they are.
pub(super) fn sorted(values: impl Iterator<Item = Value>) -> Value {
    let mut values: Vec<Value> = values.collect();
    values.sort_by_cached_key(Value::to_string);
    values.into()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a String cannot fail.
        write!(hex, "{byte:02x}").unwrap_or_default();
        hex
    })
}

//! What a shortcut leads to: one of several kinds of storage.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{not_found, refused};
use crate::world::{ApiError, Role, World};

/// A kind of storage.
struct Kind {
    /// The member that describes it.
    key: &'static str,
    /// Its name in answers.
    name: &'static str,
    required: &'static [&'static str],
}

/// `CreatableShortcutTarget` of `platform.json` in Microsoft's OpenAPI documents.
#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind { key: ONE_LAKE, name: "OneLake", required: &["workspaceId", "itemId", "path"] },
    Kind { key: "adlsGen2", name: "AdlsGen2", required: &["location", "subpath", "connectionId"] },
    Kind { key: "amazonS3", name: "AmazonS3", required: &["location", "connectionId"] },
    Kind { key: "azureBlobStorage", name: "AzureBlobStorage", required: &["location", "subpath", "connectionId"] },
    Kind { key: "dataverse", name: "Dataverse", required: &["environmentDomain", "connectionId", "deltaLakeFolder", "tableName"] },
    Kind { key: "googleCloudStorage", name: "GoogleCloudStorage", required: &["location", "subpath", "connectionId"] },
    Kind { key: "oneDriveSharePoint", name: "OneDriveSharePoint", required: &["location", "subpath", "connectionId"] },
    Kind { key: "s3Compatible", name: "S3Compatible", required: &["location", "subpath", "bucket", "connectionId"] },
];

const ONE_LAKE: &str = "oneLake";

#[derive(Clone)]
pub(crate) struct Target {
    kind: &'static Kind,
    properties: Map<String, Value>,
}

impl Target {
    /// Reads a target: exactly one kind with all that it needs. A `type` beside it is passed over.
    pub(super) fn read(mut sent: Map<String, Value>) -> Result<Self, ApiError> {
        let mut given = KINDS.iter().filter(|kind| sent.get(kind.key).is_some_and(|value| !value.is_null()));
        let (Some(kind), None) = (given.next(), given.next()) else {
            return Err(refused("The target must specify exactly one of the supported destinations"));
        };
        let Some(Value::Object(properties)) = sent.remove(kind.key) else {
            return Err(refused(format!("The target {} is no object", kind.key)));
        };
        for field in kind.required {
            if properties.get(*field).and_then(Value::as_str).is_none_or(str::is_empty) {
                return Err(refused(format!("The {field} field of the target is required")));
            }
        }
        let target = Self { kind, properties };
        for field in ["workspaceId", "itemId", "connectionId"] {
            if target.text(field).is_some() && target.id(field).is_none() {
                return Err(refused(format!("The {field} field of the target is not a GUID")));
            }
        }
        Ok(target)
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.properties.get(field)?.as_str()
    }

    fn id(&self, field: &str) -> Option<Uuid> {
        self.text(field)?.parse().ok()
    }

    /// The workspace and the item that it lies in, if it lies in OneLake.
    fn item(&self) -> Option<(Uuid, Uuid)> {
        Some((self.id("workspaceId")?, self.id("itemId")?)).filter(|_| self.kind.key == ONE_LAKE)
    }

    /// The target as answers show it.
    pub(crate) fn json(&self) -> Value {
        json!({"type": self.kind.name, self.kind.key: self.properties})
    }

    /// The target without ids that were drawn; an item that is not there any more is `null`.
    pub(super) fn inventory(&self, world: &World) -> Value {
        let mut properties = self.properties.clone();
        if let Some((workspace, item)) = self.item() {
            let workspace = world.workspaces.iter().find(|known| known.id == workspace);
            let item = workspace.and_then(|workspace| workspace.item(item).ok());
            let item = item.map(|item| json!({"type": item.kind, "displayName": item.display_name}));
            let workspace = workspace.map(|workspace| &workspace.display_name);
            properties.insert("workspaceId".to_owned(), json!(workspace));
            properties.insert("itemId".to_owned(), json!(item));
        }
        if let Some(id) = self.id("connectionId") {
            let connection = world.connections.iter().find(|connection| connection.id == id);
            let connection = connection.map(|connection| &connection.display_name);
            properties.insert("connectionId".to_owned(), json!(connection));
        }
        json!({"type": self.kind.name, self.kind.key: properties})
    }
}

impl World {
    /// Whether the target is there, for this caller. Of OneLake only its items and their top folders are emulated:
    /// what a path leads to below those is taken to be there. That connections are looked up is a guess.
    pub(super) fn check_target(&self, caller: Uuid, target: &Target) -> Result<(), ApiError> {
        if let Some((workspace_id, id)) = target.item() {
            let workspace = self.workspace(caller, workspace_id, Role::Viewer);
            let item = workspace.and_then(|workspace| workspace.item(id)).map_err(|_| {
                not_found("NotFound", format!("Item '{id}' is not found in workspace '{workspace_id}'."))
            })?;
            let path = target.text("path").unwrap_or_default().trim_matches('/');
            let top = path.split('/').next().unwrap_or_default();
            if !top_folders(item.kind).contains(&top) {
                return Err(refused("Target path doesn't exist"));
            }
        }
        match target.id("connectionId") {
            Some(id) if self.connection(caller, id).is_err() => {
                Err(refused(format!("Connection '{id}' is not found")))
            }
            _ => Ok(()),
        }
    }
}

/// The folders that items of a type have in OneLake and that shortcuts can lead to.
fn top_folders(kind: &str) -> &'static [&'static str] {
    match kind {
        "Lakehouse" => &["Files", "Tables"],
        "CosmosDBDatabase"
        | "KQLDatabase"
        | "MirroredAzureDatabricksCatalog"
        | "MirroredDatabase"
        | "MirroredWarehouse"
        | "SQLDatabase"
        | "SemanticModel"
        | "Warehouse" => &["Tables"],
        _ => &[],
    }
}

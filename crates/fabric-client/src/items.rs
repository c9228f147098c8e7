//! Items of a workspace, of any type, and their definitions.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/items>.

use crate::folders::Move;
use crate::{Call, FolderId, ItemId, Lro, Paged, WorkspaceId, open_enum::open_enum, workspaces};
use selvedge_resilience::Effect;
use serde::{Deserialize, Serialize};
use serde_json::Value;

open_enum! {
    /// The type of an item.
    ItemType {
        /// A data pipeline.
        DATA_PIPELINE = "DataPipeline",
        /// A Spark environment.
        ENVIRONMENT = "Environment",
        /// An eventhouse.
        EVENTHOUSE = "Eventhouse",
        /// A lakehouse.
        LAKEHOUSE = "Lakehouse",
        /// A notebook.
        NOTEBOOK = "Notebook",
        /// A report.
        REPORT = "Report",
        /// A semantic model.
        SEMANTIC_MODEL = "SemanticModel",
        /// A Spark job definition.
        SPARK_JOB_DEFINITION = "SparkJobDefinition",
        /// The SQL endpoint that the service makes beside each lakehouse.
        SQL_ENDPOINT = "SQLEndpoint",
        /// A variable library.
        VARIABLE_LIBRARY = "VariableLibrary",
        /// A warehouse.
        WAREHOUSE = "Warehouse",
    }
}

/// An item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// Its id.
    pub id: ItemId,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ItemType,
    /// Its name, unique among the items of its type in the workspace.
    pub display_name: String,
    /// Its description; absent or empty where there is none.
    pub description: Option<String>,
    /// The workspace it is in.
    pub workspace_id: Option<WorkspaceId>,
    /// The folder it is in; absent at the top.
    pub folder_id: Option<FolderId>,
}

/// An item to be created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct New {
    /// Its name.
    pub display_name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ItemType,
    /// Its description, at most 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The folder to put it in; `None` for the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder_id: Option<FolderId>,
    /// Its content. Not together with [`creation_payload`](Self::creation_payload).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub definition: Option<Definition>,
    /// Settings that only some types know, such as `enableSchemas` of a lakehouse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub creation_payload: Option<Value>,
}

/// What to change about an item; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Update {
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The new description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The content of an item: a few files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// The format, where the type has several (`ipynb`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// The files.
    pub parts: Vec<Part>,
}

/// One file of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    /// Its path, as the sender of the definition wrote it. Not to be trusted as a path of this machine.
    pub path: String,
    /// Its content in base64.
    pub payload: String,
    /// The encoding of the payload: always `InlineBase64`.
    pub payload_type: String,
}

#[derive(Serialize)]
struct Envelope<'a> {
    definition: &'a Definition,
}

impl New {
    /// An item of this type and name, and nothing else.
    pub fn named(kind: ItemType, display_name: impl Into<String>) -> Self {
        Self {
            display_name: display_name.into(),
            kind,
            description: None,
            folder_id: None,
            definition: None,
            creation_payload: None,
        }
    }
}

impl Update {
    /// Another name, and nothing else.
    pub fn named(display_name: impl Into<String>) -> Self {
        Self { display_name: Some(display_name.into()), ..Self::default() }
    }

    /// Another description, and nothing else.
    pub fn described(description: impl Into<String>) -> Self {
        Self { description: Some(description.into()), ..Self::default() }
    }
}

impl Part {
    /// A file whose content is already in base64.
    pub fn base64(path: impl Into<String>, payload: impl Into<String>) -> Self {
        Self { path: path.into(), payload: payload.into(), payload_type: "InlineBase64".into() }
    }
}

/// All items of a workspace, in folders too. Add `.query("type", ..)` for one type.
#[must_use]
pub fn list(workspace: WorkspaceId) -> Paged<Item> {
    Paged::value("items.list", path(workspace))
}

/// Creates an item.
#[must_use]
pub fn create(workspace: WorkspaceId, item: &New) -> Lro<Item> {
    Lro::new(Call::post("items.create", path(workspace)).json(item))
}

/// Reads an item, without its content.
#[must_use]
pub fn get(workspace: WorkspaceId, item: ItemId) -> Call<Item> {
    Call::get("items.get", of(workspace, item))
}

/// Changes name or description.
#[must_use]
pub fn update(workspace: WorkspaceId, item: ItemId, update: &Update) -> Call<Item> {
    Call::patch("items.update", of(workspace, item)).json(update)
}

/// Deletes an item: into the recycle bin, where the tenant has one for its type, or past it when `hard` (which needs
/// an admin of the workspace).
#[must_use]
pub fn delete(workspace: WorkspaceId, item: ItemId, hard: bool) -> Call<()> {
    let call = Call::delete("items.delete", of(workspace, item));
    if hard { call.query("hardDelete", "true") } else { call }
}

/// Moves an item, with those that come along with it, into the folder `target`; `None` for the top. Gives back all that were moved.
#[must_use]
pub fn move_to(workspace: WorkspaceId, item: ItemId, target: Option<FolderId>) -> Call<Vec<Item>> {
    let path = format!("{}/move", of(workspace, item));
    Call::post("items.move", path).json(&Move { target_folder_id: target }).member("value")
}

/// Reads an item's content, in `format` where the type has several. A POST that changes nothing, though it needs the
/// right to write.
#[must_use]
pub fn get_definition(workspace: WorkspaceId, item: ItemId, format: Option<&str>) -> Lro<Definition> {
    let path = format!("{}/getDefinition", of(workspace, item));
    let call = Call::post("items.getDefinition", path).with_effect(Effect::Read).member("definition");
    Lro::new(match format {
        Some(format) => call.query("format", format),
        None => call,
    })
}

/// Replaces an item's content; with `update_metadata` also name and description, by the part `.platform`.
#[must_use]
pub fn update_definition(
    workspace: WorkspaceId,
    item: ItemId,
    definition: &Definition,
    update_metadata: bool,
) -> Lro<()> {
    let path = format!("{}/updateDefinition", of(workspace, item));
    let call = Call::post("items.updateDefinition", path)
        .with_effect(Effect::Idempotent)
        .json(&Envelope { definition })
        .without_result();
    Lro::new(if update_metadata { call.query("updateMetadata", "true") } else { call })
}

fn path(workspace: WorkspaceId) -> String {
    format!("{}/items", workspaces::path(workspace))
}

fn of(workspace: WorkspaceId, item: ItemId) -> String {
    format!("{}/{item}", path(workspace))
}

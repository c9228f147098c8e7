//! Item definitions: parts in base64, what the service accepts, and how it stores and returns them.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ApiError, Item, notebook, same_name, stored};

const SOURCE: &str = "notebook-content.py";
const IPYNB: &str = "notebook-content.ipynb";
pub(super) const PLATFORM: &str = ".platform";

/// Two are the same when they mean the same: a notebook is one notebook in either of its formats.
#[derive(Clone, Debug, Default, Eq, Serialize, Deserialize)]
pub(crate) struct Definition {
    pub(crate) format: Option<String>,
    /// In the order they were sent, without `.platform`: that one is made when it is asked for.
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) path: String,
    #[serde(with = "stored::base64")]
    pub(crate) content: Vec<u8>,
}

/// A definition as a request carries it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct DefinitionInput {
    format: Option<String>,
    parts: Option<Vec<PartInput>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartInput {
    path: Option<String>,
    payload: Option<String>,
    payload_type: Option<String>,
}

/// What `.platform` says about an item.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Platform {
    pub(crate) metadata: Metadata,
    #[serde(default)]
    config: PlatformConfig,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Metadata {
    pub(crate) r#type: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PlatformConfig {
    logical_id: Option<Uuid>,
}

impl Platform {
    /// Whether it can be of an item of that type.
    pub(super) fn check_type(&self, kind: &str) -> Result<(), ApiError> {
        match &self.metadata.r#type {
            Some(other) if !same_name(other, kind) => Err(invalid_platform()
                .because("InvalidPlatformFile", format!("The item is no {other} but a {kind}"))),
            _ => Ok(()),
        }
    }

    /// Zeros stand for none.
    pub(crate) fn logical_id(&self) -> Option<Uuid> {
        self.config.logical_id.filter(|id| !id.is_nil())
    }
}

impl DefinitionInput {
    /// Checks a definition for a type and brings it into the form in which it is stored.
    pub(crate) fn read(self, kind: &str) -> Result<(Definition, Option<Platform>), ApiError> {
        if !super::has_definition(kind) {
            return Err(not_supported());
        }
        check_format(kind, self.format.as_deref())?;
        let parts = self.parts.ok_or_else(missing_parts)?;
        let parts = parts.into_iter().map(PartInput::read).collect::<Result<Vec<_>, _>>()?;
        Definition::stored(kind, self.format, parts)
    }
}

impl Definition {
    /// The parts as they are stored, and what the `.platform` among them says.
    pub(super) fn stored(
        kind: &str,
        format: Option<String>,
        sent: Vec<Part>,
    ) -> Result<(Self, Option<Platform>), ApiError> {
        let (mut parts, mut platform) = (Vec::<Part>::new(), None);
        for Part { path, content } in sent {
            check_path(&path)?;
            if path == PLATFORM {
                platform = Some(read_platform(&content)?);
            } else if parts.iter().any(|known| known.path == path) {
                return Err(invalid_parts(&format!("The part `{path}` is there twice")));
            } else {
                parts.push(Part { content: normalised(kind, &path, content), path });
            }
        }
        if kind == "Environment" {
            Self::spark_compute(&parts)?;
        }
        // The parts of a notebook say which format they are in.
        let format = format.filter(|_| kind != "Notebook");
        match parts.is_empty() {
            true => Err(missing_parts()),
            false => Ok((Self { format, parts }, platform)),
        }
    }

    /// The parts, those of a notebook in the format that leaves nothing out.
    pub(super) fn canonical(&self) -> Cow<'_, [Part]> {
        if self.parts.iter().all(|part| part.path != SOURCE) {
            return Cow::Borrowed(&self.parts);
        }
        self.parts.iter().map(|part| part.as_ipynb().unwrap_or_else(|| part.clone())).collect()
    }
}

impl PartialEq for Definition {
    fn eq(&self, other: &Self) -> bool {
        self.format == other.format && self.canonical() == other.canonical()
    }
}

impl Part {
    /// A notebook's source as Jupyter has it.
    fn as_ipynb(&self) -> Option<Self> {
        let source = String::from_utf8_lossy(&self.content);
        let notebook = || notebook::to_ipynb(&source).into_bytes();
        (self.path == SOURCE).then(|| Self { path: IPYNB.to_owned(), content: notebook() })
    }

    /// A Jupyter notebook as source; `None` also for what was never a notebook.
    fn as_source(&self) -> Option<Self> {
        let source = (self.path == IPYNB).then(|| notebook::to_source(&self.content)).flatten()?;
        Some(Self { path: SOURCE.to_owned(), content: source.into_bytes() })
    }
}

/// A part lies below its item, wherever its definition is written down.
fn check_path(path: &str) -> Result<(), ApiError> {
    match path.split(['/', '\\']).any(|segment| matches!(segment, "" | "." | "..")) {
        true => Err(invalid_parts(&format!("The path `{path}` does not lead to a file below the item"))),
        false => Ok(()),
    }
}

fn missing_parts() -> ApiError {
    ApiError::new(400, "MissingDefinitionParts", "The definition parts are missing")
}

/// Notebooks have formats that are known; of the others whatever is said is taken and given back.
pub(crate) fn check_format(kind: &str, format: Option<&str>) -> Result<(), ApiError> {
    match (kind, format) {
        ("Notebook", Some(format))
            if !["ipynb", "fabricGitSource"].iter().any(|known| same_name(known, format)) =>
        {
            Err(ApiError::new(400, "InvalidDefinitionFormat", "The definition format is invalid"))
        }
        _ => Ok(()),
    }
}

impl PartInput {
    pub(super) fn read(self) -> Result<Part, ApiError> {
        let path =
            self.path.filter(|path| !path.is_empty()).ok_or_else(|| invalid_parts("A part has no path"))?;
        match self.payload_type.as_deref() {
            Some("InlineBase64") => {}
            _ => {
                return Err(ApiError::new(
                    400,
                    "UnsupportedPayloadType",
                    "The payload type is not supported",
                ));
            }
        }
        let payload = self.payload.unwrap_or_default();
        let content = STANDARD.decode(payload).map_err(|_| {
            ApiError::new(400, "CorruptedPayload", format!("The payload of the part `{path}` is corrupted"))
        })?;
        Ok(Part { path, content })
    }
}

fn invalid_parts(why: &str) -> ApiError {
    ApiError::new(400, "InvalidDefinitionParts", "The definition parts are invalid")
        .because("InvalidDefinitionParts", why)
}

pub(super) fn not_supported() -> ApiError {
    ApiError::new(400, "OperationNotSupportedForItem", "Operation not supported for requested item")
}

pub(super) fn read_platform(content: &[u8]) -> Result<Platform, ApiError> {
    serde_json::from_slice(content).map_err(|_| invalid_platform())
}

fn invalid_platform() -> ApiError {
    ApiError::new(400, "InvalidPlatformFile", "The platform file is invalid")
}

/// The service re-writes the JSON of some types: two spaces, CRLF; an empty default lakehouse becomes `null`.
fn normalised(kind: &str, path: &str, content: Vec<u8>) -> Vec<u8> {
    if !matches!(kind, "MirroredDatabase" | "SparkJobDefinition" | "DataPipeline") || !path.ends_with(".json")
    {
        return content;
    }
    let Ok(mut json) = serde_json::from_slice::<Value>(&content) else { return content };
    if let Some(lakehouse) = json.get_mut("defaultLakehouseArtifactId")
        && lakehouse == ""
    {
        *lakehouse = Value::Null;
    }
    format!("{json:#}").replace('\n', "\r\n").into_bytes()
}

/// What an item has that was created without a definition. Types not named here have no part but `.platform`.
pub(super) fn default_definition(kind: &str) -> Definition {
    let (path, content): (&str, &str) = match kind {
        "Notebook" => ("notebook-content.py", "# Fabric notebook source\n\n# CELL ********************\n\n"),
        "DataPipeline" => {
            ("pipeline-content.json", "{\r\n  \"properties\": {\r\n    \"activities\": []\r\n  }\r\n}")
        }
        "Lakehouse" => ("lakehouse.metadata.json", "{}"),
        _ => return Definition::default(),
    };
    Definition { format: None, parts: vec![Part { path: path.to_owned(), content: content.into() }] }
}

impl Item {
    /// The definition as `getDefinition` answers it, `.platform` last. `git` says whether the workspace is connected
    /// to git: only then the logical id is more than zeros.
    pub(crate) fn definition_json(&self, format: Option<&str>, git: bool) -> Value {
        let (format, parts) = self.in_format(format);
        let mut parts: Vec<Value> = parts.iter().map(|part| part_json(&part.path, &part.content)).collect();
        let logical_id = if git { self.logical_id } else { Uuid::nil() };
        parts.push(part_json(PLATFORM, self.platform(logical_id).as_bytes()));
        let mut definition = json!({"definition": {}});
        if let Some(format) = format {
            definition["definition"]["format"] = format.into();
        }
        definition["definition"]["parts"] = parts.into();
        definition
    }

    /// The parts in the format that was asked for: a notebook has two, and is source unless something else is said.
    fn in_format(&self, format: Option<&str>) -> (Option<String>, Vec<Part>) {
        let Definition { format: stored, parts } = &self.definition;
        if self.kind != "Notebook" {
            return (stored.clone(), parts.clone());
        }
        let ipynb = format.is_some_and(|format| same_name(format, "ipynb"));
        let convert = if ipynb { Part::as_ipynb } else { Part::as_source };
        let parts = parts.iter().map(|part| convert(part).unwrap_or_else(|| part.clone()));
        (ipynb.then(|| "ipynb".to_owned()), parts.collect())
    }

    pub(super) fn platform(&self, logical_id: Uuid) -> String {
        let platform = json!({
            "$schema": "https://developer.microsoft.com/json-schemas/fabric/gitIntegration/platformProperties/2.0.0/schema.json",
            "metadata": {"type": self.kind, "displayName": self.display_name, "description": self.description},
            "config": {"version": "2.0", "logicalId": logical_id},
        });
        format!("{platform:#}")
    }
}

pub(super) fn part_json(path: &str, content: &[u8]) -> Value {
    json!({"path": path, "payload": STANDARD.encode(content), "payloadType": "InlineBase64"})
}

//! Item definitions: parts in base64, what the service accepts, and how it stores and returns them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{ApiError, Item};

const PLATFORM: &str = ".platform";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Definition {
    pub(crate) format: Option<String>,
    /// In the order they were sent, without `.platform`: that one is made when it is asked for.
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) path: String,
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
struct PartInput {
    path: Option<String>,
    payload: Option<String>,
    payload_type: Option<String>,
}

/// What `.platform` says about an item.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Metadata {
    pub(crate) display_name: Option<String>,
    pub(crate) description: Option<String>,
}

impl DefinitionInput {
    /// Checks a definition for a type and brings it into the form in which it is stored.
    pub(crate) fn read(self, kind: &str) -> Result<(Definition, Option<Metadata>), ApiError> {
        if !super::has_definition(kind) {
            return Err(not_supported());
        }
        let missing = || ApiError::new(400, "MissingDefinitionParts", "The definition parts are missing");
        let (mut parts, mut metadata) = (Vec::<Part>::new(), None);
        for part in self.parts.ok_or_else(missing)? {
            let Part { path, content } = part.read()?;
            if path == PLATFORM {
                metadata = Some(read_platform(&content)?);
            } else if parts.iter().any(|known| known.path == path) {
                return Err(invalid_parts(&format!("The part `{path}` is there twice")));
            } else {
                parts.push(Part { content: normalised(kind, &path, content), path });
            }
        }
        if parts.is_empty() {
            return Err(missing());
        }
        Ok((Definition { format: self.format, parts }, metadata))
    }
}

impl PartInput {
    fn read(self) -> Result<Part, ApiError> {
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

fn read_platform(content: &[u8]) -> Result<Metadata, ApiError> {
    let invalid = || ApiError::new(400, "InvalidPlatformFile", "The platform file is invalid");
    let platform: Value = serde_json::from_slice(content).map_err(|_| invalid())?;
    let metadata = platform.get("metadata").ok_or_else(invalid)?;
    Metadata::deserialize(metadata).map_err(|_| invalid())
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
    ///
    /// A notebook asked for in the format `ipynb` that is stored as source comes back with the whole source in one
    /// cell; every other format is answered with what was stored.
    pub(crate) fn definition_json(&self, format: Option<&str>, git: bool) -> Value {
        let mut parts = Vec::new();
        let mut answered = self.definition.format.clone();
        for part in &self.definition.parts {
            let as_ipynb =
                self.kind == "Notebook" && format.is_some_and(|format| format.eq_ignore_ascii_case("ipynb"));
            if as_ipynb && !part.path.ends_with(".ipynb") && part.path.starts_with("notebook-content.") {
                answered = Some("ipynb".to_owned());
                parts.push(part_json("notebook-content.ipynb", one_cell_notebook(&part.content).as_bytes()));
            } else {
                parts.push(part_json(&part.path, &part.content));
            }
        }
        parts.push(part_json(PLATFORM, self.platform(git).as_bytes()));
        let mut definition = json!({"definition": {}});
        if let Some(format) = answered {
            definition["definition"]["format"] = format.into();
        }
        definition["definition"]["parts"] = parts.into();
        definition
    }

    fn platform(&self, git: bool) -> String {
        let logical_id = if git { self.logical_id } else { uuid::Uuid::nil() };
        let platform = json!({
            "$schema": "https://developer.microsoft.com/json-schemas/fabric/gitIntegration/platformProperties/2.0.0/schema.json",
            "metadata": {"type": self.kind, "displayName": self.display_name, "description": self.description},
            "config": {"version": "2.0", "logicalId": logical_id},
        });
        format!("{platform:#}")
    }
}

fn part_json(path: &str, content: &[u8]) -> Value {
    json!({"path": path, "payload": STANDARD.encode(content), "payloadType": "InlineBase64"})
}

fn one_cell_notebook(source: &[u8]) -> String {
    let source = String::from_utf8_lossy(source);
    let lines: Vec<&str> = source.split_inclusive('\n').collect();
    let notebook = json!({
        "cells": [{"cell_type": "code", "execution_count": null, "metadata": {}, "outputs": [], "source": lines}],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    });
    format!("{notebook:#}")
}

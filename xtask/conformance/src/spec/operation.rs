//! One operation, as its document describes it.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde_json::{Value, json};

use super::bundle::Bundle;
use super::route::Template;
use super::schemas::{SchemaId, Schemas};

/// One operation of one path.
pub(crate) struct Operation {
    pub(crate) method: String,
    /// The path with its base, without its query: `/v1/workspaces/{workspaceId}/items`.
    pub(crate) path: String,
    pub(crate) template: Template,
    /// The query that stands in the path's key (`?beta=true`), by which operations of one path are told apart.
    pub(crate) selector: Vec<(String, String)>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) body: Option<Body>,
    /// Takes files, not JSON.
    pub(crate) takes_files: bool,
    pub(crate) responses: BTreeMap<u16, Response>,
    /// The answer to what fails.
    pub(crate) failure: Option<Response>,
    /// The error codes that the text of the answer to what fails lists.
    pub(crate) error_codes: BTreeSet<String>,
    /// May answer 202, with an operation to poll.
    pub(crate) long_running: bool,
}

/// A parameter in the path or the query.
pub(crate) struct Parameter {
    pub(crate) name: String,
    pub(crate) in_path: bool,
    pub(crate) required: bool,
    pub(crate) typed: Typed,
}

/// A value that travels as text.
pub(crate) struct Typed {
    pub(crate) kind: TextKind,
    pub(crate) schema: SchemaId,
}

/// How the text of a value is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    Text,
    Number,
    Boolean,
    /// Values with commas between them.
    List,
}

pub(crate) struct Body {
    pub(crate) schema: SchemaId,
    pub(crate) required: bool,
}

pub(crate) struct Response {
    /// `None` for an answer without a body.
    pub(crate) schema: Option<SchemaId>,
    /// Whether the body may be anything: `type: file` says so, or the media type.
    pub(crate) file: bool,
    pub(crate) headers: Vec<(String, Typed)>,
}

impl Operation {
    /// Method, path and selecting query: what reports and the overlay call it.
    pub(crate) fn name(&self) -> String {
        let query: Vec<String> =
            self.selector.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{}", self.method, self.path, query.join("&"))
    }

    /// Reads the operation of `method` at the path key `key` of the document `file`.
    ///
    /// # Errors
    /// When it refers to what is not there.
    pub(super) fn read<'a>(
        bundle: &Bundle<'a>,
        schemas: &mut Schemas,
        (file, base, key, method): (&'a str, &str, &'a str, &str),
        described: &'a Value,
    ) -> anyhow::Result<Self> {
        let (path, query) = key.split_once('?').unwrap_or((key, ""));
        let path = format!("{base}{path}");
        let selector = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut operation = Self {
            method: method.to_uppercase(),
            template: Template::new(&path),
            path,
            selector: selector.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            parameters: Vec::new(),
            body: None,
            takes_files: is_for_files(&described["consumes"]),
            responses: BTreeMap::new(),
            failure: None,
            error_codes: BTreeSet::new(),
            long_running: described["x-ms-fabric-sdk-long-running-operation"] == true,
        };
        for parameter in described["parameters"].as_array().into_iter().flatten() {
            operation.add_parameter(bundle, schemas, file, parameter)?;
        }
        let responses = described["responses"].as_object();
        for (status, response) in responses.into_iter().flatten() {
            let mut read = Response::read(bundle, schemas, file, response)?;
            if status == "default" {
                let text = response["description"].as_str().unwrap_or_default();
                operation.error_codes = listed_codes(text).map(str::to_owned).collect();
                operation.failure = Some(read);
            } else {
                read.file |= status == "200" && is_for_files(&described["produces"]);
                let status = status.parse().with_context(|| format!("{key}: `{status}` is no status"))?;
                operation.responses.insert(status, read);
            }
        }
        Ok(operation)
    }

    fn add_parameter<'a>(
        &mut self,
        bundle: &Bundle<'a>,
        schemas: &mut Schemas,
        file: &'a str,
        parameter: &'a Value,
    ) -> anyhow::Result<()> {
        let required = parameter["required"] == true;
        match parameter["in"].as_str() {
            Some("body") => {
                let schema = schemas.intern(bundle.rewritten(file, &parameter["schema"])?);
                self.body = Some(Body { schema, required });
            }
            Some(place @ ("path" | "query")) => self.parameters.push(Parameter {
                name: parameter["name"].as_str().unwrap_or_default().to_owned(),
                in_path: place == "path",
                required,
                typed: Typed::read(bundle, schemas, file, parameter)?,
            }),
            // Headers of requests are not in the logs that are checked.
            _ => {}
        }
        Ok(())
    }

    /// The answer that is documented for `status`; what fails need not be listed by its status.
    pub(crate) fn response(&self, status: u16) -> Option<&Response> {
        let failure = self.failure.as_ref().filter(|_| status >= 400);
        self.responses.get(&status).or(failure)
    }

    /// The documented answer to what succeeds at once.
    pub(crate) fn at_once(&self) -> Option<&Response> {
        self.responses.get(&201).or(self.responses.get(&200))
    }
}

impl Response {
    fn read<'a>(
        bundle: &Bundle<'a>,
        schemas: &mut Schemas,
        file: &'a str,
        response: &'a Value,
    ) -> anyhow::Result<Self> {
        let schema = response.get("schema");
        let headers = response["headers"].as_object().into_iter().flatten();
        Ok(Self {
            file: schema.is_some_and(|schema| schema["type"] == "file"),
            headers: headers
                .map(|(name, header)| Ok((name.clone(), Typed::read(bundle, schemas, file, header)?)))
                .collect::<anyhow::Result<_>>()?,
            schema: match schema {
                Some(schema) => Some(schemas.intern(bundle.rewritten(file, schema)?)),
                None => None,
            },
        })
    }
}

impl Typed {
    fn read<'a>(
        bundle: &Bundle<'a>,
        schemas: &mut Schemas,
        file: &'a str,
        described: &'a Value,
    ) -> anyhow::Result<Self> {
        let kind = match described["type"].as_str() {
            Some("integer" | "number") => TextKind::Number,
            Some("boolean") => TextKind::Boolean,
            Some("array") => TextKind::List,
            _ => TextKind::Text,
        };
        let mut schema = bundle.rewritten(file, described)?;
        if let Some(schema) = schema.as_object_mut() {
            // Says whether the parameter must be there, not which properties it has.
            schema.remove("required");
        }
        Ok(Self { kind, schema: schemas.intern(schema) })
    }

    /// The value that `text` stands for; one that cannot be read stays text, which its schema then refuses.
    pub(crate) fn value(&self, text: &str) -> Value {
        let read = match self.kind {
            TextKind::Text => None,
            TextKind::Number | TextKind::Boolean => serde_json::from_str(text).ok(),
            TextKind::List => Some(json!(text.split(',').collect::<Vec<_>>())),
        };
        read.unwrap_or_else(|| text.into())
    }
}

/// Whether the media types of bodies do not include JSON.
fn is_for_files(types: &Value) -> bool {
    let types = types.as_array().map(Vec::as_slice).unwrap_or_default();
    !types.is_empty() && types.iter().all(|it| it != "application/json")
}

/// The codes in a list such as `* FolderNotFound - Could not find the requested folder.`
fn listed_codes(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let entry = line.trim_start_matches(['.', ' ']).strip_prefix('*')?.trim_start();
        let end = entry.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(entry.len());
        Some(&entry[..end]).filter(|code| !code.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_from_the_text() {
        let text = "Common error codes:\n\n* ItemNotFound - Not there.\n\n.* TooManyFolders - Too many.\n\n * Alm_X\nNo * B";
        assert_eq!(listed_codes(text).collect::<Vec<_>>(), ["ItemNotFound", "TooManyFolders", "Alm_X"]);
    }
}

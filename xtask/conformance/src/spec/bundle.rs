//! Every definition of every file in one JSON Schema document, with what Swagger says beside JSON Schema turned into it.
//!
//! Swagger 2.0 tells the kinds of an object by a `discriminator`: each kind is a definition that repeats the base by
//! `allOf` and names its value in `x-ms-discriminator-value`. JSON Schema knows nothing of it and would check the base
//! alone. So a base becomes two definitions: the plain one, which its kinds extend, and one under [`KINDS`] that all
//! others refer to, which is the plain one and, for each value, `if` this value `then` that kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::documents::Documents;

/// The document's address in references.
pub(crate) const BUNDLE: &str = "urn:fabric";
/// The end of the name of a definition that tells its kinds apart.
const KINDS: &str = "!";
/// In such a definition: the property that tells, and the definition of each of its values.
pub(crate) const DISCRIMINATOR: &str = "x-discriminator";

/// What counts of a schema; the rest is documentation or means something in Swagger only.
const KEYWORDS: &[&str] = &[
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "pattern",
    "required",
    "type",
    "uniqueItems",
];

/// One definition: its file and name.
type Name<'a> = (&'a str, &'a str);

/// Rewrites schemas so that their references lead into the bundle.
pub(super) struct Bundle<'a> {
    documents: &'a Documents,
    /// Each base with a discriminator, and its kinds by their values.
    kinds: BTreeMap<Name<'a>, BTreeMap<&'a str, Name<'a>>>,
}

impl<'a> Bundle<'a> {
    /// # Errors
    /// When a definition refers to what is not there.
    pub(super) fn new(documents: &'a Documents) -> anyhow::Result<Self> {
        let mut kinds = BTreeMap::new();
        for (name, schema) in definitions(documents) {
            if schema.get("discriminator").is_some() {
                kinds.insert(name, BTreeMap::new());
            }
        }
        for (name, schema) in definitions(documents) {
            if let Some(value) = schema["x-ms-discriminator-value"].as_str() {
                for base in bases(documents, name, schema)? {
                    if let Some(kinds) = kinds.get_mut(&base) {
                        kinds.insert(value, name);
                    }
                }
            }
        }
        Ok(Self { documents, kinds })
    }

    /// The document of all definitions.
    ///
    /// # Errors
    /// When one refers to what is not there.
    pub(super) fn document(&self) -> anyhow::Result<Value> {
        let mut all = Map::new();
        for (name, schema) in definitions(self.documents) {
            all.insert(key(name), self.schema(name.0, schema, Position::Extended)?);
            if let Some(kinds) = self.kinds.get(&name) {
                all.insert(format!("{}{KINDS}", key(name)), with_kinds(name, schema, kinds));
            }
        }
        Ok(json!({"definitions": all}))
    }

    /// `schema`, which stands in the file `from`, as JSON Schema.
    ///
    /// # Errors
    /// When it refers to what is not there.
    pub(super) fn rewritten(&self, from: &'a str, schema: &'a Value) -> anyhow::Result<Value> {
        self.schema(from, schema, Position::Used)
    }

    fn schema(&self, from: &'a str, schema: &'a Value, position: Position) -> anyhow::Result<Value> {
        if let Some(reference) = schema["$ref"].as_str() {
            // Whatever stands beside a reference does not count.
            let name = self.documents.resolve(from, reference)?;
            let kinds = position == Position::Used && self.kinds.contains_key(&name);
            return Ok(refer(name, if kinds { KINDS } else { "" }));
        }
        let mut rewritten = Map::new();
        for (keyword, value) in schema.as_object().into_iter().flatten() {
            let value = match keyword.as_str() {
                "properties" => self.properties(from, value)?,
                "items" | "additionalProperties" if value.is_object() => {
                    self.schema(from, value, Position::Used)?
                }
                "allOf" => {
                    let parts = value.as_array().into_iter().flatten();
                    parts.map(|part| self.schema(from, part, position)).collect::<anyhow::Result<_>>()?
                }
                // A body of any form.
                "type" if value == "file" => continue,
                "additionalProperties" => value.clone(),
                known if KEYWORDS.contains(&known) => value.clone(),
                _ => continue,
            };
            rewritten.insert(keyword.clone(), value);
        }
        Ok(rewritten.into())
    }

    fn properties(&self, from: &'a str, properties: &'a Value) -> anyhow::Result<Value> {
        let properties = properties.as_object().into_iter().flatten();
        let rewritten = properties
            .map(|(name, schema)| Ok((name.clone(), self.schema(from, schema, Position::Used)?)))
            .collect::<anyhow::Result<Map<_, _>>>()?;
        Ok(rewritten.into())
    }
}

/// Where a reference stands: what is extended is one part of an object, what is used is all of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Position {
    Extended,
    Used,
}

fn definitions(documents: &Documents) -> impl Iterator<Item = (Name<'_>, &Value)> {
    documents.iter().flat_map(|(path, document)| {
        let definitions = document["definitions"].as_object().into_iter().flatten();
        definitions.map(move |(name, schema)| ((path, name.as_str()), schema))
    })
}

/// All definitions that one extends, directly or not.
fn bases<'a>(
    documents: &'a Documents,
    name: Name<'a>,
    schema: &'a Value,
) -> anyhow::Result<BTreeSet<Name<'a>>> {
    let mut found = BTreeSet::new();
    let mut open = vec![(name.0, schema)];
    while let Some((from, schema)) = open.pop() {
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let Some(reference) = part["$ref"].as_str() else { continue };
            let base = documents.resolve(from, reference)?;
            if found.insert(base) {
                open.extend(
                    definitions(documents).find(|(name, _)| *name == base).map(|(_, it)| (base.0, it)),
                );
            }
        }
    }
    Ok(found)
}

fn with_kinds(name: Name<'_>, schema: &Value, kinds: &BTreeMap<&str, Name<'_>>) -> Value {
    let property = schema["discriminator"].as_str().unwrap_or_default();
    let mut parts = vec![refer(name, "")];
    let own = &schema["properties"][property];
    if own.get("enum").or(own.get("$ref")).is_none() {
        // Nothing else says which values there are.
        parts.push(json!({"properties": {property: {"enum": kinds.keys().collect::<Vec<_>>()}}}));
    }
    parts.extend(kinds.iter().map(|(value, kind)| {
        let tells = json!({"required": [property], "properties": {property: {"enum": [value]}}});
        json!({"if": tells, "then": refer(*kind, "")})
    }));
    let by_value: Map<String, Value> =
        kinds.iter().map(|(value, kind)| ((*value).to_owned(), refer(*kind, ""))).collect();
    json!({"allOf": parts, DISCRIMINATOR: {"property": property, "kinds": by_value}})
}

fn refer(name: Name<'_>, suffix: &str) -> Value {
    json!({"$ref": format!("{BUNDLE}#/definitions/{}{suffix}", key(name))})
}

/// The definition's name in the bundle: a JSON pointer could not tell a `/` of the path from its own.
fn key((path, name): Name<'_>) -> String {
    format!("{}:{name}", path.replace('/', ":"))
}

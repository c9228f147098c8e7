//! Schemas of bodies, headers and parameters: compiled when they are first needed, and kept.

use std::sync::OnceLock;

use anyhow::Context;
use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, Registry, ValidationError, Validator};
use serde_json::Value;

use super::bundle::BUNDLE;
use super::names;
use crate::check::{Finding, Kind};

/// All schemas of the operations, and the definitions that they refer to.
pub(crate) struct Schemas {
    bundle: Value,
    registry: Registry<'static>,
    used: Vec<Used>,
}

/// A schema of [`Schemas`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SchemaId(usize);

struct Used {
    schema: Value,
    validator: OnceLock<Validator>,
}

impl Schemas {
    /// # Errors
    /// When `bundle` is no document of schemas.
    pub(super) fn new(bundle: Value) -> anyhow::Result<Self> {
        let resource = Draft::Draft7.create_resource(bundle.clone());
        let registry = Registry::new().add(BUNDLE, resource).and_then(|it| it.prepare());
        let registry = registry.context("prepare the definitions")?;
        Ok(Self { bundle, registry, used: Vec::new() })
    }

    /// Keeps a schema that the bundle has rewritten; the same one is kept once.
    pub(super) fn intern(&mut self, schema: Value) -> SchemaId {
        let known = self.used.iter().position(|used| used.schema == schema);
        SchemaId(known.unwrap_or_else(|| {
            self.used.push(Used { schema, validator: OnceLock::new() });
            self.used.len() - 1
        }))
    }

    /// What is wrong with `instance`: what JSON Schema says, and the properties that no schema of their object names.
    ///
    /// # Errors
    /// When the schema itself is wrong.
    pub(crate) fn check(&self, id: SchemaId, instance: &Value) -> anyhow::Result<Vec<Finding>> {
        let Used { schema, validator } = &self.used[id.0];
        let validator = match validator.get() {
            Some(validator) => validator,
            None => {
                let built = jsonschema::options()
                    .with_draft(Draft::Draft7)
                    .with_registry(&self.registry)
                    .should_validate_formats(true)
                    .with_format("uuid", |text: &str| is_uuid(text))
                    .build(schema);
                let built = built.map_err(|error| anyhow::anyhow!("compile {schema}: {error}"))?;
                validator.get_or_init(|| built)
            }
        };
        let mut found: Vec<Finding> = validator.iter_errors(instance).map(|error| finding(&error)).collect();
        found.extend(names::unknown(&self.bundle, schema, instance));
        found.sort();
        // A `null` breaks type and enumeration alike, and a base is checked once for each part that extends it.
        found.dedup_by(|a, b| (&a.at, a.kind) == (&b.at, b.kind));
        Ok(found)
    }
}

/// The form with hyphens, which is the service's; `Uuid` alone reads others too.
fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

fn finding(error: &ValidationError<'_>) -> Finding {
    let (mut at, instance) = (error.instance_path().to_string(), error.instance().as_ref());
    let mut kind = match error.kind() {
        ValidationErrorKind::Type { .. } => Kind::Type,
        ValidationErrorKind::Enum { .. } => Kind::Value,
        ValidationErrorKind::Format { .. } => Kind::Format,
        ValidationErrorKind::Required { property } => {
            at = format!("{at}/{}", property.as_str().unwrap_or_default());
            Kind::Missing
        }
        _ => Kind::Limit,
    };
    if instance.is_null() && matches!(kind, Kind::Type | Kind::Value) {
        kind = Kind::Null;
    }
    let value =
        (kind == Kind::Value).then(|| instance.as_str().map_or_else(|| instance.to_string(), str::to_owned));
    Finding { at, kind, value, message: shortened(&error.to_string()) }
}

/// An enumeration of fifty types is no message.
fn shortened(message: &str) -> String {
    const MOST: usize = 160;
    match message.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}..", &message[..end]),
        None => message.to_owned(),
    }
}

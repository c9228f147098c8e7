//! Properties that no schema of their object names.
//!
//! Nothing in these documents says `additionalProperties: false`, so JSON Schema lets every misspelt optional property
//! pass. An object whose schemas name no property at all is one of free form, and may hold anything.

use serde_json::{Map, Value};

use super::bundle::{BUNDLE, DISCRIMINATOR};
use crate::check::{Finding, Kind};

/// The unknown properties of `instance` and of what it holds, where `schema` stands in the document `bundle`.
pub(super) fn unknown(bundle: &Value, schema: &Value, instance: &Value) -> Vec<Finding> {
    let mut found = Vec::new();
    walk(bundle, &[schema], instance, "", &mut found);
    found
}

fn walk<'a>(bundle: &'a Value, schemas: &[&'a Value], instance: &Value, at: &str, found: &mut Vec<Finding>) {
    match instance {
        Value::Object(object) => {
            let parts = parts(bundle, schemas, object);
            let properties = |part: &&Value| part["properties"].as_object().is_some();
            let closed = parts.iter().any(properties)
                && !parts.iter().any(|part| part.get("additionalProperties").is_some_and(|it| it != false));
            for (name, member) in object {
                let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
                let named =
                    |part: &&Value| part["properties"].as_object().is_some_and(|it| it.contains_key(name));
                let known: Vec<&Value> = parts
                    .iter()
                    .filter_map(|part| match named(part) {
                        true => Some(&part["properties"][name]),
                        false => part.get("additionalProperties").filter(|schema| schema.is_object()),
                    })
                    .collect();
                if known.is_empty() && closed {
                    let message = format!("no schema names the property `{name}`");
                    found.push(Finding {
                        at,
                        kind: Kind::UnknownProperty,
                        value: Some(name.clone()),
                        message,
                    });
                } else {
                    walk(bundle, &known, member, &at, found);
                }
            }
        }
        Value::Array(entries) => {
            let parts = parts(bundle, schemas, &Map::new());
            let items: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
            for (n, entry) in entries.iter().enumerate() {
                walk(bundle, &items, entry, &format!("{at}/{n}"), found);
            }
        }
        _ => {}
    }
}

/// All the schemas that apply to `object`: those referred to, those extended, and that of its kind.
fn parts<'a>(bundle: &'a Value, schemas: &[&'a Value], object: &Map<String, Value>) -> Vec<&'a Value> {
    let mut parts: Vec<&Value> = Vec::new();
    let mut open: Vec<&Value> = schemas.to_vec();
    while let Some(schema) = open.pop() {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer =
                reference.strip_prefix(BUNDLE).and_then(|it| it.strip_prefix('#')).unwrap_or_default();
            open.extend(bundle.pointer(pointer));
            continue;
        }
        if parts.iter().any(|part| std::ptr::eq(*part, schema)) {
            continue;
        }
        parts.push(schema);
        // An `if` stands beside no other keyword, and what it leads to is found by the discriminator.
        open.extend(schema["allOf"].as_array().into_iter().flatten().filter(|part| part.get("if").is_none()));
        if let Some(tells) = schema.get(DISCRIMINATOR) {
            let value = object.get(tells["property"].as_str().unwrap_or_default());
            open.extend(value.and_then(Value::as_str).and_then(|value| tells["kinds"].get(value)));
        }
    }
    parts
}

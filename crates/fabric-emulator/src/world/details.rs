//! What an item has besides its definition, by type: what a creation payload says and `properties` show.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use super::{ApiError, Definition, Environment};

/// The state of an item that is no part of its definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all_fields = "camelCase")]
pub(crate) enum Details {
    /// The type has none.
    None,
    Lakehouse {
        /// Whether tables lie in schemas.
        schemas: bool,
    },
    Warehouse {
        collation: String,
    },
    VariableLibrary {
        active_value_set: String,
    },
    Environment(Box<Environment>),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    enable_schemas: bool,
    collation_type: Option<String>,
    /// What one client of Microsoft's sends in place of `collationType`; the service takes it.
    default_collation: Option<String>,
}

/// The value set that a variable library starts with.
const DEFAULT_VALUE_SET: &str = "Default value set";
const COLLATIONS: [&str; 2] = ["Latin1_General_100_BIN2_UTF8", "Latin1_General_100_CI_AS_KS_WS_SC_UTF8"];

impl Details {
    /// Those of a new item.
    pub(super) fn new(kind: &str, payload: Option<Value>, now: OffsetDateTime) -> Result<Self, ApiError> {
        if payload.is_some() && !takes_payload(kind) {
            let message = format!("Items of type {kind} do not support a creation payload");
            return Err(ApiError::new(400, "ItemTypeDoesNotSupportCreationPayload", message));
        }
        let payload: Payload = match payload {
            Some(payload) => {
                serde_json::from_value(payload).map_err(|error| invalid("creationPayload", &error))?
            }
            None => Payload::default(),
        };
        Ok(match kind {
            "Lakehouse" => Self::Lakehouse { schemas: payload.enable_schemas },
            "Warehouse" => {
                let asked = payload.collation_type.or(payload.default_collation);
                let collation = asked.unwrap_or_else(|| COLLATIONS[0].to_owned());
                if !COLLATIONS.contains(&collation.as_str()) {
                    return Err(ApiError::invalid("collationType", "has an invalid value"));
                }
                Self::Warehouse { collation }
            }
            "VariableLibrary" => Self::VariableLibrary { active_value_set: DEFAULT_VALUE_SET.to_owned() },
            "Environment" => Self::Environment(Box::new(Environment::new(now))),
            _ => Self::None,
        })
    }

    /// Takes over what a new definition says.
    pub(super) fn follow(&mut self, definition: &Definition) -> Result<(), ApiError> {
        if let Self::Environment(environment) = self
            && let Some(compute) = Definition::spark_compute(&definition.parts)?
        {
            environment.staged = compute;
        }
        Ok(())
    }

    /// Takes over the `properties` of a PATCH of an item with that definition.
    pub(super) fn patch(&mut self, properties: Value, definition: &Definition) -> Result<(), ApiError> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Properties {
            active_value_set_name: String,
        }
        match self {
            Self::VariableLibrary { active_value_set } => {
                let read =
                    Properties::deserialize(properties).map_err(|error| invalid("properties", &error))?;
                let (name, parts) = (&read.active_value_set_name, &definition.parts);
                let file = format!("valueSets/{name}.json");
                if name != DEFAULT_VALUE_SET && parts.iter().all(|part| part.path != file) {
                    return Err(ApiError::invalid("activeValueSetName", "names no value set of the library"));
                }
                *active_value_set = read.active_value_set_name;
                Ok(())
            }
            // The service passes over what it does not know in a request.
            _ => Ok(()),
        }
    }
}

fn takes_payload(kind: &str) -> bool {
    matches!(kind, "Lakehouse" | "Warehouse" | "Eventhouse" | "KQLDatabase" | "SQLDatabase" | "GraphQLApi")
}

fn invalid(field: &str, error: &serde_json::Error) -> ApiError {
    ApiError::invalid(field, &format!("cannot be read: {error}"))
}

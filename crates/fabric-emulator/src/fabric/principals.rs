//! Principals as requests name them and answers show them.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{PrincipalKind, World};

/// The type that a request names must be one, and counts for nothing: the service knows better.
#[derive(Deserialize)]
#[serde(try_from = "Named")]
pub(super) struct PrincipalBody {
    pub(super) id: Uuid,
}

#[derive(Deserialize)]
struct Named {
    id: Uuid,
    r#type: Option<String>,
}

/// `PrincipalType` of the documents.
const TYPES: [&str; 5] = ["User", "ServicePrincipal", "Group", "ServicePrincipalProfile", "EntireTenant"];

impl TryFrom<Named> for PrincipalBody {
    type Error = String;

    fn try_from(Named { id, r#type }: Named) -> Result<Self, String> {
        match r#type {
            Some(word) if !TYPES.iter().any(|known| known.eq_ignore_ascii_case(&word)) => {
                Err(format!("`{word}` is no type of principal"))
            }
            _ => Ok(Self { id }),
        }
    }
}

pub(super) fn principal_json(world: &World, id: Uuid) -> Value {
    let kind = world.principal(id).map_or(PrincipalKind::User, |principal| principal.kind);
    json!({"id": id, "type": kind.name()})
}

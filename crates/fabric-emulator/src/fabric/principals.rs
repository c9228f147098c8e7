//! Principals as requests name them and answers show them.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{PrincipalKind, World};

/// The type that a request names counts for nothing: the service knows better.
#[derive(Deserialize)]
pub(super) struct PrincipalBody {
    pub(super) id: Uuid,
}

pub(super) fn principal_json(world: &World, id: Uuid) -> Value {
    let kind = world.principal(id).map_or(PrincipalKind::User, |principal| principal.kind);
    json!({"id": id, "type": kind.name()})
}

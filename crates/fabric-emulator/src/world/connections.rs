//! Connections: credentials that Fabric keeps and that others refer to by id. Secrets are not even stored.

use uuid::Uuid;

use super::{ApiError, World, check_name, same_name};

#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) id: Uuid,
    pub(crate) given_id: bool,
    pub(crate) display_name: String,
    pub(crate) connectivity_type: String,
    /// For example `GitHubSourceControl`.
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) privacy_level: String,
    pub(crate) credential_type: String,
    /// Who may see and use it; a seeded connection without an owner is everybody's.
    pub(crate) owner: Option<Uuid>,
}

/// What a create asks for.
pub(crate) struct NewConnection {
    pub(crate) display_name: String,
    pub(crate) connectivity_type: String,
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) privacy_level: String,
    pub(crate) credential_type: String,
}

impl World {
    pub(crate) fn connections_of(&self, caller: Uuid) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(move |connection| connection.owner.is_none_or(|owner| owner == caller))
    }

    pub(crate) fn connection(&self, caller: Uuid, id: Uuid) -> Result<&Connection, ApiError> {
        let connection = self.connections_of(caller).find(|connection| connection.id == id);
        connection.ok_or_else(|| ApiError::not_found("EntityNotFound", id, "Connection"))
    }

    pub(crate) fn create_connection(
        &mut self,
        caller: Uuid,
        new: NewConnection,
    ) -> Result<&Connection, ApiError> {
        check_name("displayName", &new.display_name, 200)?;
        if self.connections.iter().any(|connection| same_name(&connection.display_name, &new.display_name)) {
            return Err(ApiError::new(
                409,
                "DuplicateConnectionName",
                "The connection name is already in use",
            ));
        }
        Ok(self.connections.push_mut(Connection {
            id: Uuid::new_v4(),
            given_id: false,
            display_name: new.display_name,
            connectivity_type: new.connectivity_type,
            kind: new.kind,
            path: new.path,
            privacy_level: new.privacy_level,
            credential_type: new.credential_type,
            owner: Some(caller),
        }))
    }

    pub(crate) fn delete_connection(&mut self, caller: Uuid, id: Uuid) -> Result<(), ApiError> {
        self.connection(caller, id)?;
        self.connections.retain(|connection| connection.id != id);
        Ok(())
    }
}

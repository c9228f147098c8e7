//! Who may use, share and manage a connection.

use uuid::Uuid;

use super::super::{ApiError, World, same_name};
use super::{Connection, insufficient};

/// Ordered by what it allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ConnectionRole {
    User,
    UserWithReshare,
    Owner,
}

/// A role given to a principal. The service calls it by the principal's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionAssignment {
    pub(crate) principal: Uuid,
    pub(crate) role: ConnectionRole,
}

impl ConnectionRole {
    const ALL: [Self; 3] = [Self::User, Self::UserWithReshare, Self::Owner];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::UserWithReshare => "UserWithReshare",
            Self::Owner => "Owner",
        }
    }

    /// Reads a role, in any case.
    pub(crate) fn read(text: &str) -> Result<Self, ApiError> {
        let role = Self::ALL.into_iter().find(|role| same_name(role.name(), text));
        role.ok_or_else(|| {
            ApiError::new(400, "BadRequest", "The request is invalid")
                .because("InvalidParameter", format!("`{text}` is not a connection role"))
        })
    }
}

impl World {
    /// What the caller may do with the connection; `None` if it may not even know of it.
    pub(super) fn role_on(&self, caller: Uuid, connection: &Connection) -> Option<ConnectionRole> {
        if connection.everybodys {
            return Some(ConnectionRole::Owner);
        }
        let own = connection.roles.iter().filter(|given| self.speaks_for(caller, given.principal));
        own.map(|given| given.role).max()
    }

    pub(crate) fn connection_assignments(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<&[ConnectionAssignment], ApiError> {
        Ok(&self.connection(caller, id)?.roles)
    }

    pub(crate) fn connection_assignment(
        &self,
        caller: Uuid,
        id: Uuid,
        principal: Uuid,
    ) -> Result<ConnectionAssignment, ApiError> {
        let found = self.connection(caller, id)?.roles.iter().find(|given| given.principal == principal);
        found.copied().ok_or_else(|| ApiError::not_found("EntityNotFound", principal, "RoleAssignment"))
    }

    /// Who may share a connection may share as much of it as it has itself.
    pub(crate) fn add_connection_role(
        &mut self,
        caller: Uuid,
        id: Uuid,
        principal: Uuid,
        role: ConnectionRole,
    ) -> Result<ConnectionAssignment, ApiError> {
        let least = role.max(ConnectionRole::UserWithReshare);
        let connection = self.connection_as(caller, id, least)?;
        if self.principal(principal).is_none() {
            // Recorded: the service has no better word for it.
            let message = "An unexpected error occurred while processing the request";
            return Err(ApiError::new(400, "UnknownError", message));
        }
        if connection.roles.iter().any(|given| given.principal == principal) {
            let message = "The provided principal already has a role on the connection";
            return Err(ApiError::new(409, "Conflict", message).about(id, "Connection"));
        }
        let assignment = ConnectionAssignment { principal, role };
        self.connection_mut(caller, id, least)?.roles.push(assignment);
        Ok(assignment)
    }

    pub(crate) fn update_connection_role(
        &mut self,
        caller: Uuid,
        id: Uuid,
        principal: Uuid,
        role: ConnectionRole,
    ) -> Result<ConnectionAssignment, ApiError> {
        self.check_managed_role(caller, id, principal)?;
        if role != ConnectionRole::Owner {
            self.check_not_last_owner(caller, id, principal)?;
        }
        let assignment = ConnectionAssignment { principal, role };
        let roles = &mut self.connection_mut(caller, id, ConnectionRole::Owner)?.roles;
        roles.iter_mut().filter(|given| given.principal == principal).for_each(|given| *given = assignment);
        Ok(assignment)
    }

    pub(crate) fn delete_connection_role(
        &mut self,
        caller: Uuid,
        id: Uuid,
        principal: Uuid,
    ) -> Result<(), ApiError> {
        self.check_managed_role(caller, id, principal)?;
        self.check_not_last_owner(caller, id, principal)?;
        let roles = &mut self.connection_mut(caller, id, ConnectionRole::Owner)?.roles;
        roles.retain(|given| given.principal != principal);
        Ok(())
    }

    fn check_managed_role(&self, caller: Uuid, id: Uuid, principal: Uuid) -> Result<(), ApiError> {
        self.connection_as(caller, id, ConnectionRole::Owner)?;
        self.connection_assignment(caller, id, principal).map(drop)
    }

    fn check_not_last_owner(&self, caller: Uuid, id: Uuid, principal: Uuid) -> Result<(), ApiError> {
        let connection = self.connection(caller, id)?;
        let mut owners = connection.roles.iter().filter(|given| given.role == ConnectionRole::Owner);
        match !connection.everybodys && owners.all(|owner| owner.principal == principal) {
            true => {
                let message = "The last owner of a connection cannot be removed or demoted";
                Err(ApiError::new(400, "BadRequest", message).about(id, "Connection"))
            }
            false => Ok(()),
        }
    }

    /// The connection, if the caller has at least that role on it.
    pub(super) fn connection_as(
        &self,
        caller: Uuid,
        id: Uuid,
        least: ConnectionRole,
    ) -> Result<&Connection, ApiError> {
        let connection = self.connection(caller, id)?;
        match self.role_on(caller, connection) {
            Some(role) if role >= least => Ok(connection),
            _ => Err(insufficient(id)),
        }
    }

    pub(super) fn connection_mut(
        &mut self,
        caller: Uuid,
        id: Uuid,
        least: ConnectionRole,
    ) -> Result<&mut Connection, ApiError> {
        self.connection_as(caller, id, least)?;
        let connection = self.connections.iter_mut().find(|connection| connection.id == id);
        connection.ok_or_else(|| insufficient(id))
    }
}

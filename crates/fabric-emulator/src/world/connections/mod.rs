//! Connections: credentials that Fabric keeps and that others refer to by id. Secrets are not even stored.

mod credentials;
mod details;
mod roles;
mod types;

use uuid::Uuid;

use super::{ApiError, World, check_name, same_name};
pub(crate) use credentials::{CredentialInput, CredentialSettings};
pub(crate) use details::DetailsInput;
pub(crate) use roles::{ConnectionAssignment, ConnectionRole};
pub(crate) use types::{ConnectionType, TYPES, connection_type};

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
    pub(crate) credentials: CredentialSettings,
    pub(crate) in_gateway: bool,
    pub(crate) in_code: bool,
    /// A seeded connection is everybody's, as if everybody owned it.
    pub(crate) everybodys: bool,
    pub(crate) roles: Vec<ConnectionAssignment>,
    /// What a test of it finds.
    pub(crate) online: bool,
}

/// What a create asks for.
pub(crate) struct NewConnection {
    pub(crate) display_name: String,
    pub(crate) connectivity_type: String,
    pub(crate) details: DetailsInput,
    pub(crate) privacy_level: Option<String>,
    pub(crate) credentials: CredentialInput,
    pub(crate) in_gateway: bool,
    pub(crate) in_code: bool,
}

/// What an update asks for.
pub(crate) struct ConnectionPatch {
    pub(crate) connectivity_type: String,
    pub(crate) display_name: Option<String>,
    pub(crate) privacy_level: Option<String>,
    pub(crate) credentials: Option<CredentialInput>,
    pub(crate) in_gateway: Option<bool>,
}

/// What a connection has that says nothing of it.
pub(crate) const USUAL_PRIVACY_LEVEL: &str = "Organizational";
const PRIVACY_LEVELS: [&str; 4] = ["None", "Private", USUAL_PRIVACY_LEVEL, "Public"];
const GATEWAYS: [&str; 3] = ["OnPremisesGateway", "VirtualNetworkGateway", "StreamingVirtualNetworkGateway"];
/// The only kind of connection that there is without a gateway and that a request can make.
const SHAREABLE_CLOUD: &str = "ShareableCloud";

fn insufficient(id: Uuid) -> ApiError {
    let message = "The caller has insufficient permissions to manage this connection";
    ApiError::new(403, "InsufficientPermissionsToManageConnection", message).about(id, "Connection")
}

impl World {
    pub(crate) fn connections_of(&self, caller: Uuid) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(move |connection| self.role_on(caller, connection).is_some())
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
        self.check_may_create(caller)?;
        check_connectivity(&new.connectivity_type)?;
        self.check_connection_name(&new.display_name, None)?;
        let privacy_level = match new.privacy_level {
            Some(level) => read_privacy_level(level)?,
            None => USUAL_PRIVACY_LEVEL.to_owned(),
        };
        let (kind, path) = new.details.read()?;
        let credentials = self.read_credentials(caller, Some(kind), None, new.credentials)?;
        Ok(self.connections.push_mut(Connection {
            id: Uuid::new_v4(),
            given_id: false,
            display_name: new.display_name,
            connectivity_type: new.connectivity_type,
            kind: kind.name.to_owned(),
            path,
            privacy_level,
            credentials,
            in_gateway: new.in_gateway,
            in_code: new.in_code,
            everybodys: false,
            roles: vec![ConnectionAssignment { principal: caller, role: ConnectionRole::Owner }],
            online: true,
        }))
    }

    pub(crate) fn update_connection(
        &mut self,
        caller: Uuid,
        id: Uuid,
        patch: ConnectionPatch,
    ) -> Result<&Connection, ApiError> {
        let connection = self.connection_as(caller, id, ConnectionRole::Owner)?;
        if patch.connectivity_type != connection.connectivity_type {
            return Err(ApiError::invalid("connectivityType", "is not that of the connection"));
        }
        if let Some(name) = &patch.display_name {
            self.check_connection_name(name, Some(id))?;
        }
        let privacy_level = patch.privacy_level.map(read_privacy_level).transpose()?;
        let (kind, before) = (connection_type(&connection.kind), &connection.credentials);
        let credentials = patch
            .credentials
            .map(|input| self.read_credentials(caller, kind, Some(before), input))
            .transpose()?;
        let connection = self.connection_mut(caller, id, ConnectionRole::Owner)?;
        if let Some(name) = patch.display_name {
            connection.display_name = name;
        }
        if let Some(level) = privacy_level {
            connection.privacy_level = level;
        }
        if let Some(credentials) = credentials {
            connection.credentials = credentials;
        }
        connection.in_gateway = patch.in_gateway.unwrap_or(connection.in_gateway);
        Ok(connection)
    }

    pub(crate) fn delete_connection(&mut self, caller: Uuid, id: Uuid) -> Result<(), ApiError> {
        self.connection_as(caller, id, ConnectionRole::Owner)?;
        self.connections.retain(|connection| connection.id != id);
        Ok(())
    }

    fn check_connection_name(&self, name: &str, own: Option<Uuid>) -> Result<(), ApiError> {
        check_name("displayName", name, 200)?;
        let mut others = self.connections.iter().filter(|connection| Some(connection.id) != own);
        match others.any(|connection| same_name(&connection.display_name, name)) {
            true => {
                Err(ApiError::new(409, "DuplicateConnectionName", "The connection name is already in use"))
            }
            false => Ok(()),
        }
    }
}

/// There is no gateway in the emulated tenant, so whatever gateway a request names is not there.
fn check_connectivity(kind: &str) -> Result<(), ApiError> {
    match kind {
        SHAREABLE_CLOUD => Ok(()),
        _ if GATEWAYS.contains(&kind) => {
            let message = "Failed to create gateway connection";
            Err(ApiError::new(400, "CreateGatewayConnectionFailed", message)
                .because("EntityNotFound", "The emulated tenant has no gateways"))
        }
        _ => Err(ApiError::invalid("connectivityType", "has an invalid value")),
    }
}

fn read_privacy_level(level: String) -> Result<String, ApiError> {
    match PRIVACY_LEVELS.contains(&level.as_str()) {
        true => Ok(level),
        false => Err(ApiError::invalid("privacyLevel", "has an invalid value")),
    }
}

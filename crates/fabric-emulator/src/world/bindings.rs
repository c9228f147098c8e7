//! Which connections the data sources of semantic models are bound to.

use serde_json::{Value, json};
use uuid::Uuid;

use super::definition::not_supported;
use super::{ApiError, Connection, Role, World};

/// A data source and the connection that it is read through.
#[derive(Clone)]
pub(crate) struct Binding {
    /// For example `SQL`.
    pub(crate) kind: String,
    /// Where the data is, for example `server;database`.
    pub(crate) path: String,
    pub(crate) connectivity_type: String,
    pub(crate) connection: Option<Uuid>,
}

impl Binding {
    fn is_about(&self, other: &Self) -> bool {
        self.kind == other.kind && self.path == other.path
    }

    pub(super) fn inventory(&self, world: &World) -> Value {
        json!({
            "type": self.kind,
            "path": self.path,
            "connectivityType": self.connectivity_type,
            "connection": self.connection_in(world).map(|connection| &connection.display_name),
        })
    }

    /// The connection, as long as it is there.
    pub(crate) fn connection_in<'w>(&self, world: &'w World) -> Option<&'w Connection> {
        world.connections.iter().find(|connection| Some(connection.id) == self.connection)
    }
}

impl World {
    /// Binds a data source of a semantic model, or unbinds it where the connectivity type is `None`. Whether the model
    /// has such a data source is not looked at.
    pub(crate) fn bind_connection(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        model: Uuid,
        binding: Binding,
    ) -> Result<(), ApiError> {
        self.workspace(caller, workspace, Role::Contributor)?.item(model)?;
        if let Some(id) = binding.connection
            && self.connection(caller, id).is_err()
        {
            let message = format!("The connection {id} could not be found");
            return Err(ApiError::new(400, "InvalidRequest", message).about(id, "Connection"));
        }
        let model = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(model)?;
        let bindings = &mut model.contents.bindings;
        bindings.retain(|known| !known.is_about(&binding));
        if binding.connectivity_type != "None" {
            bindings.push(binding);
        }
        Ok(())
    }

    /// The connections that an item uses. Who reads them must be able to write the item, too.
    pub(crate) fn bindings_of(
        &self,
        caller: Uuid,
        workspace: Uuid,
        item: Uuid,
    ) -> Result<&[Binding], ApiError> {
        let item = self.workspace(caller, workspace, Role::Contributor)?.item(item)?;
        match item.kind {
            // Recorded of a warehouse; the others have no connections either.
            "Warehouse" | "SQLEndpoint" | "MirroredWarehouse" | "WarehouseSnapshot" => Err(not_supported()),
            _ => Ok(&item.contents.bindings),
        }
    }
}

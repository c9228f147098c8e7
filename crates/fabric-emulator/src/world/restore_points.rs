//! Restore points of warehouses. Rows are not emulated, so that going back to one changes nothing.

use serde::Deserialize;
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, Role, World, check_length};

#[derive(Clone)]
pub(crate) struct RestorePoint {
    /// Milliseconds since 1970.
    pub(crate) id: i128,
    pub(crate) display_name: String,
    pub(crate) description: String,
    pub(crate) created: OffsetDateTime,
    pub(crate) initiator: Uuid,
}

/// What a create or an update says.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RestorePointInput {
    display_name: Option<String>,
    description: Option<String>,
}

impl RestorePoint {
    pub(super) fn inventory(&self) -> Value {
        json!({"displayName": self.display_name, "description": self.description})
    }
}

impl RestorePointInput {
    fn check(&self) -> Result<(), ApiError> {
        check_length("displayName", self.display_name.as_deref().unwrap_or_default(), 128)?;
        check_length("description", self.description.as_deref().unwrap_or_default(), 512)
    }
}

impl World {
    /// The restore points of an item, if the caller has that role.
    pub(crate) fn restore_points(
        &self,
        caller: Uuid,
        workspace: Uuid,
        warehouse: Uuid,
        least: Role,
    ) -> Result<&[RestorePoint], ApiError> {
        Ok(&self.workspace(caller, workspace, least)?.item(warehouse)?.contents.restore_points)
    }

    pub(crate) fn restore_point(
        &self,
        caller: Uuid,
        workspace: Uuid,
        warehouse: Uuid,
        id: &str,
        least: Role,
    ) -> Result<&RestorePoint, ApiError> {
        let points = self.restore_points(caller, workspace, warehouse, least)?;
        points.iter().find(|point| point.id.to_string() == id).ok_or_else(no_restore_point)
    }

    /// Whether a create would be accepted now.
    pub(crate) fn check_new_restore_point(
        &self,
        caller: Uuid,
        workspace: Uuid,
        warehouse: Uuid,
        new: &RestorePointInput,
    ) -> Result<(), ApiError> {
        let workspace = self.workspace(caller, workspace, Role::Contributor)?;
        self.check_item_runs(workspace, workspace.item(warehouse)?.kind)?;
        new.check()
    }

    pub(crate) fn create_restore_point(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        warehouse: Uuid,
        new: RestorePointInput,
    ) -> Result<RestorePoint, ApiError> {
        self.check_new_restore_point(caller, workspace, warehouse, &new)?;
        let created = self.now;
        let warehouse = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(warehouse)?;
        let points = &mut warehouse.contents.restore_points;
        let after_last = points.iter().map(|point| point.id + 1).max().unwrap_or_default();
        let point = RestorePoint {
            id: (created.unix_timestamp_nanos() / 1_000_000).max(after_last),
            display_name: new.display_name.unwrap_or_else(|| "Restore point".to_owned()),
            description: new.description.unwrap_or_default(),
            created,
            initiator: caller,
        };
        points.push(point.clone());
        Ok(point)
    }

    pub(crate) fn update_restore_point(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        warehouse: Uuid,
        id: &str,
        patch: RestorePointInput,
    ) -> Result<RestorePoint, ApiError> {
        patch.check()?;
        let warehouse = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(warehouse)?;
        let mut points = warehouse.contents.restore_points.iter_mut();
        let point = points.find(|point| point.id.to_string() == id).ok_or_else(no_restore_point)?;
        point.display_name = patch.display_name.unwrap_or_else(|| std::mem::take(&mut point.display_name));
        point.description = patch.description.unwrap_or_else(|| std::mem::take(&mut point.description));
        Ok(point.clone())
    }

    pub(crate) fn delete_restore_point(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        warehouse: Uuid,
        id: &str,
    ) -> Result<(), ApiError> {
        self.restore_point(caller, workspace, warehouse, id, Role::Contributor)?;
        let warehouse = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(warehouse)?;
        warehouse.contents.restore_points.retain(|point| point.id.to_string() != id);
        Ok(())
    }
}

fn no_restore_point() -> ApiError {
    ApiError::new(404, "RestorePointNotFound", "The requested restore point could not be found")
}

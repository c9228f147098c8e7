//! Tables of lakehouses, and how SQL endpoints come to know them. Rows are not emulated.

use time::OffsetDateTime;
use uuid::Uuid;

use super::{ApiError, Details, Item, Role, World, check_length};

const MAX_NAME: usize = 256;

#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// When the SQL endpoint last took it over.
    synced: Option<OffsetDateTime>,
}

/// What a refresh of a SQL endpoint did about one table.
pub(crate) struct TableSync {
    pub(crate) table: String,
    /// `Success`, or `NotRun` where nothing had changed.
    pub(crate) status: &'static str,
    pub(crate) last: OffsetDateTime,
}

impl World {
    pub(crate) fn tables(
        &self,
        caller: Uuid,
        workspace: Uuid,
        lakehouse: Uuid,
    ) -> Result<&[Table], ApiError> {
        Ok(&self.lakehouse(caller, workspace, lakehouse, Role::Viewer)?.contents.tables)
    }

    /// Whether a load would be accepted now.
    pub(crate) fn check_load(
        &self,
        caller: Uuid,
        workspace: Uuid,
        lakehouse: Uuid,
        table: &str,
    ) -> Result<(), ApiError> {
        let item = self.lakehouse(caller, workspace, lakehouse, Role::Contributor)?;
        self.check_item_runs(self.workspace(caller, workspace, Role::Contributor)?, item.kind)?;
        check_length("tableName", table, MAX_NAME)?;
        match table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            true => Ok(()),
            false => Err(ApiError::invalid("tableName", "takes letters, digits and underscores only")),
        }
    }

    /// Loads a table, which makes it if it is not there.
    pub(crate) fn load_table(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        lakehouse: Uuid,
        table: &str,
    ) -> Result<(), ApiError> {
        self.check_load(caller, workspace, lakehouse, table)?;
        let item = self.workspace_mut(caller, workspace, Role::Contributor)?.item_mut(lakehouse)?;
        let tables = &mut item.contents.tables;
        match tables.iter_mut().find(|known| known.name.eq_ignore_ascii_case(table)) {
            Some(known) => known.synced = None,
            None => tables.push(Table { name: table.to_owned(), synced: None }),
        }
        Ok(())
    }

    /// Makes a SQL endpoint know what its lakehouse holds; all of it anew with `recreate`.
    pub(crate) fn refresh_endpoint(
        &mut self,
        caller: Uuid,
        workspace: Uuid,
        endpoint: Uuid,
        recreate: bool,
    ) -> Result<Vec<TableSync>, ApiError> {
        let now = self.now;
        let workspace = self.workspace_mut(caller, workspace, Role::Contributor)?;
        let Some(parent) = workspace.item(endpoint)?.parent else {
            return Ok(Vec::new());
        };
        let tables = workspace.item_mut(parent)?.contents.tables.iter_mut();
        Ok(tables
            .map(|table| {
                let status = if table.synced.is_none() || recreate { "Success" } else { "NotRun" };
                let last = *table.synced.insert(match table.synced {
                    Some(last) if !recreate => last,
                    _ => now,
                });
                TableSync { table: table.name.clone(), status, last }
            })
            .collect())
    }

    /// The lakehouse, unless it has schemas: these calls do not know them.
    fn lakehouse(&self, caller: Uuid, workspace: Uuid, id: Uuid, least: Role) -> Result<&Item, ApiError> {
        let item = self.workspace(caller, workspace, least)?.item(id)?;
        match item.details {
            Details::Lakehouse { schemas: false } => Ok(item),
            Details::Lakehouse { schemas: true } => Err(ApiError::new(
                400,
                "UnsupportedOperationForSchemasEnabledLakehouse",
                "The operation is not supported for Lakehouse with schemas enabled.",
            )),
            _ => Err(ApiError::not_found("ItemNotFound", id, "Item")),
        }
    }
}

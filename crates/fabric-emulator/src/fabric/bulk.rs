//! `/v1/workspaces/{id}/items/bulkExportDefinitions` and its counterpart.

use serde::Deserialize;
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Guessed, Recorded};
use crate::operations::Long;
use crate::wire::Reply;
use crate::world::{ApiError, PartInput, World};

pub(super) const ROUTES: &[Row] = &[
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/bulkExportDefinitions", Recorded, export).long(),
    Row::new("POST", "/v1/workspaces/{workspaceId}/items/bulkImportDefinitions", Guessed, import).long(),
];

#[derive(Deserialize)]
struct ExportBody {
    mode: Option<String>,
    #[serde(default)]
    items: Vec<ItemBody>,
}

#[derive(Deserialize)]
struct ItemBody {
    id: Uuid,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ImportBody {
    definition_parts: Option<Vec<PartInput>>,
    options: Option<ImportOptions>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct ImportOptions {
    allow_pairing_by_name: bool,
}

fn export(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: ExportBody = call.request.parse()?;
    let items = match body.mode.as_deref() {
        Some("All") => None,
        Some("Selective") if body.items.is_empty() => {
            return Err(ApiError::invalid("items", "must have an entry where the mode is Selective"));
        }
        Some("Selective") => Some(body.items.iter().map(|item| item.id).collect::<Vec<_>>()),
        _ => return Err(ApiError::invalid("mode", "must be All or Selective")),
    };
    call.check_before(Long::BulkExport, |world| {
        world.export_definitions(caller, workspace, items.as_deref())
    })?;
    let effect = Box::new(move |world: &mut World| {
        world.export_definitions(caller, workspace, items.as_deref()).map(Some)
    });
    call.run(Long::BulkExport, None, effect, |export| Reply::json(200, export.unwrap_or_default()))
}

fn import(call: &mut Call<'_>) -> Answer {
    let (caller, workspace) = (call.caller, call.workspace()?);
    let body: ImportBody = call.request.parse()?;
    let parts = body.definition_parts.ok_or_else(|| ApiError::invalid("definitionParts", "is required"))?;
    let by_name = body.options.unwrap_or_default().allow_pairing_by_name;
    call.check_before(Long::BulkImport, |world| world.check_import(caller, workspace, &parts, by_name))?;
    let effect = Box::new(move |world: &mut World| {
        world.import_definitions(caller, workspace, &parts, by_name).map(Some)
    });
    call.run(Long::BulkImport, None, effect, |details| Reply::json(200, details.unwrap_or_default()))
}

//! `/v1/workspaces/{id}/lakehouses/{id}/tables`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Spec;
use crate::operations::Long;
use crate::paging::page;
use crate::wire::Reply;
use crate::world::{ApiError, World};

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/workspaces/{workspaceId}/lakehouses/{lakehouseId}/tables", Spec, list),
    Row::new(
        "POST",
        "/v1/workspaces/{workspaceId}/lakehouses/{lakehouseId}/tables/{tableName}/load",
        Spec,
        load,
    )
    .long(),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LoadBody {
    relative_path: Option<String>,
    path_type: Option<String>,
    mode: Option<String>,
    format_options: Option<FormatOptions>,
}

#[derive(Deserialize)]
struct FormatOptions {
    format: String,
}

/// The list's key is `data`, and `maxResults` can make its pages smaller.
fn list(call: &mut Call<'_>) -> Answer {
    let (caller, request, workspace, id) = (call.caller, call.request, call.workspace()?, call.item()?);
    call.typed_item()?;
    let location = |name| format!("abfss://{workspace}@onelake.dfs.fabric.microsoft.com/{id}/Tables/{name}");
    let tables = call.world().tables(caller, workspace, id)?.iter();
    let tables = tables.map(|table| {
        json!({"type": "Managed", "name": table.name, "location": location(&table.name), "format": "Delta"})
    });
    let tables: Vec<Value> = tables.collect();
    let asked = request.query("maxResults").map(str::parse).transpose();
    let asked = asked.map_err(|_| ApiError::invalid("maxResults", "is no number"))?;
    let size = asked.into_iter().chain(call.config.page_size).min();
    Ok(Reply::json(200, page(request, size, "data", tables)?))
}

fn load(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let table = call.parameter("tableName").to_owned();
    call.typed_item()?;
    let body: LoadBody = call.request.parse()?;
    one_of("pathType", body.path_type.as_deref().unwrap_or_default(), &["File", "Folder"])?;
    one_of("mode", body.mode.as_deref().unwrap_or("Overwrite"), &["Overwrite", "Append"])?;
    let format = body.format_options.as_ref().map_or("Parquet", |options| &options.format);
    one_of("formatOptions.format", format, &["Csv", "Parquet"])?;
    if body.relative_path.unwrap_or_default().is_empty() {
        return Err(ApiError::invalid("relativePath", "is required"));
    }
    call.world().check_load(caller, workspace, id, &table)?;
    let effect = move |world: &mut World| {
        world.load_table(caller, workspace, id, &table)?;
        Ok(None)
    };
    call.run(Long::LoadTable, None, Box::new(effect), |_| Reply::empty(200))
}

fn one_of(field: &str, value: &str, known: &[&str]) -> Result<(), ApiError> {
    match known.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        true => Ok(()),
        false => Err(ApiError::invalid(field, &format!("must be one of {}", known.join(", ")))),
    }
}

//! What SQL endpoints can do, and the connection strings of what speaks SQL.

use serde::Deserialize;
use serde_json::json;

use super::properties::connection_string;
use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Reported, Spec};
use crate::operations::Long;
use crate::wire::{Reply, timestamp};
use crate::world::{ApiError, Role, World};

pub(super) const ROUTES: &[Row] = &[
    Row::new(
        "POST",
        "/v1/workspaces/{workspaceId}/sqlEndpoints/{sqlEndpointId}/refreshMetadata",
        Reported,
        refresh,
    )
    .long(),
    Row::new(
        "GET",
        "/v1/workspaces/{workspaceId}/sqlEndpoints/{sqlEndpointId}/connectionString",
        Spec,
        connection,
    ),
    Row::new(
        "GET",
        "/v1/workspaces/{workspaceId}/warehouses/{warehouseId}/connectionString",
        Spec,
        connection,
    ),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefreshBody {
    recreate_tables: Option<bool>,
}

fn refresh(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    call.typed_item()?;
    let recreate = call.request.parse::<RefreshBody>()?.recreate_tables.unwrap_or(false);
    call.world().workspace(caller, workspace, Role::Contributor)?;
    let effect = move |world: &mut World| {
        let time = |at| format!("{}Z", timestamp(at));
        let now = time(world.now);
        let tables = world.refresh_endpoint(caller, workspace, id, recreate)?.into_iter().map(|sync| {
            json!({
                "tableName": sync.table,
                "startDateTime": now,
                "endDateTime": now,
                "status": sync.status,
                "lastSuccessfulSyncDateTime": time(sync.last),
            })
        });
        Ok(Some(json!({"value": tables.collect::<Vec<_>>()})))
    };
    call.run(Long::RefreshMetadata, None, Box::new(effect), |synced| {
        Reply::json(200, synced.unwrap_or_default())
    })
}

fn connection(call: &mut Call<'_>) -> Answer {
    let (guest, own) = (call.request.query("guestTenantId"), &call.config.tenant);
    let (_, _, item) = call.typed_item()?;
    // There is no other tenant. The code is documented; its status is a guess.
    if guest.is_some_and(|guest| !guest.eq_ignore_ascii_case(own)) {
        let message = "The provided guest tenant ID does not exist";
        return Err(ApiError::new(400, "InvalidGuestTenantId", message));
    }
    Ok(Reply::json(200, json!({"connectionString": connection_string(item.id)})))
}

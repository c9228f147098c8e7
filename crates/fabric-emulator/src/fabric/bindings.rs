//! Connections of items: what a semantic model is bound to, and what any item uses.

use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::wire::Reply;
use crate::world::{ApiError, Binding};

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/workspaces/{workspaceId}/items/{itemId}/connections", Recorded, list),
    Row::new(
        "POST",
        "/v1/workspaces/{workspaceId}/semanticModels/{semanticModelId}/bindConnection",
        Spec,
        bind,
    ),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindBody {
    connection_binding: Option<BindingBody>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BindingBody {
    id: Option<Uuid>,
    connectivity_type: Option<String>,
    connection_details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    r#type: String,
    path: String,
}

fn list(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    let world = &*call.world();
    let connections = world.bindings_of(caller, workspace, id)?.iter().map(|binding| {
        let mut json = json!({"connectivityType": binding.connectivity_type});
        if let Some(connection) = binding.connection_in(world) {
            json["displayName"] = connection.display_name.as_str().into();
            json["id"] = json!(connection.id);
        }
        json["connectionDetails"] = json!({"type": binding.kind, "path": binding.path});
        json
    });
    let connections: Vec<Value> = connections.collect();
    call.list(connections)
}

fn bind(call: &mut Call<'_>) -> Answer {
    let (caller, workspace, id) = (call.caller, call.workspace()?, call.item()?);
    call.typed_item()?;
    let required = |field| {
        ApiError::new(400, "InvalidRequest", "Invalid bind semantic model connection request")
            .because("InvalidParameter", format!("The {field} field is required"))
    };
    let body = call.request.parse::<BindBody>()?.connection_binding;
    let body = body.ok_or_else(|| required("connectionBinding"))?;
    let details = body.connection_details.ok_or_else(|| required("connectionDetails"))?;
    let binding = Binding {
        kind: details.r#type,
        path: details.path,
        connectivity_type: body.connectivity_type.unwrap_or_else(|| "Automatic".to_owned()),
        connection: body.id,
    };
    call.world().bind_connection(caller, workspace, id, binding)?;
    Ok(Reply::empty(200))
}

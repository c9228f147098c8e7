//! `/v1/connections`

pub(super) mod roles;
pub(super) mod types;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::{Recorded, Spec};
use crate::operations::Long;
use crate::wire::Reply;
use crate::world::{
    ApiError, Connection, ConnectionPatch, CredentialInput, DetailsInput, NewConnection, World,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionBody {
    display_name: Option<String>,
    connectivity_type: Option<String>,
    connection_details: Option<DetailsInput>,
    privacy_level: Option<String>,
    credential_details: Option<CredentialInput>,
    allow_connection_usage_in_gateway: Option<bool>,
    allow_usage_in_user_controlled_code: Option<bool>,
}

const ALL: &str = "/v1/connections";
const ONE: &str = "/v1/connections/{connectionId}";
const ID: &str = "connectionId";

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", ALL, Recorded, list),
    Row::new("POST", ALL, Recorded, create),
    Row::new("GET", ONE, Recorded, get),
    Row::new("PATCH", ONE, Recorded, update),
    Row::new("DELETE", ONE, Recorded, delete),
    Row::new("POST", "/v1/connections/{connectionId}/testConnection", Spec, test).long(),
];

fn list(call: &mut Call<'_>) -> Answer {
    let caller = call.caller;
    let listed = call.world().connections_of(caller).map(connection_json).collect();
    call.list(listed)
}

fn create(call: &mut Call<'_>) -> Answer {
    let caller = call.caller;
    let new = read(call.request.parse()?)?;
    let connection = call.world().create_connection(caller, new)?;
    let (id, json) = (connection.id, connection_json(connection));
    call.created(id, json)
}

fn get(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    Ok(Reply::json(200, connection_json(call.world().connection(caller, id)?)))
}

fn update(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    let body: ConnectionBody = call.request.parse()?;
    let patch = ConnectionPatch {
        connectivity_type: body.connectivity_type.ok_or_else(|| required("connectivityType"))?,
        display_name: body.display_name,
        privacy_level: body.privacy_level,
        credentials: body.credential_details,
        in_gateway: body.allow_connection_usage_in_gateway,
    };
    Ok(Reply::json(200, connection_json(call.world().update_connection(caller, id, patch)?)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    call.world().delete_connection(caller, id)?;
    Ok(Reply::empty(200))
}

fn test(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id(ID)?);
    call.world().connection(caller, id)?;
    let effect = Box::new(move |world: &mut World| Ok(Some(status_json(world.connection(caller, id)?))));
    call.run(Long::TestConnection, None, effect, |status| Reply::json(200, status.unwrap_or_default()))
}

fn required(field: &str) -> ApiError {
    ApiError::invalid(field, "is required")
}

fn read(body: ConnectionBody) -> Result<NewConnection, ApiError> {
    Ok(NewConnection {
        display_name: body.display_name.ok_or_else(|| required("displayName"))?,
        connectivity_type: body.connectivity_type.ok_or_else(|| required("connectivityType"))?,
        details: body.connection_details.ok_or_else(|| required("connectionDetails"))?,
        privacy_level: body.privacy_level,
        credentials: body.credential_details.ok_or_else(|| required("credentialDetails"))?,
        in_gateway: body.allow_connection_usage_in_gateway.unwrap_or(false),
        in_code: body.allow_usage_in_user_controlled_code.unwrap_or(false),
    })
}

/// Keys in the service's order, `connectionDetails` included.
fn connection_json(connection: &Connection) -> Value {
    let credentials = &connection.credentials;
    json!({
        "allowConnectionUsageInGateway": connection.in_gateway,
        "allowUsageInUserControlledCode": connection.in_code,
        "id": connection.id,
        "displayName": connection.display_name,
        "connectivityType": connection.connectivity_type,
        "connectionDetails": {"path": connection.path, "type": connection.kind},
        "privacyLevel": connection.privacy_level,
        "credentialDetails": {
            "credentialType": credentials.kind,
            "singleSignOnType": credentials.single_sign_on,
            "connectionEncryption": credentials.encryption,
            "skipTestConnection": credentials.skip_test,
        },
    })
}

/// The reason of an offline connection is the one of Microsoft's example.
fn status_json(connection: &Connection) -> Value {
    match connection.online {
        true => json!({"status": "Online", "errors": []}),
        false => json!({"status": "Offline", "errors": [{
            "errorCode": "DM_GWPipeline_UnknownError",
            "message": "The source of the connection cannot be reached",
        }]}),
    }
}

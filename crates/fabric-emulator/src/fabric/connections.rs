//! `/v1/connections`

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::wire::Reply;
use crate::world::{ApiError, Connection, NewConnection};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionBody {
    display_name: Option<String>,
    connectivity_type: Option<String>,
    connection_details: Option<DetailsBody>,
    privacy_level: Option<String>,
    credential_details: Option<CredentialBody>,
}

#[derive(Deserialize)]
struct DetailsBody {
    r#type: String,
    #[serde(default)]
    parameters: Vec<ParameterBody>,
}

#[derive(Deserialize)]
struct ParameterBody {
    value: Value,
}

#[derive(Deserialize)]
struct CredentialBody {
    credentials: Credentials,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials {
    credential_type: String,
}

pub(super) const ROUTES: &[Row] = &[
    Row::new("GET", "/v1/connections", Recorded, list),
    Row::new("POST", "/v1/connections", Recorded, create),
    Row::new("GET", "/v1/connections/{connectionId}", Recorded, get),
    Row::new("DELETE", "/v1/connections/{connectionId}", Recorded, delete),
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
    let (caller, id) = (call.caller, call.id("connectionId")?);
    Ok(Reply::json(200, connection_json(call.world().connection(caller, id)?)))
}

fn delete(call: &mut Call<'_>) -> Answer {
    let (caller, id) = (call.caller, call.id("connectionId")?);
    call.world().delete_connection(caller, id)?;
    Ok(Reply::empty(200))
}

/// Reads a request; of the credentials nothing but their type is taken.
fn read(body: ConnectionBody) -> Result<NewConnection, ApiError> {
    let required = |field| ApiError::invalid(field, "is required");
    let details = body.connection_details.ok_or_else(|| required("connectionDetails"))?;
    let credentials = body.credential_details.ok_or_else(|| required("credentialDetails"))?.credentials;
    let values = details.parameters.iter().map(|parameter| match &parameter.value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    Ok(NewConnection {
        display_name: body.display_name.ok_or_else(|| required("displayName"))?,
        connectivity_type: body.connectivity_type.ok_or_else(|| required("connectivityType"))?,
        path: values.collect::<Vec<_>>().join(";"),
        kind: details.r#type,
        privacy_level: body.privacy_level.unwrap_or_else(|| "Organizational".to_owned()),
        credential_type: credentials.credential_type,
    })
}

fn connection_json(connection: &Connection) -> Value {
    json!({
        "allowConnectionUsageInGateway": false,
        "id": connection.id,
        "displayName": connection.display_name,
        "connectivityType": connection.connectivity_type,
        "connectionDetails": {"path": connection.path, "type": connection.kind},
        "privacyLevel": connection.privacy_level,
        "credentialDetails": {
            "credentialType": connection.credential_type,
            "singleSignOnType": "None",
            "connectionEncryption": "NotEncrypted",
            "skipTestConnection": false,
        },
    })
}

//! `/v1/connections/supportedConnectionTypes`

use serde_json::{Value, json};

use super::super::{Answer, Call, Row};
use crate::catalogue::Evidence::Recorded;
use crate::world::{ApiError, CONNECTION_TYPES, ConnectionType, guid};

pub(in crate::fabric) const ROUTES: &[Row] =
    &[Row::new("GET", "/v1/connections/supportedConnectionTypes", Recorded, list)];

/// Each type has one creation method here, so `showAllCreationMethods` makes no difference.
fn list(call: &mut Call<'_>) -> Answer {
    if let Some(gateway) = call.request.query("gatewayId") {
        let gateway = guid("gatewayId", gateway)?;
        return Err(ApiError::not_found("EntityNotFound", gateway, "Gateway"));
    }
    call.list(CONNECTION_TYPES.iter().map(type_json).collect())
}

fn type_json(kind: &ConnectionType) -> Value {
    let parameters = kind.parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "dataType": "Text",
            "required": parameter.required,
            "allowedValues": null,
        })
    });
    let encryption: &[&str] = if kind.encrypted { &["NotEncrypted", "Encrypted"] } else { &["NotEncrypted"] };
    json!({
        "type": kind.name,
        "creationMethods": [{"name": kind.method, "parameters": parameters.collect::<Vec<_>>()}],
        "supportedCredentialTypes": kind.credentials,
        "supportedConnectionEncryptionTypes": encryption,
        "supportsSkipTestConnection": kind.skips_test,
        "supportedCredentialTypesForUsageInUserControlledCode": kind.in_code,
    })
}

//! Connections to data sources and Git providers, with the credentials that the service keeps for them.
//!
//! See <https://learn.microsoft.com/rest/api/fabric/core/connections>.

use crate::{Call, ConnectionId, Paged};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A connection. The service never gives a secret back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connection {
    /// Its id.
    pub id: ConnectionId,
    /// Its name.
    pub display_name: Option<String>,
    /// How it is reached, such as `ShareableCloud`.
    pub connectivity_type: Option<String>,
    /// What it leads to.
    pub connection_details: Option<ConnectionDetails>,
}

/// What a connection leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionDetails {
    /// The kind of source, such as `GitHubSourceControl`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The address, in the form of that kind.
    pub path: Option<String>,
}

/// A cloud connection to be created. It holds a secret, so it can be neither printed nor stored by serde.
#[derive(Clone, Debug)]
pub struct New {
    /// Its name, unique in the tenant.
    pub display_name: String,
    /// The kind of source, such as `GitHubSourceControl`.
    pub kind: String,
    /// The way of making it, such as `GitHubSourceControl.Contents`.
    pub creation_method: String,
    /// What that way asks for.
    pub parameters: Vec<Parameter>,
    /// With what to sign in.
    pub credentials: Credentials,
}

/// A text parameter of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, such as `url`.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// With what a connection signs in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Credentials {
    /// Nothing.
    Anonymous,
    /// A name and a password.
    Basic {
        /// The name.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// A key, such as a personal access token.
    Key {
        /// The key.
        key: SecretString,
    },
    /// An application of Entra ID.
    ServicePrincipal {
        /// Its tenant.
        tenant_id: String,
        /// Its client id.
        client_id: String,
        /// Its client secret.
        secret: SecretString,
    },
}

/// All connections that the caller may see.
#[must_use]
pub fn list() -> Paged<Connection> {
    Paged::value("connections.list", "/connections")
}

/// Creates a connection. The service tries the credentials before it accepts them.
#[must_use]
pub fn create(connection: &New) -> Call<Connection> {
    Call::post("connections.create", "/connections").json(&body(connection))
}

/// Deletes a connection.
#[must_use]
pub fn delete(connection: ConnectionId) -> Call<()> {
    Call::delete("connections.delete", format!("/connections/{connection}"))
}

fn body(connection: &New) -> Value {
    let parameters: Vec<_> = connection
        .parameters
        .iter()
        .map(|Parameter { name, value }| json!({"dataType": "Text", "name": name, "value": value}))
        .collect();
    json!({
        "connectivityType": "ShareableCloud",
        "displayName": connection.display_name,
        "connectionDetails": {
            "type": connection.kind,
            "creationMethod": connection.creation_method,
            "parameters": parameters,
        },
        "privacyLevel": "Organizational",
        "credentialDetails": {
            "singleSignOnType": "None",
            "connectionEncryption": "NotEncrypted",
            "skipTestConnection": false,
            "credentials": credentials(&connection.credentials),
        },
    })
}

fn credentials(credentials: &Credentials) -> Value {
    match credentials {
        Credentials::Anonymous => json!({"credentialType": "Anonymous"}),
        Credentials::Basic { username, password } => json!({
            "credentialType": "Basic",
            "username": username,
            "password": password.expose_secret(),
        }),
        Credentials::Key { key } => json!({
            "credentialType": "Key",
            "key": key.expose_secret(),
        }),
        Credentials::ServicePrincipal { tenant_id, client_id, secret } => json!({
            "credentialType": "ServicePrincipal",
            "tenantId": tenant_id,
            "servicePrincipalClientId": client_id,
            "servicePrincipalSecret": secret.expose_secret(),
        }),
    }
}

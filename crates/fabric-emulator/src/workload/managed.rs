//! Managed identities, by the two endpoints that hand out their tokens.
//!
//! - a virtual machine's metadata service:
//!   <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
//! - App Service and what is built like it: <https://learn.microsoft.com/azure/app-service/overview-managed-identity>
//!
//! Which identities this machine has, the seed says: service principals with `managedIdentity`.

use http::HeaderName;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::demo;
use crate::emulator::Shared;
use crate::entra::{self, Issued};
use crate::wire::{Incoming, Reply};
use crate::world::{ManagedIdentity, Principal, World};

/// Why there is no token.
enum Refusal {
    /// Neither the header that proves that nobody was tricked into asking, nor the version of the interface, ...
    Request(String),
    /// No such identity.
    Identity(&'static str),
    /// Nobody knows the resource.
    Resource(String),
    Unavailable,
}

/// `/metadata/identity/oauth2/token` of `http://169.254.169.254`.
pub(super) fn by_metadata_service(shared: &Shared, request: &Incoming) -> Reply {
    let headers = &request.headers;
    let marked = headers.get("metadata").is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    let token = match (marked, headers.contains_key("x-forwarded-for")) {
        (false, _) => Err(Refusal::Request("Required metadata header not specified".to_owned())),
        (true, true) => {
            Err(Refusal::Request("Requests with an X-Forwarded-For header are not answered".to_owned()))
        }
        (true, false) => token(shared, request, "2018-02-01"),
    };
    match token {
        Ok((issued, _)) => Reply::json(200, described(&issued, true)),
        Err(refusal) => {
            let (status, error, description) = match refusal {
                Refusal::Request(what) => (400, "invalid_request", what),
                Refusal::Identity(what) => (400, "invalid_request", what.to_owned()),
                Refusal::Resource(what) => (400, "invalid_resource", what),
                Refusal::Unavailable => (500, "unknown", "Failed to retrieve token".to_owned()),
            };
            Reply::json(status, json!({"error": error, "error_description": description}))
        }
    }
}

/// `IDENTITY_ENDPOINT`, which wants `IDENTITY_HEADER` to be shown.
pub(super) fn by_app_service(shared: &Shared, request: &Incoming) -> Reply {
    let shown = request.headers.get(HeaderName::from_static("x-identity-header"));
    if shown.is_none_or(|value| value.as_bytes() != demo::IDENTITY_HEADER.as_bytes()) {
        return Reply::json(
            401,
            json!({"statusCode": 401, "message": "The X-IDENTITY-HEADER is missing or wrong."}),
        );
    }
    match token(shared, request, "2019-08-01") {
        Ok((issued, client)) => {
            let mut json = described(&issued, false);
            json["client_id"] = json!(client);
            Reply::json(200, json)
        }
        Err(refusal) => {
            let (status, message) = match refusal {
                Refusal::Request(what) | Refusal::Resource(what) => (400, what),
                Refusal::Identity(_) => (400, "No MSI found for specified ClientId/ResourceId.".to_owned()),
                Refusal::Unavailable => (500, "Failed to retrieve token".to_owned()),
            };
            let correlation = Uuid::new_v4();
            Reply::json(
                status,
                json!({"statusCode": status, "message": message, "correlationId": correlation}),
            )
        }
    }
}

/// A token for the resource that is asked for, and the client id of the identity.
fn token(shared: &Shared, request: &Incoming, version: &str) -> Result<(Issued, String), Refusal> {
    match request.query("api-version") {
        Some(given) if given >= version => {}
        Some(given) => return Err(Refusal::Request(format!("The api-version {given} is not supported"))),
        None => return Err(Refusal::Request("Required query variable 'api-version' is missing".to_owned())),
    }
    let resource = request.query("resource").filter(|resource| !resource.is_empty());
    let resource = resource
        .ok_or_else(|| Refusal::Request("Required query variable 'resource' is missing".to_owned()))?;
    let config = shared.config();
    let mut state = shared.state();
    let identity = identity(&state.world, request)?.clone();
    let issued = entra::issue(&mut state, &config.tenant, &identity, resource)
        .map_err(|refusal| refusal.map_or(Refusal::Unavailable, Refusal::Resource))?;
    Ok((issued, identity.app_id.unwrap_or_default()))
}

/// The identity that is meant: the one that is named, or the only one that can be. The endpoints differ in the names of
/// the parameters, and so do the clients of one endpoint.
fn identity<'a>(world: &'a World, request: &Incoming) -> Result<&'a Principal, Refusal> {
    let all = || world.principals.iter().filter(|known| known.managed_identity.is_some() && known.enabled);
    let (client, named) = (request.query("client_id"), |names: [&str; 2]| {
        names.into_iter().find_map(|name| request.query(name))
    });
    let (object, resource) = (named(["object_id", "principal_id"]), named(["msi_res_id", "mi_res_id"]));
    if client.is_some() || object.is_some() || resource.is_some() {
        let is_meant = |known: &&Principal| {
            let is_client =
                known.app_id.as_deref().zip(client).is_some_and(|(own, id)| own.eq_ignore_ascii_case(id));
            let is_object = object.is_some_and(|id| known.id.to_string().eq_ignore_ascii_case(id));
            is_client || is_object
        };
        return all().find(is_meant).ok_or(Refusal::Identity("Identity not found"));
    }
    let own = all().find(|known| known.managed_identity == Some(ManagedIdentity::SystemAssigned));
    match (own, all().count()) {
        (Some(own), _) => Ok(own),
        (None, 1) => all().next().ok_or(Refusal::Identity("Identity not found")),
        (None, 0) => Err(Refusal::Identity("Identity not found")),
        (None, _) => Err(Refusal::Identity(
            "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request",
        )),
    }
}

/// Numbers are text here.
fn described(issued: &Issued, by_metadata_service: bool) -> Value {
    let mut json = json!({"access_token": issued.token});
    if by_metadata_service {
        json["refresh_token"] = json!("");
        json["expires_in"] = json!(issued.lifetime.to_string());
    }
    json["expires_on"] = json!((issued.at + i64::from(issued.lifetime)).to_string());
    if by_metadata_service {
        json["not_before"] = json!(issued.at.to_string());
    }
    json["resource"] = json!(issued.resource);
    json["token_type"] = json!("Bearer");
    json
}

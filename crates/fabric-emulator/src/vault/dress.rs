//! The headers that every answer of a vault has, and the challenge of a 401.

use bytes::Bytes;
use http::{HeaderName, Response, StatusCode, header};
use uuid::Uuid;

use super::resource;
use crate::config::Config;
use crate::wire::{Incoming, insert};
use crate::world::LOCATION;

const CLIENT_REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");
/// What a client may not choose, for a header cannot hold it.
const MAX_CLIENT_REQUEST_ID: usize = 128;

/// Puts the headers on, as recorded from the service. What is there already stays.
pub(crate) fn dress(config: &Config, request: &Incoming, response: &mut Response<Bytes>) {
    let challenged = response.status() == StatusCode::UNAUTHORIZED;
    let headers = response.headers_mut();
    insert(headers, header::CACHE_CONTROL, "no-cache");
    insert(headers, header::PRAGMA, "no-cache");
    insert(headers, header::EXPIRES, "-1");
    if challenged {
        insert(headers, header::WWW_AUTHENTICATE, &challenge(config, request));
    }
    insert(headers, HeaderName::from_static("x-ms-keyvault-region"), LOCATION);
    let client = request.headers.get(CLIENT_REQUEST_ID).filter(|id| id.len() <= MAX_CLIENT_REQUEST_ID);
    if let Some(id) = client {
        headers.insert(CLIENT_REQUEST_ID, id.clone());
    }
    insert(headers, HeaderName::from_static("x-ms-request-id"), &Uuid::new_v4().to_string());
    insert(headers, HeaderName::from_static("x-ms-keyvault-service-version"), "1.9.0.0");
    insert(
        headers,
        HeaderName::from_static("x-ms-keyvault-network-info"),
        "conn_type=Ipv4;addr=127.0.0.1;act_addr_fam=InterNetwork;",
    );
    insert(headers, header::STRICT_TRANSPORT_SECURITY, "max-age=31536000;includeSubDomains");
    insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
}

/// Where to get a token, and for what: RFC 6750 3, with the parameters of
/// <https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses>. The authority has the name
/// by which the client came, unless that is a vault's.
fn challenge(config: &Config, request: &Incoming) -> String {
    let tenant = format!("/{}", config.tenant);
    let authority = match request.vault() {
        Some((_, cloud)) => format!("{}{tenant}", cloud.authority),
        None => request.absolute(&tenant),
    };
    format!("Bearer authorization=\"{authority}\", resource=\"{}\"", resource(request))
}

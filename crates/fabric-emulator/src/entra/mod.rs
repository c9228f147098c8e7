//! Entra ID: the token endpoint, and what clients look up before they ask it.
//!
//! Tokens are signed JSON Web Tokens, and accepted only if they were handed out here. Errors are the AADSTS ones of
//! <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

mod assertion;
mod audience;
mod certificate;
mod claims;
mod discovery;
mod refusal;
mod signing;
mod token;
mod tokens;

use bytes::Bytes;
use http::{HeaderName, Response, header};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::emulator::Shared;
use crate::state::State;
use crate::wire::{Incoming, Reply};
use crate::world::{Principal, World};
use claims::Grant;
use refusal::{Refusal, bad_request, unavailable};
use signing::Signer;

pub(crate) use audience::{FABRIC, GRAPH};
pub(crate) use discovery::HOSTS;
pub(crate) use tokens::{TokenFlaw, Tokens, bearer};

/// The two generations of endpoints.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2,
}

/// The tenant that a path names.
#[derive(PartialEq, Eq)]
enum Tenant {
    Own,
    /// `common` or `organizations`.
    Any(String),
}

pub(crate) fn handle(shared: &Shared, request: &Incoming) -> Response<Bytes> {
    let lower: Vec<String> = request.segments.iter().map(|segment| segment.to_lowercase()).collect();
    let segments: Vec<&str> = lower.iter().map(String::as_str).collect();
    let config = &*shared.config();
    let openid =
        |version| Ok(discovery::openid_configuration(config, &tenant(config, request)?, request, version));
    let answer = match (request.method.as_str(), segments.as_slice()) {
        (_, [_, "oauth2", "v2.0", "token"]) => token::token(shared, request, Version::V2),
        (_, [_, "oauth2", "token"]) => token::token(shared, request, Version::V1),
        ("GET", ["common", "discovery", "instance"]) => discovery::instance(request),
        ("GET", ["common", "userrealm", user]) => Ok(user_realm(&shared.state().world, user)),
        ("GET", [_, "v2.0", ".well-known", "openid-configuration"]) => openid(Version::V2),
        ("GET", [_, ".well-known", "openid-configuration"]) => openid(Version::V1),
        ("GET", [_, "discovery", "v2.0", "keys"] | [_, "discovery", "keys"]) => {
            tenant(config, request).and_then(|_| keys())
        }
        _ => return unknown(shared, request),
    };
    let reply = match answer {
        Ok(body) => Reply::json(200, body),
        Err(refusal) => Reply::json(refusal.status, refusal.body(shared.clock.now())),
    };
    reply
        .header(header::CACHE_CONTROL, "no-store, no-cache")
        .header(HeaderName::from_static("x-ms-request-id"), Uuid::new_v4().to_string())
        .header(HeaderName::from_static("x-ms-ests-server"), "emulator")
        .plain()
}

/// What is not emulated says so, and is counted.
fn unknown(shared: &Shared, request: &Incoming) -> Response<Bytes> {
    shared.state().unknown_routes += 1;
    let message = format!("{} {} is not emulated.", request.method, request.path);
    Reply::json(404, json!({"error": "not_found", "error_description": message})).plain()
}

/// The tenant that the path begins with.
fn tenant(config: &Config, request: &Incoming) -> Result<Tenant, Refusal> {
    let name = request.segments.first().map(String::as_str).unwrap_or_default();
    let lower = name.to_lowercase();
    if name.eq_ignore_ascii_case(&config.tenant) {
        return Ok(Tenant::Own);
    }
    if lower == "common" || lower == "organizations" {
        return Ok(Tenant::Any(lower));
    }
    let is_domain = name.contains('.') && name.split('.').all(|label| !label.is_empty());
    if is_domain || Uuid::parse_str(name).is_ok() {
        let message = format!(
            "Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
        );
        return Err(bad_request("invalid_tenant", 90002, message));
    }
    let message = format!(
        "Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
    );
    Err(bad_request("invalid_request", 900023, message))
}

/// A token that was handed out, for answers of another form than the token endpoint's.
pub(crate) struct Issued {
    pub(crate) token: String,
    /// As it was asked for.
    pub(crate) resource: String,
    /// When, in seconds since 1970.
    pub(crate) at: i64,
    /// Seconds.
    pub(crate) lifetime: u32,
}

/// Hands out a token to an application that the cloud itself vouches for.
///
/// # Errors
/// What is wrong with the resource; `None` when nothing can be signed.
pub(crate) fn issue(
    state: &mut State,
    tenant: &str,
    application: &Principal,
    resource: &str,
) -> Result<Issued, Option<String>> {
    let audience = audience::of_resource(resource).map_err(|refusal| Some(refusal.text()))?;
    let now = state.world.now;
    // As for a certificate, which is what the cloud has in truth.
    let grant = Grant { tenant, application, proof: "2", user: None, now };
    let token = sign(&grant.access_token(audience)).ok_or(None)?;
    state.tokens.issue(token.clone(), application.id, audience, now);
    Ok(Issued { token, resource: resource.to_owned(), at: now.unix_timestamp(), lifetime: tokens::LIFETIME })
}

/// A JSON Web Token with these claims; `None` when there is no randomness to be had.
pub(crate) fn sign(claims: &Value) -> Option<String> {
    Signer::get()?.sign(claims)
}

fn keys() -> Result<Value, Refusal> {
    Ok(json!({"keys": [Signer::get().ok_or_else(unavailable)?.jwk()]}))
}

/// Whether a user's password is checked here or by a server of the user's own. Microsoft's libraries ask before they
/// send one.
fn user_realm(world: &World, name: &str) -> Value {
    let account = if token::find_user(world, name).is_some() { "Managed" } else { "Unknown" };
    json!({
        "ver": "1.0",
        "account_type": account,
        "domain_name": name.rsplit_once('@').map(|(_, domain)| domain),
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    })
}

/// Who a token of the form 1.0 is from.
fn issuer_v1(tenant: &str) -> String {
    format!("https://sts.windows.net/{tenant}/")
}

/// Who a token of the form 2.0 is from.
fn issuer_v2(tenant: &str) -> String {
    format!("https://login.microsoftonline.com/{tenant}/v2.0")
}

//! The token endpoint: client credentials (RFC 6749 4.4) by secret, certificate or federated assertion, and a
//! user's password (RFC 6749 4.3).

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::claims::{Grant, client_info};
use super::refusal::{Refusal, bad_request, invalid_client, unavailable};
use super::signing::Signer;
use super::tokens::LIFETIME;
use super::{Tenant, Version, assertion, audience, tenant};
use crate::emulator::Shared;
use crate::wire::Incoming;
use crate::world::{Principal, PrincipalKind, World};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

pub(super) fn token(shared: &Shared, request: &Incoming, version: Version) -> Result<Value, Refusal> {
    if request.method != "POST" {
        let message =
            format!("The endpoint only accepts POST requests. Received a {} request.", request.method);
        return Err(bad_request("invalid_request", 900561, message));
    }
    let config = shared.config();
    let named = tenant(&config, request)?;
    let form = Form::of(request);
    let (kind, client) = (form.needed("grant_type")?, form.needed("client_id")?);
    // Version 1.0 has a resource where version 2.0 has scopes.
    let wanted = form.needed(match version {
        Version::V2 => "scope",
        Version::V1 => "resource",
    })?;
    let of_user = match kind {
        "client_credentials" => false,
        "password" => true,
        _ => {
            let message = format!("The app requested an unsupported grant type '{kind}'.");
            return Err(bad_request("unsupported_grant_type", 70003, message));
        }
    };
    if !of_user && named != Tenant::Own {
        let message = "No tenant-identifying information found in either the request or implied by any provided credentials.";
        return Err(bad_request("invalid_request", 50059, message));
    }
    let tenant = config.tenant.as_str();
    let mut state = shared.state();
    let now = state.world.now;
    let world = &state.world;
    let application = application(world, tenant, client)?;
    let proof = match prove(application, tenant, &request.absolute(""), &form, now)? {
        // Every application here may also ask as a public client, which has no secret to prove itself by.
        None if of_user => "0",
        None => {
            let message = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
            return Err(invalid_client(7000216, message));
        }
        Some(proof) => proof,
    };
    let user = if of_user { Some(user(world, &form)?) } else { None };
    let audience = match (version, of_user) {
        (Version::V1, _) => audience::of_resource(wanted),
        (Version::V2, false) => audience::of_application(wanted),
        (Version::V2, true) => audience::of_user(wanted),
    }?;
    let grant = Grant { tenant, application, proof, user, now };
    let sign = |claims: &Value| Signer::get().and_then(|signer| signer.sign(claims)).ok_or_else(unavailable);
    let token = sign(&grant.access_token(audience))?;
    let mut answer = match version {
        Version::V2 => json!({"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME}),
        Version::V1 => {
            let now = now.unix_timestamp();
            json!({
                "token_type": "Bearer",
                "expires_in": LIFETIME.to_string(),
                "ext_expires_in": LIFETIME.to_string(),
                "expires_on": (now + i64::from(LIFETIME)).to_string(),
                "not_before": now.to_string(),
                "resource": wanted,
            })
        }
    };
    if user.is_some() && version == Version::V2 {
        answer["scope"] = json!(wanted);
    }
    answer["access_token"] = json!(token);
    if let Some(user) = user {
        if audience::wants_id_token(wanted) {
            answer["id_token"] = json!(sign(&grant.id_token(user))?);
        }
        if form.get("client_info") == Some("1") {
            answer["client_info"] = json!(client_info(tenant, user));
        }
    }
    let caller = user.unwrap_or(application).id;
    state.tokens.issue(token, caller, audience, now);
    Ok(answer)
}

/// The fields of the request. Client id and secret may come as RFC 6749 2.3.1 has it, in the `Authorization` header.
struct Form(HashMap<String, String>);

impl Form {
    fn of(request: &Incoming) -> Self {
        let mut fields: HashMap<String, String> =
            form_urlencoded::parse(&request.body).into_owned().collect();
        if let Some((client, secret)) = basic(request) {
            fields.entry("client_id".to_owned()).or_insert(client);
            fields.entry("client_secret".to_owned()).or_insert(secret);
        }
        Self(fields)
    }

    /// A field, unless it is empty.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn needed(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).ok_or_else(|| {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            bad_request("invalid_request", 900144, message)
        })
    }
}

fn basic(request: &Incoming) -> Option<(String, String)> {
    let (scheme, given) = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let given = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(given.trim()).ok())??;
    let (client, secret) = std::str::from_utf8(&given).ok()?.split_once(':')?;
    // Both are encoded as in a form.
    let decoded = |text: &str| {
        form_urlencoded::parse(text.as_bytes()).map(|(text, _)| text.into_owned()).collect::<String>()
    };
    Some((decoded(client), decoded(secret)))
}

fn application<'a>(world: &'a World, tenant: &str, client: &str) -> Result<&'a Principal, Refusal> {
    let application = world.application(client).ok_or_else(|| {
        let message = format!(
            "Application with identifier '{client}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
        );
        bad_request("unauthorized_client", 700016, message)
    })?;
    if !application.enabled {
        let message = format!("Application '{client}'({}) is disabled.", application.display_name);
        return Err(bad_request("unauthorized_client", 7000112, message));
    }
    Ok(application)
}

/// How the application proved who it is; `None` if it did not try.
fn prove(
    application: &Principal,
    tenant: &str,
    base: &str,
    form: &Form,
    now: time::OffsetDateTime,
) -> Result<Option<&'static str>, Refusal> {
    let client = application.app_id.as_deref().unwrap_or_default();
    if let Some(secret) = form.get("client_secret") {
        if Some(secret) != application.secret.as_deref() {
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
            );
            return Err(invalid_client(7000215, message));
        }
        if application.secret_expired {
            let message = format!(
                "The provided client secret keys for app '{client}' are expired. Visit the Azure portal to create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
            );
            return Err(invalid_client(7000222, message));
        }
        return Ok(Some("1"));
    }
    match form.get("client_assertion") {
        Some(given) if form.get("client_assertion_type") == Some(ASSERTION_TYPE) => {
            assertion::check(application, tenant, base, given, now).map(|()| Some("2"))
        }
        _ => Ok(None),
    }
}

/// The user whose name and password came along.
fn user<'a>(world: &'a World, form: &Form) -> Result<&'a Principal, Refusal> {
    let (name, password) = (form.needed("username")?, form.needed("password")?);
    let user = find_user(world, name).ok_or_else(|| {
        let message = "The user account {EUII Hidden} does not exist in the tenant. To sign into this application, the account must be added to the directory.";
        bad_request("invalid_grant", 50034, message)
    })?;
    if !user.enabled {
        return Err(bad_request("invalid_grant", 50057, "The user account is disabled."));
    }
    if user.password.as_deref() != Some(password) {
        let message = "Error validating credentials due to invalid username or password.";
        return Err(bad_request("invalid_grant", 50126, message));
    }
    Ok(user)
}

/// The user with this principal name.
pub(super) fn find_user<'a>(world: &'a World, name: &str) -> Option<&'a Principal> {
    let is_named = |user: &&Principal| {
        user.kind == PrincipalKind::User
            && user.user_principal_name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))
    };
    world.principals.iter().find(is_named)
}

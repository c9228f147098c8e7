//! Entra ID's token endpoint: client credentials with a secret or a federated assertion.
//!
//! Tokens look like the real ones and are not signed: the emulator knows those it has issued. Errors are the AADSTS
//! ones of <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderName, Response, header};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use url::form_urlencoded;
use uuid::Uuid;

use crate::clock::later;
use crate::emulator::Shared;
use crate::wire::{Incoming, Reply};
use crate::world::{ApiError, Principal};

pub(crate) const FABRIC: &[&str] =
    &["https://api.fabric.microsoft.com", "https://analysis.windows.net/powerbi/api"];
pub(crate) const GRAPH: &[&str] = &["https://graph.microsoft.com"];
/// Seconds a token is good for.
const LIFETIME: u32 = 3599;
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The tokens that were issued.
#[derive(Default)]
pub(crate) struct Tokens(HashMap<String, Token>);

struct Token {
    principal: Uuid,
    audience: String,
    expires: OffsetDateTime,
}

impl Tokens {
    /// Whose token came with the request, good or not.
    pub(crate) fn principal(&self, request: &Incoming) -> Option<Uuid> {
        Some(self.0.get(bearer(request)?)?.principal)
    }

    /// The caller, if its token is for one of the audiences.
    pub(crate) fn check(
        &self,
        request: &Incoming,
        audiences: &[&str],
        now: OffsetDateTime,
    ) -> Result<Uuid, ApiError> {
        let unauthorized = |why| ApiError::new(401, "Unauthorized", why);
        let token = bearer(request).ok_or_else(|| unauthorized("The request has no bearer token"))?;
        let token = self.0.get(token).ok_or_else(|| unauthorized("The bearer token is invalid"))?;
        if !audiences.contains(&token.audience.as_str()) {
            return Err(unauthorized("The audience of the bearer token is invalid"));
        }
        if now >= token.expires {
            return Err(ApiError::new(
                401,
                "TokenExpired",
                "Access token has expired, resubmit with a new access token",
            ));
        }
        Ok(token.principal)
    }
}

fn bearer(request: &Incoming) -> Option<&str> {
    let (scheme, token) = request.headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

struct Refusal {
    status: u16,
    error: &'static str,
    code: u32,
    message: String,
}

fn refuse(status: u16, error: &'static str, code: u32, message: impl Into<String>) -> Refusal {
    Refusal { status, error, code, message: message.into() }
}

pub(crate) fn handle(shared: &Shared, request: &Incoming) -> Response<Bytes> {
    let reply = match token(shared, request) {
        Ok(body) => Reply::json(200, body),
        Err(refusal) => Reply::json(refusal.status, refusal.body(shared.clock.now())),
    };
    reply
        .header(header::CACHE_CONTROL, "no-store, no-cache")
        .header(HeaderName::from_static("x-ms-request-id"), Uuid::new_v4().to_string())
        .header(HeaderName::from_static("x-ms-ests-server"), "emulator")
        .plain()
}

fn token(shared: &Shared, request: &Incoming) -> Result<Value, Refusal> {
    let tenant = request.segments.first().map(String::as_str).unwrap_or_default();
    if request.method != "POST" {
        let message =
            format!("The endpoint only accepts POST requests. Received a {} request.", request.method);
        return Err(refuse(400, "invalid_request", 900561, message));
    }
    if !tenant.eq_ignore_ascii_case(&shared.config.tenant) {
        let message =
            format!("Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.");
        return Err(refuse(400, "invalid_tenant", 90002, message));
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&request.body).into_owned().collect();
    let needed = |name: &str| {
        form.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let message = format!("The request body must contain the following parameter: '{name}'.");
            refuse(400, "invalid_request", 900144, message)
        })
    };
    let (grant, client, scope) = (needed("grant_type")?, needed("client_id")?, needed("scope")?);
    if grant != "client_credentials" {
        let message = format!("The app requested an unsupported grant type '{grant}'.");
        return Err(refuse(400, "unsupported_grant_type", 70003, message));
    }
    let mut state = shared.state();
    let principal = state.world.application(client).cloned().ok_or_else(|| {
        let message =
            format!("Application with identifier '{client}' was not found in the directory '{tenant}'.");
        refuse(400, "unauthorized_client", 700016, message)
    })?;
    check_credential(&principal, &form)?;
    let audience = audience(scope)?;
    let now = state.world.now;
    let token = issue(&mut state.tokens, &principal, audience, tenant, now);
    Ok(
        json!({"token_type": "Bearer", "expires_in": LIFETIME, "ext_expires_in": LIFETIME, "access_token": token}),
    )
}

/// Any assertion is believed, as long as there is one: whose it is, its issuer would have to say.
fn check_credential(principal: &Principal, form: &HashMap<String, String>) -> Result<(), Refusal> {
    let client = principal.app_id.as_deref().unwrap_or_default();
    let given = |name: &str| form.get(name).filter(|value| !value.is_empty());
    match (given("client_secret"), given("client_assertion"), given("client_assertion_type")) {
        (Some(secret), _, _) if Some(secret) == principal.secret.as_ref() => Ok(()),
        (Some(_), _, _) => {
            let message = format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{client}'."
            );
            Err(refuse(401, "invalid_client", 7000215, message))
        }
        (None, Some(_), Some(kind)) if kind == ASSERTION_TYPE => Ok(()),
        _ => {
            let message = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
            Err(refuse(401, "invalid_client", 7000216, message))
        }
    }
}

fn audience(scope: &str) -> Result<&'static str, Refusal> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let message = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err(refuse(400, "invalid_scope", 1002012, message));
    };
    // A resource identifier that ends in a slash gives a scope with two; Entra ID takes that.
    let resource = resource.trim_end_matches('/');
    FABRIC.iter().chain(GRAPH).copied().find(|known| *known == resource).ok_or_else(|| {
        let message = format!("The resource principal named {resource} was not found in the tenant.");
        refuse(400, "invalid_resource", 500011, message)
    })
}

fn issue(
    tokens: &mut Tokens,
    principal: &Principal,
    audience: &str,
    tenant: &str,
    time: OffsetDateTime,
) -> String {
    let now = time.unix_timestamp();
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "emulator"});
    let payload = json!({
        "aud": audience,
        "iss": format!("https://sts.windows.net/{tenant}/"),
        "iat": now,
        "nbf": now,
        "exp": now + i64::from(LIFETIME),
        "appid": principal.app_id,
        "oid": principal.id,
        "sub": principal.id,
        "tid": tenant,
        "idtyp": "app",
        "ver": "1.0",
    });
    let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let signature = URL_SAFE_NO_PAD.encode(Uuid::new_v4().as_bytes());
    let token = format!("{}.{}.{signature}", encode(&header), encode(&payload));
    let expires = later(time, Duration::from_secs(LIFETIME.into()));
    tokens.0.insert(token.clone(), Token { principal: principal.id, audience: audience.to_owned(), expires });
    token
}

impl Refusal {
    fn body(&self, now: OffsetDateTime) -> Value {
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]Z");
        let now = now.format(format).unwrap_or_default();
        let (trace, correlation) = (Uuid::new_v4(), Uuid::new_v4());
        json!({
            "error": self.error,
            "error_description": format!(
                "AADSTS{}: {} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                self.code, self.message
            ),
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        })
    }
}

//! Federated assertions (RFC 7523): a JSON Web Token by another issuer in place of a secret.
//!
//! Issuer, subject and audience must be those of one of the application's federated credentials, letter for letter, as in
//! <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>. The signature of a foreign issuer is not
//! checked, for its keys are out of reach; that of this Entra ID is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;

use super::refusal::{Refusal, bad_request, invalid_client};
use super::signing::Signer;
use super::{issuer_v1, issuer_v2};
use crate::wire::timestamp;
use crate::world::Principal;

/// Seconds that the issuer's clock may be off. A guess: the usual five minutes, nobody documents it.
const SKEW: f64 = 300.0;

#[derive(Deserialize)]
struct Header {
    alg: String,
}

/// The registered claims (RFC 7519 4.1). Entra ID takes no list of audiences.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<String>,
    /// Seconds since 1970, as what follows.
    #[serde(default)]
    nbf: f64,
    #[serde(default)]
    exp: f64,
}

/// Whether the assertion proves that it comes from the application.
pub(super) fn check(
    application: &Principal,
    tenant: &str,
    assertion: &str,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let malformed = || bad_request("invalid_request", 50027, "JWT token is invalid or malformed.");
    let (signed, signature) = assertion.rsplit_once('.').ok_or_else(malformed)?;
    let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|bytes| !bytes.is_empty());
    let signature = signature.ok_or_else(malformed)?;
    let header: Header = decoded(header).ok_or_else(malformed)?;
    let claims: Claims = decoded(claims).ok_or_else(malformed)?;
    if !matches!(header.alg.as_str(), "RS256" | "RS384" | "RS512") {
        let message = format!(
            "Invalid JWT token. '{}' is not a supported signature algorithm. Supported signing algorithms are: 'RS256,RS384,RS512'",
            header.alg
        );
        return Err(invalid_client(5002738, message));
    }
    let issuer = needed("iss", claims.iss)?;
    if application.app_id.as_ref() == Some(&issuer) {
        // Signed with a certificate of the application's own, and no application has one here.
        let message = "Client assertion contains an invalid signature. [Reason - The key was not found.]";
        return Err(invalid_client(700027, message));
    }
    trusted(application, &issuer, &needed("sub", claims.sub)?, &needed("aud", claims.aud)?)?;
    let is_own = issuer == issuer_v1(tenant) || issuer == issuer_v2(tenant);
    if is_own && !Signer::get().is_some_and(|signer| signer.verifies(signed, &signature)) {
        let message = "Assertion failed signature validation. [Reason - The key was not found.]";
        return Err(invalid_client(50013, message));
    }
    timely(claims.nbf, claims.exp, now)
}

fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn needed(name: &str, claim: Option<String>) -> Result<String, Refusal> {
    claim.ok_or_else(|| {
        let message = format!(
            "The required field '{name}' is missing from the credential. Ensure that you have all the necessary parameters for the login request."
        );
        bad_request("invalid_request", 90014, message)
    })
}

/// One credential has to match in all three; the error names the first of them in which none does.
fn trusted(application: &Principal, issuer: &str, subject: &str, audience: &str) -> Result<(), Refusal> {
    let no_match = |code, what: &str, value: &str| {
        let message = format!(
            "No matching federated identity record found for presented assertion {what} '{value}'. Check your federated identity credential Subject, Audience and Issuer against the presented assertion. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
        );
        Err(invalid_client(code, message))
    };
    let mut left = application.federated_credentials.iter().collect::<Vec<_>>();
    left.retain(|credential| credential.issuer == issuer);
    if left.is_empty() {
        return no_match(700211, "issuer", issuer);
    }
    left.retain(|credential| credential.subject == subject);
    if left.is_empty() {
        return no_match(700213, "subject", subject);
    }
    left.retain(|credential| credential.audience == audience);
    if left.is_empty() {
        return no_match(700212, "audience", audience);
    }
    Ok(())
}

fn timely(nbf: f64, exp: f64, now: OffsetDateTime) -> Result<(), Refusal> {
    let seconds = now.unix_timestamp() as f64;
    if nbf - SKEW <= seconds && seconds < exp + SKEW {
        return Ok(());
    }
    let at = |seconds: f64| {
        OffsetDateTime::from_unix_timestamp(seconds as i64).map_or_else(|_| seconds.to_string(), timestamp)
    };
    let message = format!(
        "Client assertion is not within its valid time range. Current time: {}Z, assertion valid from {}Z, expiry time of assertion {}Z. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
        timestamp(now),
        at(nbf),
        at(exp)
    );
    Err(invalid_client(700024, message))
}

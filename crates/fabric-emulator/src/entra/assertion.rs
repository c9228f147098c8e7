//! Assertions (RFC 7523): a JSON Web Token in place of a secret.
//!
//! An application signs one itself, with the key of its certificate ([`super::certificate`]), or shows that of another
//! issuer: a federated one. Issuer, subject and audience of that must be those of one of the application's federated
//! credentials, letter for letter, as in <https://learn.microsoft.com/entra/workload-id/workload-identity-federation>. The
//! signature of a foreign issuer is not checked, for its keys are out of reach; that of this Entra ID is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use uuid::Uuid;

use super::refusal::{Refusal, bad_request, invalid_client};
use super::signing::Signer;
use super::{certificate, issuer_v1, issuer_v2};
use crate::wire::timestamp;
use crate::world::Principal;

/// Seconds that the issuer's clock may be off. A guess: the usual five minutes, nobody documents it.
const SKEW: f64 = 300.0;
/// Where messages send who reads them.
pub(super) const DOCUMENTATION: &str =
    "https://learn.microsoft.com/entra/identity-platform/certificate-credentials";

/// An assertion, read but not believed.
pub(super) struct Assertion<'a> {
    pub(super) header: Header,
    /// Header and claims as they were signed.
    pub(super) signed: &'a str,
    pub(super) signature: Vec<u8>,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) audience: String,
    /// Seconds since 1970, as what follows.
    nbf: f64,
    exp: f64,
}

/// What is said of the key (RFC 7515 4.1).
#[derive(Deserialize)]
pub(super) struct Header {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    pub(super) x5t_s256: Option<String>,
}

/// The registered claims (RFC 7519 4.1). Entra ID takes no list of audiences.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<String>,
    #[serde(default)]
    nbf: f64,
    #[serde(default)]
    exp: f64,
}

/// Whether the assertion proves that it comes from the application. `base` is the address by which the client came here.
pub(super) fn check(
    application: &Principal,
    tenant: &str,
    base: &str,
    assertion: &str,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let assertion = Assertion::read(assertion)?;
    // Applications are GUIDs, all other issuers are URLs.
    if Uuid::parse_str(&assertion.issuer).is_ok() {
        certificate::check(application, tenant, base, &assertion, now)?;
    } else {
        federated(application, tenant, &assertion)?;
    }
    assertion.check_times(now)
}

fn federated(application: &Principal, tenant: &str, assertion: &Assertion<'_>) -> Result<(), Refusal> {
    let Assertion { header, signed, signature, issuer, subject, audience, .. } = assertion;
    if !matches!(header.alg.as_str(), "RS256" | "RS384" | "RS512") {
        return Err(header.unsupported("RS256,RS384,RS512"));
    }
    trusted(application, issuer, subject, audience)?;
    let is_own = *issuer == issuer_v1(tenant) || *issuer == issuer_v2(tenant);
    if is_own && !Signer::get().is_some_and(|signer| signer.verifies(signed, signature)) {
        let message = "Assertion failed signature validation. [Reason - The key was not found.]";
        return Err(invalid_client(50013, message));
    }
    Ok(())
}

impl<'a> Assertion<'a> {
    fn read(text: &'a str) -> Result<Self, Refusal> {
        let malformed = || bad_request("invalid_request", 50027, "JWT token is invalid or malformed.");
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or_else(malformed)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok().filter(|bytes| !bytes.is_empty());
        let signature = signature.ok_or_else(malformed)?;
        let header: Header = decoded(header).ok_or_else(malformed)?;
        let Claims { iss, sub, aud, nbf, exp } = decoded(claims).ok_or_else(malformed)?;
        let (issuer, subject, audience) = (needed("iss", iss)?, needed("sub", sub)?, needed("aud", aud)?);
        Ok(Self { header, signed, signature, issuer, subject, audience, nbf, exp })
    }

    fn check_times(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        let Self { nbf, exp, .. } = *self;
        let seconds = now.unix_timestamp() as f64;
        if nbf - SKEW <= seconds && seconds < exp + SKEW {
            return Ok(());
        }
        let at = |seconds: f64| {
            OffsetDateTime::from_unix_timestamp(seconds as i64)
                .map_or_else(|_| seconds.to_string(), timestamp)
        };
        let message = format!(
            "Client assertion is not within its valid time range. Current time: {}Z, assertion valid from {}Z, expiry time of assertion {}Z. Review the documentation at {DOCUMENTATION} .",
            timestamp(now),
            at(nbf),
            at(exp)
        );
        Err(invalid_client(700024, message))
    }
}

impl Header {
    /// Signed by an algorithm that is none of `supported`.
    pub(super) fn unsupported(&self, supported: &str) -> Refusal {
        let message = format!(
            "Invalid JWT token. '{}' is not a supported signature algorithm. Supported signing algorithms are: '{supported}'",
            self.alg
        );
        invalid_client(5002738, message)
    }
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

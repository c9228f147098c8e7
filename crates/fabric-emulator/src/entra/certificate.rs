//! Assertions that an application signs itself, with the key of one of its certificates:
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>.
//!
//! The page asks for PS256 with `x5t#S256`; RS256 with `x5t` is what it asked for before, and what most clients still
//! send. `x5c` is not looked at: Entra ID needs it only for applications that trust a subject and an issuer in place of a
//! certificate, and there are none here.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rustls_pki_types::SignatureVerificationAlgorithm;
use time::OffsetDateTime;
use webpki::ring::{RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256_LEGACY_KEY};

use super::assertion::{Assertion, DOCUMENTATION, Header};
use super::discovery::HOSTS;
use super::refusal::{Refusal, bad_request, invalid_client};
use crate::world::{Certificate, Principal, Thumbprint, Verdict};

/// Base64url, with or without padding: msal for Python pads thumbprints.
const ANY_PADDING: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Whether one of the application's certificates signed the assertion, and for this token endpoint. Not whether in time.
pub(super) fn check(
    application: &Principal,
    tenant: &str,
    base: &str,
    assertion: &Assertion<'_>,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let Assertion { header, signed, signature, issuer, subject, audience, .. } = assertion;
    let algorithm: &dyn SignatureVerificationAlgorithm = match header.alg.as_str() {
        "PS256" => RSA_PSS_2048_8192_SHA256_LEGACY_KEY,
        "RS256" => RSA_PKCS1_2048_8192_SHA256,
        _ => return Err(header.unsupported("RS256,PS256")),
    };
    if !subject.eq_ignore_ascii_case(issuer) {
        let message = "Subject must match the issuer claim in the client assertion.";
        return Err(invalid_client(50048, message));
    }
    let client = application.app_id.as_deref().unwrap_or_default();
    if !issuer.eq_ignore_ascii_case(client) {
        let message = format!(
            "Client assertion application identifier doesn't match 'client_id' parameter. Review the documentation at {DOCUMENTATION} ."
        );
        return Err(invalid_client(700021, message));
    }
    let (certificate, thumbprint) = named(application, header)?;
    let at_fault = |what: &str, reason: &str| {
        let thumbprint = thumbprint
            .as_ref()
            .map_or(String::new(), |hex| format!(", Thumbprint of key used by client: '{hex}'"));
        let message = format!(
            "{what}. [Reason - {reason}.{thumbprint}, Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{client}'.]"
        );
        Err(invalid_client(700027, message))
    };
    let of_client = "The certificate with identifier used to sign the client assertion is";
    let Some(certificate) = certificate else {
        return at_fault(&format!("{of_client} not registered on application"), "The key was not found");
    };
    match certificate.verdict(algorithm, signed.as_bytes(), signature, now) {
        Verdict::Good => {}
        Verdict::Bad => {
            return at_fault(
                "Client assertion contains an invalid signature",
                "Key was found, but use of the key to verify the signature failed",
            );
        }
        Verdict::OtherKey => {
            let message = "Invalid JWT token. Unsupported key for the signing algorithm.";
            return Err(bad_request("invalid_request", 5002730, message));
        }
        Verdict::OutOfTime => {
            return at_fault(&format!("{of_client} expired on application"), "The key used is expired");
        }
    }
    if !is_meant(audience, tenant, base) {
        let message = format!(
            "Client assertion audience claim does not match Realm issuer. Review the documentation at {DOCUMENTATION} ."
        );
        return Err(invalid_client(700023, message));
    }
    Ok(())
}

/// The certificate of the application's that has every thumbprint in the header, and the thumbprint in hexadecimal digits.
fn named<'a>(
    application: &'a Principal,
    header: &Header,
) -> Result<(Option<&'a Certificate>, Option<String>), Refusal> {
    let given: Vec<_> = [(Thumbprint::Sha256, &header.x5t_s256), (Thumbprint::Sha1, &header.x5t)]
        .into_iter()
        .filter_map(|(kind, text)| Some((kind, text.as_ref()?)))
        .map(|(kind, text)| (kind, ANY_PADDING.decode(text).unwrap_or_default()))
        .collect();
    if given.is_empty() && header.kid.is_none() {
        let message = "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in token header.";
        return Err(invalid_client(5002723, message));
    }
    let is_named = |it: &&Certificate| {
        !given.is_empty() && given.iter().all(|(kind, thumbprint)| it.has(kind, thumbprint))
    };
    let hex = given.iter().map(|(_, bytes)| bytes).find(|bytes| !bytes.is_empty());
    let hex = hex.map(|bytes| bytes.iter().map(|byte| format!("{byte:02X}")).collect());
    Ok((application.certificates.iter().find(is_named), hex))
}

/// The token endpoints of the tenant and, as the page had it before, the issuer of its tokens: by one of Entra ID's names,
/// or the one by which the client came here.
fn is_meant(audience: &str, tenant: &str, base: &str) -> bool {
    let hosts = HOSTS.iter().map(|host| format!("https://{host}")).chain([base.to_owned()]);
    hosts.into_iter().any(|host| {
        ["oauth2/v2.0/token", "oauth2/token", "v2.0"]
            .iter()
            .any(|path| audience.eq_ignore_ascii_case(&format!("{host}/{tenant}/{path}")))
    })
}

//! Assertions that an application signs with the key of its certificate.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject as _;
use selvedge_fabric_emulator::{Config, Emulator, demo};
use serde_json::{Value, json};

use super::assertions::{KIND, encode, now};
use super::{ask, claims, credentials, emulator, refusal};
use crate::support::{Answer, send};

/// A client id as people type it; the emulator has it in small letters.
const CLIENT: &str = "ABCDEF99-0000-4000-8000-000000000004";
/// The key of the application's certificate: the one RSA key there is in this source.
const KEY: &[u8] = include_bytes!("../../../src/entra/signing_key.der");
/// Somebody else's certificate and key.
const OTHER: &str = include_str!("../../../../secrets/tests/data/application.pem");

const AUDIENCE: &str =
    "https://login.microsoftonline.com/aaaaaaaa-0000-4000-8000-000000000001/oauth2/v2.0/token";

/// A certificate for the application's key, good from yesterday on for 30 days.
pub(crate) fn certificate() -> rcgen::Certificate {
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&KEY.into(), &PKCS_RSA_SHA256).unwrap();
    issued(&key)
}

fn issued(key: &KeyPair) -> rcgen::Certificate {
    let mut params = CertificateParams::new([]).unwrap();
    params.not_before = time::OffsetDateTime::now_utc() - Duration::from_secs(86_400);
    params.not_after = params.not_before + Duration::from_secs(30 * 86_400);
    params.self_signed(key).unwrap()
}

/// The demo tenant with an application that has those certificates.
fn with(certificates: &[&str]) -> Emulator {
    let emulator = emulator();
    emulator.seed(&seed(certificates)).unwrap();
    emulator
}

fn seed(certificates: &[&str]) -> Value {
    json!({"servicePrincipals": [{"displayName": "Signer", "appId": CLIENT, "certificates": certificates}]})
}

fn header(alg: &str, der: &[u8]) -> Value {
    let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, der));
    match alg {
        "RS256" => json!({"alg": alg, "typ": "JWT", "x5t": thumbprint(&SHA1_FOR_LEGACY_USE_ONLY)}),
        _ => json!({"alg": alg, "typ": "JWT", "x5t#S256": thumbprint(&SHA256)}),
    }
}

/// What the application says of itself, with other claims in place of its own; `null` leaves one out.
fn own(changes: &Value) -> Value {
    let mut claims =
        json!({"iss": CLIENT, "sub": CLIENT, "aud": AUDIENCE, "jti": "1", "nbf": now(), "exp": now() + 600});
    let object = claims.as_object_mut().unwrap();
    object.extend(changes.as_object().unwrap().clone());
    object.retain(|_, value| !value.is_null());
    claims
}

fn signed_by(key: &[u8], header: &Value, claims: &Value) -> String {
    let key = ring::rsa::KeyPair::from_pkcs8(key).unwrap();
    let how: &dyn RsaEncoding = if header["alg"] == "PS256" { &RSA_PSS_SHA256 } else { &RSA_PKCS1_SHA256 };
    let text = format!("{}.{}", encode(header), encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(how, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn signed(header: &Value, claims: &Value) -> String {
    signed_by(KEY, header, claims)
}

async fn show(emulator: &Emulator, assertion: &str) -> Answer {
    let form = [("client_id", CLIENT), ("client_assertion", assertion), ("client_assertion_type", KIND)];
    ask(emulator, &credentials(&form)).await
}

/// The whole text of a refusal.
fn said(answer: &Answer) -> &str {
    answer.json["error_description"].as_str().unwrap()
}

#[tokio::test]
async fn an_application_signs_in_by_its_certificate() {
    let certificate = certificate();
    let emulator = with(&[&certificate.pem()]);
    let der = certificate.der();
    let (ps, rs) = (header("PS256", der), header("RS256", der));
    let both =
        json!({"alg": "RS256", "x5t": rs["x5t"], "x5t#S256": ps["x5t#S256"], "x5c": [STANDARD.encode(der)]});
    let padded = json!({"alg": "PS256", "x5t#S256": URL_SAFE.encode(digest(&SHA256, der))});
    for header in [&ps, &rs, &both, &padded] {
        let answer = show(&emulator, &signed(header, &own(&json!({})))).await;
        assert_eq!(answer.status, 200, "{header}: {answer:?}");
        let claims = claims(&answer.json["access_token"]);
        assert_eq!((&claims["appidacr"], &claims["idtyp"]), (&json!("2"), &json!("app")));
        assert_eq!(claims["appid"], CLIENT.to_lowercase());
    }
    // As the other claims are: the id in any case, and no `nbf`.
    let lower = CLIENT.to_lowercase();
    let loose = own(&json!({"iss": lower, "sub": lower, "aud": AUDIENCE.to_uppercase(), "nbf": null}));
    assert_eq!(show(&emulator, &signed(&ps, &loose)).await.status, 200);
    assert!(emulator.requests().iter().all(|it| it.body.contains("client_assertion=[REDACTED]")));
}

#[tokio::test]
async fn an_assertion_is_for_the_tenants_token_endpoint() {
    let certificate = certificate();
    let emulator = with(&[&certificate.pem()]);
    let header = header("PS256", certificate.der());
    let tenant = demo::TENANT_ID;
    let path = format!("/{tenant}/v2.0/.well-known/openid-configuration");
    let published = send(&emulator, "GET", &path, &[], "").await.unwrap();
    for audience in [
        published.json["token_endpoint"].as_str().unwrap().to_owned(),
        AUDIENCE.to_owned(),
        format!("https://login.windows.net/{tenant}/oauth2/v2.0/token"),
        format!("https://login.microsoftonline.com/{tenant}/oauth2/token"),
        format!("https://login.microsoftonline.com/{tenant}/v2.0"),
    ] {
        let answer = show(&emulator, &signed(&header, &own(&json!({"aud": audience})))).await;
        assert_eq!(answer.status, 200, "{audience}: {answer:?}");
    }
    for audience in [
        "api://AzureADTokenExchange".to_owned(),
        "https://login.microsoftonline.com/common/oauth2/v2.0/token".to_owned(),
        format!("https://login.microsoftonline.com/{CLIENT}/oauth2/v2.0/token"),
        format!("https://login.microsoftonline.com.example/{tenant}/oauth2/v2.0/token"),
        format!("http://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"),
        format!("{AUDIENCE}/"),
    ] {
        let answer = show(&emulator, &signed(&header, &own(&json!({"aud": audience})))).await;
        assert_eq!(refusal(&answer), (401, "invalid_client", 700023), "{audience}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_assertion_is_said() {
    let certificate = certificate();
    let der = certificate.der();
    let emulator = with(&[&certificate.pem()]);
    let (request, client) = ((400, "invalid_request"), (401, "invalid_client"));
    let (ps, rs) = (header("PS256", der), header("RS256", der));
    let plain = own(&json!({}));
    let changed = |changes: Value| signed(&ps, &own(&changes));
    let by = |header: Value| signed(&header, &plain);
    let (text, _) =
        by(ps.clone()).rsplit_once('.').map(|(text, last)| (text.to_owned(), last.to_owned())).unwrap();
    let other_claims = {
        let signature = by(ps.clone()).rsplit_once('.').unwrap().1.to_owned();
        format!("{}.{}.{signature}", encode(&ps), encode(&own(&json!({"jti": "2"}))))
    };
    let other = PrivatePkcs8KeyDer::from_pem_slice(OTHER.as_bytes()).unwrap();
    let unfit = json!({"alg": "RS256", "x5t": rs["x5t"], "x5t#S256": URL_SAFE_NO_PAD.encode([0; 32])});
    let cases = [
        ("a.b.c".to_owned(), request, 50027),
        (format!("{text}."), request, 50027),
        (by(json!({"alg": "PS256", "x5t#S256": 1})), request, 50027),
        (changed(json!({"aud": [AUDIENCE]})), request, 50027),
        (changed(json!({"sub": null})), request, 90014),
        (changed(json!({"aud": null})), request, 90014),
        (by(json!({"alg": "none", "x5t": rs["x5t"]})), client, 5002738),
        (by(json!({"alg": "RS384", "x5t": rs["x5t"]})), client, 5002738),
        (by(json!({"alg": "PS256", "x5c": [STANDARD.encode(der)]})), client, 5002723),
        (changed(json!({"sub": demo::CLIENT_ID})), client, 50048),
        (changed(json!({"iss": demo::CLIENT_ID, "sub": demo::CLIENT_ID})), client, 700021),
        // Nobody's certificate; the right one by a wrong name, or by two that do not fit.
        (by(json!({"alg": "PS256", "x5t#S256": URL_SAFE_NO_PAD.encode([0; 32])})), client, 700027),
        (by(json!({"alg": "RS256", "x5t": ps["x5t#S256"]})), client, 700027),
        (by(json!({"alg": "RS256", "x5t": "ä"})), client, 700027),
        (by(json!({"alg": "RS256", "kid": rs["x5t"]})), client, 700027),
        (by(unfit), client, 700027),
        // Signed by another key, in another way, or with other claims.
        (signed_by(other.secret_pkcs8_der(), &ps, &plain), client, 700027),
        (signed_by(other.secret_pkcs8_der(), &rs, &plain), client, 700027),
        (format!("{text}.{}", URL_SAFE_NO_PAD.encode([7; 256])), client, 700027),
        (other_claims, client, 700027),
        (changed(json!({"nbf": now() - 900, "exp": now() - 301})), client, 700024),
        (changed(json!({"nbf": now() + 301, "exp": now() + 900})), client, 700024),
        (changed(json!({"exp": null})), client, 700024),
    ];
    for (assertion, (status, error), code) in cases {
        let answer = show(&emulator, &assertion).await;
        assert_eq!(refusal(&answer), (status, error, code), "{assertion}: {answer:?}");
    }
    // A signature of one kind does not pass for the other.
    let mixed = signed(&rs, &plain).rsplit_once('.').unwrap().1.to_owned();
    let answer = show(&emulator, &format!("{text}.{mixed}")).await;
    assert_eq!(refusal(&answer).2, 700027);
    assert!(
        said(&answer).contains("[Reason - Key was found, but use of the key to verify the signature failed.")
    );
    // The certificate of one application is nothing to another.
    let form = [
        ("client_assertion", &*signed(&ps, &own(&json!({"iss": demo::CLIENT_ID, "sub": demo::CLIENT_ID})))),
        ("client_assertion_type", KIND),
    ];
    let answer = ask(&emulator, &credentials(&form)).await;
    assert_eq!(refusal(&answer), (401, "invalid_client", 700027));
    let hex: String = digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
    let expected = format!("[Reason - The key was not found., Thumbprint of key used by client: '{hex}', ");
    assert!(said(&answer).contains(&expected), "{}", said(&answer));
}

#[tokio::test]
async fn one_of_several_certificates_is_enough_while_it_is_good() {
    let certificate = certificate();
    let first = header("PS256", certificate.der());
    let elliptic = issued(&KeyPair::generate().unwrap());
    let emulator = with(&[&elliptic.pem(), &certificate.pem()]);
    let good = signed(&first, &own(&json!({})));
    assert_eq!(show(&emulator, &good).await.status, 200);

    let by_other = signed(&header("PS256", elliptic.der()), &own(&json!({})));
    assert_eq!(refusal(&show(&emulator, &by_other).await), (400, "invalid_request", 5002730));

    emulator.advance(Duration::from_secs(30 * 86_400));
    let late = now() + 30 * 86_400;
    let assertion = signed(&first, &own(&json!({"nbf": late, "exp": late + 600})));
    let answer = show(&emulator, &assertion).await;
    assert_eq!(refusal(&answer), (401, "invalid_client", 700027));
    assert!(said(&answer).contains("[Reason - The key used is expired."), "{}", said(&answer));
}

#[tokio::test]
async fn a_snapshot_has_the_certificates() {
    let certificate = certificate();
    let snapshot = serde_json::to_string(&with(&[&certificate.pem()]).snapshot().unwrap()).unwrap();
    let snapshot = selvedge_fabric_emulator::Snapshot::from_json(snapshot.as_bytes()).unwrap();
    let emulator = Emulator::new(Config::default());
    emulator.restore(&snapshot);
    let assertion = signed(&header("PS256", certificate.der()), &own(&json!({})));
    assert_eq!(show(&emulator, &assertion).await.status, 200);
}

#[test]
fn a_seed_has_certificates_and_no_keys() {
    let certificate = certificate().pem();
    let key = &OTHER[OTHER.find("-----BEGIN PRIVATE KEY").unwrap()..];
    let (first, _) = OTHER.split_at(OTHER.rfind("-----BEGIN CERTIFICATE").unwrap());
    for (text, expected) in [
        (String::new(), "there is no certificate in it, as PEM"),
        ("TOPSECRET".to_owned(), "there is no certificate in it, as PEM"),
        (key.to_owned(), "there is something else in it than one certificate"),
        (format!("{certificate}{key}"), "there is something else in it than one certificate"),
        (format!("{certificate}{first}"), "there is something else in it than one certificate"),
        (certificate.replacen("\nM", "\n§", 1), "is no PEM: "),
        (
            "-----BEGIN CERTIFICATE-----\nTOPSECRE\n-----END CERTIFICATE-----\n".to_owned(),
            "is no X.509 certificate that can be used: ",
        ),
    ] {
        let emulator = emulator();
        let before = emulator.inventory();
        let error = emulator.seed(&seed(&[&certificate, &text])).unwrap_err();
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(
            source,
            format!("servicePrincipals[0].certificates[1]: {}", source.rsplit_once("]: ").unwrap().1)
        );
        assert!(source.contains(expected), "{source}");
        assert!(!source.contains("TOPSECRE") && !source.contains(key.lines().nth(1).unwrap()), "{source}");
        assert_eq!(emulator.inventory(), before);
    }
}

//! Federated assertions: matched letter for letter, in time, and of the emulator's own only with its signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use selvedge_fabric_emulator::{Emulator, demo};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{ask, claims, credentials, emulator, refusal};
use crate::support::Answer;

pub(super) const KIND: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const AUDIENCE: &str = "api://AzureADTokenExchange";

async fn show(emulator: &Emulator, assertion: &str) -> Answer {
    ask(emulator, &credentials(&[("client_assertion", assertion), ("client_assertion_type", KIND)])).await
}

pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// What GitHub Actions shows for the demo caller's repository, with other claims in place of its own; `null` leaves one out.
fn github(changes: Value) -> Value {
    let mut claims = json!({"iss": demo::GITHUB_ISSUER, "sub": demo::GITHUB_SUBJECT, "aud": AUDIENCE,
        "nbf": now(), "exp": now() + 300});
    let claims_object = claims.as_object_mut().unwrap();
    claims_object.extend(changes.as_object().unwrap().clone());
    claims_object.retain(|_, value| !value.is_null());
    claims
}

pub(super) fn encode(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// With a signature that nobody checks.
fn forged(claims: &Value) -> String {
    format!(
        "{}.{}.{}",
        encode(&json!({"alg": "RS256", "kid": "k"})),
        encode(claims),
        URL_SAFE_NO_PAD.encode("s")
    )
}

/// Signed as anybody can who has the source.
fn signed(claims: &Value) -> String {
    let key = KeyPair::from_pkcs8(include_bytes!("../../../src/entra/signing_key.der")).unwrap();
    let text = format!("{}.{}", encode(&json!({"alg": "RS256"})), encode(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[tokio::test]
async fn an_assertion_must_match_and_be_in_time() {
    let (request, client) = ((400, "invalid_request"), (401, "invalid_client"));
    let subject = |text: &str| github(json!({"sub": text}));
    let header = |header: Value| format!("{}.{}.cw", encode(&header), encode(&github(json!({}))));
    let times = |nbf: i64, exp: i64| forged(&github(json!({"nbf": now() + nbf, "exp": now() + exp})));
    let cases = [
        ("a.b.c".to_owned(), request, 50027),
        ("no token".to_owned(), request, 50027),
        (format!("{}.{}.", encode(&json!({"alg": "RS256"})), encode(&github(json!({})))), request, 50027),
        (header(json!({"kid": "no algorithm"})), request, 50027),
        (header(json!({"alg": "none"})), client, 5002738),
        (header(json!({"alg": "HS256"})), client, 5002738),
        (forged(&json!("no claims")), request, 50027),
        (forged(&github(json!({"aud": [AUDIENCE]}))), request, 50027),
        (forged(&github(json!({"iss": null}))), request, 90014),
        (forged(&github(json!({"sub": null}))), request, 90014),
        (forged(&github(json!({"aud": null}))), request, 90014),
        (forged(&github(json!({"iss": demo::CLIENT_ID, "sub": demo::CLIENT_ID}))), client, 700027),
        (forged(&github(json!({"iss": format!("{}/", demo::GITHUB_ISSUER)}))), client, 700211),
        (forged(&github(json!({"iss": demo::GITHUB_ISSUER.to_uppercase()}))), client, 700211),
        (forged(&subject("repo:contoso/fabric:pull_request")), client, 700213),
        (forged(&subject("repo:Contoso/fabric:ref:refs/heads/main")), client, 700213),
        (forged(&subject("repo:contoso/fabric:ref:refs/heads/*")), client, 700213),
        // Another credential's subject does not help.
        (forged(&subject(demo::AZURE_DEVOPS_OLD_SUBJECT)), client, 700213),
        (forged(&github(json!({"aud": "https://management.azure.com"}))), client, 700212),
        (times(-900, -301), client, 700024),
        (times(301, 900), client, 700024),
        (forged(&github(json!({"exp": null}))), client, 700024),
        (forged(&github(json!({"exp": -1e300}))), client, 700024),
        (forged(&github(json!({"exp": "soon"}))), request, 50027),
    ];
    let emulator = emulator();
    for (assertion, (status, error), code) in cases {
        let answer = show(&emulator, &assertion).await;
        assert_eq!(refusal(&answer), (status, error, code), "{assertion}");
    }
    for good in [times(-600, -290), times(290, 600), forged(&github(json!({"nbf": null})))] {
        assert_eq!(show(&emulator, &good).await.status, 200, "{good}");
    }
}

#[tokio::test]
async fn the_demo_caller_can_come_from_github_and_azure_devops() {
    let emulator = emulator();
    let of = |issuer: &str, subject: &str| github(json!({"iss": issuer, "sub": subject}));
    for assertion in [
        forged(&github(json!({}))),
        forged(&of(demo::AZURE_DEVOPS_OLD_ISSUER, demo::AZURE_DEVOPS_OLD_SUBJECT)),
        signed(&of(demo::AZURE_DEVOPS_ISSUER, demo::AZURE_DEVOPS_SUBJECT)),
    ] {
        let answer = show(&emulator, &assertion).await;
        assert_eq!(answer.keys(), ["token_type", "expires_in", "ext_expires_in", "access_token"]);
        assert_eq!(claims(&answer.json["access_token"])["appidacr"], "2");
    }
    assert_eq!(emulator.requests()[0].body.matches("client_assertion=[REDACTED]").count(), 1);

    let unsigned = forged(&of(demo::AZURE_DEVOPS_ISSUER, demo::AZURE_DEVOPS_SUBJECT));
    assert_eq!(refusal(&show(&emulator, &unsigned).await), (401, "invalid_client", 50013));
}

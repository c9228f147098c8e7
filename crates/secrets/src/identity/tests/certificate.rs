//! Applications by certificate.

use super::*;
use crate::Clock;
use azure_core::time::OffsetDateTime;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};

/// A foreign certificate, the application's, its key.
const PEM: &str = include_str!("../../../tests/data/application.pem");
const PKCS1: &str = include_str!("../../../tests/data/pkcs1.pem");
const ENCRYPTED: &str = include_str!("../../../tests/data/encrypted.pem");
const ELLIPTIC: &str = include_str!("../../../tests/data/ec.pem");
/// As OpenSSL computed it.
const THUMBPRINT: &str = "S2iX4CJj0UinMi19faduwSUY_aaD-e77VDj3BLP7cP4";

fn by_certificate(pem: &str, send_chain: bool) -> IdentityConfig {
    let certificate = Some(CertificateConfig { pem: pem.into(), send_chain });
    let clock = Clock::new(|| OffsetDateTime::from_unix_timestamp(1_800_000_000).unwrap());
    IdentityConfig { certificate, clock, ..application() }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The certificates alone, and the application's alone.
fn certificates() -> (String, Vec<u8>) {
    let end = PEM.find("-----BEGIN PRIVATE KEY").unwrap();
    let all: Vec<_> =
        CertificateDer::pem_slice_iter(PEM.as_bytes()).collect::<std::result::Result<_, _>>().unwrap();
    (PEM[..end].to_owned(), all[1].to_vec())
}

#[tokio::test]
async fn an_assertion_is_signed_as_entra_id_wants_it() {
    let (certificates, own) = certificates();
    let pkcs1 = format!("{PKCS1}{certificates}");
    for (pem, send_chain) in [(PEM, false), (PEM, true), (&*pkcs1, false)] {
        let script = Script::of([Says::Answer(200, TOKEN), Says::Answer(200, TOKEN)]);
        let identity = Identity::new(by_certificate(pem, send_chain), script.transport()).unwrap();
        assert_eq!(token(&identity).await.unwrap(), "T");
        token(&identity).await.unwrap();
        let assertion = script.form(0, "client_assertion").unwrap();
        let [header, claims, signature] = assertion.split('.').collect::<Vec<_>>().try_into().unwrap();

        let mut expected = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": THUMBPRINT });
        let mut told = decoded(header);
        if send_chain {
            let chain = told.as_object_mut().unwrap().remove("x5c").unwrap();
            assert_eq!(chain.as_array().unwrap().len(), 2);
            assert_eq!(chain[0], base64::engine::general_purpose::STANDARD.encode(&own));
        }
        assert_eq!(told, expected.take());
        let mut told = decoded(claims);
        let id = told.as_object_mut().unwrap().remove("jti").unwrap();
        let other = script.form(1, "client_assertion").unwrap();
        assert_ne!(id, decoded(other.split('.').nth(1).unwrap())["jti"], "each is used once");
        assert_eq!(
            told,
            json!({
                "aud": "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token",
                "iss": "app", "sub": "app", "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_600,
            })
        );
        // The key's public half, which in the certificate follows 24 bytes of DER that are the same for all of this size.
        let key = ring::rsa::KeyPair::from_der(
            rustls::pki_types::PrivatePkcs1KeyDer::from_pem_slice(PKCS1.as_bytes())
                .unwrap()
                .secret_pkcs1_der(),
        );
        let public = ring::signature::KeyPair::public_key(&key.unwrap()).as_ref().to_vec();
        assert!(own.windows(public.len()).any(|it| it == public));
        let message = &assertion[..assertion.rfind('.').unwrap()];
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, &public)
            .verify(message.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
            .unwrap();
        assert_eq!(
            script.form(0, "client_assertion_type").unwrap(),
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        );
    }
}

#[test]
fn a_certificate_that_cannot_work_is_found_before_the_first_call() {
    let (certificates, _) = certificates();
    let foreign = certificates.split_inclusive("-----END CERTIFICATE-----\n").next().unwrap().to_owned();
    for (pem, expected) in [
        ("canary".to_owned(), "there is no private key in it that is not encrypted"),
        (format!("{certificates}{ENCRYPTED}"), "there is no private key in it that is not encrypted"),
        (format!("{certificates}{ELLIPTIC}"), "its key is not an RSA key of 2048 bits or more"),
        (PKCS1.to_owned(), "there is no certificate in it that belongs to its key"),
        (format!("{PKCS1}{foreign}"), "there is no certificate in it that belongs to its key"),
    ] {
        let error = Identity::new(by_certificate(&pem, false), Script::default().transport()).unwrap_err();
        assert_eq!(error.to_string(), format!("the certificate cannot be used: {expected}"));
        assert!(!format!("{error:?}").contains("canary"));
    }
}

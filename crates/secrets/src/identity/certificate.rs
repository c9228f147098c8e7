//! An application's certificate, and the assertion that it signs. No OpenSSL: ring signs.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use super::CertificateConfig;
use super::error::{IdentityError, Problem};
use crate::Clock;
use azure_core::http::ClientMethodOptions;
use azure_identity::ClientAssertion;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::{
    digest,
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{KeyPair as _, RSA_PSS_SHA256},
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::{fmt, sync::Arc};

/// How long an assertion is valid, in seconds. Microsoft: 5 to 10 minutes at most.
const VALID_FOR: i64 = 600;

/// A certificate with its key, ready to sign.
#[derive(Clone)]
pub(super) struct Certificate {
    key: Arc<KeyPair>,
    thumbprint: String,
    chain: Option<Vec<String>>,
}

impl Certificate {
    pub(super) fn new(config: &CertificateConfig) -> Result<Self, IdentityError> {
        let problem = |what| IdentityError::from(Problem::Certificate(what));
        let pem = config.pem.expose_secret().as_bytes();
        let key = PrivateKeyDer::from_pem_slice(pem)
            .map_err(|_| problem("there is no private key in it that is not encrypted"))?;
        let key = match &key {
            PrivateKeyDer::Pkcs8(key) => KeyPair::from_pkcs8(key.secret_pkcs8_der()),
            PrivateKeyDer::Pkcs1(key) => KeyPair::from_der(key.secret_pkcs1_der()),
            _ => return Err(problem("its key is not an RSA key")),
        };
        let key = key.map_err(|_| problem("its key is not an RSA key of 2048 bits or more"))?;
        let certificates: Vec<CertificateDer<'_>> = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|_| problem("a certificate in it is malformed"))?;
        // Of the chain, the one that is the key's: it holds the key's public half.
        let public = key.public_key().as_ref();
        let own = |it: &&CertificateDer<'_>| it.windows(public.len()).any(|window| window == public);
        let leaf = certificates
            .iter()
            .find(own)
            .ok_or_else(|| problem("there is no certificate in it that belongs to its key"))?;
        let thumbprint = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, leaf));
        let others = certificates.iter().filter(|it| *it != leaf);
        let chain = config
            .send_chain
            .then(|| [leaf].into_iter().chain(others).map(|it| STANDARD.encode(it)).collect());
        Ok(Self { key: Arc::new(key), thumbprint, chain })
    }

    /// A JWT (RFC 7523) signed with PS256 (RFC 7518, 3.5).
    fn assertion(&self, audience: &str, client_id: &str, now: i64) -> Option<String> {
        let mut header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": self.thumbprint });
        if let Some(chain) = &self.chain {
            header["x5c"] = json!(chain);
        }
        let claims = json!({
            "aud": audience, "iss": client_id, "sub": client_id, "jti": uuid::Uuid::new_v4().to_string(),
            "iat": now, "nbf": now, "exp": now + VALID_FOR,
        });
        let encoded = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", encoded(header), encoded(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PSS_SHA256, &SystemRandom::new(), message.as_bytes(), &mut signature).ok()?;
        Some(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("thumbprint", &self.thumbprint).finish_non_exhaustive()
    }
}

/// Signs a new assertion for each token.
#[derive(Debug)]
pub(super) struct Signed {
    pub(super) certificate: Certificate,
    /// The token endpoint, which the assertion is for.
    pub(super) audience: String,
    pub(super) client_id: String,
    pub(super) clock: Clock,
}

#[async_trait::async_trait]
impl ClientAssertion for Signed {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        let now = self.clock.now().unix_timestamp();
        let assertion = self.certificate.assertion(&self.audience, &self.client_id, now);
        assertion.ok_or_else(|| IdentityError::from(Problem::Certificate("it could not sign")).into())
    }
}

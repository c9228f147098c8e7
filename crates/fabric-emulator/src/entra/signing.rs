//! The key that signs tokens, and its public half as a JSON Web Key (RFC 7517).
//!
//! `signing_key.der` (PKCS #8, RSA, 2048 bits) is no secret: it stands in the source for everybody, and opens nothing
//! but an emulator, which believes only tokens that it has handed out. It is the same in every emulator because ring
//! cannot make RSA keys, and because whoever needs an assertion that this Entra ID has issued can sign it with the
//! file.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

static SIGNER: LazyLock<Option<Signer>> = LazyLock::new(|| {
    let key = KeyPair::from_pkcs8(include_bytes!("signing_key.der"));
    key.inspect_err(|error| tracing::error!(%error, "the signing key cannot be used")).ok().map(Signer::new)
});

/// Signs with RS256 (RFC 7518 3.3).
pub(super) struct Signer {
    key: KeyPair,
    modulus: String,
    exponent: String,
    /// The key's thumbprint, RFC 7638.
    id: String,
}

impl Signer {
    /// The one there is; `None` only if the file in the source is broken.
    pub(super) fn get() -> Option<&'static Self> {
        SIGNER.as_ref()
    }

    fn new(key: KeyPair) -> Self {
        let encode = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
        let public = PublicKeyComponents::<Vec<u8>>::from(key.public());
        let (modulus, exponent) = (encode(&public.n), encode(&public.e));
        let canonical = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        let id = encode(&Sha256::digest(canonical));
        Self { key, modulus, exponent, id }
    }

    /// A JSON Web Token with these claims; `None` when there is no randomness to be had.
    pub(super) fn sign(&self, claims: &Value) -> Option<String> {
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": self.id});
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Whether this key signed `signed`.
    pub(super) fn verifies(&self, signed: &str, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public());
        key.verify(signed.as_bytes(), signature).is_ok()
    }

    /// The public key as it is published. Entra ID adds the certificate (`x5c`); there is none here.
    pub(super) fn jwk(&self) -> Value {
        json!({"kty": "RSA", "use": "sig", "kid": self.id, "n": self.modulus, "e": self.exponent})
    }
}

//! The key that journals are sealed with.
//!
//! A journal holds a team's code: the plan with the definitions it sends, and what was overwritten. With a key each line is
//! sealed with AES-256-GCM (NIST SP 800-38D) under a nonce of its own, drawn at random, and bound to its transaction and place.
//! That also keeps others from writing records: the [chain](super) finds what was changed by accident, but anybody can compute it
//! anew. What it cannot tell is that whole records are missing at the end.

use std::{fmt, io};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::plan::hex;

/// The key of a place of journals. It is never shown.
#[derive(Clone)]
pub struct SealKey {
    key: LessSafeKey,
    name: String,
}

/// What a team has set as its key is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("must be 32 bytes in base64, such as `openssl rand -base64 32` prints")]
pub struct InvalidKey;

impl SealKey {
    /// The key that 32 bytes in base64 are.
    ///
    /// # Errors
    ///
    /// When the text is not that.
    pub fn from_base64(text: &str) -> Result<Self, InvalidKey> {
        let bytes = BASE64_STANDARD.decode(text.trim()).map_err(|_| InvalidKey)?;
        let key = UnboundKey::new(&AES_256_GCM, &bytes).map(LessSafeKey::new).map_err(|_| InvalidKey)?;
        let digest = Sha256::new().chain_update("selvedge journal key").chain_update(&bytes).finalize();
        Ok(Self { key, name: hex(digest.get(..8).unwrap_or_default()) })
    }

    /// By what it is told from other keys: 16 hexadecimal digits of a hash of it. No secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seals `text` together with what is `bound` to it; nonce, text and tag, in base64.
    pub(super) fn seal(&self, bound: &[u8], mut text: Vec<u8>) -> io::Result<String> {
        let failed = |_| io::Error::other("could not seal a record");
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).map_err(failed)?;
        let unique = Nonce::assume_unique_for_key(nonce);
        self.key.seal_in_place_append_tag(unique, Aad::from(bound), &mut text).map_err(failed)?;
        Ok(BASE64_STANDARD.encode([&nonce[..], &text].concat()))
    }

    /// Opens what was sealed with this key and the same `bound`, and not changed since.
    pub(super) fn open(&self, bound: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let bytes = BASE64_STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_LEN>()?;
        let mut text = sealed.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = self.key.open_in_place(nonce, Aad::from(bound), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(..)")
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn key(byte: u8) -> SealKey {
        SealKey::from_base64(&BASE64_STANDARD.encode([byte; 32])).unwrap()
    }

    #[test]
    fn only_32_bytes_are_a_key_and_nobody_sees_it() {
        for text in ["", "x", &BASE64_STANDARD.encode([1; 31]), &BASE64_STANDARD.encode([1; 33])] {
            assert_eq!(SealKey::from_base64(text).unwrap_err(), InvalidKey, "{text:?}");
        }
        assert!(SealKey::from_base64(&format!(" {}\n", BASE64_STANDARD.encode([1; 32]))).is_ok());
        assert_eq!(format!("{:?}", key(7)), "SealKey(..)");
        assert_eq!(key(7).name().len(), 16);
    }

    #[test]
    fn what_is_sealed_opens_with_its_key_and_what_was_bound_to_it() {
        let sealed = key(1).seal(b"here", b"text".to_vec()).unwrap();
        assert_eq!(key(1).open(b"here", sealed.as_bytes()).unwrap(), b"text");
        assert_eq!(key(2).open(b"here", sealed.as_bytes()), None);
        assert_eq!(key(1).open(b"there", sealed.as_bytes()), None);
    }
}

//! A secret value, and where it came from.

use crate::SecretName;
use azure_core::time::OffsetDateTime;
use ring::pbkdf2;
use secrecy::{ExposeSecret, SecretString};
use std::{fmt, num::NonZeroU32, path::PathBuf, time::Duration};

/// A secret value with its provenance. Neither `Debug` nor any `Display` shows the value, which is zeroed when it is
/// dropped. (That is best effort: what read it from a socket or a file may have left copies in freed memory.)
#[derive(Clone, Debug)]
pub struct Secret {
    /// The value.
    pub value: SecretString,
    /// Where it came from.
    pub source: Source,
    /// When it ends, by the wall clock; `None` where nobody said.
    pub expires: Option<OffsetDateTime>,
    /// How long it was still valid when it was read. Told once, so that whoever keeps it need not look at the wall
    /// clock again.
    pub(crate) valid_for: Option<Duration>,
}

/// Where a secret came from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// The process's environment.
    Environment {
        /// The variable.
        variable: String,
    },
    /// A `.env` file.
    EnvFile {
        /// The variable.
        variable: String,
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, at which the variable begins.
        line: usize,
    },
    /// Azure Key Vault.
    KeyVault {
        /// The vault's host.
        vault: String,
        /// The version's id; empty where the vault did not say.
        version: String,
    },
}

/// How often the hash of a fingerprint is taken; OWASP's figure for PBKDF2 with HMAC-SHA256.
/// <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>
const ROUNDS: NonZeroU32 = NonZeroU32::new(600_000).unwrap();
/// Shorter values get no fingerprint, in bytes.
const SHORTEST: usize = 16;

impl Secret {
    /// A value that does not end.
    #[must_use]
    pub fn new(value: SecretString, source: Source) -> Self {
        Self { value, source, expires: None, valid_for: None }
    }

    /// How many bytes the value has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.value.expose_secret().len()
    }

    /// Eight hexadecimal digits by which people compare the values of `name` in two places without seeing them;
    /// `None` for a value of less than 16 bytes. Takes some tenths of a second of one core.
    ///
    /// A plain hash would let whoever reads it try out guesses at a rate of billions a second. This is PBKDF2
    /// ([RFC 8018](https://www.rfc-editor.org/rfc/rfc8018)) of 600,000 rounds, salted with the name, so that two
    /// secrets of one value do not look alike and a guess costs as much as the fingerprint did; cut to 32 bits, so that
    /// a guess that fits is one of many; and refused where the value is so short that somebody may have thought of it.
    /// It still is a statement about the value: show it on request, do not log it.
    #[must_use]
    pub fn fingerprint(&self, name: &SecretName) -> Option<String> {
        let value = self.value.expose_secret().as_bytes();
        if value.len() < SHORTEST {
            return None;
        }
        let salt = format!("selvedge secret fingerprint 1 {name}");
        let mut hash = [0; 4];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt.as_bytes(), value, &mut hash);
        Some(format!("{:08x}", u32::from_be_bytes(hash)))
    }
}

impl Source {
    /// Whether this is Key Vault.
    #[must_use]
    pub fn is_key_vault(&self) -> bool {
        matches!(self, Self::KeyVault { .. })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::EnvFile { variable, path, line } => {
                write!(f, "{variable} in {}, line {line}", path.display())
            }
            Self::KeyVault { vault, version } if version.is_empty() => write!(f, "Key Vault {vault}"),
            Self::KeyVault { vault, version } => write!(f, "Key Vault {vault}, version {version}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> Secret {
        Secret::new(value.into(), Source::Environment { variable: "A".into() })
    }

    #[test]
    fn no_value_is_shown() {
        let secret = secret("canary-4711-canary-4711");
        let name = "a".parse().unwrap();
        for shown in [format!("{secret:?}"), secret.source.to_string(), secret.fingerprint(&name).unwrap()] {
            assert!(!shown.contains("canary"), "{shown}");
        }
        assert_eq!(secret.length(), 23);
    }

    #[test]
    fn a_fingerprint_tells_values_and_names_apart_and_nothing_of_short_ones() {
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        let one = secret("0123456789abcdef").fingerprint(&a).unwrap();
        // Computed once with Python's hashlib.pbkdf2_hmac.
        assert_eq!(one, "c423c2e1");
        assert_ne!(one, secret("0123456789abcdef").fingerprint(&b).unwrap());
        assert_ne!(one, secret("0123456789abcdeg").fingerprint(&a).unwrap());
        assert_eq!(secret("0123456789abcde").fingerprint(&a), None);
    }
}

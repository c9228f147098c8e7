//! The name of a secret, in its two spellings.

use std::{fmt, str::FromStr};

/// The most characters of a name in Key Vault.
const LONGEST: usize = 127;

/// The name of a secret: `AZURE_CLIENT_SECRET` in the environment is `azure-client-secret` in Key Vault, and both
/// spellings, in any case, give the same name.
///
/// Key Vault takes `^[0-9a-zA-Z-]{1,127}$` and does not tell upper from lower case:
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers>.
///
/// ```
/// use selvedge_secrets::SecretName;
///
/// let name: SecretName = "AZURE_CLIENT_SECRET".parse()?;
/// assert_eq!(name, "azure-client-secret".parse()?);
/// assert_eq!(name.vault(), "azure-client-secret");
/// assert_eq!(name.variable(), "AZURE_CLIENT_SECRET");
/// # Ok::<(), selvedge_secrets::InvalidName>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// What is no name of a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Nothing at all.
    #[error("a secret's name must not be empty")]
    Empty,
    /// More than Key Vault takes.
    #[error("a secret's name has at most {LONGEST} characters, and this has {length}")]
    TooLong {
        /// How many it has.
        length: usize,
    },
    /// A character that Key Vault does not take. Only that one is told: a value may have been given for a name.
    #[error(
        "a secret's name has letters, digits and hyphens (in the environment: underscores), and character {position} is {character:?}"
    )]
    Character {
        /// Which one, counted from 1.
        position: usize,
        /// The character.
        character: char,
    },
}

impl SecretName {
    /// The spelling in Key Vault: `azure-client-secret`.
    #[must_use]
    pub fn vault(&self) -> &str {
        &self.0
    }

    /// The spelling in the environment: `AZURE_CLIENT_SECRET`.
    #[must_use]
    pub fn variable(&self) -> String {
        self.0.to_ascii_uppercase().replace('-', "_")
    }

    /// What it may be called in the environment, the first first. Some platforms set the vault's spelling.
    pub(crate) fn spellings(&self) -> [String; 2] {
        [self.variable(), self.0.clone()]
    }
}

impl FromStr for SecretName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.is_empty() {
            return Err(InvalidName::Empty);
        }
        let strange = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if let Some((at, character)) = text.chars().enumerate().find(|(_, c)| strange(c)) {
            return Err(InvalidName::Character { position: at + 1, character });
        }
        // All of them ASCII by now.
        if text.len() > LONGEST {
            return Err(InvalidName::TooLong { length: text.len() });
        }
        Ok(Self(text.to_ascii_lowercase().replace('_', "-")))
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_name_is_told_by_what_is_wrong_with_it() {
        for (text, expected) in [
            ("", "a secret's name must not be empty"),
            ("A B", "character 2 is ' '"),
            ("größe", "character 3 is 'ö'"),
            ("a/../b", "character 2 is '/'"),
            ("a.b", "character 2 is '.'"),
            ("a\n", "character 2 is '\\n'"),
        ] {
            let error = text.parse::<SecretName>().unwrap_err().to_string();
            assert!(error.ends_with(expected), "{text:?}: {error}");
        }
        assert!("x".repeat(LONGEST).parse::<SecretName>().is_ok());
        let error = "x".repeat(LONGEST + 1).parse::<SecretName>().unwrap_err();
        assert_eq!(error, InvalidName::TooLong { length: 128 });
    }

    proptest! {
        #[test]
        fn both_spellings_of_any_name_are_one_name(text in "[0-9a-zA-Z_-]{1,127}") {
            let name: SecretName = text.parse().unwrap();
            prop_assert_eq!(&name, &name.vault().parse().unwrap());
            prop_assert_eq!(&name, &name.variable().parse().unwrap());
            prop_assert!(name.vault().chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'));
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,200}") {
            drop(text.parse::<SecretName>());
        }
    }
}

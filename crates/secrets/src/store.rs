//! What a store of secrets can do.

use crate::{Secret, SecretError, SecretName, Source};
use azure_core::time::OffsetDateTime;
use secrecy::SecretString;
use std::fmt;

/// Somewhere that secrets are kept.
#[async_trait::async_trait]
pub trait SecretStore: Send + Sync + fmt::Debug {
    /// The secret `name`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind`](crate::ErrorKind) says which; an empty value counts as none.
    async fn get(&self, name: &SecretName) -> Result<Secret, SecretError>;

    /// Stores `value` as the newest version of `name`, and says where it is now.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReadOnly`](crate::ErrorKind::ReadOnly) unless the store can, and what it says otherwise.
    async fn set(&self, name: &SecretName, value: SecretString) -> Result<Source, SecretError>;

    /// What is there, without any value.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::ReadOnly`](crate::ErrorKind::ReadOnly) unless the store can, and what it says otherwise.
    async fn list(&self) -> Result<Vec<SecretProperties>, SecretError>;

    /// Forgets what is kept in memory, so that the next [`get`](Self::get) asks again.
    fn refresh(&self);
}

/// What is known of a secret without its value. Times are by the wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretProperties {
    /// As the store spells it.
    pub name: String,
    /// Where it is. A list of a vault has no versions.
    pub source: Source,
    /// Whether it can be read.
    pub enabled: bool,
    /// From when it is valid.
    pub not_before: Option<OffsetDateTime>,
    /// Until when it is valid.
    pub expires: Option<OffsetDateTime>,
    /// When it was last changed.
    pub updated: Option<OffsetDateTime>,
    /// What kind of value it is, as whoever stored it said.
    pub content_type: Option<String>,
}

impl SecretProperties {
    pub(crate) fn new(name: impl Into<String>, source: Source) -> Self {
        Self {
            name: name.into(),
            source,
            enabled: true,
            not_before: None,
            expires: None,
            updated: None,
            content_type: None,
        }
    }
}

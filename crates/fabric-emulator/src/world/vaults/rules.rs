//! What can be done with the secrets of a vault, and what it refuses.
//!
//! A secret that has expired, or is not yet valid, is handed out all the same: `exp` and `nbf` are for the client to
//! heed (<https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#date-time-controlled-operations>).

use std::collections::BTreeMap;

use serde::Deserialize;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{DeletedSecret, RECOVERABLE_DAYS, Secret, SecretVersion, Vault, VaultError};
use crate::clock::later;

/// Characters in a name.
const MAX_NAME: usize = 127;
/// Bytes of a value: 25 KB.
const MAX_VALUE: usize = 25 << 10;
/// Characters in a content type.
const MAX_CONTENT_TYPE: usize = 255;
/// Tags of a secret, and the characters in the name and in the value of one.
const MAX_TAGS: usize = 15;
const MAX_TAG: usize = 256;

/// The body of a PUT.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretInput {
    pub(crate) value: Option<String>,
    pub(crate) content_type: Option<String>,
    #[serde(default)]
    pub(crate) attributes: AttributesInput,
    #[serde(default)]
    pub(crate) tags: BTreeMap<String, String>,
}

/// The body of a PATCH.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretPatch {
    content_type: Option<String>,
    #[serde(default)]
    attributes: AttributesInput,
    tags: Option<BTreeMap<String, String>>,
}

/// What a client can say of a version. Times are seconds since 1970.
#[derive(Default, Deserialize)]
pub(crate) struct AttributesInput {
    pub(crate) enabled: Option<bool>,
    #[serde(default, with = "time::serde::timestamp::option")]
    pub(crate) nbf: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::timestamp::option")]
    pub(crate) exp: Option<OffsetDateTime>,
}

impl AttributesInput {
    /// A time before 1970 is none.
    fn check(&self) -> Result<(), VaultError> {
        let good = |at: &OffsetDateTime| *at >= OffsetDateTime::UNIX_EPOCH;
        if self.nbf.iter().chain(&self.exp).all(good) { Ok(()) } else { Err(invalid()) }
    }
}

impl Vault {
    /// Makes a new version, of a new secret if there is none of that name.
    pub(crate) fn set(
        &mut self,
        name: &str,
        input: SecretInput,
        delay: std::time::Duration,
        now: OffsetDateTime,
    ) -> Result<(&Secret, &SecretVersion), VaultError> {
        check_name(name)?;
        let value = input.value.filter(|value| !value.is_empty()).ok_or_else(invalid)?;
        if value.len() > MAX_VALUE {
            return Err(VaultError::bad_parameter(format!(
                "The value of the secret is too long: {} bytes are more than {MAX_VALUE}",
                value.len()
            )));
        }
        check_description(input.content_type.as_deref(), &input.tags)?;
        input.attributes.check()?;
        self.check_name_is_free(name, delay, now)?;
        let version = SecretVersion {
            id: Uuid::new_v4(),
            value,
            content_type: input.content_type,
            enabled: input.attributes.enabled.unwrap_or(true),
            not_before: input.attributes.nbf,
            expires: input.attributes.exp,
            created: now,
            updated: now,
            tags: input.tags,
        };
        let at = match self.secrets.iter().position(|secret| is_called(secret, name)) {
            Some(at) => at,
            None => {
                self.secrets.push(Secret { name: name.to_owned(), versions: Vec::new(), recovered: None });
                self.secrets.len() - 1
            }
        };
        let secret = self.secrets.get_mut(at).ok_or_else(|| VaultError::not_found(name))?;
        if secret.recovered.is_some_and(|at| now < at) {
            let message = format!("Secret {name} is currently being recovered and cannot be changed.");
            return Err(VaultError::conflict("ObjectIsBeingRecovered", message));
        }
        secret.versions.push(version);
        let secret = &*secret;
        Ok((secret, secret.versions.last().ok_or_else(|| VaultError::not_found(name))?))
    }

    /// The secrets that are there.
    pub(crate) fn all(&self, now: OffsetDateTime) -> Vec<&Secret> {
        let mut all: Vec<&Secret> =
            self.secrets.iter().filter(|secret| secret.recovered.is_none_or(|at| at <= now)).collect();
        all.sort_by_key(|secret| secret.name.to_lowercase());
        all
    }

    /// A secret that is there.
    pub(crate) fn secret(&self, name: &str, now: OffsetDateTime) -> Result<&Secret, VaultError> {
        let found = self.secrets.iter().find(|secret| is_called(secret, name));
        let found = found.filter(|secret| secret.recovered.is_none_or(|at| at <= now));
        found.ok_or_else(|| VaultError::not_found(name))
    }

    /// A version whose value is asked for: the latest unless said otherwise.
    pub(crate) fn read(
        &self,
        name: &str,
        version: Option<&str>,
        now: OffsetDateTime,
    ) -> Result<(&Secret, &SecretVersion), VaultError> {
        let secret = self.secret(name, now)?;
        let at = place(secret, name, version)?;
        let found = secret.versions.get(at).ok_or_else(|| VaultError::not_found(name))?;
        if !found.enabled {
            let message = "Operation get is not allowed on a disabled secret.";
            return Err(VaultError::forbidden("SecretDisabled", message));
        }
        Ok((secret, found))
    }

    /// Changes what can be said of a version, not its value.
    pub(crate) fn update(
        &mut self,
        name: &str,
        version: Option<&str>,
        patch: SecretPatch,
        now: OffsetDateTime,
    ) -> Result<(&Secret, &SecretVersion), VaultError> {
        let at = place(self.secret(name, now)?, name, version)?;
        check_description(patch.content_type.as_deref(), patch.tags.as_ref().unwrap_or(&BTreeMap::new()))?;
        patch.attributes.check()?;
        let missing = || VaultError::not_found(name);
        let secret = self.secrets.iter_mut().find(|secret| is_called(secret, name)).ok_or_else(missing)?;
        let found = secret.versions.get_mut(at).ok_or_else(missing)?;
        found.content_type = patch.content_type.or(found.content_type.take());
        found.enabled = patch.attributes.enabled.unwrap_or(found.enabled);
        found.not_before = patch.attributes.nbf.or(found.not_before);
        found.expires = patch.attributes.exp.or(found.expires);
        found.tags = patch.tags.unwrap_or_else(|| std::mem::take(&mut found.tags));
        found.updated = now;
        let secret = &*secret;
        Ok((secret, secret.versions.get(at).ok_or_else(missing)?))
    }

    /// Deletes all versions; they can be recovered for a while.
    pub(crate) fn delete(&mut self, name: &str, now: OffsetDateTime) -> Result<&DeletedSecret, VaultError> {
        self.secret(name, now)?;
        let missing = || VaultError::not_found(name);
        let at = self.secrets.iter().position(|secret| is_called(secret, name)).ok_or_else(missing)?;
        let secret = self.secrets.remove(at);
        let purged = now.saturating_add(Duration::days(RECOVERABLE_DAYS));
        self.deleted.push(DeletedSecret { secret, deleted: now, purged });
        self.deleted.last().ok_or_else(missing)
    }

    /// The deleted secrets that show themselves: a deletion takes a while.
    pub(crate) fn all_deleted(&self, delay: std::time::Duration, now: OffsetDateTime) -> Vec<&DeletedSecret> {
        let mut all: Vec<&DeletedSecret> =
            self.deleted.iter().filter(|gone| later(gone.deleted, delay) <= now).collect();
        all.sort_by_key(|gone| gone.secret.name.to_lowercase());
        all
    }

    pub(crate) fn deleted(
        &self,
        name: &str,
        delay: std::time::Duration,
        now: OffsetDateTime,
    ) -> Result<&DeletedSecret, VaultError> {
        let found = self.deleted.iter().find(|gone| is_called(&gone.secret, name));
        found.filter(|gone| later(gone.deleted, delay) <= now).ok_or_else(|| VaultError::no_deleted(name))
    }

    /// Brings a deleted secret back; it shows itself after the delay.
    pub(crate) fn recover(
        &mut self,
        name: &str,
        delay: std::time::Duration,
        now: OffsetDateTime,
    ) -> Result<&Secret, VaultError> {
        let mut secret = self.take_deleted(name, delay, now)?;
        secret.recovered = (!delay.is_zero()).then(|| later(now, delay));
        self.secrets.push(secret);
        self.secrets.last().ok_or_else(|| VaultError::no_deleted(name))
    }

    /// Removes a deleted secret for good.
    pub(crate) fn purge(
        &mut self,
        name: &str,
        delay: std::time::Duration,
        now: OffsetDateTime,
    ) -> Result<(), VaultError> {
        self.take_deleted(name, delay, now).map(drop)
    }

    fn take_deleted(
        &mut self,
        name: &str,
        delay: std::time::Duration,
        now: OffsetDateTime,
    ) -> Result<Secret, VaultError> {
        let found = self.deleted.iter().position(|gone| is_called(&gone.secret, name));
        let at = found.ok_or_else(|| VaultError::no_deleted(name))?;
        if self.deleted.get(at).is_some_and(|gone| now < later(gone.deleted, delay)) {
            return Err(being_deleted(name));
        }
        Ok(self.deleted.remove(at).secret)
    }

    fn check_name_is_free(
        &self,
        name: &str,
        delay: std::time::Duration,
        now: OffsetDateTime,
    ) -> Result<(), VaultError> {
        match self.deleted.iter().find(|gone| is_called(&gone.secret, name)) {
            None => Ok(()),
            Some(gone) if now < later(gone.deleted, delay) => Err(being_deleted(name)),
            Some(_) => {
                let message = format!(
                    "Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the secret can only be recovered or purged."
                );
                Err(VaultError::conflict("ObjectIsDeletedButRecoverable", message))
            }
        }
    }
}

/// Letters, digits and hyphens.
pub(crate) fn check_name(name: &str) -> Result<(), VaultError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if (1..=MAX_NAME).contains(&name.len()) && name.chars().all(fits) {
        return Ok(());
    }
    Err(VaultError::bad_parameter(format!("The request URI contains an invalid name: {name}")))
}

fn check_description(content_type: Option<&str>, tags: &BTreeMap<String, String>) -> Result<(), VaultError> {
    let fits = |text: &str, max: usize| text.chars().count() <= max;
    let good = content_type.is_none_or(|text| fits(text, MAX_CONTENT_TYPE))
        && tags.len() <= MAX_TAGS
        && tags.iter().all(|(name, value)| fits(name, MAX_TAG) && fits(value, MAX_TAG));
    if good { Ok(()) } else { Err(invalid()) }
}

/// The service names no property here.
fn invalid() -> VaultError {
    VaultError::bad_parameter("Property  has invalid value\r\n")
}

fn being_deleted(name: &str) -> VaultError {
    let message = format!("Secret {name} is currently being deleted and cannot be re-created; retry later.");
    VaultError::conflict("ObjectIsBeingDeleted", message)
}

fn is_called(secret: &Secret, name: &str) -> bool {
    secret.name.eq_ignore_ascii_case(name)
}

/// Where among the versions of a secret the one is that was asked for.
fn place(secret: &Secret, name: &str, version: Option<&str>) -> Result<usize, VaultError> {
    let found = match version {
        None => secret.versions.len().checked_sub(1),
        Some(number) => {
            secret.versions.iter().position(|version| version.number().eq_ignore_ascii_case(number))
        }
    };
    let id = || version.map_or_else(|| name.to_owned(), |version| format!("{name}/{version}"));
    found.ok_or_else(|| VaultError::not_found(&id()))
}

//! Vaults of Azure Key Vault, of which only secrets are emulated:
//! <https://learn.microsoft.com/azure/key-vault/secrets/about-secrets>.

mod access;
mod error;
mod rules;

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

pub(crate) use access::{Access, Authorization, Deed, Permission, VaultRole};
pub(crate) use error::VaultError;
pub(crate) use rules::{AttributesInput, SecretInput, check_name as check_secret_name};

use super::inventory::sorted;
use super::{World, stored};

/// Where every vault says that it lies.
pub(crate) const LOCATION: &str = "westeurope";
/// Days that a deleted secret can be recovered.
pub(crate) const RECOVERABLE_DAYS: i64 = 90;

/// One vault. Its name is the first label of its host.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Vault {
    pub(crate) name: String,
    pub(crate) authorization: Authorization,
    /// Whether its firewall lets nobody in.
    pub(crate) firewall: bool,
    pub(crate) access: Vec<Access>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) deleted: Vec<DeletedSecret>,
}

/// One secret, with at least one version.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secret {
    /// As it was spelled first; letter case does not count.
    pub(crate) name: String,
    /// The latest last.
    pub(crate) versions: Vec<SecretVersion>,
    /// From when on it is there again after it was recovered.
    #[serde(with = "stored::time::option")]
    pub(crate) recovered: Option<OffsetDateTime>,
}

/// One version of a secret. Without `Debug`: there is a secret in it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SecretVersion {
    pub(crate) id: Uuid,
    pub(crate) value: String,
    pub(crate) content_type: Option<String>,
    pub(crate) enabled: bool,
    #[serde(with = "stored::time::option")]
    pub(crate) not_before: Option<OffsetDateTime>,
    #[serde(with = "stored::time::option")]
    pub(crate) expires: Option<OffsetDateTime>,
    #[serde(with = "stored::time")]
    pub(crate) created: OffsetDateTime,
    #[serde(with = "stored::time")]
    pub(crate) updated: OffsetDateTime,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A secret that was deleted and can still be recovered.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedSecret {
    pub(crate) secret: Secret,
    #[serde(with = "stored::time")]
    pub(crate) deleted: OffsetDateTime,
    #[serde(with = "stored::time")]
    pub(crate) purged: OffsetDateTime,
}

impl Vault {
    /// One with nothing in it that nobody may use yet.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            authorization: Authorization::default(),
            firewall: false,
            access: Vec::new(),
            secrets: Vec::new(),
            deleted: Vec::new(),
        }
    }

    /// One in which that principal may do everything.
    pub(crate) fn of(name: impl Into<String>, principal: Uuid) -> Self {
        let access = vec![Access { principal, permissions: Permission::ALL.into() }];
        Self { access, ..Self::new(name) }
    }
}

impl Secret {
    /// The latest version.
    ///
    /// A snapshot without one is refused, and nothing takes the last one away.
    pub(crate) fn latest(&self) -> Option<&SecretVersion> {
        self.versions.last()
    }
}

impl SecretVersion {
    /// The version as it stands in addresses: 32 hexadecimal digits.
    pub(crate) fn number(&self) -> String {
        self.id.simple().to_string()
    }
}

impl World {
    /// The vault of that name, or the first if none is named.
    pub(crate) fn vault(&self, name: Option<&str>) -> Option<&Vault> {
        match name {
            Some(name) => self.vaults.iter().find(|vault| vault.name.eq_ignore_ascii_case(name)),
            None => self.vaults.first(),
        }
    }

    pub(crate) fn vault_mut(&mut self, name: &str) -> Option<&mut Vault> {
        self.vaults.iter_mut().find(|vault| vault.name.eq_ignore_ascii_case(name))
    }

    /// Lets deleted secrets go whose time is over.
    pub(super) fn purge_secrets(&mut self) {
        let now = self.now;
        self.vaults.iter_mut().for_each(|vault| vault.deleted.retain(|gone| now < gone.purged));
    }

    /// What the vaults hold, without a single value.
    pub(super) fn vaults_inventory(&self) -> Value {
        sorted(self.vaults.iter().map(|vault| {
            let access = vault.access.iter().map(
                |access| json!({"principal": self.principal_key(access.principal), "permissions": access.permissions}),
            );
            json!({
                "name": vault.name,
                "authorization": vault.authorization,
                "firewall": vault.firewall,
                "access": sorted(access),
                "secrets": sorted(vault.secrets.iter().map(secret_json)),
                "deleted": sorted(vault.deleted.iter().map(|gone| secret_json(&gone.secret))),
            })
        }))
    }

    /// Whether every vault could be.
    pub(super) fn check_vaults(&self) -> Result<(), String> {
        let mut names = HashSet::new();
        for vault in &self.vaults {
            if !names.insert(vault.name.to_lowercase()) {
                return Err(format!("there are two vaults `{}`", vault.name));
            }
            let mut holders = vault.access.iter().map(|access| access.principal);
            if let Some(id) = holders.find(|id| self.principal(*id).is_none()) {
                return Err(format!(
                    "the principal {id} with access to the vault `{}` is not there",
                    vault.name
                ));
            }
            let mut secrets = HashSet::new();
            for secret in vault.secrets.iter().chain(vault.deleted.iter().map(|gone| &gone.secret)) {
                if rules::check_name(&secret.name).is_err() || secret.versions.is_empty() {
                    return Err(format!(
                        "the vault `{}` has a secret without a name or a version",
                        vault.name
                    ));
                }
                if !secrets.insert(secret.name.to_lowercase()) {
                    return Err(format!("the vault `{}` has two secrets `{}`", vault.name, secret.name));
                }
            }
        }
        Ok(())
    }
}

fn secret_json(secret: &Secret) -> Value {
    let latest = secret.latest();
    json!({
        "name": secret.name,
        "versions": secret.versions.len(),
        "enabled": latest.map(|version| version.enabled),
        "contentType": latest.and_then(|version| version.content_type.as_deref()),
        "tags": latest.map(|version| &version.tags),
    })
}

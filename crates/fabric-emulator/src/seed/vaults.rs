//! Vaults of a seed, with who may use them and the secrets in them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::{At, SeedError};
use crate::world::{
    Access, AttributesInput, Authorization, Permission, SecretInput, Vault, VaultError, VaultRole, World,
    stored,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct VaultSeed {
    name: String,
    authorization: Option<Authorization>,
    firewall: Option<bool>,
    #[serde(default)]
    access: Vec<AccessSeed>,
    #[serde(default)]
    secrets: Vec<SecretSeed>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccessSeed {
    principal_id: Uuid,
    role: Option<VaultRole>,
    permissions: Option<Vec<Permission>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecretSeed {
    name: String,
    value: String,
    enabled: Option<bool>,
    #[serde(default, with = "stored::time::option")]
    not_before: Option<OffsetDateTime>,
    #[serde(default, with = "stored::time::option")]
    expires: Option<OffsetDateTime>,
    content_type: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

/// A vault of a name that is there already gets what the seed says in addition.
pub(super) fn add(world: &mut World, seeds: Vec<VaultSeed>) -> Result<(), SeedError> {
    for (n, seed) in seeds.into_iter().enumerate() {
        let place = format!("vaults[{n}] `{}`", seed.name);
        add_vault(world, seed).at(place)?;
    }
    Ok(())
}

fn add_vault(world: &mut World, seed: VaultSeed) -> Result<(), SeedError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    if !(3..=24).contains(&seed.name.len()) || !seed.name.chars().all(fits) {
        return Err(SeedError::new("the name of a vault has 3 to 24 letters, digits and hyphens"));
    }
    for (n, access) in seed.access.iter().enumerate() {
        let place = || format!("access[{n}] of `{}`", access.principal_id);
        world.check_principal(access.principal_id).at(place())?;
    }
    if world.vault(Some(&seed.name)).is_none() {
        world.vaults.push(Vault::new(seed.name.clone()));
    }
    let now = world.now;
    let Some(vault) = world.vault_mut(&seed.name) else { return Ok(()) };
    vault.authorization = seed.authorization.unwrap_or(vault.authorization);
    vault.firewall = seed.firewall.unwrap_or(vault.firewall);
    for (n, access) in seed.access.into_iter().enumerate() {
        let access = access.read(vault.authorization).at(format_args!("access[{n}]"))?;
        // What is said last of a principal is what it may do.
        vault.access.retain(|known| known.principal != access.principal);
        vault.access.push(access);
    }
    for (n, secret) in seed.secrets.into_iter().enumerate() {
        let place = format!("secrets[{n}] `{}`", secret.name);
        let SecretSeed { name, value, enabled, not_before, expires, content_type, tags } = secret;
        let attributes = AttributesInput { enabled, nbf: not_before, exp: expires };
        let input = SecretInput { value: Some(value), content_type, attributes, tags };
        vault.set(&name, input, Duration::ZERO, now).at(place)?;
    }
    Ok(())
}

impl AccessSeed {
    fn read(self, authorization: Authorization) -> Result<Access, SeedError> {
        let permissions = match (authorization, self.role, self.permissions) {
            (Authorization::Rbac, Some(role), None) => role.permissions(),
            (Authorization::AccessPolicies, None, Some(permissions)) => permissions,
            (Authorization::Rbac, ..) => {
                return Err(SeedError::new("a vault of roles needs `role`, and nothing else"));
            }
            (Authorization::AccessPolicies, ..) => {
                return Err(SeedError::new(
                    "a vault of access policies needs `permissions`, and nothing else",
                ));
            }
        };
        Ok(Access { principal: self.principal_id, permissions })
    }
}

impl From<VaultError> for SeedError {
    fn from(error: VaultError) -> Self {
        Self::new(error)
    }
}

//! Who may do what with the secrets of a vault: roles of Azure, or access policies.
//!
//! - <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>
//! - <https://learn.microsoft.com/azure/key-vault/general/assign-access-policy>

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{Principal, World};
use super::{Vault, VaultError};

/// Which of the two a vault goes by. It decides how a refusal reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Authorization {
    /// Roles of Azure.
    #[default]
    Rbac,
    /// Access policies of the vault's own.
    AccessPolicies,
}

/// What somebody may do with every secret of a vault, as access policies call it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Permission {
    Get,
    List,
    Set,
    Delete,
    Recover,
    Purge,
}

/// What one principal may do. A group's permissions are its members'.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Access {
    pub(crate) principal: Uuid,
    pub(crate) permissions: Vec<Permission>,
}

/// Built-in roles of Azure that are about secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum VaultRole {
    #[serde(rename = "Key Vault Administrator")]
    Administrator,
    #[serde(rename = "Key Vault Secrets Officer")]
    SecretsOfficer,
    #[serde(rename = "Key Vault Secrets User")]
    SecretsUser,
    #[serde(rename = "Key Vault Reader")]
    Reader,
}

/// What a request does, for the words of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Get,
    List,
    Set,
    Update,
    Delete,
    Recover,
    Purge,
}

impl Permission {
    pub(crate) const ALL: [Self; 6] =
        [Self::Get, Self::List, Self::Set, Self::Delete, Self::Recover, Self::Purge];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Set => "set",
            Self::Delete => "delete",
            Self::Recover => "recover",
            Self::Purge => "purge",
        }
    }
}

impl VaultRole {
    /// What the role's data actions come to. `readMetadata` is all that lists ask for.
    pub(crate) fn permissions(self) -> Vec<Permission> {
        match self {
            Self::Administrator | Self::SecretsOfficer => Permission::ALL.into(),
            Self::SecretsUser => vec![Permission::Get, Permission::List],
            Self::Reader => vec![Permission::List],
        }
    }
}

impl Deed {
    fn needs(self) -> Permission {
        match self {
            Self::Get => Permission::Get,
            Self::List => Permission::List,
            Self::Set | Self::Update => Permission::Set,
            Self::Delete => Permission::Delete,
            Self::Recover => Permission::Recover,
            Self::Purge => Permission::Purge,
        }
    }

    /// The data action of Azure's.
    fn action(self) -> &'static str {
        match self {
            Self::Get => "getSecret/action",
            Self::List => "readMetadata/action",
            Self::Set => "setSecret/action",
            Self::Update => "update/action",
            Self::Delete => "delete",
            Self::Recover => "recover/action",
            Self::Purge => "purge/action",
        }
    }
}

impl World {
    /// Whether the caller may do that in the vault, and reach it at all.
    pub(crate) fn check_vault_access(
        &self,
        vault: &Vault,
        caller: Uuid,
        deed: Deed,
        tenant: &str,
        secret: Option<&str>,
    ) -> Result<(), VaultError> {
        let who = described(caller, self.principal(caller), tenant);
        let place = format!("{};location={}", vault.name, super::LOCATION);
        if vault.firewall {
            let message = format!(
                "Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\nCaller: {who}\r\nVault: {place}"
            );
            return Err(VaultError::forbidden("ForbiddenByFirewall", message));
        }
        let needed = deed.needs();
        let mut own = vault.access.iter().filter(|access| self.speaks_for(caller, access.principal));
        if own.any(|access| access.permissions.contains(&needed)) {
            return Ok(());
        }
        Err(match vault.authorization {
            Authorization::AccessPolicies => VaultError::forbidden(
                "AccessDenied",
                format!(
                    "The user, group or application '{who}' does not have secrets {} permission on key vault '{place}'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
                    needed.name()
                ),
            ),
            Authorization::Rbac => {
                let resource = secret.map_or_else(String::new, |name| format!("/secrets/{name}"));
                VaultError::forbidden(
                    "ForbiddenByRbac",
                    format!(
                        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: {who}\r\nAction: 'Microsoft.KeyVault/vaults/secrets/{}'\r\nResource: '/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/emulator/providers/microsoft.keyvault/vaults/{}{resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null\r\nVault: {place}\r\n",
                        deed.action(),
                        vault.name
                    ),
                )
            }
        })
    }
}

fn described(id: Uuid, principal: Option<&Principal>, tenant: &str) -> String {
    let application = principal.and_then(|principal| principal.app_id.as_deref()).unwrap_or_default();
    format!("appid={application};oid={id};iss=https://sts.windows.net/{tenant}/")
}

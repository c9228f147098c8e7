//! What mends an error: the `az` command, where there is one.

use super::{ErrorKind, Inner, Place, Tried, Unreachable};
use crate::identity::IdentityError;

/// Placeholders are in capitals; the identity's object id is filled in where the service told it.
pub(super) fn help(error: &Inner) -> Option<String> {
    let Inner { tried, name, place, kind, .. } = error;
    let name = name.as_ref().map_or("NAME", |name| name.vault());
    let Place::KeyVault(host) = place else {
        return of_environment(error);
    };
    // Only a host of Azure's begins with the vault's name.
    let vault = host.split('.').next().filter(|_| host.contains(".vault.")).unwrap_or("VAULT");
    let secret = format!("--vault-name {vault} --name {name}");
    Some(match kind {
        ErrorKind::NotFound => format!(
            "store it with `az keyvault secret set {secret} --file FILE`, or if it was deleted take it back with `az keyvault secret recover {secret}`"
        ),
        ErrorKind::Disabled => {
            format!("run `az keyvault secret set-attributes {secret} --enabled true`")
        }
        ErrorKind::Expired { .. } => format!(
            "store the new value with `az keyvault secret set {secret} --file FILE`, or if the value is still good run `az keyvault secret set-attributes {secret} --expires DATE`"
        ),
        ErrorKind::NotYetValid { .. } => {
            format!("wait, or run `az keyvault secret set-attributes {secret} --not-before DATE`")
        }
        ErrorKind::Unauthorized => format!(
            "sign in to the vault's tenant, which `az keyvault show --name {vault} --query properties.tenantId` prints; if the identity was revoked, give it a new credential"
        ),
        ErrorKind::Forbidden { code, caller } => {
            of_denial(*tried, vault, code.as_deref(), caller.as_deref().unwrap_or("OBJECT_ID"))
        }
        ErrorKind::Throttled { retry_after } => match retry_after {
            Some(wait) => {
                format!(
                    "wait {} s, and raise SECRET_CACHE_TTL so that the vault is asked less",
                    wait.as_secs()
                )
            }
            None => {
                "wait some seconds, and raise SECRET_CACHE_TTL so that the vault is asked less".to_owned()
            }
        },
        ErrorKind::Unreachable(Unreachable::Dns) => format!(
            "check KEY_VAULT_URL against `az keyvault show --name {vault} --query properties.vaultUri`"
        ),
        ErrorKind::Unreachable(Unreachable::Tls) => format!(
            "check KEY_VAULT_URL and whether a proxy opens connections to {host}; if it is meant to, trust its certificate authority"
        ),
        ErrorKind::Unreachable(_) => format!(
            "check the network, the proxy (HTTPS_PROXY) and `az keyvault show --name {vault} --query properties.publicNetworkAccess`"
        ),
        ErrorKind::WrongChallenge { .. } => format!(
            "check KEY_VAULT_URL against `az keyvault show --name {vault} --query properties.vaultUri`; see https://aka.ms/azsdk/blog/vault-uri"
        ),
        ErrorKind::AnotherSecret => {
            format!("check KEY_VAULT_URL, and whether a proxy or a cache answers in the place of {host}")
        }
        ErrorKind::SignIn => {
            let own = error.source.as_deref().and_then(|source| super::find::<IdentityError>(source));
            let help = own.and_then(IdentityError::help);
            help.unwrap_or_else(|| "check the credentials, or run `az login`".to_owned())
        }
        ErrorKind::Deleted => format!(
            "run `az keyvault secret recover {secret}` and set it again, or `az keyvault secret purge {secret}` first"
        ),
        ErrorKind::ReadOnly | ErrorKind::Unreadable | ErrorKind::Other { .. } => return None,
    })
}

/// Roles and permissions: <https://learn.microsoft.com/azure/key-vault/general/rbac-guide>.
fn of_denial(tried: Tried, vault: &str, code: Option<&str>, caller: &str) -> String {
    let (role, permission) = match tried {
        Tried::Get => ("Key Vault Secrets User", "get"),
        Tried::Set => ("Key Vault Secrets Officer", "set"),
        Tried::List => ("Key Vault Secrets User", "list"),
    };
    let by_role = format!(
        "az role assignment create --role \"{role}\" --assignee {caller} --scope \"$(az keyvault show --name {vault} --query id --output tsv)\""
    );
    let by_policy = format!(
        "az keyvault set-policy --name {vault} --object-id {caller} --secret-permissions {permission}"
    );
    match code {
        Some("ForbiddenByRbac") => {
            format!("run `{by_role}`; a role takes effect within ten minutes")
        }
        Some("AccessDenied") => format!("run `{by_policy}`"),
        Some("ForbiddenByFirewall") => {
            format!("run `az keyvault network-rule add --name {vault} --ip-address ADDRESS`")
        }
        Some("ForbiddenByConnection") => format!(
            "connect through the vault's private endpoint, or run `az keyvault update --name {vault} --public-network-access Enabled`"
        ),
        _ => format!("run `{by_role}`, or where the vault uses access policies `{by_policy}`"),
    }
}

fn of_environment(error: &Inner) -> Option<String> {
    let name = error.name.as_ref()?;
    match error.kind {
        ErrorKind::NotFound => Some(format!("set {}, in .env or the environment", name.variable())),
        ErrorKind::ReadOnly => {
            Some("secrets are set in Key Vault: set FEATURE_USE_KEY_VAULT=true and KEY_VAULT_URL".to_owned())
        }
        _ => None,
    }
}

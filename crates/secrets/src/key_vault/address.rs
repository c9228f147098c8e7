//! Where a vault is, and what a token for it must be for.

use crate::base::{Base, is_local};
use azure_core::http::Url;

/// The domains of Azure's clouds, of which a vault's host is a direct child.
/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers>
const DOMAINS: [&str; 4] =
    ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net", "vault.microsoftazure.de"];

/// A vault's address that a token must not be sent to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidVault {
    /// No address, or one with more than a scheme, a host and a port.
    #[error(
        "the vault's address must be `https://NAME.vault.azure.net`, without user, path, query or fragment"
    )]
    Address,
    /// The way to it can be listened to.
    #[error("the vault's address must be https; http is allowed to this machine only")]
    Insecure,
    /// It is in no domain of Key Vault's that is known, so that nobody knows what a token must be for.
    #[error(
        "{host} is in no known domain of Key Vault; say what a token for it is for, such as `https://vault.azure.net`"
    )]
    UnknownDomain {
        /// The host.
        host: String,
    },
    /// What a token must be for is no https address.
    #[error("what a token is for must be an https address, such as `https://vault.azure.net`")]
    Audience,
    /// The SDK does not take it.
    #[error("the vault's client could not be set up")]
    Client,
}

/// A vault's address.
#[derive(Clone, Debug)]
pub(super) struct Address {
    base: Base,
    audience: String,
}

impl Address {
    pub(super) fn parse(text: &str, audience: Option<&str>) -> Result<Self, InvalidVault> {
        let real = Url::parse(text).map_err(|_| InvalidVault::Address)?;
        let bare = real.username().is_empty()
            && real.password().is_none()
            && real.path() == "/"
            && real.query().is_none()
            && real.fragment().is_none();
        let Some(host) = real.host_str().filter(|host| bare && !host.ends_with('.')) else {
            return Err(InvalidVault::Address);
        };
        let audience = match audience {
            Some(audience) => given(audience)?,
            None => derived(host)?,
        };
        if real.scheme() == "http" && !is_local(&real) {
            return Err(InvalidVault::Insecure);
        }
        let base = Base::new(real).ok_or(InvalidVault::Address)?;
        Ok(Self { base, audience })
    }

    /// For the SDK.
    pub(super) fn endpoint(&self) -> &str {
        self.base.told().as_str()
    }

    /// As people know it.
    pub(super) fn host(&self) -> &str {
        self.base.real().host_str().unwrap_or_default()
    }

    pub(super) fn scope(&self) -> String {
        format!("{}/.default", self.audience)
    }

    /// Whether a challenge for `resource` asks for a token that this vault may have.
    pub(super) fn is_own(&self, resource: &str) -> bool {
        let resource = resource.strip_suffix("/.default").unwrap_or(resource);
        resource.strip_suffix('/').unwrap_or(resource) == self.audience
    }

    /// Whether an id that names the vault `url` may be of this one. What is reached by another name than Azure's, such as through a gateway,
    /// may well call itself by that one.
    pub(super) fn may_be_called(&self, url: &str) -> bool {
        derived(self.host()).is_err() || Url::parse(url).is_ok_and(|url| url.host_str() == Some(self.host()))
    }

    /// The address to send a request of the SDK's to; `None` where it is for somebody else.
    pub(super) fn target(&self, url: &Url) -> Option<Url> {
        self.base.target(url)
    }

    /// The path and query of `url` on this vault, for the SDK.
    pub(super) fn rebuilt(&self, url: &Url) -> Url {
        self.base.rebuilt(url)
    }
}

fn given(audience: &str) -> Result<String, InvalidVault> {
    let url = Url::parse(audience).map_err(|_| InvalidVault::Audience)?;
    let fine =
        url.scheme() == "https" && url.path() == "/" && url.query().is_none() && url.username().is_empty();
    fine.then(|| audience.trim_end_matches('/').to_owned()).ok_or(InvalidVault::Audience)
}

fn derived(host: &str) -> Result<String, InvalidVault> {
    let domain = host.split_once('.').map(|(_, domain)| domain);
    match domain.filter(|domain| DOMAINS.contains(domain)) {
        Some(domain) => Ok(format!("https://{domain}")),
        None => Err(InvalidVault::UnknownDomain { host: host.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_is_for_follows_from_the_host_or_is_said() {
        for (url, audience, expected) in [
            ("https://kv.vault.azure.net", None, "https://vault.azure.net/.default"),
            ("https://KV.vault.azure.net/", None, "https://vault.azure.net/.default"),
            ("https://kv.vault.azure.cn", None, "https://vault.azure.cn/.default"),
            ("https://kv.vault.usgovcloudapi.net", None, "https://vault.usgovcloudapi.net/.default"),
            ("https://kv.example", Some("https://vault.azure.net/"), "https://vault.azure.net/.default"),
            ("http://127.0.0.1:7333", Some("https://vault.azure.net"), "https://vault.azure.net/.default"),
        ] {
            assert_eq!(Address::parse(url, audience).unwrap().scope(), expected, "{url}");
        }
    }

    #[test]
    fn addresses_that_no_token_may_go_to_are_refused() {
        let unknown = |host: &str| InvalidVault::UnknownDomain { host: host.to_owned() };
        let audience = Some("https://vault.azure.net");
        for (url, audience, expected) in [
            ("", None, InvalidVault::Address),
            ("kv.vault.azure.net", None, InvalidVault::Address),
            ("https://kv.vault.azure.net@evil.example", None, InvalidVault::Address),
            ("https://kv.vault.azure.net/secrets", None, InvalidVault::Address),
            ("https://kv.vault.azure.net?x", None, InvalidVault::Address),
            ("https://kv.vault.azure.net.", None, InvalidVault::Address),
            ("ftp://kv.vault.azure.net", None, InvalidVault::Address),
            ("http://kv.vault.azure.net", None, InvalidVault::Insecure),
            ("http://127.0.0.1.evil.example", audience, InvalidVault::Insecure),
            ("https://kv.vault.azure.net.evil.example", None, unknown("kv.vault.azure.net.evil.example")),
            ("https://evilvault.azure.net", None, unknown("evilvault.azure.net")),
            ("https://a.b.vault.azure.net", None, unknown("a.b.vault.azure.net")),
            ("https://vault.azure.net", None, unknown("vault.azure.net")),
            ("https://kv.vault.аzure.net", None, unknown("kv.vault.xn--zure-43d.net")),
            ("http://127.0.0.1:1", None, unknown("127.0.0.1")),
            ("https://kv.example", Some("http://vault.azure.net"), InvalidVault::Audience),
            ("https://kv.example", Some("vault.azure.net"), InvalidVault::Audience),
        ] {
            assert_eq!(Address::parse(url, audience).unwrap_err(), expected, "{url}");
        }
    }

    #[test]
    fn requests_go_to_the_vault_or_nowhere() {
        for (vault, asked, sent) in [
            (
                "https://kv.vault.azure.net",
                "https://kv.vault.azure.net/a?b",
                Some("https://kv.vault.azure.net/a?b"),
            ),
            ("https://kv.vault.azure.net", "https://kv.vault.azure.net:444/a", None),
            ("https://kv.vault.azure.net", "https://other.vault.azure.net/a", None),
            ("http://127.0.0.1", "https://127.0.0.1:80/a", Some("http://127.0.0.1/a")),
            ("http://127.0.0.1:443", "https://127.0.0.1/a", Some("http://127.0.0.1:443/a")),
            ("http://[::1]:7070", "https://[::1]:7070/a", Some("http://[::1]:7070/a")),
            ("http://localhost:7070", "https://127.0.0.1:7070/a", None),
        ] {
            let address = Address::parse(vault, Some("https://vault.azure.net")).unwrap();
            let target = address.target(&asked.parse().unwrap());
            assert_eq!(target.as_ref().map(Url::as_str), sent, "{vault} {asked}");
        }
    }

    #[test]
    fn a_vault_of_azures_is_called_by_its_host_alone() {
        for (vault, named, may_be) in [
            ("https://kv.vault.azure.net", "https://kv.vault.azure.net", true),
            ("https://kv.vault.azure.net", "https://other.vault.azure.net", false),
            ("https://kv.vault.azure.net", "https://kv.vault.azure.net.evil.example", false),
            ("https://kv.vault.azure.net", "kv.vault.azure.net", false),
            ("https://gateway.example", "https://kv.vault.azure.net", true),
            ("http://127.0.0.1:7070", "http://127.0.0.1:7070", true),
        ] {
            let address = Address::parse(vault, Some("https://vault.azure.net")).unwrap();
            assert_eq!(address.may_be_called(named), may_be, "{vault} {named}");
        }
    }

    #[test]
    fn a_challenge_is_for_the_vault_or_for_somebody_else() {
        let address = Address::parse("https://kv.vault.azure.net", None).unwrap();
        for (resource, own) in [
            ("https://vault.azure.net", true),
            ("https://vault.azure.net/", true),
            ("https://vault.azure.net/.default", true),
            ("https://api.fabric.microsoft.com", false),
            ("https://azure.net", false),
            ("https://vault.azure.net.evil.example", false),
            ("", false),
        ] {
            assert_eq!(address.is_own(resource), own, "{resource}");
        }
    }
}

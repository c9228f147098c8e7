//! The hosts that tokens may be sent to.
//!
//! A token is for one service, and goes to the hosts that are known to be that service's. What else a setting names gets none: settings
//! also stand in files, which travel with a project and its pull requests. A gateway in front of a service is named to the process itself.

use url::{Host, Url};

use super::{Environment, Origin};

/// The variable of the hosts, with commas between, that may have a token though they are nobody's known. `.env` has no say.
pub(crate) const TRUSTED_HOSTS: &str = "SELVEDGE_TRUSTED_HOSTS";

/// A service that tokens are for, and the domains that are all its own.
pub(super) struct Audience {
    name: &'static str,
    domains: &'static [&'static str],
}

/// With the hosts of private links beneath them, those of a tenant's region, and what Power BI called them before.
/// <https://learn.microsoft.com/fabric/security/security-workspace-level-private-links-overview>,
/// <https://learn.microsoft.com/power-bi/developer/embedded/embed-sample-for-customers-national-clouds>
pub(super) const FABRIC: Audience = Audience {
    name: "Microsoft Fabric",
    domains: &[
        "api.fabric.microsoft.com",
        "api.fabric.microsoft.us",
        "api.fabric.microsoft.cn",
        "api.powerbi.com",
        "api.powerbi.cn",
        "powerbigov.us",
        "analysis.windows.net",
        "analysis.usgovcloudapi.net",
        "analysis.chinacloudapi.cn",
    ],
};

/// <https://learn.microsoft.com/graph/deployments#microsoft-graph-and-graph-explorer-service-root-endpoints>
pub(super) const GRAPH: Audience = Audience {
    name: "Microsoft Graph",
    domains: &[
        "graph.microsoft.com",
        "graph.microsoft.us",
        "dod-graph.microsoft.us",
        "microsoftgraph.chinacloudapi.cn",
    ],
};

/// <https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud#microsoft-entra-authentication-endpoints>
pub(super) const ENTRA: Audience = Audience {
    name: "Microsoft Entra ID",
    domains: &[
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.chinacloudapi.cn",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
    ],
};

/// <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers>
pub(super) const KEY_VAULT: Audience = Audience {
    name: "Azure Key Vault",
    domains: &["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net", "vault.microsoftazure.de"],
};

/// <https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints>
pub(super) const STORAGE: Audience = Audience {
    name: "Azure Blob Storage",
    domains: &[
        "blob.core.windows.net",
        "blob.storage.azure.net",
        "blob.core.usgovcloudapi.net",
        "blob.core.chinacloudapi.cn",
    ],
};

impl Audience {
    fn includes(&self, host: &str) -> bool {
        self.domains.iter().any(|domain| {
            host.strip_suffix(domain).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }
}

/// Hosts that are trusted by word of the process's environment.
#[derive(Default)]
pub(crate) struct Trusted(Vec<String>);

impl Trusted {
    /// # Errors
    ///
    /// What is wrong with the variable.
    pub(crate) fn by(environment: &Environment) -> Result<Self, String> {
        let value = |origin| environment.only(origin).find(|(name, _)| *name == TRUSTED_HOSTS);
        if value(Origin::EnvFile).is_some_and(|(_, hosts)| !hosts.is_empty()) {
            return Err(format!(
                "{TRUSTED_HOSTS}, set in .env: it is read from the environment alone, for .env travels with the files of a project"
            ));
        }
        let named = value(Origin::Environment).map_or("", |(_, hosts)| hosts);
        let hosts = named.split(',').map(str::trim).filter(|host| !host.is_empty()).map(|host| {
            Host::parse(host).map(|host| host.to_string()).map_err(|_| {
                format!(
                    "{TRUSTED_HOSTS}, set in the environment: expected names of hosts with commas between, such as gateway.contoso.com"
                )
            })
        });
        Ok(Self(hosts.collect::<Result<_, _>>()?))
    }

    /// Whether tokens for `audience` may go to `url`.
    ///
    /// # Errors
    ///
    /// What is wrong with it, without quoting it.
    pub(super) fn admits(&self, url: &Url, audience: &Audience) -> Result<(), String> {
        let host = url.host_str().unwrap_or_default();
        if self.knows(url) || audience.includes(host) {
            return Ok(());
        }
        Err(format!(
            "no host of {}, whose tokens go nowhere else; if it is a gateway of yours, name it in the variable {TRUSTED_HOSTS} (in the environment, not in .env)",
            audience.name
        ))
    }

    /// Whether a token for `scope`, `<audience>/.default`, is one for `audience`, where it goes to `url`. A host that is trusted knows what it
    /// wants.
    ///
    /// # Errors
    ///
    /// What is wrong with the scope, without quoting it.
    pub(super) fn admits_scope(&self, url: &Url, scope: &str, audience: &Audience) -> Result<(), String> {
        let is_own = |url: Url| {
            let host = url.host_str().filter(|_| url.scheme() == "https");
            // Several would be words with spaces between.
            host.is_some_and(|host| audience.includes(host)) && !scope.contains(char::is_whitespace)
        };
        if self.knows(url) || Url::parse(scope).is_ok_and(is_own) {
            return Ok(());
        }
        Err(format!("no token for {}, to which it would be sent", audience.name))
    }

    /// Whether it is this machine, or trusted.
    pub(crate) fn knows(&self, url: &Url) -> bool {
        url.host().is_some_and(|host| is_loopback(&host))
            || url.host_str().is_some_and(|host| self.0.iter().any(|trusted| trusted == host))
    }
}

/// Whether it is this machine.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => *name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(trusted: &Trusted, url: &str, audience: &Audience) -> bool {
        trusted.admits(&Url::parse(url).unwrap(), audience).is_ok()
    }

    #[test]
    fn a_token_goes_to_its_own_service_alone() {
        let nobody = Trusted(Vec::new());
        for (url, audience, fine) in [
            ("https://api.fabric.microsoft.com/v1", &FABRIC, true),
            ("https://API.Fabric.Microsoft.com:8443/v1", &FABRIC, true),
            ("https://1d8a.z1d.w.api.fabric.microsoft.com/v1", &FABRIC, true),
            ("https://api.fabric.microsoft.us/v1", &FABRIC, true),
            ("https://api.high.powerbigov.us/v1", &FABRIC, true),
            ("https://wabi-north-europe-redirect.analysis.windows.net/v1", &FABRIC, true),
            ("http://127.0.0.1:7333/v1", &FABRIC, true),
            ("http://[::1]:7333/v1", &FABRIC, true),
            ("https://localhost/v1", &FABRIC, true),
            ("https://api.fabric.microsoft.com.evil.example/v1", &FABRIC, false),
            ("https://evilapi.fabric.microsoft.com/v1", &FABRIC, false),
            ("https://api.fabric.microsoft.com./v1", &FABRIC, false),
            ("https://api.fаbric.microsoft.com/v1", &FABRIC, false),
            ("https://graph.microsoft.com/v1.0", &FABRIC, false),
            ("https://127.0.0.1.evil.example/v1", &FABRIC, false),
            ("https://169.254.169.254/v1", &FABRIC, false),
            ("https://graph.microsoft.us/v1.0", &GRAPH, true),
            ("https://api.fabric.microsoft.com/v1", &GRAPH, false),
            ("https://login.partner.microsoftonline.cn", &ENTRA, true),
            ("https://login.microsoftonline.com.evil.example", &ENTRA, false),
            ("https://login-microsoftonline.com", &ENTRA, false),
            ("https://contoso.vault.azure.net", &KEY_VAULT, true),
            ("https://contoso.vault.azure.net.evil.example", &KEY_VAULT, false),
            ("https://contoso.z01.blob.storage.azure.net", &STORAGE, true),
            ("https://contoso.blob.evil.example", &STORAGE, false),
        ] {
            assert_eq!(admitted(&nobody, url, audience), fine, "{url} {}", audience.name);
        }
    }

    #[test]
    fn a_scope_is_of_the_service_that_gets_the_token() {
        let trusted = Trusted(vec!["gateway.contoso.example".to_owned()]);
        for (url, scope, fine) in [
            ("https://api.fabric.microsoft.com/v1", "https://api.fabric.microsoft.com/.default", true),
            (
                "https://api.fabric.microsoft.com/v1",
                "https://analysis.windows.net/powerbi/api/.default",
                true,
            ),
            ("https://api.fabric.microsoft.com/v1", "https://vault.azure.net/.default", false),
            ("https://api.fabric.microsoft.com/v1", "api://api.fabric.microsoft.com/.default", false),
            (
                "https://api.fabric.microsoft.com/v1",
                "https://api.fabric.microsoft.com/.default https://vault.azure.net/.default",
                false,
            ),
            ("https://api.fabric.microsoft.com/v1", "", false),
            ("http://127.0.0.1:1/v1", "anything", true),
            ("https://gateway.contoso.example/v1", "api://gateway/.default", true),
        ] {
            let admitted = trusted.admits_scope(&Url::parse(url).unwrap(), scope, &FABRIC);
            assert_eq!(admitted.is_ok(), fine, "{url} {scope}");
        }
    }

    #[test]
    fn other_hosts_are_trusted_by_word_of_the_environment_alone() {
        let trusted = |process, file| Trusted::by(&Environment::of(process, file));
        let gateways = trusted(&[(TRUSTED_HOSTS, " Gateway.contoso.example ,10.0.0.7,")], &[])
            .unwrap_or_else(|e| panic!("{e}"));
        for (url, fine) in [
            ("https://gateway.contoso.example/fabric", true),
            ("https://10.0.0.7/v1", true),
            ("https://a.gateway.contoso.example/fabric", false),
            ("https://contoso.example/fabric", false),
        ] {
            assert_eq!(admitted(&gateways, url, &FABRIC), fine, "{url}");
        }
        let error = trusted(&[], &[(TRUSTED_HOSTS, "gateway.contoso.example")]).err().unwrap();
        assert!(error.contains("from the environment alone"), "{error}");
        let error = trusted(&[(TRUSTED_HOSTS, "https://TOPSECRET/x")], &[]).err().unwrap();
        assert!(error.contains("expected names of hosts") && !error.contains("TOPSECRET"), "{error}");
        assert!(trusted(&[(TRUSTED_HOSTS, "")], &[(TRUSTED_HOSTS, "")]).is_ok());
    }
}

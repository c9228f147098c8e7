//! The clouds that have vaults: <https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates>.

/// What differs from cloud to cloud.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// What the host of a vault ends in, after its name.
    pub(crate) domain: &'static str,
    /// What a token has to be for.
    pub(crate) resource: &'static str,
    /// Who hands tokens out.
    pub(crate) authority: &'static str,
}

/// The public one first: it is meant where no host says another.
pub(crate) static CLOUDS: [Cloud; 3] = [
    Cloud {
        domain: "vault.azure.net",
        resource: "https://vault.azure.net",
        authority: "https://login.microsoftonline.com",
    },
    Cloud {
        domain: "vault.azure.cn",
        resource: "https://vault.azure.cn",
        authority: "https://login.partner.microsoftonline.cn",
    },
    Cloud {
        domain: "vault.usgovcloudapi.net",
        resource: "https://vault.usgovcloudapi.net",
        authority: "https://login.microsoftonline.us",
    },
];

/// The vault whose host it is, and its cloud.
pub(crate) fn vault_of_host(host: &str) -> Option<(&str, &'static Cloud)> {
    let (vault, domain) = host.split_once('.')?;
    Some((vault, CLOUDS.iter().find(|cloud| cloud.domain.eq_ignore_ascii_case(domain))?))
}

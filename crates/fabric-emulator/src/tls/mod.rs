//! Certificates for https: an authority of the emulator's own, and the identity that it gives to the server.
//!
//! The server's certificate holds the names of the real services, so that a client that cannot be told another address can
//! be sent here by its `hosts` file. A client has to trust the authority ([`Authority::certificate_pem`]); that trust is
//! limited to those names, but it covers the sign-in to the real tenant too: give it to one process, not to a machine.

mod authority;
mod identity;

pub use authority::Authority;
pub use identity::ServerIdentity;

/// Certificates could not be made or used.
#[derive(Debug, thiserror::Error)]
#[error("{tried}")]
pub struct TlsError {
    tried: &'static str,
    source: crate::service::BoxError,
}

impl TlsError {
    fn of<E: Into<crate::service::BoxError>>(tried: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self { tried, source: source.into() }
    }
}

/// Names in the server's certificate, beside those of this machine. A wildcard stands for one label (RFC 9525 6.3).
const NAMES: &[&str] = &[
    "*.fabric.microsoft.com",
    "*.api.fabric.microsoft.com",
    "*.dfs.fabric.microsoft.com",
    "*.blob.fabric.microsoft.com",
    "*.powerbi.com",
    "*.analysis.windows.net",
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
    "management.azure.com",
    "management.core.windows.net",
    "*.vault.azure.net",
    "*.vault.azure.cn",
    "*.vault.usgovcloudapi.net",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
];

/// How this machine calls itself.
const LOCAL: &[&str] = &["localhost", "127.0.0.1", "::1"];

//! What the emulator tells when it listens: where, and how to use it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::certificate::Authority;
use crate::output::Format;
use crate::place::quoted;
use crate::secrets::PUBLIC_AUDIENCE;

/// Where the emulator can be reached, and what a client needs to know.
pub(super) struct Ready {
    pub(super) http: Vec<String>,
    pub(super) https: Vec<String>,
    pub(super) authority: Authority,
    credentials: [(&'static str, String); 3],
}

impl Ready {
    pub(super) fn new(credentials: [(&'static str, String); 3]) -> Self {
        Self { http: Vec::new(), https: Vec::new(), authority: Authority::Foreign, credentials }
    }

    pub(super) fn render(&self, format: Format) -> String {
        match format {
            Format::Text => self.text(),
            Format::Json | Format::Jsonl => self.json().to_string(),
        }
    }

    /// The address in the variables: http where there is some, for it needs no certificate.
    fn url(&self) -> &str {
        self.http.iter().chain(&self.https).next().map(String::as_str).unwrap_or_default()
    }

    fn variables(&self) -> impl Iterator<Item = (&str, String)> {
        let url = self.url();
        let own = [
            ("FABRIC_API_BASE_URL", format!("{url}/v1")),
            ("GRAPH_API_BASE_URL", format!("{url}/v1.0")),
            ("AZURE_LOGIN_BASE_URL", url.to_owned()),
        ];
        // Microsoft's libraries refuse anything else, here and for a vault.
        let authority_host = self.https.first().map(|url| ("AZURE_AUTHORITY_HOST", url.clone()));
        let vault = self.https.first().map_or(url, String::as_str);
        let vault = [
            ("KEY_VAULT_URL", vault.to_owned()),
            // The address does not tell what a token for it is for.
            ("SELVEDGE_SECRETS__AUDIENCE", PUBLIC_AUDIENCE.to_owned()),
        ];
        let trusted = self.trusted().map(|path| ("SSL_CERT_FILE", path.display().to_string()));
        own.into_iter()
            .chain(authority_host)
            .chain(vault)
            .chain(trusted)
            .chain(self.credentials.iter().map(|(name, value)| (*name, value.clone())))
    }

    /// The certificate that clients of https have to be told of, where there is one.
    fn trusted(&self) -> Option<&Path> {
        match &self.authority {
            Authority::Kept(path) if !self.https.is_empty() => Some(path),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let urls: Vec<&str> = self.http.iter().chain(&self.https).map(String::as_str).collect();
        let trust = match &self.authority {
            _ if self.https.is_empty() => String::new(),
            Authority::Foreign => String::new(),
            Authority::Kept(path) => format!(
                "For https clients have to trust {}: by SSL_CERT_FILE, some by REQUESTS_CA_BUNDLE or NODE_EXTRA_CA_CERTS.\n",
                path.display()
            ),
            Authority::Fleeting => {
                "The authority of https is new, and nobody has its certificate: see --ca-out and --ca-dir.\n"
                    .to_owned()
            }
        };
        let exports: Vec<String> =
            self.variables().map(|(name, value)| format!("export {name}={}", word(&value))).collect();
        format!(
            "Microsoft Fabric, Entra ID, Microsoft Graph and Key Vault are emulated at {} until Ctrl-C.\n{trust}\
             In the shell that is to use them:\n\n{}",
            urls.join(" and "),
            exports.join("\n")
        )
    }

    fn json(&self) -> Value {
        let environment: Map<String, Value> =
            self.variables().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
        json!({
            "ready": true,
            "url": self.url(),
            "urls": {"http": self.http, "https": self.https},
            "ca": self.trusted(),
            "environment": environment,
        })
    }
}

/// A value as a shell reads it; what needs no quotes has none.
fn word(value: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:".contains(c);
    if value.chars().all(plain) { value.to_owned() } else { quoted(value) }
}

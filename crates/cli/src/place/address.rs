//! Where a container of Azure Blob Storage is, as the setting `rollback.journal` writes it.

use object_store::path::Path;
use url::{Host, Url};

use crate::settings::is_loopback;

/// A folder in a container.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Address {
    /// The account's address, without a slash at the end.
    pub(crate) endpoint: String,
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) prefix: Path,
    /// Whether it is on this machine and plain http.
    pub(crate) is_plain: bool,
}

impl Address {
    /// Reads the setting; `None` for what is no URL, and so a folder.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL, without quoting it.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, &'static str> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        // With whatever slashes: none of these is what a folder is called.
        let is_url = scheme.is_some_and(|scheme| matches!(&*scheme, "az" | "http" | "https"));
        if !is_url && !text.contains("://") {
            return Ok(None);
        }
        let url = Url::parse(text).map_err(|_| FORMS)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not name a user before the host");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(
                "must not have a query or a fragment: a shared access signature is a secret, and no setting",
            );
        }
        let path: Vec<&str> = url.path().split('/').filter(|segment| !segment.is_empty()).collect();
        let host = url.host().ok_or(FORMS)?;
        let (endpoint, account, path) = match (url.scheme(), &host) {
            ("az", host) => {
                let account = host.to_string();
                (format!("https://{account}.blob.core.windows.net"), account, &path[..])
            }
            ("http" | "https", host) if is_loopback(host) => {
                let (account, path) = path.split_first().ok_or(FORMS)?;
                let origin = url.origin().ascii_serialization();
                (format!("{origin}/{account}"), (*account).to_owned(), path)
            }
            ("https", Host::Domain(name)) => match name.split_once('.') {
                Some((account, rest)) if rest.starts_with("blob.") => {
                    (url.origin().ascii_serialization(), account.to_owned(), &path[..])
                }
                _ => return Err("must name the host of a storage account, <account>.blob.core.windows.net"),
            },
            ("http", _) => return Err("must be https; http is allowed to this machine only"),
            _ => return Err(FORMS),
        };
        let is_account = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        if !(3..=24).contains(&account.len()) || !account.chars().all(is_account) {
            return Err("names no storage account: 3 to 24 lowercase letters and digits");
        }
        let (container, prefix) = path.split_first().ok_or("must name a container after the account")?;
        let is_container = |c: char| is_account(c) || c == '-';
        if !(3..=63).contains(&container.len()) || !container.chars().all(is_container) {
            return Err("names no container: 3 to 63 lowercase letters, digits and hyphens");
        }
        let prefix = Path::parse(prefix.join("/")).map_err(|_| "has a folder that cannot be used")?;
        let is_plain = url.scheme() == "http";
        Ok(Some(Self { endpoint, account, container: (*container).to_owned(), prefix, is_plain }))
    }

    /// The host that tokens are for: the endpoint of an account on this machine has a path besides.
    pub(crate) fn origin(&self) -> String {
        let origin = Url::parse(&self.endpoint).map(|url| url.origin().ascii_serialization());
        origin.unwrap_or_else(|_| self.endpoint.clone())
    }
}

const FORMS: &str = "expected a folder, az://account/container/folder or https://account.blob.core.windows.net/container/folder";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written() {
        for (text, endpoint, prefix) in [
            ("az://contoso/journals", "https://contoso.blob.core.windows.net", ""),
            ("az://contoso/journals/a/b/", "https://contoso.blob.core.windows.net", "a/b"),
            (
                "https://contoso.blob.core.windows.net/journals/a",
                "https://contoso.blob.core.windows.net",
                "a",
            ),
            (
                "https://contoso.blob.core.usgovcloudapi.net/journals",
                "https://contoso.blob.core.usgovcloudapi.net",
                "",
            ),
            ("http://127.0.0.1:10000/contoso/journals/a", "http://127.0.0.1:10000/contoso", "a"),
            ("https://localhost:10000/contoso/journals", "https://localhost:10000/contoso", ""),
        ] {
            let address = Address::parse(text).unwrap().unwrap();
            assert_eq!((address.endpoint.as_str(), address.prefix.as_ref()), (endpoint, prefix), "{text}");
            assert_eq!(
                (address.account.as_str(), address.container.as_str()),
                ("contoso", "journals"),
                "{text}"
            );
            assert_eq!(address.is_plain, text.starts_with("http:"));
        }
        for folder in ["", ".selvedge/transactions", "/var/lib/journals", r"C:\journals"] {
            assert_eq!(Address::parse(folder), Ok(None), "{folder}");
        }
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "az://contoso",
            "az://",
            "az://Con_toso/journals",
            "s3://bucket/journals",
            "http://contoso.blob.core.windows.net/journals",
            "https://contoso.example/journals",
            "https://contoso.blob.core.windows.net/journals?sig=abc",
            "https://contoso.blob.core.windows.net@evil.example/journals",
            "https://contoso.blob.core.windows.net/Journals",
            "https://contoso.blob.core.windows.net/",
            "http://127.0.0.1:10000/contoso",
            "http://127.0.0.1.evil.example/contoso/journals",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}

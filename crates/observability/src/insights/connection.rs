//! The connection string of an Application Insights resource: whose telemetry it is, and where it goes.

use std::{collections::BTreeMap, fmt, str::FromStr};

use url::{Host, Url};

/// Where telemetry goes when only the instrumentation key is known.
const DEFAULT_ENDPOINT: &str = "https://dc.services.visualstudio.com";

/// The longest text that is read; Microsoft's own clients stop there too.
const LONGEST: usize = 4096;

/// An instrumentation key, and the ingestion endpoint it belongs to.
///
/// The key tells whose telemetry this is, and whoever knows it can send more of it: it is not shown, neither by `Debug` nor by
/// `Display` nor in an error.
///
/// See [Connection strings](https://learn.microsoft.com/azure/azure-monitor/app/connection-strings).
#[derive(Clone, PartialEq, Eq)]
pub struct ConnectionString {
    key: String,
    endpoint: Url,
}

/// Why a text is no connection string. It never holds a part of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidConnectionString {
    /// Longer than 4096 bytes.
    #[error("the connection string is longer than {LONGEST} bytes")]
    TooLong,
    /// A part between two semicolons has no `=`.
    #[error("a part of the connection string is not of the form `name=value`")]
    NotAPair,
    /// A name stands there twice.
    #[error("a name stands twice in the connection string")]
    Twice,
    /// There is no `InstrumentationKey`.
    #[error("the connection string has no InstrumentationKey")]
    NoKey,
    /// The instrumentation key is no GUID.
    #[error("the instrumentation key is not a GUID of 32 hexadecimal digits and four hyphens")]
    NotAKey,
    /// The endpoint, or what it is made from, is no address of a host.
    #[error("the ingestion endpoint is not the address of a host, without user information and query")]
    NotAnEndpoint,
    /// The endpoint is neither https nor on this machine.
    #[error("the ingestion endpoint must be https (http is for loopback addresses only)")]
    NotHttps,
}

impl ConnectionString {
    /// Of an instrumentation key alone: telemetry goes to the endpoint that all regions share.
    ///
    /// # Errors
    ///
    /// When `key` is no GUID.
    pub fn of_key(key: &str) -> Result<Self, InvalidConnectionString> {
        Ok(Self { key: guid(key.trim())?, endpoint: endpoint(DEFAULT_ENDPOINT)? })
    }

    /// The instrumentation key.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The ingestion endpoint, without a slash at its end.
    pub(super) fn endpoint(&self) -> &Url {
        &self.endpoint
    }
}

impl FromStr for ConnectionString {
    type Err = InvalidConnectionString;

    /// Names are read in any case and any order, and names that mean nothing here are passed over. The endpoint is
    /// `IngestionEndpoint`, else made from `EndpointSuffix` and `Location`, else the one that all regions share.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST {
            return Err(InvalidConnectionString::TooLong);
        }
        let parts = parts(text)?;
        let part = |name| parts.get(name).copied().filter(|value| !value.is_empty());
        let key = guid(part("instrumentationkey").ok_or(InvalidConnectionString::NoKey)?)?;
        let endpoint = match (part("ingestionendpoint"), part("endpointsuffix"), part("location")) {
            (Some(address), _, _) => endpoint(address)?,
            (None, Some(suffix), location) => endpoint(&regional(suffix, location)?)?,
            (None, None, _) => endpoint(DEFAULT_ENDPOINT)?,
        };
        Ok(Self { key, endpoint })
    }
}

impl fmt::Display for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstrumentationKey=***;IngestionEndpoint={}", self.endpoint)
    }
}

impl fmt::Debug for ConnectionString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionString").field(&format_args!("{self}")).finish()
    }
}

/// The values by their names in lower case.
fn parts(text: &str) -> Result<BTreeMap<String, &str>, InvalidConnectionString> {
    let mut parts = BTreeMap::new();
    for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part.split_once('=').ok_or(InvalidConnectionString::NotAPair)?;
        if parts.insert(name.trim().to_ascii_lowercase(), value.trim()).is_some() {
            return Err(InvalidConnectionString::Twice);
        }
    }
    Ok(parts)
}

fn guid(text: &str) -> Result<String, InvalidConnectionString> {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if text.len() == 36 && text.bytes().enumerate().all(fits) {
        Ok(text.to_owned())
    } else {
        Err(InvalidConnectionString::NotAKey)
    }
}

/// The address of a suffix's ingestion endpoint, perhaps of one region.
fn regional(suffix: &str, location: Option<&str>) -> Result<String, InvalidConnectionString> {
    let name = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.'));
    let suffix = suffix.trim_start_matches('.');
    if !name(suffix) || !location.is_none_or(name) {
        return Err(InvalidConnectionString::NotAnEndpoint);
    }
    Ok(match location {
        Some(location) => format!("https://{location}.dc.{suffix}"),
        None => format!("https://dc.{suffix}"),
    })
}

fn endpoint(text: &str) -> Result<Url, InvalidConnectionString> {
    let mut url = Url::parse(text).map_err(|_| InvalidConnectionString::NotAnEndpoint)?;
    let plain = url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && !text.contains(['@', '\\'])
        && url.username().is_empty()
        && url.password().is_none();
    if !plain {
        return Err(InvalidConnectionString::NotAnEndpoint);
    }
    if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
        return Err(InvalidConnectionString::NotHttps);
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// Whether it is on this machine, by its address or the one name that always is.
fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use InvalidConnectionString::*;

    const KEY: &str = "8f2c6a1e-03b7-4d59-9e40-5b1d7c3fa266";

    fn read(text: &str) -> Result<String, InvalidConnectionString> {
        let read = text.replace("KEY", KEY).parse::<ConnectionString>()?;
        assert_eq!(read.key(), KEY);
        Ok(read.endpoint().to_string())
    }

    #[test]
    fn every_form_is_read() {
        for (text, endpoint) in [
            ("InstrumentationKey=KEY", "https://dc.services.visualstudio.com/"),
            (
                "InstrumentationKey=KEY;IngestionEndpoint=https://westeurope-5.in.applicationinsights.azure.com/;\
                 LiveEndpoint=https://westeurope.livediagnostics.monitor.azure.com/;ApplicationId=x",
                "https://westeurope-5.in.applicationinsights.azure.com/",
            ),
            (
                " ingestionendpoint = https://example.com/base/ ; instrumentationkey = KEY ;; ",
                "https://example.com/base",
            ),
            ("InstrumentationKey=KEY;EndpointSuffix=ai.contoso.com", "https://dc.ai.contoso.com/"),
            (
                "Location=westus2;InstrumentationKey=KEY;EndpointSuffix=.ai.contoso.com",
                "https://westus2.dc.ai.contoso.com/",
            ),
            ("InstrumentationKey=KEY;Location=westus2", "https://dc.services.visualstudio.com/"),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://127.0.0.1:18610/", "http://127.0.0.1:18610/"),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://[::1]:1", "http://[::1]:1/"),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://localhost", "http://localhost/"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(endpoint), "{text}");
        }
        let of_key = ConnectionString::of_key(KEY).unwrap();
        assert_eq!(of_key, format!("InstrumentationKey={KEY}").parse().unwrap());
    }

    #[test]
    fn what_is_wrong_is_said_without_the_text() {
        let long = format!("InstrumentationKey=KEY;x={}", "y".repeat(LONGEST));
        for (text, wrong) in [
            ("", NoKey),
            ("InstrumentationKey=", NoKey),
            ("IngestionEndpoint=https://example.com", NoKey),
            ("InstrumentationKey", NotAPair),
            ("InstrumentationKey=KEY;instrumentationkey=KEY", Twice),
            ("InstrumentationKey=8f2c6a1e03b74d599e405b1d7c3fa266", NotAKey),
            ("InstrumentationKey=KEY0", NotAKey),
            ("InstrumentationKey=8f2c6a1e-03b7-4d59-9e40-5b1d7c3fa26g", NotAKey),
            ("InstrumentationKey=KEY;IngestionEndpoint=example.com", NotAnEndpoint),
            ("InstrumentationKey=KEY;IngestionEndpoint=https://u:p@example.com", NotAnEndpoint),
            ("InstrumentationKey=KEY;IngestionEndpoint=https://@example.com", NotAnEndpoint),
            ("InstrumentationKey=KEY;IngestionEndpoint=https://example.com?a=b", NotAnEndpoint),
            ("InstrumentationKey=KEY;IngestionEndpoint=https://example.com#a", NotAnEndpoint),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://example.com", NotHttps),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://127.0.0.1.example.com", NotHttps),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://notlocalhost", NotHttps),
            ("InstrumentationKey=KEY;IngestionEndpoint=http://a.localhost", NotHttps),
            ("InstrumentationKey=KEY;IngestionEndpoint=ftp://localhost", NotHttps),
            ("InstrumentationKey=KEY;EndpointSuffix=a.com/x", NotAnEndpoint),
            ("InstrumentationKey=KEY;EndpointSuffix=a.com;Location=u@b", NotAnEndpoint),
            (&long, TooLong),
        ] {
            assert_eq!(read(text), Err(wrong), "{text}");
            assert!(!wrong.to_string().contains("8f2c"), "{wrong}");
        }
        assert_eq!(ConnectionString::of_key("no key"), Err(NotAKey));
    }

    #[test]
    fn the_key_is_never_shown() {
        let connection = ConnectionString::of_key(KEY).unwrap();
        let shown = format!("{connection} {connection:?} {connection:#?}");
        assert!(!shown.contains("8f2c") && shown.contains("InstrumentationKey=***"), "{shown}");
    }
}

//! The base that relative requests are sent to.

use crate::Request;
use bytes::Bytes;
use futures_util::future::Either;
use http::{
    Uri,
    uri::{Authority, PathAndQuery, Scheme},
};
use std::{
    fmt,
    sync::Arc,
    task::{Context, Poll},
};
use tower::{BoxError, Layer, Service};
use url::{Host, Url};

/// Where an API lives, such as `https://api.fabric.microsoft.com/v1`; as a layer, it completes relative requests.
///
/// Requests that name a host themselves are refused with [`NotRelative`], so that nothing a server sent can become
/// a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUri {
    /// Shared: each request clones the layers that it goes through.
    parts: Arc<Parts>,
}

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    scheme: Scheme,
    authority: Authority,
    /// Without a slash at the end.
    path: String,
}

/// A base that is not safe, or not clear enough, to send a token to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid base address: {requirement}")]
pub struct InvalidBaseUri {
    requirement: &'static str,
}

/// A request named a host itself; it was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request is not relative to the configured base address")]
pub struct NotRelative;

/// A service whose requests are relative to a [`BaseUri`].
#[derive(Clone, Debug)]
pub struct BaseUriService<S> {
    inner: S,
    base: BaseUri,
}

// ===== impl BaseUri =====

impl BaseUri {
    /// Reads a base address.
    ///
    /// # Errors
    ///
    /// Unless it is `https` (or `http` to a loopback address or `localhost`), with a host and perhaps a port and a
    /// path, and nothing else; and written as it is understood. A host that a reader and a URL parser could take for
    /// two different ones (user information, numbers in odd bases, other scripts, a dot at the end) is refused.
    pub fn new(text: &str) -> Result<Self, InvalidBaseUri> {
        let refuse = |requirement| Err(InvalidBaseUri { requirement });
        let Ok(url) = Url::parse(text) else {
            return refuse("not a URL");
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && is_loopback(&url)) {
            return refuse("must be https (http is for loopback addresses only)");
        }
        if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
            return refuse("must not hold user information");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must not hold a query or a fragment");
        }
        let Some(rest) = after_host(text, &url) else {
            return refuse("the host must be written plainly");
        };
        if !(rest.is_empty() || rest.starts_with([':', '/'])) || rest.contains(['\\', '%']) {
            return refuse("the host must be written plainly");
        }
        let scheme = url.scheme().parse();
        let authority = url[url::Position::BeforeHost..url::Position::AfterPort].parse();
        let (Ok(scheme), Ok(authority)) = (scheme, authority) else {
            return refuse("not a URL");
        };
        let path = url.path().trim_end_matches('/').to_owned();
        Ok(Self { parts: Arc::new(Parts { scheme, authority, path }) })
    }

    /// Whether `uri` is relative, or names the scheme, host and port of this base.
    pub(super) fn covers(&self, uri: &Uri) -> bool {
        match (uri.scheme(), uri.authority()) {
            (None, None) => true,
            (scheme, authority) => {
                scheme == Some(&self.parts.scheme) && authority == Some(&self.parts.authority)
            }
        }
    }

    pub(super) fn host(&self) -> &str {
        self.parts.authority.host()
    }

    /// The scheme's own where none is written.
    pub(super) fn port(&self) -> u16 {
        let usual = if self.parts.scheme == Scheme::HTTP { 80 } else { 443 };
        self.parts.authority.port_u16().unwrap_or(usual)
    }

    fn complete(&self, uri: &Uri) -> Result<Uri, BoxError> {
        if uri.scheme().is_some() || uri.authority().is_some() {
            return Err(NotRelative.into());
        }
        let Parts { scheme, authority, path } = &*self.parts;
        let target = uri.path_and_query().cloned().unwrap_or_else(|| PathAndQuery::from_static("/"));
        let target = if path.is_empty() {
            target
        } else {
            PathAndQuery::from_maybe_shared(Bytes::from([path, target.as_str()].concat()))?
        };
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(scheme.clone());
        parts.authority = Some(authority.clone());
        parts.path_and_query = Some(target);
        Ok(Uri::from_parts(parts)?)
    }
}

impl fmt::Display for BaseUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { scheme, authority, path } = &*self.parts;
        write!(f, "{scheme}://{authority}{path}")
    }
}

/// Whether the host is this machine: a loopback address, or `localhost` (which resolvers keep local, RFC 6761).
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// What follows the host in `text`, provided that `text` spells scheme and host as the parser understood them.
fn after_host<'a>(text: &'a str, url: &Url) -> Option<&'a str> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let origin = format!("{}://{host}", url.scheme());
    let written = text.get(..origin.len())?;
    let plain = written.eq_ignore_ascii_case(&origin)
        && !host.ends_with('.')
        && !host.split('.').any(|label| label.starts_with("xn--"));
    plain.then(|| &text[origin.len()..])
}

impl<S> Layer<S> for BaseUri {
    type Service = BaseUriService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        BaseUriService { inner, base: self.clone() }
    }
}

// ===== impl BaseUriService =====

impl<S> Service<Request> for BaseUriService<S>
where
    S: Service<Request, Error = BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Either<S::Future, std::future::Ready<Result<S::Response, BoxError>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        match self.base.complete(request.uri()) {
            Ok(uri) => {
                *request.uri_mut() = uri;
                Either::Left(self.inner.call(request))
            }
            Err(error) => Either::Right(std::future::ready(Err(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tower::ServiceExt;

    #[test]
    fn bases_that_are_safe_and_plain() {
        for (text, shown) in [
            ("https://api.fabric.microsoft.com/v1", "https://api.fabric.microsoft.com/v1"),
            ("https://api.fabric.microsoft.com/v1/", "https://api.fabric.microsoft.com/v1"),
            ("https://api.fabric.microsoft.com", "https://api.fabric.microsoft.com"),
            ("HTTPS://API.Fabric.Microsoft.com:443/v1", "https://api.fabric.microsoft.com/v1"),
            ("https://fabric.contoso.example:8443/v1", "https://fabric.contoso.example:8443/v1"),
            ("http://127.0.0.1:7070/v1", "http://127.0.0.1:7070/v1"),
            ("http://127.8.8.8", "http://127.8.8.8"),
            ("http://[::1]:7070/v1", "http://[::1]:7070/v1"),
            ("http://localhost:7070", "http://localhost:7070"),
        ] {
            assert_eq!(BaseUri::new(text).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn bases_that_are_refused() {
        for text in [
            "",
            "api.fabric.microsoft.com/v1",
            "/v1",
            "ftp://api.fabric.microsoft.com",
            "http://api.fabric.microsoft.com/v1",
            "http://169.254.169.254/",
            "http://localhost.evil.example/",
            "http://127.0.0.1.evil.example/",
            "https://api.fabric.microsoft.com@evil.example/v1",
            "https://user:secret@api.fabric.microsoft.com/v1",
            "https://@api.fabric.microsoft.com/v1",
            "https://api.fabric.microsoft.com\\@evil.example/",
            "https:\\\\api.fabric.microsoft.com",
            "https:api.fabric.microsoft.com",
            "https:///api.fabric.microsoft.com",
            "https://api.fabric.microsoft.com./v1",
            "https://api.fabric.micros\u{43e}ft.com/v1",
            "https://xn--fabric-3ve.example/v1",
            "https://api%2efabric.microsoft.com/v1",
            "https://api.fabric.microsoft.com/v1%2f..",
            "https://api.fabric.microsoft.com/v1?x=1",
            "https://api.fabric.microsoft.com/v1#x",
            "http://2130706433:7070/v1",
            "http://0x7f.1/v1",
            " https://api.fabric.microsoft.com/v1",
            "https://api.fab\tric.microsoft.com/v1",
            "https://:443/v1",
            "http://127.0.0.1./v1",
            "https://api.fabric.microsoft.com\t/v1",
        ] {
            assert!(BaseUri::new(text).is_err(), "{text:?}");
        }
    }

    proptest::proptest! {
        /// Whatever is accepted is either safe by TLS or on this machine, and can be completed.
        #[test]
        fn any_text_is_survived(
            scheme in "(https?://|HTTPS://|//|)",
            host in "([a-z.@:%\\\\/#?]{0,6}|127\\.0\\.0\\.1|\\[::1\\]|.{0,5})",
            rest in "(:[0-9]{0,6})?(/.{0,9})?",
        ) {
            if let Ok(base) = BaseUri::new(&format!("{scheme}{host}{rest}")) {
                let uri = base.complete(&Uri::from_static("/x?y")).unwrap();
                let url = Url::parse(&uri.to_string()).unwrap();
                proptest::prop_assert!(url.scheme() == "https" || is_loopback(&url), "{}", url);
                // The host that is called is the one that was written.
                let written = format!("{host}{rest}").to_lowercase();
                proptest::prop_assert!(written.starts_with(url.host_str().unwrap()), "{}", url);
            }
        }
    }

    #[tokio::test]
    async fn only_relative_requests_are_completed() {
        let base = BaseUri::new("https://api.fabric.microsoft.com/v1").unwrap();
        let echo =
            tower::service_fn(|request: Request| async move { Ok::<_, BoxError>(request.uri().to_string()) });
        let send = |uri: &'static str| {
            let request = http::Request::get(uri).body(Bytes::new()).unwrap();
            base.layer(echo).oneshot(request)
        };
        assert_eq!(
            send("/workspaces?a=b%20c").await.unwrap(),
            "https://api.fabric.microsoft.com/v1/workspaces?a=b%20c"
        );
        for uri in [
            "https://evil.example/v1/operations/x",
            "https://api.fabric.microsoft.com/v1/workspaces",
            "evil.example:443",
        ] {
            let error = send(uri).await.unwrap_err();
            assert!(error.is::<NotRelative>(), "{uri}: {error}");
        }
    }
}

//! The address of a service on this machine or elsewhere, for SDKs that insist on https.

use azure_core::http::Url;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Where a service is: https, or http on this machine.
#[derive(Clone, Debug)]
pub(crate) struct Base {
    /// What is spoken to.
    real: Url,
    /// What the SDK is told.
    told: Url,
}

impl Base {
    /// `None` where what is sent to `real` could be listened to.
    pub(crate) fn new(real: Url) -> Option<Self> {
        let told = match real.scheme() {
            "https" => real.clone(),
            "http" if is_local(&real) => {
                // The default port of http is none of https.
                let (host, port) = (real.host_str()?, real.port_or_known_default()?);
                Url::parse(&format!("https://{host}:{port}/")).ok()?
            }
            _ => return None,
        };
        Some(Self { real, told })
    }

    /// What is spoken to.
    pub(crate) fn real(&self) -> &Url {
        &self.real
    }

    /// What the SDK is told: https.
    pub(crate) fn told(&self) -> &Url {
        &self.told
    }

    /// The address to send a request of the SDK's to; `None` where it is for somebody else.
    pub(crate) fn target(&self, url: &Url) -> Option<Url> {
        (url.origin() == self.told.origin()).then(|| on(&self.real, url))
    }

    /// The path and query of `url` on this base, for the SDK.
    pub(crate) fn rebuilt(&self, url: &Url) -> Url {
        on(&self.told, url)
    }
}

fn on(base: &Url, url: &Url) -> Url {
    let mut target = base.clone();
    target.set_path(url.path());
    target.set_query(url.query());
    target
}

/// Whether it is on this machine, by its address or the one name that always is.
pub(crate) fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || bare.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
}

//! What stands between the SDK's credentials and the transport.

use super::error::{Answer, IdentityError, Problem};
use crate::base::{Base, is_local};
use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, Url},
};
use std::{net::Ipv4Addr, sync::Arc};

/// A transport for tokens: it sends nothing to a host that nobody named, and lets no error out but in a form that the SDK
/// neither retries nor rewrites. (For instance metadata it would try six times in 72 s over, whatever it is told; of an
/// answer that is not JSON it would tell only that.)
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) inner: Arc<dyn HttpClient>,
    /// Entra ID.
    pub(super) authority: Base,
    /// The platform's token service.
    pub(super) platform: Option<Url>,
    /// Whether the machine's own metadata service may be asked.
    pub(super) metadata: bool,
}

/// Why a request for a token got none, found again beneath what the SDK says.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the token service refused")]
    Answered(Answer),
    #[error("the token service gave no answer")]
    NoAnswer(#[source] Error),
}

impl Sealed {
    fn target(&self, url: &Url) -> Option<Url> {
        self.authority.target(url).or_else(|| {
            let platform = self.platform.as_ref().is_some_and(|it| it.origin() == url.origin());
            (platform || (self.metadata && is_metadata(url))).then(|| url.clone())
        })
    }
}

/// The metadata service of a virtual machine, and what stands for it in App Service: on this machine or this link.
/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
fn is_metadata(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    is_local(url) || host.parse::<Ipv4Addr>().is_ok_and(|it| it.is_link_local())
}

#[async_trait::async_trait]
impl HttpClient for Sealed {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let Some(target) = self.target(request.url()) else {
            return Err(Error::new(ErrorKind::Other, IdentityError::from(Problem::ForeignHost)));
        };
        let mut sent = request.clone();
        *sent.url_mut() = target;
        let sealed = |error| Error::new(ErrorKind::Other, Failure::NoAnswer(error));
        let response = self.inner.execute_request(&sent).await.map_err(sealed)?;
        if response.status().is_success() {
            return Ok(response);
        }
        let (status, headers, body) = response.deconstruct();
        let body = body.collect().await.map_err(sealed)?;
        let answer = Answer::new(status.into(), &headers, &body);
        Err(Error::new(ErrorKind::Other, Failure::Answered(answer)))
    }
}

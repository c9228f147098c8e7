//! What exporters send by: our own transport, on a thread of its own.

use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use std::{fmt, time::Duration};
use tokio::runtime::Handle;
use tower::{BoxError, ServiceExt as _, util::BoxCloneSyncService};

/// Anything that sends a request.
pub(super) type Transport = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, BoxError>;

/// Sends on the runtime of telemetry: those who ask are threads of the SDK, which have none.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) transport: Transport,
    pub(super) runtime: Handle,
    pub(super) timeout: Duration,
}

#[async_trait::async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (transport, timeout) = (self.transport.clone(), self.timeout);
        let sent = async move { tokio::time::timeout(timeout, transport.oneshot(request)).await };
        self.runtime.spawn(sent).await??
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

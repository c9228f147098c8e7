//! A container of Azure Blob Storage whose blobs are deleted one by one.
//!
//! `object_store` deletes by the operation Blob Batch, each part of which needs an authorization of its own
//! (<https://learn.microsoft.com/rest/api/storageservices/blob-batch>). Our stack authorizes requests, and knows nothing of parts.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http::header::CONTENT_LENGTH;
use http::{HeaderValue, StatusCode};
use object_store::azure::{AzureAuthorizer, AzureCredential, MicrosoftAzure};
use object_store::client::{HttpRequest, HttpRequestBody, HttpService};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use url::Url;

use super::address::Address;

/// The version of the service's interface that `object_store` speaks.
const VERSION: &str = "2023-11-03";
/// How many blobs are deleted at once.
const AT_ONCE: usize = 8;

/// A container.
#[derive(Clone, Debug)]
pub(super) struct Container {
    blobs: Arc<MicrosoftAzure>,
    eraser: Eraser,
}

/// What deletes a blob.
#[derive(Clone)]
struct Eraser {
    service: Arc<dyn HttpService>,
    address: Address,
    /// The account's key; `None` where the service adds a token.
    credential: Option<Arc<AzureCredential>>,
}

impl Container {
    pub(super) fn new(
        blobs: MicrosoftAzure,
        service: Arc<dyn HttpService>,
        address: Address,
        credential: Option<Arc<AzureCredential>>,
    ) -> Self {
        Self { blobs: Arc::new(blobs), eraser: Eraser { service, address, credential } }
    }
}

impl Eraser {
    async fn delete(&self, path: Path) -> Result<Path> {
        let request = self.request(&path)?;
        let failed = |error| Error::Generic { store: STORE, source: error };
        let answer = self.service.call(request).await.map_err(|error| failed(error.into()))?;
        match answer.status() {
            status if status.is_success() => Ok(path),
            StatusCode::NOT_FOUND => Err(Error::NotFound { path: path.to_string(), source: "404".into() }),
            status @ (StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED) => {
                Err(Error::PermissionDenied { path: path.to_string(), source: status.to_string().into() })
            }
            status => Err(failed(format!("delete `{path}`: {status}").into())),
        }
    }

    /// Delete Blob (<https://learn.microsoft.com/rest/api/storageservices/delete-blob>).
    fn request(&self, path: &Path) -> Result<HttpRequest> {
        let failed =
            |error: Box<dyn std::error::Error + Send + Sync>| Error::Generic { store: STORE, source: error };
        let mut url = Url::parse(&self.address.endpoint).map_err(|error| failed(error.into()))?;
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&self.address.container).extend(path.parts());
        }
        let mut request: HttpRequest = http::Request::delete(url.as_str())
            .header(CONTENT_LENGTH, 0)
            .body(HttpRequestBody::empty())
            .map_err(|error| failed(error.into()))?;
        match &self.credential {
            Some(credential) => {
                AzureAuthorizer::new(credential, &self.address.account).try_authorize(&mut request)?;
            }
            None => {
                request.headers_mut().insert("x-ms-version", HeaderValue::from_static(VERSION));
            }
        }
        Ok(request)
    }
}

const STORE: &str = "MicrosoftAzure";

impl fmt::Debug for Eraser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Eraser").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.blobs.fmt(f)
    }
}

#[async_trait]
impl ObjectStore for Container {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.blobs.put_opts(location, payload, opts).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.blobs.put_multipart_opts(location, opts).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.blobs.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let eraser = self.eraser.clone();
        let delete = move |location: Result<Path>| {
            let eraser = eraser.clone();
            async move { eraser.delete(location?).await }
        };
        locations.map(delete).buffered(AT_ONCE).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.blobs.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.blobs.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.blobs.copy_opts(from, to, options).await
    }
}

//! The client: sends requests that are values, and answers with types.

mod operations;
mod pages;
#[cfg(test)]
mod tests;

pub use operations::{Accepted, PollConfig, PollMode, Started};

use crate::{BoxService, Call, Error, ErrorKind, Request, Response, ResultKind, call::Message};
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Map, Value};
use std::fmt;
use tower::{BoxError, Service, ServiceExt};

/// Sends requests over a stack of layers. Cheap to clone.
///
/// A client is bound to one API base by its stack; Graph has a client of its own.
#[derive(Clone)]
pub struct Client {
    service: BoxService,
    polling: PollConfig,
}

impl Client {
    /// A client over any service that takes requests relative to an API's base.
    pub fn new<S>(service: S) -> Self
    where
        S: Service<Request, Response = Response, Error = BoxError> + Clone + Send + Sync + 'static,
        S::Future: Send,
    {
        Self { service: BoxService::new(service), polling: PollConfig::default() }
    }

    /// The same client with another manner of waiting for operations.
    #[must_use]
    pub fn with_polling(mut self, polling: PollConfig) -> Self {
        self.polling = polling;
        self
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    ///
    /// When the service does not answer, refuses, or answers something that is not a `T`.
    pub async fn send<T: DeserializeOwned>(&self, call: Call<T>) -> Result<T, Error> {
        let response = self.exchange(&call.message).await?;
        decode(call.message.name, call.result, &response)
    }

    /// Sends a message; an error answer is an error.
    async fn exchange(&self, message: &Message) -> Result<Response, Error> {
        let name = message.name;
        let request = message.to_request().map_err(|error| Error::new(name, ErrorKind::Request(error)))?;
        let response =
            self.service.clone().oneshot(request).await.map_err(|error| Error::from_stack(name, error))?;
        if response.status().is_success() { Ok(response) } else { Err(Error::answered(name, &response)) }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("polling", &self.polling).finish_non_exhaustive()
    }
}

fn decode<T: DeserializeOwned>(
    name: &'static str,
    result: ResultKind,
    response: &Response,
) -> Result<T, Error> {
    let body = response.body();
    match result {
        ResultKind::Json => serde_json::from_slice(body),
        ResultKind::Member(key) => serde_json::from_slice(body).and_then(|body| member(body, key)),
        ResultKind::None => serde_json::from_slice(b"null"),
    }
    .map_err(|error| Error::new(name, ErrorKind::Body(error.into())))
}

fn member<T: DeserializeOwned>(mut object: Map<String, Value>, key: &'static str) -> serde_json::Result<T> {
    let value = object.remove(key).ok_or_else(|| serde_json::Error::missing_field(key))?;
    serde_json::from_value(value)
}

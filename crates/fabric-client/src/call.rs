//! Requests as values: what to send, what it does, and what comes back. Nothing here does any IO.

use crate::{Quota, Request};
use bytes::Bytes;
use http::{
    HeaderValue, Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use selvedge_resilience::Effect;
use serde::Serialize;
use std::{fmt, marker::PhantomData, sync::Arc};
use tower::BoxError;
use url::form_urlencoded;

/// What a request does, carried in its extensions for the layers that it goes through.
///
/// It is one extension, not three: each is allocated anew for each copy of the request that is kept to be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Resource and verb, joined by a dot (`workspaces.create`), for logs and spans.
    pub name: &'static str,
    /// What sending the request once more does.
    pub effect: Effect,
    /// What it counts against.
    pub quota: Quota,
}

/// Whether a request has a result to read. Where it has none, the body of its answer is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// The answer is JSON.
    Json,
    /// The answer is the member of this name of a JSON object.
    Member(&'static str),
    /// The answer's status is all there is.
    None,
}

/// One request that is answered by a `T`.
pub struct Call<T> {
    pub(crate) message: Message,
    pub(crate) result: ResultKind,
    answer: PhantomData<fn() -> T>,
}

/// A list that is answered in pages of `T`s.
pub struct Paged<T> {
    pub(crate) message: Message,
    /// The member of each page that holds the `T`s.
    pub(crate) key: &'static str,
    answer: PhantomData<fn() -> T>,
}

/// A request that the service may answer at once (200, 201), or accept as a long-running operation (202).
///
/// Which of the two depends on item type and content, and changes between releases of the service: both are always
/// possible.
pub struct Lro<T> {
    pub(crate) call: Call<T>,
}

/// What is sent, whatever comes back.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    quota: Quota,
    method: Method,
    path: String,
    query: Vec<(&'static str, String)>,
    body: Result<Bytes, Arc<serde_json::Error>>,
}

// ===== impl Message =====

impl Message {
    pub(crate) fn with_query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.query.push((key, value.into()));
        self
    }

    /// The request, with a target relative to the API's base.
    pub(crate) fn to_request(&self) -> Result<Request, BoxError> {
        let body = self.body.clone()?;
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target().parse()?;
        let json = HeaderValue::from_static("application/json");
        if !request.body().is_empty() {
            request.headers_mut().insert(CONTENT_TYPE, json.clone());
        }
        request.headers_mut().insert(ACCEPT, json);
        let Self { name, effect, quota, .. } = *self;
        request.extensions_mut().insert(Operation { name, effect, quota });
        Ok(request)
    }

    fn target(&self) -> String {
        if self.query.is_empty() {
            return self.path.clone();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.query).finish();
        // Forms write a space as `+`, which not every server reads as one outside forms; a real `+` is `%2B` by now.
        format!("{}?{}", self.path, query.replace('+', "%20"))
    }
}

impl fmt::Debug for Message {
    /// Without the body: it may hold a credential, or a customer's code.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.name)
            .field("effect", &self.effect)
            .field("method", &self.method)
            .field("target", &self.target())
            .field("body_bytes", &self.body.as_ref().map_or(0, Bytes::len))
            .finish()
    }
}

// ===== impl Call =====

impl<T> Call<T> {
    /// A request without a body to `path` (from a slash on, relative to the API's base), whose answer is JSON.
    ///
    /// For endpoints that have no function in this crate. What it [counts against](Quota) is told by the path; where that
    /// is not so, [`Call::counted_as`] says it.
    pub fn new(name: &'static str, effect: Effect, method: Method, path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            message: Message {
                name,
                effect,
                quota: Quota::of(&path),
                method,
                path,
                query: Vec::new(),
                body: Ok(Bytes::new()),
            },
            result: ResultKind::Json,
            answer: PhantomData,
        }
    }

    /// The same request with one more query parameter.
    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.message = self.message.with_query(key, value);
        self
    }

    /// The same request with this body.
    #[must_use]
    pub fn json(mut self, body: &impl Serialize) -> Self {
        self.message.body = serde_json::to_vec(body).map(Bytes::from).map_err(Arc::new);
        self
    }

    /// The same request, counted against another quota than its path tells.
    #[must_use]
    pub fn counted_as(mut self, quota: Quota) -> Self {
        self.message.quota = quota;
        self
    }

    /// The name for logs, errors and spans.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.message.name
    }

    /// What it counts against.
    #[must_use]
    pub fn quota(&self) -> Quota {
        self.message.quota
    }

    /// What sending it again does.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.message.effect
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.message.method
    }

    /// Path and query, relative to the API's base.
    #[must_use]
    pub fn target(&self) -> String {
        self.message.target()
    }

    /// The body; empty where there is none.
    #[must_use]
    pub fn body(&self) -> Bytes {
        self.message.body.clone().unwrap_or_default()
    }

    /// Has no layer beneath send it again: for who decides about another sending itself, and has to know of each that was not answered.
    #[must_use]
    pub fn once(self) -> Self {
        self.with_effect(Effect::Once)
    }

    pub(crate) fn get(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Effect::Read, Method::GET, path)
    }

    /// A POST whose every arrival may have an effect of its own.
    pub(crate) fn post(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Effect::Once, Method::POST, path)
    }

    pub(crate) fn patch(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Effect::Idempotent, Method::PATCH, path)
    }

    /// Reads this member of the answer instead of the whole.
    pub(crate) fn member(mut self, key: &'static str) -> Self {
        self.result = ResultKind::Member(key);
        self
    }

    pub(crate) fn with_effect(mut self, effect: Effect) -> Self {
        self.message.effect = effect;
        self
    }
}

impl Call<()> {
    pub(crate) fn delete(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, Effect::Idempotent, Method::DELETE, path).without_result()
    }

    pub(crate) fn without_result(mut self) -> Self {
        self.result = ResultKind::None;
        self
    }
}

// ===== impl Paged =====

impl<T> Paged<T> {
    /// A list at `path` whose pages hold their entries under `key`.
    pub fn new(name: &'static str, path: impl Into<String>, key: &'static str) -> Self {
        Self { message: Call::<T>::get(name, path).message, key, answer: PhantomData }
    }

    /// The same list with one more query parameter.
    #[must_use]
    pub fn query(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.message = self.message.with_query(key, value);
        self
    }

    /// The name for logs, errors and spans.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.message.name
    }

    /// Path and query of the first page, relative to the API's base.
    #[must_use]
    pub fn target(&self) -> String {
        self.message.target()
    }

    /// Most lists of the API keep their entries under `value`.
    pub(crate) fn value(name: &'static str, path: impl Into<String>) -> Self {
        Self::new(name, path, "value")
    }
}

// ===== impl Lro =====

impl<T> Lro<T> {
    /// `call`, which the service may also accept as a long-running operation with the same result.
    pub fn new(call: Call<T>) -> Self {
        Self { call }
    }

    /// The request that starts it.
    #[must_use]
    pub fn call(&self) -> &Call<T> {
        &self.call
    }

    /// As [`Call::once`].
    #[must_use]
    pub fn once(self) -> Self {
        Self { call: self.call.once() }
    }

    /// What its operation ends with, for [`Client::wait`](crate::Client::wait).
    #[must_use]
    pub fn result(&self) -> ResultKind {
        self.call.result
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl<T> fmt::Debug for Paged<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.message.fmt(f)
    }
}

impl<T> fmt::Debug for Lro<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt(f)
    }
}

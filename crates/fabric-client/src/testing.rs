//! A service that follows a script, for the tests of this crate.

use crate::{Request, Response};
use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};
use tower::{BoxError, Service, service_fn};

type Answers = VecDeque<Result<Response, BoxError>>;

/// Answers requests in order, and remembers them.
#[derive(Clone, Default)]
pub(crate) struct Script {
    answers: Arc<Mutex<Answers>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Script {
    /// `head` is a status and headers: `202 x-ms-operation-id=..,Retry-After=20`.
    pub(crate) fn answer(self, head: &str, body: &str) -> Self {
        self.result(Ok(response(head, body)))
    }

    pub(crate) fn error(self, error: impl Into<BoxError>) -> Self {
        self.result(Err(error.into()))
    }

    fn result(self, result: Result<Response, BoxError>) -> Self {
        self.answers.lock().unwrap().push_back(result);
        self
    }

    pub(crate) fn service(
        &self,
    ) -> impl Service<
        Request,
        Response = Response,
        Error = BoxError,
        Future = impl Future<Output = Result<Response, BoxError>> + Send + use<>,
    >
    + Clone
    + Send
    + Sync
    + 'static
    + use<> {
        let script = self.clone();
        service_fn(move |request: Request| {
            script.requests.lock().unwrap().push(request);
            let answer = script.answers.lock().unwrap().pop_front();
            std::future::ready(answer.expect("a request that the script does not foresee"))
        })
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// Method and target of each request so far; the script must be at its end.
    pub(crate) fn sent(&self) -> Vec<String> {
        assert_eq!(self.answers.lock().unwrap().len(), 0, "answers left over");
        self.requests().iter().map(|request| format!("{} {}", request.method(), request.uri())).collect()
    }
}

pub(crate) fn response(head: &str, body: &str) -> Response {
    let (status, headers) = head.split_once(' ').unwrap_or((head, ""));
    let mut response = http::Response::builder().status(status);
    for header in headers.split(',').filter(|header| !header.is_empty()) {
        let (name, value) = header.split_once('=').unwrap();
        response = response.header(name, value);
    }
    response.body(Bytes::from(body.to_owned())).unwrap()
}

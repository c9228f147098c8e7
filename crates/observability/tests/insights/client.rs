//! A client that answers by script, and keeps what it was sent.

use std::{
    collections::VecDeque,
    io::Read as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use serde_json::{Value, json};

use crate::schema;

/// What comes next.
#[derive(Debug)]
enum Step {
    Answer(Response<Bytes>),
    Slow(Duration, Response<Bytes>),
    Fail,
    Hang,
}

/// A request that was sent.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) items: Vec<Value>,
}

/// Answers by script; when that is over, takes everything.
#[derive(Debug, Default)]
pub(crate) struct Script {
    steps: Mutex<VecDeque<Step>>,
    seen: Mutex<Vec<Seen>>,
}

impl Script {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Answers the next request with this.
    pub(crate) fn answer(&self, status: u16, headers: &[(&str, &str)], body: &str) -> &Self {
        self.then(Step::Answer(response(status, headers, body)))
    }

    /// The same, but not at once.
    pub(crate) fn slow(&self, after: Duration, status: u16, headers: &[(&str, &str)]) -> &Self {
        self.then(Step::Slow(after, response(status, headers, "")))
    }

    pub(crate) fn status(&self, status: u16) -> &Self {
        self.answer(status, &[], "")
    }

    /// Does not connect.
    pub(crate) fn fail(&self) -> &Self {
        self.then(Step::Fail)
    }

    /// Never answers.
    pub(crate) fn hang(&self) -> &Self {
        self.then(Step::Hang)
    }

    fn then(&self, step: Step) -> &Self {
        self.steps.lock().unwrap().push_back(step);
        self
    }

    /// What was sent since the last call.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// The items of all requests since the last call.
    pub(crate) fn items(&self) -> Vec<Value> {
        self.seen().into_iter().flat_map(|seen| seen.items).collect()
    }
}

#[async_trait]
impl HttpClient for Script {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        assert_eq!(head.method, "POST");
        let items = items(&head.headers, &body);
        let all = json!({ "itemsReceived": items.len(), "itemsAccepted": items.len(), "errors": [] });
        self.seen.lock().unwrap().push(Seen { uri: head.uri.to_string(), headers: head.headers, items });
        let step = self.steps.lock().unwrap().pop_front();
        match step {
            Some(Step::Answer(answer)) => Ok(answer),
            Some(Step::Slow(after, answer)) => {
                tokio::time::sleep(after).await;
                Ok(answer)
            }
            Some(Step::Fail) => Err("connection refused".into()),
            Some(Step::Hang) => std::future::pending().await,
            None => Ok(Response::new(all.to_string().into())),
        }
    }
}

fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let answer = Response::builder().status(status);
    let answer = headers.iter().fold(answer, |answer, (name, value)| answer.header(*name, *value));
    answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

/// The items of a body, each checked against the specification.
fn items(headers: &HeaderMap, body: &[u8]) -> Vec<Value> {
    assert_eq!(headers["content-type"], "application/x-json-stream");
    let text = match headers.get("content-encoding") {
        Some(encoding) => {
            assert_eq!(encoding, "gzip");
            let mut text = String::new();
            GzDecoder::new(body).read_to_string(&mut text).unwrap();
            text
        }
        None => String::from_utf8(body.to_vec()).unwrap(),
    };
    // Only a line feed ends a line: JSON may hold every other character that may end one.
    let lines = text.split('\n').map(|line| {
        assert!(line.len() <= 65_536, "an item of {} bytes", line.len());
        let item = serde_json::from_str(line).unwrap();
        schema::check(&item);
        item
    });
    lines.collect()
}

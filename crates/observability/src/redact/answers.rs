//! Error answers without the secrets that they repeat, before they become errors, journals and reports.

use std::{
    borrow::Cow,
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderValue, Response};
use pin_project_lite::pin_project;
use serde_json::Value;
use tower::Service;

use super::{PLACEHOLDER, Redactor};

/// Of an answer that is no error: the members that tell why an operation, or the run of a job, failed.
const REASONS: [&str; 2] = ["error", "failureReason"];

/// The largest answer in bytes that is no error and is looked into: what tells of a failed operation is short.
const LARGEST: usize = 64 * 1024;

/// A service whose error answers are redacted: status 400 and above, and the reason of a failed operation. Other answers are handed on
/// untouched, whatever they hold.
///
/// It belongs right above the transport: who logs, classifies or keeps an answer then never sees what was taken out.
#[derive(Clone, Debug)]
pub struct Scrubbing<S> {
    inner: S,
    redactor: Redactor,
}

pin_project! {
    /// An answer that is waited for, of a [`Scrubbing`].
    #[derive(Debug)]
    pub struct Scrubbed<F> {
        #[pin]
        answer: F,
        redactor: Redactor,
    }
}

impl<S> Scrubbing<S> {
    /// Redacts the error answers of `inner`.
    pub fn new(inner: S, redactor: Redactor) -> Self {
        Self { inner, redactor }
    }
}

impl<S, R> Service<R> for Scrubbing<S>
where
    S: Service<R, Response = Response<Bytes>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Scrubbed<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: R) -> Self::Future {
        Scrubbed { answer: self.inner.call(request), redactor: self.redactor.clone() }
    }
}

impl<F, E> Future for Scrubbed<F>
where
    F: Future<Output = Result<Response<Bytes>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.answer.poll(cx))?;
        scrub(&mut answer, this.redactor);
        Poll::Ready(Ok(answer))
    }
}

fn scrub(answer: &mut Response<Bytes>, redactor: &Redactor) {
    let status = answer.status();
    if status.is_client_error() || status.is_server_error() {
        let text = String::from_utf8_lossy(answer.body());
        if let Cow::Owned(redacted) = redactor.redact_document(&text) {
            *answer.body_mut() = redacted.into();
        }
        for value in answer.headers_mut().values_mut() {
            let Ok(text) = value.to_str() else { continue };
            if let Cow::Owned(redacted) = redactor.redact(text) {
                *value =
                    HeaderValue::try_from(redacted).unwrap_or_else(|_| HeaderValue::from_static(PLACEHOLDER));
            }
        }
    } else if answer.body().len() <= LARGEST {
        let scrubbed = without_reasons(answer.body(), redactor);
        if let Some(body) = scrubbed {
            *answer.body_mut() = body;
        }
    }
}

/// The body with its reasons redacted, where it tells of a failure and they hold a secret.
fn without_reasons(body: &[u8], redactor: &Redactor) -> Option<Bytes> {
    // Most answers are told apart without being read.
    let names = |name: &&str| body.windows(name.len()).any(|part| part == name.as_bytes());
    if !REASONS.iter().any(names) {
        return None;
    }
    let mut value: Value = serde_json::from_slice(body).ok()?;
    value["status"].as_str().filter(|status| status.eq_ignore_ascii_case("failed"))?;
    let reasons = REASONS.iter().filter_map(|name| Some(redactor.redact_json(value.get_mut(name)?)));
    let any = reasons.fold(false, |any, redacted| any | redacted);
    any.then(|| value.to_string().into())
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tower::{ServiceExt as _, service_fn};

    use super::*;
    use crate::redact::tests::redactor;

    async fn answer(status: u16, body: &str) -> Response<Bytes> {
        let redactor = redactor(&["hun\"ter22"]);
        let body = Bytes::copy_from_slice(body.as_bytes());
        let service = service_fn(move |()| {
            let mut answer = Response::new(body.clone());
            *answer.status_mut() = status.try_into().unwrap();
            answer.headers_mut().insert("x-said", HeaderValue::from_static("hun\"ter22"));
            answer.headers_mut().insert("x-raw", HeaderValue::from_bytes(b"\xff").unwrap());
            std::future::ready(Ok::<_, Infallible>(answer))
        });
        Scrubbing::new(service, redactor).oneshot(()).await.unwrap()
    }

    #[tokio::test]
    async fn an_error_answer_loses_its_secrets() {
        let body = r#"{"errorCode":"X","message":"with hun\"ter22","isRetriable":false}"#;
        for status in [400, 404, 429, 503] {
            let answer = answer(status, body).await;
            assert_eq!(answer.body(), r#"{"errorCode":"X","message":"with ***","isRetriable":false}"#);
            assert_eq!(answer.headers()["x-said"], "***");
        }
        assert_eq!(answer(500, "<p>hun&quot;ter22</p>").await.body(), "<p>***</p>");
        assert_eq!(answer(500, "plain").await.body(), "plain");
    }

    #[tokio::test]
    async fn the_reason_of_a_failed_operation_loses_its_secrets_and_nothing_else_does() {
        let failed = r#"{"status":"Failed","name":"hun\"ter22","error":{"message":"hun\"ter22"}}"#;
        let expected = r#"{"status":"Failed","name":"hun\"ter22","error":{"message":"***"}}"#;
        assert_eq!(answer(200, failed).await.body(), expected);
        for body in [
            r#"{"status":"Succeeded","error":{"message":"hun\"ter22"}}"#,
            r#"{"definition":"hun\"ter22"}"#,
            r#"["error", "hun\"ter22"]"#,
            "error hun\"ter22",
        ] {
            let answer = answer(200, body).await;
            assert_eq!(answer.body(), body);
            assert_eq!(answer.headers()["x-said"], "hun\"ter22");
        }
    }
}

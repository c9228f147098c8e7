//! HTTP in general (RFC 9110), for clients of services that have no meaning of their own for statuses.

use crate::{
    Class, Classify, Effect, Outcome, outcome_of,
    retry::{Attempts, after},
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri, header};
use std::time::{Duration, SystemTime};
use tower::BoxError;

/// Headers that say in milliseconds how long to wait.
const MILLISECONDS: [&str; 2] = ["retry-after-ms", "x-ms-retry-after-ms"];

/// Reads effect and outcome off any HTTP request and answer.
///
/// - The effect is the request's extension of type [`Effect`], where it has one; else the method's (RFC 9110 section
///   9.2.1 and 9.2.2), so that a POST or PATCH is never sent again after it may have been sent.
/// - The outcome is by status: 2xx success; 429 and 430 throttled; 408, 500, 502, 503 and 504 transient; all others permanent.
/// - The class is the host of the target and its port, so that each host has its own breaker and gate; they are kept for as long
///   as the registries are. The retry budget is the layer's: hosts that must not use up each other's need a layer each.
/// - What it took is an extension of an answer that is no success and was given up with, of type [`Attempts`].
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpClassify;

impl<B, R> Classify<Request<B>, Response<R>> for HttpClassify {
    fn effect(&self, request: &Request<B>) -> Effect {
        let said = request.extensions().get().copied();
        said.unwrap_or_else(|| effect_of(request.method()))
    }

    fn outcome(&self, result: Result<&Response<R>, &BoxError>) -> Outcome {
        match result {
            Ok(response) => outcome_of_status(response.status(), retry_after(response.headers())),
            Err(error) => outcome_of(&**error),
        }
    }

    fn class(&self, request: &Request<B>) -> Class {
        request.uri().host().map_or_else(Class::default, |host| host_and_port(host, request.uri()).into())
    }

    fn name<'a>(&self, request: &'a Request<B>) -> &'a str {
        request.method().as_str()
    }

    fn annotate(&self, response: &mut Response<R>, attempts: Attempts) {
        response.extensions_mut().insert(attempts);
    }
}

/// A host in lower case, with its port unless that is the scheme's. User information is left out: it is no part of who
/// answers, and no business of a log.
fn host_and_port(host: &str, uri: &Uri) -> String {
    let usual = match uri.scheme_str() {
        Some("http") => Some(80),
        Some("https") => Some(443),
        _ => None,
    };
    let host = host.to_ascii_lowercase();
    match uri.port_u16().filter(|port| Some(*port) != usual) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

/// What a repetition of a request with this method does, where nothing else is known of it.
#[must_use]
pub fn effect_of(method: &Method) -> Effect {
    if method.is_safe() {
        Effect::Read
    } else if method.is_idempotent() {
        Effect::Idempotent
    } else {
        Effect::Once
    }
}

/// What a status tells, where nothing else is known of the answer.
#[must_use]
pub fn outcome_of_status(status: StatusCode, retry_after: Option<Duration>) -> Outcome {
    match status.as_u16() {
        200..=299 => Outcome::Success,
        429 | 430 => Outcome::Throttled { retry_after },
        408 | 500 | 502 | 503 | 504 => Outcome::Transient { retry_after },
        _ => Outcome::Permanent,
    }
}

/// The least time to wait that the headers ask for, at most [`after::CAP`]. Of several, the longest.
///
/// A moment is measured against the answer's own clock, its `Date`. Only where it names none is ours taken, which may be
/// another: better a wait of about the right length than none.
#[must_use]
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let ours;
    let date = match headers.get(header::DATE) {
        Some(date) => date.to_str().ok(),
        None => {
            ours = httpdate::fmt_http_date(SystemTime::now());
            Some(&*ours)
        }
    };
    let read = |value: &http::HeaderValue| after::parse(value.to_str().ok()?, date);
    let read_millis = |value: &http::HeaderValue| after::parse_millis(value.to_str().ok()?);
    let standard = headers.get_all(header::RETRY_AFTER).iter().filter_map(read);
    let millis = MILLISECONDS.iter().flat_map(|name| headers.get_all(*name)).filter_map(read_millis);
    standard.chain(millis).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Unsent,
        breaker::{BreakerConfig, BreakerLayer, Breakers},
        retry::{RetryConfig, RetryLayer},
    };
    use tower::{ServiceBuilder, ServiceExt};

    fn request(method: &str) -> Request<()> {
        Request::builder().method(method).uri("https://a.example/x").body(()).unwrap()
    }

    fn effect(request: &Request<()>) -> Effect {
        Classify::<_, Response<()>>::effect(&HttpClassify, request)
    }

    fn response(status: u16, headers: &[(&'static str, &str)]) -> Response<()> {
        let mut response = Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(*name, value.parse().unwrap());
        }
        response
    }

    fn outcome(status: u16, headers: &[(&'static str, &str)]) -> Outcome {
        Classify::<Request<()>, _>::outcome(&HttpClassify, Ok(&response(status, headers)))
    }

    #[test]
    fn the_effect_is_the_methods_unless_the_request_says_better() {
        for (method, expected) in [
            ("GET", Effect::Read),
            ("HEAD", Effect::Read),
            ("OPTIONS", Effect::Read),
            ("PUT", Effect::Idempotent),
            ("DELETE", Effect::Idempotent),
            ("POST", Effect::Once),
            ("PATCH", Effect::Once),
            ("PURGE", Effect::Once),
        ] {
            assert_eq!(effect(&request(method)), expected, "{method}");
        }
        let mut search = request("POST");
        search.extensions_mut().insert(Effect::Read);
        assert_eq!(effect(&search), Effect::Read);
    }

    #[test]
    fn statuses_and_headers_tell_the_outcome() {
        let after = |millis| Some(Duration::from_millis(millis));
        let throttled = |retry_after| Outcome::Throttled { retry_after };
        let transient = |retry_after| Outcome::Transient { retry_after };
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (status, headers, expected) in [
            (200, &[][..], Outcome::Success),
            (202, &[("retry-after", "20")], Outcome::Success),
            (304, &[], Outcome::Permanent),
            (401, &[], Outcome::Permanent),
            (404, &[], Outcome::Permanent),
            (408, &[], transient(None)),
            (409, &[], Outcome::Permanent),
            (429, &[("retry-after", "58")], throttled(after(58_000))),
            (430, &[], throttled(None)),
            (500, &[], transient(None)),
            (501, &[], Outcome::Permanent),
            (502, &[], transient(None)),
            (503, &[date, ("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], transient(after(60_000))),
            // Without a date of its own, by our clock: long ago, or far away.
            (503, &[("retry-after", "Sun, 06 Nov 1994 08:50:37 GMT")], transient(after(0))),
            (503, &[("retry-after", "Fri, 06 Nov 2099 08:50:37 GMT")], transient(after(600_000))),
            (503, &[("date", "soon"), ("retry-after", "Fri, 06 Nov 2099 08:50:37 GMT")], transient(None)),
            (504, &[("retry-after", "soon")], transient(None)),
            (429, &[("retry-after-ms", "1500")], throttled(after(1500))),
            (429, &[("x-ms-retry-after-ms", "33")], throttled(after(33))),
            // Of several the longest, never less than any of them asked.
            (429, &[("retry-after-ms", "1500"), ("retry-after", "1")], throttled(after(1500))),
            (429, &[("retry-after", "1"), ("retry-after", "5")], throttled(after(5000))),
        ] {
            assert_eq!(outcome(status, headers), expected, "{status} {headers:?}");
        }
    }

    #[test]
    fn errors_are_judged_by_what_they_wrap() {
        let outcome =
            |error: BoxError| Classify::<Request<()>, Response<()>>::outcome(&HttpClassify, Err(&error));
        assert_eq!(outcome(Unsent::new("refused").into()), Outcome::Unsent);
        assert_eq!(outcome("reset".into()), Outcome::Transient { retry_after: None });
    }

    #[test]
    fn a_host_is_one_however_it_is_written_and_whoever_asks() {
        let class = |uri: &str| {
            let request = Request::get(uri).body(()).unwrap();
            Classify::<_, Response<()>>::class(&HttpClassify, &request)
        };
        for uri in ["https://a.example/x", "https://A.EXAMPLE:443/", "https://bob:hunter2@a.example/"] {
            assert_eq!(class(uri), "a.example", "{uri}");
        }
        assert_eq!(class("http://a.example/"), "a.example");
        assert_eq!(class("http://a.example:443/"), "a.example:443");
        assert_eq!(class("http://[::1]:8080/"), "[::1]:8080");
        assert_eq!(class("/x"), "");
    }

    #[tokio::test(start_paused = true)]
    async fn hosts_have_breakers_of_their_own_and_answers_say_what_they_took() {
        let breakers = Breakers::new("", BreakerConfig::guide()).unwrap();
        let service = ServiceBuilder::new()
            .layer(RetryLayer::new(RetryConfig::robust(), HttpClassify).unwrap())
            .layer(BreakerLayer::new(breakers.clone(), HttpClassify))
            .service_fn(|request: Request<()>| async move {
                let down = request.uri().host() == Some("a.example");
                Ok::<_, BoxError>(response(if down { 500 } else { 404 }, &[]))
            });
        let answer = |uri: &'static str| {
            let request = Request::get(uri).body(()).unwrap();
            service.clone().oneshot(request)
        };
        // It opens at the fifth attempt; the sixth waits it out, and is a probe.
        let failed = answer("https://a.example/x").await.unwrap();
        assert_eq!(failed.extensions().get::<Attempts>().unwrap().count, 6);
        let refused = answer("https://b.example:8443/x").await.unwrap();
        assert_eq!(refused.extensions().get::<Attempts>().unwrap().count, 1);
        let snapshot = breakers.snapshot();
        let openings: Vec<_> = snapshot.iter().map(|it| (&*it.name, it.openings)).collect();
        assert_eq!(openings, [("a.example", 2), ("b.example:8443", 0)]);
    }
}

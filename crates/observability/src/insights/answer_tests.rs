//! What each answer of ingestion means.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::Response;
use url::Url;

use super::answer::{Sent, Verdict, judge};

const HERE: &str = "https://westeurope-5.in.applicationinsights.azure.com";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_795_380_587)
}

fn judged(status: u16, headers: &[(&str, &str)], body: &str, endpoint: &str, compressed: bool) -> Verdict {
    let answer =
        headers.iter().fold(Response::builder().status(status), |answer, (k, v)| answer.header(*k, *v));
    let answer = answer.body(Bytes::copy_from_slice(body.as_bytes())).unwrap();
    let endpoint = Url::parse(endpoint).unwrap();
    judge(&answer, Sent { endpoint: &endpoint, items: 3, compressed }, now())
}

fn plain(status: u16, headers: &[(&str, &str)]) -> Verdict {
    judged(status, headers, "", HERE, false)
}

fn later(seconds: u64) -> Verdict {
    Verdict::Later { pause: Some(Duration::from_secs(seconds)) }
}

fn shut(seconds: u64) -> Verdict {
    Verdict::Shut { pause: Duration::from_secs(seconds) }
}

#[test]
fn each_status_has_its_rule() {
    for status in [200, 202, 204] {
        assert_eq!(plain(status, &[]), Verdict::Accepted, "{status}");
    }
    for status in [300, 301, 302, 400, 404, 405, 410, 413, 415, 422] {
        assert_eq!(plain(status, &[]), Verdict::Refused, "{status}");
    }
    for status in [408, 500, 502, 503, 504, 507] {
        assert_eq!(plain(status, &[]), Verdict::Later { pause: None }, "{status}");
        assert_eq!(plain(status, &[("retry-after", "7")]), later(7), "{status}");
    }
    for status in [402, 429] {
        assert_eq!(plain(status, &[]), later(60), "{status}");
        assert_eq!(plain(status, &[("retry-after", "90")]), later(90), "{status}");
    }
    for status in [401, 403] {
        assert_eq!(plain(status, &[]), shut(900), "{status}");
    }
    assert_eq!(plain(439, &[]), shut(3600));
    assert_eq!(plain(439, &[("retry-after", "5")]), shut(3600));
    assert_eq!(plain(439, &[("retry-after", "7200")]), shut(7200));
}

#[test]
fn a_pause_is_read_in_both_forms_and_bounded() {
    let date = |at: SystemTime| httpdate::fmt_http_date(at);
    let seconds = Duration::from_secs;
    let (soon, server) = (date(now() + seconds(45)), date(now() + seconds(3605)));
    for (headers, pause) in [
        (vec![("retry-after", " 12 ")], 12),
        (vec![("retry-after", "0")], 0),
        (vec![("retry-after", "99999999999")], 86_400),
        (vec![("retry-after", soon.as_str())], 45),
        // The server's clock is an hour ahead: only its own time tells how long.
        (vec![("retry-after", server.as_str()), ("date", &date(now() + seconds(3600)))], 5),
        (vec![("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")], 0),
        // What cannot be read is as if it were not there.
        (vec![("retry-after", "soon")], 60),
        (vec![("retry-after", "-1")], 60),
    ] {
        assert_eq!(plain(429, &headers), later(pause), "{headers:?}");
    }
}

#[test]
fn only_passing_errors_of_single_items_are_sent_again() {
    let partly = |again: &[usize], refused| Verdict::Partly { again: again.to_vec(), refused, pause: None };
    for (errors, verdict) in [
        (r#"[{"index":1,"statusCode":400,"message":"x"}]"#, partly(&[], 1)),
        (r#"[{"index":2,"statusCode":503},{"index":0,"statusCode":429}]"#, partly(&[0, 2], 0)),
        (r#"[{"index":0,"statusCode":408},{"index":1,"statusCode":439},{"index":2,"statusCode":500}]"#, {
            partly(&[0, 1, 2], 0)
        }),
        (r#"[{"index":0,"statusCode":500},{"index":0,"statusCode":500}]"#, partly(&[0], 0)),
        (
            r#"[{"index":3,"statusCode":500},{"index":-1,"statusCode":500},{"statusCode":500}, 7]"#,
            partly(&[], 0),
        ),
        (r#"[{"index":1},{"index":0,"statusCode":"500"}]"#, partly(&[], 2)),
        ("[]", partly(&[], 0)),
        ("null", partly(&[], 0)),
    ] {
        let body = format!(r#"{{"itemsReceived":3,"itemsAccepted":1,"errors":{errors}}}"#);
        assert_eq!(judged(206, &[], &body, HERE, true), verdict, "{errors}");
    }
    assert_eq!(judged(206, &[], "<html>", HERE, true), partly(&[], 0));
    let pause = Some(Duration::from_secs(9));
    let throttled = judged(206, &[("retry-after", "9")], r#"{"errors":[]}"#, HERE, true);
    assert_eq!(throttled, Verdict::Partly { again: vec![], refused: 0, pause });
}

#[test]
fn compression_is_blamed_only_where_it_can_be_the_reason() {
    let read = r#"{"itemsReceived":3,"itemsAccepted":0,"errors":[]}"#;
    let unread = r#"{"itemsReceived":0,"itemsAccepted":0,"errors":[{"index":0,"statusCode":400}]}"#;
    for (status, body, compressed, verdict) in [
        (415, "", true, Verdict::Uncompressed { sure: true }),
        (415, "", false, Verdict::Refused),
        (400, "", true, Verdict::Uncompressed { sure: false }),
        (400, unread, true, Verdict::Uncompressed { sure: false }),
        (400, read, true, Verdict::Refused),
        (400, "", false, Verdict::Refused),
    ] {
        assert_eq!(judged(status, &[], body, HERE, compressed), verdict, "{status} {body}");
    }
}

#[test]
fn a_redirect_stays_with_ingestion_in_the_same_cloud() {
    let china = "https://chinaeast2-0.in.applicationinsights.azure.cn";
    let own = "https://telemetry.example.com";
    let there = |host: &str| Verdict::Elsewhere(Url::parse(&format!("https://{host}")).unwrap());
    for (from, location, verdict) in [
        (
            HERE,
            "https://eastus-8.in.applicationinsights.azure.com/v2.1/track?x=y",
            there("eastus-8.in.applicationinsights.azure.com"),
        ),
        (HERE, "https://DC.services.visualstudio.com:443/", there("dc.services.visualstudio.com")),
        (own, "https://dc.applicationinsights.azure.us/v2/track", there("dc.applicationinsights.azure.us")),
        (china, "https://x.applicationinsights.azure.cn", there("x.applicationinsights.azure.cn")),
        (china, "https://dc.services.visualstudio.com", Verdict::Refused),
        (HERE, "https://dc.applicationinsights.azure.us", Verdict::Refused),
        (HERE, "http://dc.services.visualstudio.com", Verdict::Refused),
        (HERE, "https://dc.services.visualstudio.com:8443", Verdict::Refused),
        (HERE, "https://u:p@dc.services.visualstudio.com", Verdict::Refused),
        (HERE, "https://evilservices.visualstudio.com", Verdict::Refused),
        (HERE, "https://services.visualstudio.com.example.com", Verdict::Refused),
        (HERE, "https://dc.services.visualstudio.com.", Verdict::Refused),
        (own, "https://other.example.com", Verdict::Refused),
        (own, "https://127.0.0.1", Verdict::Refused),
        (HERE, "/v2.1/track", Verdict::Refused),
        (HERE, "", Verdict::Refused),
    ] {
        for status in [307, 308] {
            let answer = judged(status, &[("location", location)], "", from, true);
            assert_eq!(answer, verdict, "{from} to {location}");
        }
    }
    assert_eq!(plain(307, &[]), Verdict::Refused);
}

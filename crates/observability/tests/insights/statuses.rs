//! What each answer of ingestion does to the items that were sent, and to the next ones. Time stands still but where a test moves it: an
//! export that waited would be seen.

use std::{ops::Range, sync::Arc, time::Duration};

use opentelemetry_sdk::error::OTelSdkResult;
use selvedge_observability::insights::{Counts, Insights};
use serde_json::Value;
use tokio::time::{Instant, advance};

use crate::{
    client::Script,
    telemetry::{HOST, export, insights, spans},
};

/// An exporter under test.
struct Bench {
    script: Arc<Script>,
    insights: Insights,
}

impl Bench {
    fn new() -> Self {
        let script = Script::new();
        Self { insights: insights(&script), script }
    }

    /// Exports spans of these numbers; it takes no time.
    async fn export(&self, names: Range<usize>) -> OTelSdkResult {
        let began = Instant::now();
        let result = export(&self.insights, spans(names)).await;
        assert_eq!(Instant::now(), began, "an export waited");
        result
    }

    /// The numbers of the spans of each request since the last call.
    fn sent(&self) -> Vec<Vec<usize>> {
        let number = |item: &Value| item["data"]["baseData"]["name"].as_str().unwrap().parse().unwrap();
        let seen = self.script.seen();
        seen.iter().map(|seen| seen.items.iter().map(number).collect()).collect()
    }

    #[track_caller]
    fn counts(&self, accepted: u64, dropped: u64, kept: u64) {
        assert_eq!(self.insights.counts(), Counts { accepted, dropped, kept });
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn accepted_items_are_sent_once() {
    let bench = Bench::new();
    bench.export(0..1).await.unwrap();
    bench.export(1..30).await.unwrap();
    let seen = bench.script.seen();
    for (seen, encoding) in seen.iter().zip([None, Some("gzip")]) {
        assert_eq!(seen.uri, format!("{HOST}/v2.1/track"));
        let sent = seen.headers.get("content-encoding").map(|value| value.to_str().unwrap());
        assert_eq!(sent, encoding, "of {} items", seen.items.len());
    }
    assert_eq!(seen.len(), 2);
    bench.counts(30, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn of_a_partial_success_only_what_may_succeed_is_sent_again_and_once() {
    let bench = Bench::new();
    let errors = r#"{"itemsReceived":5,"itemsAccepted":2,"errors":[
        {"index":1,"statusCode":500,"message":"x"},
        {"index":3,"statusCode":400,"message":"x"},
        {"index":4,"statusCode":429,"message":"x"}]}"#;
    bench.script.answer(206, &[], errors);
    bench.export(0..5).await.unwrap_err();
    bench.counts(2, 1, 2);

    let errors = r#"{"itemsReceived":3,"itemsAccepted":1,"errors":[
        {"index":0,"statusCode":500,"message":"x"},
        {"index":2,"statusCode":500,"message":"x"}]}"#;
    bench.script.answer(206, &[], errors);
    bench.export(5..6).await.unwrap();
    // 1 was sent a second time in vain; 5 was sent for the first time.
    bench.counts(3, 2, 1);

    bench.export(6..7).await.unwrap();
    assert_eq!(bench.sent(), [vec![0, 1, 2, 3, 4], vec![1, 4, 5], vec![5, 6]]);
    bench.counts(5, 2, 0);
}

#[tokio::test(start_paused = true)]
async fn while_throttled_nothing_is_sent_and_what_comes_is_dropped() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    let later = ("retry-after", "Sun, 06 Nov 1994 08:51:07 GMT");
    for status in [429, 402] {
        for headers in [&[("retry-after", "90")][..], &[later, date]] {
            let bench = Bench::new();
            bench.script.answer(status, headers, "");
            bench.export(0..2).await.unwrap_err();
            advance(seconds(89)).await;
            bench.export(2..5).await.unwrap_err();
            assert_eq!(bench.sent(), [[0, 1]], "{status} {headers:?}");
            bench.counts(0, 3, 2);
            // What was not there is not lost.
            bench.export(0..0).await.unwrap();

            advance(seconds(1)).await;
            bench.export(5..6).await.unwrap();
            assert_eq!(bench.sent(), [[0, 1, 5]]);
            bench.counts(3, 3, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_never_shortened() {
    let bench = Bench::new();
    bench.script.slow(seconds(5), 429, &[("retry-after", "10")]).answer(429, &[("retry-after", "600")], "");
    // Two exports at the same time: the answer that comes later asks for less.
    let slow = export(&bench.insights, spans(0..1));
    let quick = export(&bench.insights, spans(1..2));
    let (slow, quick) = tokio::join!(slow, quick);
    slow.unwrap_err();
    quick.unwrap_err();
    advance(seconds(590)).await;
    bench.export(2..3).await.unwrap_err();
    bench.counts(0, 1, 2);
    advance(seconds(5)).await;
    bench.export(3..4).await.unwrap();
    bench.counts(3, 1, 0);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_shuts_for_long() {
    for (status, wait) in [(439, 3600), (401, 900), (403, 900)] {
        let bench = Bench::new();
        bench.script.status(status);
        bench.export(0..2).await.unwrap_err();
        bench.counts(0, 2, 0);
        advance(seconds(wait - 1)).await;
        bench.export(2..3).await.unwrap_err();
        bench.counts(0, 3, 0);
        advance(seconds(1)).await;
        bench.export(3..4).await.unwrap();
        assert_eq!(bench.sent(), [vec![0, 1], vec![3]]);
        bench.counts(1, 3, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pause_or_a_shut_door_in_the_midst_of_an_export_ends_it() {
    let bench = Bench::new();
    bench.script.status(439);
    bench.export(0..1001).await.unwrap_err();
    bench.counts(0, 1001, 0);

    let bench = Bench::new();
    bench.script.answer(206, &[("retry-after", "60")], "{}");
    bench.export(0..1001).await.unwrap_err();
    bench.counts(1000, 0, 1);
    assert_eq!(bench.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_dropped() {
    for status in [400, 404, 405, 413] {
        let bench = Bench::new();
        bench.script.status(status);
        bench.export(0..1).await.unwrap_err();
        bench.export(1..2).await.unwrap();
        assert_eq!(bench.sent(), [[0], [1]], "{status}");
        bench.counts(1, 1, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_is_sent_once_more_with_the_next_export() {
    for status in [None, Some(408), Some(500), Some(502), Some(503), Some(504)] {
        let bench = Bench::new();
        let fail = || match status {
            Some(status) => bench.script.status(status),
            None => bench.script.fail(),
        };
        fail();
        bench.export(0..2).await.unwrap_err();
        bench.counts(0, 0, 2);
        fail();
        bench.export(2..3).await.unwrap_err();
        bench.counts(0, 2, 1);
        bench.export(3..4).await.unwrap();
        assert_eq!(bench.sent(), [vec![0, 1], vec![0, 1, 2], vec![2, 3]], "{status:?}");
        bench.counts(2, 2, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_service_that_says_when_is_left_alone_until_then() {
    let bench = Bench::new();
    bench.script.answer(503, &[("retry-after", "30")], "");
    bench.export(0..1).await.unwrap_err();
    bench.export(1..2).await.unwrap_err();
    advance(seconds(30)).await;
    bench.export(2..3).await.unwrap();
    assert_eq!(bench.sent(), [vec![0], vec![0, 2]]);
    bench.counts(2, 1, 0);
}

/// Whether the requests since the last call were compressed.
fn compressed(bench: &Bench) -> Vec<bool> {
    bench.script.seen().iter().map(|seen| seen.headers.contains_key("content-encoding")).collect()
}

#[tokio::test(start_paused = true)]
async fn without_compression_when_it_is_not_understood_and_from_then_on() {
    for status in [415, 400] {
        let bench = Bench::new();
        bench.script.status(status);
        bench.export(0..50).await.unwrap();
        bench.export(50..100).await.unwrap();
        assert_eq!(compressed(&bench), [true, false, false], "{status}");
        bench.counts(100, 0, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_compression_is_remembered_whatever_comes_after_it() {
    let bench = Bench::new();
    bench.script.status(415).status(500);
    bench.export(0..50).await.unwrap_err();
    bench.export(50..100).await.unwrap();
    assert_eq!(compressed(&bench), [true, false, false]);
    bench.counts(100, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn compression_stays_when_the_items_were_bad() {
    let bench = Bench::new();
    bench.script.status(400).status(400);
    bench.export(0..50).await.unwrap_err();
    bench.script.answer(400, &[], r#"{"itemsReceived":50,"itemsAccepted":0,"errors":[]}"#);
    bench.export(50..100).await.unwrap_err();
    bench.export(100..150).await.unwrap();
    assert_eq!(compressed(&bench), [true, false, true, true]);
    bench.counts(50, 100, 0);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_is_followed_once_and_remembered() {
    let there = "https://eastus-8.in.applicationinsights.azure.com";
    let bench = Bench::new();
    bench.script.answer(308, &[("location", &format!("{there}/v2.1/track?a=b"))], "");
    bench.export(0..2).await.unwrap();
    bench.export(2..3).await.unwrap();
    let uris: Vec<_> = bench.script.seen().into_iter().map(|seen| seen.uri).collect();
    let track = format!("{there}/v2.1/track");
    assert_eq!(uris, [format!("{HOST}/v2.1/track"), track.clone(), track.clone()]);
    bench.counts(3, 0, 0);

    // From host to host: the second one ends the export.
    bench.script.answer(307, &[("location", HOST)], "").answer(307, &[("location", there)], "");
    bench.export(3..4).await.unwrap_err();
    assert_eq!(bench.sent(), [[3], [3]]);
    bench.counts(3, 0, 1);
}

#[tokio::test(start_paused = true)]
async fn where_a_redirect_led_is_forgotten_when_nobody_is_there() {
    let bench = Bench::new();
    let there = "https://eastus-8.in.applicationinsights.azure.com";
    bench.script.answer(307, &[("location", there)], "").fail();
    bench.export(0..1).await.unwrap_err();
    bench.export(1..2).await.unwrap();
    let uris: Vec<_> = bench.script.seen().into_iter().map(|seen| seen.uri).collect();
    let [home, there] = [HOST, there].map(|host| format!("{host}/v2.1/track"));
    assert_eq!(uris, [home.clone(), there, home]);
    bench.counts(2, 0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_redirect_to_a_stranger_is_not_followed() {
    for location in [
        "https://example.com",
        "http://dc.services.visualstudio.com",
        "https://dc.applicationinsights.azure.cn",
    ] {
        let bench = Bench::new();
        bench.script.answer(307, &[("location", location)], "");
        bench.export(0..1).await.unwrap_err();
        bench.export(1..2).await.unwrap();
        let seen = bench.script.seen();
        assert!(seen.len() == 2 && seen.iter().all(|seen| seen.uri.starts_with(HOST)), "{location}");
        bench.counts(1, 1, 0);
    }
}

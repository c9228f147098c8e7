//! Of many calls not all are told as spans, and all are counted.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use selvedge_observability::{
    redact::Redactor,
    telemetry::{Protocol, TelemetryConfig},
};

use crate::capture::{Capture, attributes, collector};
use crate::track::told_with;

/// So many calls of one attempt each, as the client of Fabric tells them, and an attempt outside of any.
fn calls(count: usize) {
    let attempt = || {
        let span = tracing::debug_span!(target: "selvedge_test", "attempt", otel.name = "GET");
        span.in_scope(|| tracing::info!(target: "selvedge_test", "Within"));
        tracing::debug!(
            name: "attempt.ended", target: "selvedge_test",
            seconds = 0.25, server.address = "api.test", http.response.status_code = 200,
            "Attempt ended"
        );
    };
    tracing::info_span!(target: "selvedge_test", "step").in_scope(|| {
        attempt();
        for _ in 0..count {
            tracing::debug_span!(target: "selvedge_test", "call", otel.name = "workspaces.get")
                .in_scope(attempt);
        }
    });
}

#[test]
fn beyond_the_pace_calls_and_their_attempts_are_figures_alone() {
    for (per_second, told, beyond) in [(0, 0, 5), (1000, 5, 0)] {
        let otlp = Some(collector(Protocol::HttpProtobuf, "http://collector"));
        let config = TelemetryConfig { otlp, calls_per_second: per_second, ..TelemetryConfig::default() };
        let capture = Capture::default();
        let untold = told_with(&config, &Redactor::default(), &capture, || calls(5));
        assert_eq!(untold.calls, beyond, "{per_second}");

        let spans = capture.spans();
        let named = |name| spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let (calls, attempts, steps) = (named("workspaces.get"), named("GET"), named("step"));
        assert_eq!((calls.len(), attempts.len(), steps.len()), (told, told, 1), "{per_second}");
        for (call, attempt) in calls.iter().zip(&attempts) {
            assert_eq!((&attempt.parent_span_id, &call.parent_span_id), (&call.span_id, &steps[0].span_id));
        }

        // What happens in a span that is not told happens in the one round it.
        let records = capture.records();
        assert_eq!(records.len(), 6, "the end of an attempt is no record");
        let within = |id: &[u8]| records.iter().filter(|record| record.span_id == id).count();
        assert_eq!(within(&steps[0].span_id), 6 - told);
        assert!(attempts.iter().all(|attempt| within(&attempt.span_id) == 1));

        let metrics = capture.metrics();
        let requests = metrics.iter().find(|it| it.name == "http.client.request.duration").unwrap();
        let Some(Data::Histogram(histogram)) = &requests.data else { panic!("{requests:?}") };
        let [point] = &*histogram.data_points else { panic!("{histogram:?}") };
        assert_eq!((point.count, point.sum), (6, Some(1.5)));
        let by = [("http.response.status_code", "200"), ("server.address", "api.test")];
        assert_eq!(attributes(&point.attributes), by.map(|(key, value)| (key, value.to_owned())).into());
    }
}

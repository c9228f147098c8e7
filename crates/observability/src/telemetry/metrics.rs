//! Figures, made of the spans that close and the events that happen.

use super::fields::Fields;
use opentelemetry::{
    KeyValue, Value,
    metrics::{Counter, Gauge, Histogram, Meter},
};
use std::time::Duration;

/// Bounds of what a request takes, in seconds: OpenTelemetry's, and what requests of Fabric may take beyond them.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpclientrequestduration>
const REQUEST: [f64; 17] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];

/// Bounds of what a step or a whole deployment takes, in seconds: the alerts ask for 60 s, 2 and 10 minutes.
const WORK: [f64; 13] = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0];

/// What is counted of an attempt.
pub(super) const OF_ATTEMPTS: [&str; 4] =
    ["http.request.method", "server.address", "http.response.status_code", "error.type"];

/// All instruments. Their names are a contract: `docs/telemetry.md`.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Histogram<f64>,
    steps: Histogram<f64>,
    runs: Histogram<f64>,
    run_errors: Counter<u64>,
    retries: Counter<u64>,
    throttled: Counter<f64>,
    breakers_opened: Counter<u64>,
    breakers: Gauge<u64>,
    rollbacks: Counter<u64>,
    refresh_failures: Counter<u64>,
    fallbacks: Counter<u64>,
    configuration_failures: Counter<u64>,
}

impl Metrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let histogram = |name: &'static str, what: &'static str, bounds: &[f64]| {
            let histogram = meter.f64_histogram(name).with_unit("s").with_description(what);
            histogram.with_boundaries(bounds.to_vec()).build()
        };
        let counter = |name: &'static str, unit: &'static str, what: &'static str| {
            meter.u64_counter(name).with_unit(unit).with_description(what).build()
        };
        Self {
            requests: histogram(
                "http.client.request.duration",
                "How long attempts at requests took.",
                &REQUEST,
            ),
            steps: histogram("selvedge.step.duration", "How long steps of transactions took.", &WORK),
            runs: histogram("cicd.pipeline.run.duration", "How long deployments took.", &WORK),
            run_errors: counter("cicd.pipeline.run.errors", "{error}", "Deployments that failed."),
            retries: counter("selvedge.retries", "{retry}", "Requests that were sent again."),
            throttled: meter
                .f64_counter("selvedge.throttled")
                .with_unit("s")
                .with_description("For how long services asked to be left alone.")
                .build(),
            breakers_opened: counter(
                "selvedge.circuit_breaker.opened",
                "{opening}",
                "Circuit breakers that opened.",
            ),
            breakers: meter
                .u64_gauge("selvedge.circuit_breaker.state")
                .with_description("0: closed, 1: half-open, 2: open.")
                .build(),
            rollbacks: counter("selvedge.rollbacks", "{transaction}", "Transactions that were rolled back."),
            refresh_failures: counter(
                "selvedge.token.refresh_failures",
                "{failure}",
                "Access tokens that could not be had.",
            ),
            fallbacks: counter(
                "selvedge.secret.fallbacks",
                "{secret}",
                "Secrets that the environment answered in the vault's place.",
            ),
            configuration_failures: counter(
                "selvedge.configuration.failures",
                "{failure}",
                "Configurations that were refused.",
            ),
        }
    }

    /// A span of that name has closed.
    pub(super) fn closed(&self, name: &str, fields: &Fields, took: Duration) {
        let seconds = took.as_secs_f64();
        match name {
            "attempt" => {
                self.requests.record(seconds, &only(fields, &OF_ATTEMPTS));
            }
            "step" => {
                let keys = ["selvedge.step.direction", "cicd.pipeline.task.run.result"];
                self.steps.record(seconds, &only(fields, &keys));
            }
            "deployment" => {
                let keys = [
                    "cicd.pipeline.name",
                    "cicd.pipeline.result",
                    "deployment.environment.name",
                    "error.type",
                ];
                let told = only(fields, &keys);
                if fields.get("error.type").is_some() {
                    self.run_errors.add(1, &told);
                }
                self.runs.record(seconds, &told);
            }
            _ => {}
        }
    }

    /// An event of that name has happened.
    pub(super) fn happened(&self, name: &str, fields: &Fields) {
        let breaker = || only(fields, &["breaker"]);
        match name {
            "resilience.retry" => self.retries.add(1, &only(fields, &["request", "outcome"])),
            "resilience.throttled" => {
                let pause = u64::try_from(fields.number("pause_ms").unwrap_or_default()).unwrap_or_default();
                self.throttled.add(Duration::from_millis(pause).as_secs_f64(), &only(fields, &["gate"]));
            }
            "resilience.breaker_opened" => {
                self.breakers_opened.add(1, &breaker());
                self.breakers.record(2, &breaker());
            }
            "resilience.breaker_half_opened" => self.breakers.record(1, &breaker()),
            "resilience.breaker_closed" => self.breakers.record(0, &breaker()),
            "transaction.rolling_back" => self.rollbacks.add(1, &[]),
            // Each question that was answered with no token, whether or not the last one is good still.
            "auth.failed" | "identity.failed" => self.refresh_failures.add(1, &[]),
            "secret.fallback" => self.fallbacks.add(1, &[]),
            "configuration.refused" => self.configuration_failures.add(1, &[]),
            _ => {}
        }
    }
}

/// Those attributes that are called so.
fn only(fields: &Fields, keys: &[&'static str]) -> Vec<KeyValue> {
    let found = keys.iter().filter_map(|key| Some((*key, fields.get(key)?)));
    found.map(|(key, value): (&'static str, &Value)| KeyValue::new(key, value.clone())).collect()
}

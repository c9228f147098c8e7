//! Figures, made of the spans that close and the events that happen.
//!
//! `cargo xtask codegen` reads the constants of [`Metric`] and writes them into `docs/telemetry.md`: their names are a contract.

use super::fields::Fields;
use crate::redact::Redactor;
use opentelemetry::{
    KeyValue, Value,
    metrics::{Counter, Gauge, Histogram, InstrumentBuilder, Meter},
};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Bounds of what a request takes, in seconds: OpenTelemetry's, and what requests of Fabric may take beyond them.
/// <https://opentelemetry.io/docs/specs/semconv/http/http-metrics/#metric-httpclientrequestduration>
const REQUEST: [f64; 17] =
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0];

/// Bounds of what a step or a whole deployment takes, in seconds: the alerts ask for 60 s, 2 and 10 minutes.
const WORK: [f64; 13] = [0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0];

/// A figure: what it is called, and what it is made of.
#[derive(Debug)]
struct Metric {
    name: &'static str,
    is: &'static str,
    /// As UCUM writes it: <https://ucum.org>.
    unit: &'static str,
    instrument: Instrument,
    /// The spans, by their duration, or the events.
    of: &'static [&'static str],
    /// Those of their fields that it is told by.
    attributes: &'static [&'static str],
}

/// What adds up its values.
#[derive(Clone, Copy, Debug)]
enum Instrument {
    /// With these bounds.
    Histogram(&'static [f64]),
    Counter,
    Gauge,
}

const REQUESTS: Metric = Metric {
    name: "http.client.request.duration",
    is: "How long attempts at requests took, by `seconds`.",
    unit: "s",
    instrument: Instrument::Histogram(&REQUEST),
    of: &["attempt.ended"],
    attributes: &["http.request.method", "server.address", "http.response.status_code", "error.type"],
};

const RUNS: Metric = Metric {
    name: "cicd.pipeline.run.duration",
    is: "How long deployments took.",
    unit: "s",
    instrument: Instrument::Histogram(&WORK),
    of: &["deployment"],
    attributes: &["cicd.pipeline.name", "cicd.pipeline.result", "deployment.environment.name", "error.type"],
};

const RUN_ERRORS: Metric = Metric {
    name: "cicd.pipeline.run.errors",
    is: "Deployments that failed.",
    unit: "{error}",
    instrument: Instrument::Counter,
    of: &["deployment"],
    attributes: &["cicd.pipeline.name", "cicd.pipeline.result", "deployment.environment.name", "error.type"],
};

const STEPS: Metric = Metric {
    name: "selvedge.step.duration",
    is: "How long steps of transactions took.",
    unit: "s",
    instrument: Instrument::Histogram(&WORK),
    of: &["step"],
    attributes: &["selvedge.step.direction", "cicd.pipeline.task.run.result"],
};

const THROTTLED: Metric = Metric {
    name: "selvedge.throttled",
    is: "For how long services asked to be left alone, by `added_ms`.",
    unit: "s",
    instrument: Instrument::Counter,
    of: &["resilience.throttled"],
    attributes: &["gate"],
};

const BREAKERS: Metric = Metric {
    name: "selvedge.circuit_breaker.state",
    is: "0: closed, 1: half-open, 2: open.",
    unit: "",
    instrument: Instrument::Gauge,
    of: &["resilience.breaker_opened", "resilience.breaker_half_opened", "resilience.breaker_closed"],
    attributes: &["breaker"],
};

/// What counts events, one for each.
const COUNTED: [Metric; 6] = [
    Metric {
        name: "selvedge.retries",
        is: "Requests that were sent again.",
        unit: "{retry}",
        instrument: Instrument::Counter,
        of: &["resilience.retry"],
        attributes: &["request", "outcome"],
    },
    Metric {
        name: "selvedge.circuit_breaker.opened",
        is: "Circuit breakers that opened.",
        unit: "{opening}",
        instrument: Instrument::Counter,
        of: &["resilience.breaker_opened"],
        attributes: &["breaker"],
    },
    Metric {
        name: "selvedge.rollbacks",
        is: "Transactions that were rolled back.",
        unit: "{transaction}",
        instrument: Instrument::Counter,
        of: &["transaction.rolling_back"],
        attributes: &[],
    },
    Metric {
        name: "selvedge.token.refresh_failures",
        is: "Access tokens that could not be had.",
        unit: "{failure}",
        instrument: Instrument::Counter,
        // Each question that was answered with no token, whether or not the last one is good still.
        of: &["auth.failed", "identity.failed"],
        attributes: &[],
    },
    Metric {
        name: "selvedge.secret.fallbacks",
        is: "Secrets that the environment answered in the vault's place.",
        unit: "{secret}",
        instrument: Instrument::Counter,
        of: &["secret.fallback"],
        attributes: &[],
    },
    Metric {
        name: "selvedge.configuration.failures",
        is: "Configurations that were refused.",
        unit: "{failure}",
        instrument: Instrument::Counter,
        of: &["configuration.refused"],
        attributes: &[],
    },
];

/// All instruments.
#[derive(Debug)]
pub(super) struct Metrics {
    requests: Histogram<f64>,
    steps: Histogram<f64>,
    runs: Histogram<f64>,
    run_errors: Counter<u64>,
    throttled: Counter<f64>,
    breakers: Gauge<u64>,
    counted: [Counter<u64>; COUNTED.len()],
    meter: Meter,
    /// Those of somebody who embeds this, whose names are words of a program: there are only so many.
    measured: Mutex<HashMap<String, Histogram<f64>>>,
}

impl Metrics {
    pub(super) fn new(meter: &Meter) -> Self {
        let histogram = |metric: &Metric| {
            let histogram =
                meter.f64_histogram(metric.name).with_unit(metric.unit).with_description(metric.is);
            match metric.instrument {
                Instrument::Histogram(bounds) => histogram.with_boundaries(bounds.to_vec()).build(),
                Instrument::Counter | Instrument::Gauge => histogram.build(),
            }
        };
        let counter = |metric: &Metric| described(meter.u64_counter(metric.name), metric).build();
        Self {
            requests: histogram(&REQUESTS),
            steps: histogram(&STEPS),
            runs: histogram(&RUNS),
            run_errors: counter(&RUN_ERRORS),
            throttled: described(meter.f64_counter(THROTTLED.name), &THROTTLED).build(),
            breakers: described(meter.u64_gauge(BREAKERS.name), &BREAKERS).build(),
            counted: COUNTED.each_ref().map(counter),
            meter: meter.clone(),
            measured: Mutex::default(),
        }
    }

    /// A span of that name has closed.
    pub(super) fn closed(&self, name: &str, fields: &Fields, took: Duration) {
        let seconds = took.as_secs_f64();
        if STEPS.is_of(name) {
            self.steps.record(seconds, &STEPS.told_by(fields));
        } else if RUNS.is_of(name) {
            if fields.get("error.type").is_some() {
                self.run_errors.add(1, &RUN_ERRORS.told_by(fields));
            }
            self.runs.record(seconds, &RUNS.told_by(fields));
        }
    }

    /// An attempt has ended. All that is said of it but its length is what the figure is told by.
    pub(super) fn attempted(&self, mut fields: Fields) {
        if let Some(Value::F64(seconds)) = fields.take("seconds") {
            self.requests.record(seconds, &fields.attributes);
        }
    }

    /// Somebody who embeds this has measured something, by a name of its own.
    pub(super) fn measured(&self, mut fields: Fields, redactor: &Redactor) {
        let (Some(name), Some(Value::F64(value))) = (fields.take("metric"), fields.take("value")) else {
            return;
        };
        if !value.is_finite() {
            return;
        }
        for KeyValue { value, .. } in &mut fields.attributes {
            if let Value::String(text) = value {
                *text = redactor.redact(text.as_str()).into_owned().into();
            }
        }
        let name = called(&name.as_str());
        let mut all = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = match all.get(&name) {
            Some(known) => known.clone(),
            None => {
                let new = self.meter.f64_histogram(name.clone()).build();
                all.entry(name).or_insert(new).clone()
            }
        };
        drop(all);
        histogram.record(value, &fields.attributes);
    }

    /// An event of that name has happened.
    pub(super) fn happened(&self, name: &str, fields: &Fields) {
        for (metric, counter) in COUNTED.iter().zip(&self.counted) {
            if metric.is_of(name) {
                counter.add(1, &metric.told_by(fields));
            }
        }
        if THROTTLED.is_of(name) {
            let added = u64::try_from(fields.number("added_ms").unwrap_or_default()).unwrap_or_default();
            self.throttled.add(Duration::from_millis(added).as_secs_f64(), &THROTTLED.told_by(fields));
        }
        if BREAKERS.is_of(name) {
            let state = match name {
                "resilience.breaker_opened" => 2,
                "resilience.breaker_half_opened" => 1,
                _ => 0,
            };
            self.breakers.record(state, &BREAKERS.told_by(fields));
        }
    }
}

impl Metric {
    fn is_of(&self, name: &str) -> bool {
        self.of.contains(&name)
    }

    /// Those of its attributes that there are.
    fn told_by(&self, fields: &Fields) -> Vec<KeyValue> {
        let found = self.attributes.iter().filter_map(|key| Some((*key, fields.get(key)?)));
        found.map(|(key, value): (&'static str, &Value)| KeyValue::new(key, value.clone())).collect()
    }
}

/// A name that an instrument may have:
/// <https://opentelemetry.io/docs/specs/otel/metrics/api/#instrument-name-syntax>. Under another nothing would be told.
fn called(name: &str) -> String {
    const MOST: usize = 255;
    let is_known = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '.' | '-' | '/');
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let name = name.chars().map(|it| if is_known(it) { it } else { '_' });
    let prefix = if starts { "" } else { "metric_" };
    prefix.chars().chain(name).take(MOST).collect()
}

fn described<'m, T>(builder: InstrumentBuilder<'m, T>, metric: &Metric) -> InstrumentBuilder<'m, T> {
    builder.with_unit(metric.unit).with_description(metric.is)
}

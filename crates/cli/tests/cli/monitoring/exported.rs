//! What came over OTLP, as the Collector's Prometheus exporter would write it:
//! <https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus>.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value},
    metrics::v1::{AggregationTemporality, Metric, metric, number_data_point},
};
use prost::Message as _;

use crate::sink::Sink;

type Labels = BTreeMap<String, String>;

/// Series and their last values.
#[derive(Debug, Default)]
pub(super) struct Exported(BTreeMap<(String, Labels), f64>);

impl Exported {
    /// What the sink was sent by all processes since it was last asked.
    #[track_caller]
    pub(super) fn by(sink: &Sink) -> Self {
        let mut exported = Self::default();
        let taken = sink.taken();
        for taken in taken.iter().filter(|taken| taken.path == "/v1/metrics") {
            let request = ExportMetricsServiceRequest::decode(&*taken.bytes).unwrap();
            for resource in request.resource_metrics {
                let attributes = labels(&resource.resource.unwrap().attributes);
                let own = [("job", "service_name"), ("instance", "service_instance_id")];
                let own: Labels = own.map(|(to, from)| (to.to_owned(), attributes[from].clone())).into();
                for metric in resource.scope_metrics.into_iter().flat_map(|scope| scope.metrics) {
                    exported.add(&own, metric);
                }
            }
        }
        exported
    }

    /// What Prometheus reads of a text in its own format.
    #[track_caller]
    pub(super) fn scraped(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, rest) = series.split_once('{').unwrap_or((series, "}"));
            let pairs = rest.strip_suffix('}').unwrap().split(',').filter(|pair| !pair.is_empty());
            let pairs = pairs.map(|pair| {
                let (key, value) = pair.split_once('=').unwrap();
                (key.to_owned(), value.trim_matches('"').to_owned())
            });
            ((name.to_owned(), pairs.collect()), value.parse().unwrap())
        });
        Self(samples.collect())
    }

    /// The values added up of the series of that name with these labels.
    pub(super) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |of: &Labels| labels.iter().all(|(key, value)| of.get(*key).is_some_and(|it| it == value));
        let found = self.0.iter().filter(|((it, of), _)| it == name && has(of));
        found.map(|(_, value)| value).sum()
    }

    /// Each series as PromQL names it, and its value.
    pub(super) fn series(&self) -> impl Iterator<Item = (String, f64)> {
        self.0.iter().map(|((name, labels), value)| {
            let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
            (format!("{name}{{{}}}", labels.join(",")), *value)
        })
    }

    fn put(
        &mut self,
        own: &Labels,
        name: String,
        attributes: &[KeyValue],
        more: &[(&str, String)],
        value: f64,
    ) {
        let mut all = own.clone();
        all.extend(labels(attributes));
        all.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        self.0.insert((name, all), value);
    }

    #[track_caller]
    fn add(&mut self, own: &Labels, metric: Metric) {
        let cumulative = AggregationTemporality::Cumulative as i32;
        let unit = match &*metric.unit {
            "s" => "_seconds",
            unit => {
                assert!(unit.is_empty() || unit.starts_with('{'), "{unit}");
                ""
            }
        };
        let name = format!("{}{unit}", metric.name.replace('.', "_"));
        let number = |value: Option<number_data_point::Value>| match value.unwrap() {
            number_data_point::Value::AsDouble(value) => value,
            number_data_point::Value::AsInt(value) => value as f64,
        };
        match metric.data.unwrap() {
            metric::Data::Gauge(gauge) => {
                for point in gauge.data_points {
                    self.put(own, name.clone(), &point.attributes, &[], number(point.value));
                }
            }
            metric::Data::Sum(sum) => {
                assert!(sum.is_monotonic && sum.aggregation_temporality == cumulative, "{name}");
                for point in sum.data_points {
                    self.put(own, format!("{name}_total"), &point.attributes, &[], number(point.value));
                }
            }
            metric::Data::Histogram(histogram) => {
                assert_eq!(histogram.aggregation_temporality, cumulative, "{name}");
                for point in histogram.data_points {
                    let bounds =
                        point.explicit_bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
                    let mut below = 0;
                    for (bound, count) in bounds.zip(&point.bucket_counts) {
                        below += count;
                        let le = [("le", bound)];
                        self.put(own, format!("{name}_bucket"), &point.attributes, &le, below as f64);
                    }
                    self.put(own, format!("{name}_count"), &point.attributes, &[], point.count as f64);
                    self.put(own, format!("{name}_sum"), &point.attributes, &[], point.sum.unwrap());
                }
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

fn labels(attributes: &[KeyValue]) -> Labels {
    let text = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.clone()) {
        Some(any_value::Value::StringValue(text)) => text,
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        Some(any_value::Value::BoolValue(truth)) => truth.to_string(),
        other => panic!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.replace('.', "_"), text(&pair.value))).collect()
}

//! Points of metrics, one to an item: ingestion stores only the first of several.

use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use serde_json::{Map, Value, json};

use super::item::{Common, Item, Kind, NAME};

/// What ingestion stores of a point. It knows no buckets: of a histogram sum, count, least and greatest value are left.
struct Point {
    value: f64,
    count: u64,
    min: Option<f64>,
    max: Option<f64>,
}

/// A number of one of the three kinds that metrics are made of, as ingestion stores it.
trait Number: Copy {
    fn double(self) -> f64;
}

/// The items of a collection, and how many points could not be one: not all numbers are numbers of JSON.
pub(super) fn lines(common: &Common, metrics: &ResourceMetrics) -> (Vec<String>, usize) {
    let (mut lines, mut lost) = (Vec::new(), 0);
    for metric in metrics.scope_metrics().flat_map(|scope| scope.metrics()) {
        let mut add = |attributes: Vec<&KeyValue>, time, point: Point| match line(
            common,
            metric.name(),
            &attributes,
            time,
            &point,
        ) {
            Some(line) => lines.push(line),
            None => lost += 1,
        };
        match metric.data() {
            AggregatedMetrics::F64(data) => points(data, &mut add),
            AggregatedMetrics::U64(data) => points(data, &mut add),
            AggregatedMetrics::I64(data) => points(data, &mut add),
        }
    }
    (lines, lost)
}

fn points<T: Number>(data: &MetricData<T>, add: &mut dyn FnMut(Vec<&KeyValue>, SystemTime, Point)) {
    let single = |value: T| Point { value: value.double(), count: 1, min: None, max: None };
    let double = |value: Option<T>| value.map(Number::double);
    match data {
        MetricData::Gauge(gauge) => {
            for point in gauge.data_points() {
                add(point.attributes().collect(), gauge.time(), single(point.value()));
            }
        }
        MetricData::Sum(sum) => {
            for point in sum.data_points() {
                add(point.attributes().collect(), sum.time(), single(point.value()));
            }
        }
        MetricData::Histogram(histogram) => {
            for point in histogram.data_points() {
                let (min, max) = (double(point.min()), double(point.max()));
                let of = Point { value: point.sum().double(), count: point.count(), min, max };
                add(point.attributes().collect(), histogram.time(), of);
            }
        }
        MetricData::ExponentialHistogram(histogram) => {
            for point in histogram.data_points() {
                let count = u64::try_from(point.count()).unwrap_or(u64::MAX);
                let (min, max) = (double(point.min()), double(point.max()));
                let of = Point { value: point.sum().double(), count, min, max };
                add(point.attributes().collect(), histogram.time(), of);
            }
        }
    }
}

fn line(
    common: &Common,
    name: &str,
    attributes: &[&KeyValue],
    time: SystemTime,
    point: &Point,
) -> Option<String> {
    let finite = |number: f64| number.is_finite().then_some(number);
    let mut item = Item::new(common, Kind::Metric, time);
    let mut data = Map::new();
    data.insert("name".to_owned(), item.cut(name, NAME).into());
    data.insert("value".to_owned(), finite(point.value)?.into());
    data.insert("count".to_owned(), i32::try_from(point.count).unwrap_or(i32::MAX).into());
    for (field, bound) in [("min", point.min), ("max", point.max)] {
        if let Some(bound) = bound.and_then(finite) {
            data.insert(field.to_owned(), bound.into());
        }
    }
    item.put("metrics", json!([Value::from(data)]));
    for attribute in attributes {
        item.property(attribute.key.as_str(), &attribute.value.as_str());
    }
    Some(item.into_line())
}

impl Number for f64 {
    fn double(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn double(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    fn double(self) -> f64 {
        self as f64
    }
}

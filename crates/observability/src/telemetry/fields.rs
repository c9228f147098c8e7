//! The fields of `tracing`'s spans and events, as OpenTelemetry's attributes.

use opentelemetry::{Key, KeyValue, Value, trace::SpanKind};
use std::{borrow::Cow, fmt};
use tracing::field::{Field, Visit};

/// What the fields of a span or an event say.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// `otel.name`: what the span is called.
    pub(super) name: Option<Cow<'static, str>>,
    /// `otel.kind`: `client` or `server`.
    pub(super) kind: Option<SpanKind>,
    /// An event's message.
    pub(super) message: String,
    /// All else.
    pub(super) attributes: Vec<KeyValue>,
    /// Which fields are looked at; `None`: all.
    pub(super) only: Option<&'static [&'static str]>,
}

impl Fields {
    /// Those of these names, and no others.
    pub(super) fn only(keys: &'static [&'static str]) -> Self {
        Self { only: Some(keys), ..Self::default() }
    }

    fn skips(&self, field: &Field) -> bool {
        self.only.is_some_and(|only| !only.contains(&field.name()))
    }

    /// The attribute called `key`; of several the last, as what is told later is known better.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.attributes.iter().rfind(|it| it.key.as_str() == key).map(|it| &it.value)
    }

    /// The same, where it is a number.
    pub(super) fn number(&self, key: &str) -> Option<i64> {
        match self.get(key)? {
            Value::I64(number) => Some(*number),
            _ => None,
        }
    }

    fn text(&mut self, field: &Field, value: Cow<'_, str>) {
        match field.name() {
            "message" => self.message = value.into_owned(),
            "otel.name" => self.name = Some(value.into_owned().into()),
            "otel.kind" => {
                self.kind = match &*value {
                    "client" => Some(SpanKind::Client),
                    "server" => Some(SpanKind::Server),
                    _ => None,
                }
            }
            _ => self.put(field, value.into_owned()),
        }
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        if self.skips(field) {
            return;
        }
        self.attributes.push(KeyValue::new(Key::from_static_str(field.name()), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if !self.skips(field) {
            self.text(field, value.into());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if !self.skips(field) {
            self.text(field, format!("{value:?}").into());
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
}

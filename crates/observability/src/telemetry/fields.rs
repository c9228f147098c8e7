//! The fields of `tracing`'s spans and events, as OpenTelemetry's attributes.

use super::custom;
use crate::track;
use opentelemetry::{Key, KeyValue, StringValue, Value, trace::SpanKind};
use serde_json::Value as Json;
use std::{borrow::Cow, fmt, sync::Arc};
use tracing::field::{Field, Visit};

/// Attributes that decide what becomes of a log record or a span.
const RESERVED: [&str; 2] = [custom::EVENT, "error.type"];

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
}

impl Fields {
    /// The attribute called `key`; of several the last, as what is told later is known better.
    pub(super) fn get(&self, key: &str) -> Option<&Value> {
        self.attributes.iter().rfind(|it| it.key.as_str() == key).map(|it| &it.value)
    }

    /// The same, and it is one no more.
    pub(super) fn take(&mut self, key: &str) -> Option<Value> {
        let at = self.attributes.iter().position(|it| it.key.as_str() == key)?;
        Some(self.attributes.remove(at).value)
    }

    /// What the properties of somebody who embeds this say, but for what is not theirs to say.
    fn put_properties(&mut self, field: &str) {
        for (key, value) in track::parse(field) {
            let value = match value {
                Json::Bool(flag) => Value::Bool(flag),
                Json::String(text) => Value::from(text),
                Json::Number(number) => match number.as_i64() {
                    Some(number) => Value::I64(number),
                    None => Value::F64(number.as_f64().unwrap_or(f64::NAN)),
                },
                Json::Null | Json::Array(_) | Json::Object(_) => continue,
            };
            if !RESERVED.contains(&&*key) && self.get(&key).is_none() {
                self.attributes.push(KeyValue::new(key, value));
            }
        }
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
            "selvedge.properties" => self.put_properties(&value),
            // Shared: what a figure is told by is a copy.
            _ => self.put(field, StringValue::from(Arc::<str>::from(value))),
        }
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.attributes.push(KeyValue::new(Key::from_static_str(field.name()), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, format!("{value:?}").into());
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

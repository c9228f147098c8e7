//! One item of telemetry: the envelope that ingestion takes, within its limits.
//!
//! The fields and limits are those of the
//! [specification of the protocol](https://github.com/Azure/azure-rest-api-specs/tree/main/specification/applicationinsights/data-plane/Monitor.Exporters/preview/v2.1),
//! the forms those that Microsoft's OpenTelemetry exporter sends. Limits of tags, which the specification does not tell, are
//! those of Microsoft's SDKs.

use std::time::SystemTime;

use opentelemetry::{SpanId, TraceId};
use serde_json::{Map, Value, json};

use super::{
    InsightsConfig,
    text::{self, MOST_BYTES, Room},
};

/// What this exporter calls itself.
const SDK: &str = concat!("rust:selvedge-", env!("CARGO_PKG_VERSION"));

/// The names of events may have this many UTF-16 units, everything else that is a name [`NAME`].
pub(super) const EVENT_NAME: usize = 512;
/// Of names, types, targets and codes.
pub(super) const NAME: usize = 1024;
/// Of messages and stacks.
pub(super) const MESSAGE: usize = 32_768;
/// Of addresses of requests.
pub(super) const URL: usize = 2048;
/// Of values of properties, and of what a dependency was asked.
pub(super) const VALUE: usize = 8192;
const KEY: usize = 150;

/// Bytes for the members that the items of a kind have, and for numbers.
const FRAME: usize = 1024;

/// What all items of a process have in common.
pub(super) struct Common {
    key: String,
    tags: Map<String, Value>,
    pub(super) operation: Option<String>,
    environment: Option<Value>,
    room: Room,
}

/// What an item tells of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Request,
    Dependency,
    Exception,
    Message,
    Event,
    Metric,
}

/// An item that is being written.
pub(super) struct Item<'c> {
    common: &'c Common,
    kind: Kind,
    time: SystemTime,
    room: Room,
    tags: Map<String, Value>,
    data: Map<String, Value>,
    properties: Map<String, Value>,
    measurements: Map<String, Value>,
}

impl Common {
    pub(super) fn new(config: &InsightsConfig) -> Self {
        let mut tags = Map::new();
        for (tag, value, limit) in [
            ("ai.cloud.role", Some(&config.service), 256),
            ("ai.cloud.roleInstance", config.instance.as_ref(), 256),
            ("ai.application.ver", config.version.as_ref(), NAME),
        ] {
            if let Some(value) = value {
                tags.insert(tag.to_owned(), text::cut(value, limit).into());
            }
        }
        tags.insert("ai.internal.sdkVersion".to_owned(), text::cut(SDK, 64).into());
        let environment = config.environment.as_deref().map(|name| Value::from(text::cut(name, NAME)));
        let reserved = Value::from(tags.clone()).to_string().len()
            + environment.as_ref().map_or(0, |name| name.to_string().len())
            + FRAME;
        Self {
            key: config.connection.key().to_owned(),
            tags,
            operation: config.operation.clone(),
            environment,
            room: Room::new(MOST_BYTES.saturating_sub(reserved)),
        }
    }
}

impl Kind {
    /// The end of the envelope's name, and the type of its data.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Request => ("Request", "RequestData"),
            Self::Dependency => ("RemoteDependency", "RemoteDependencyData"),
            Self::Exception => ("Exception", "ExceptionData"),
            Self::Message => ("Message", "MessageData"),
            Self::Event => ("Event", "EventData"),
            Self::Metric => ("Metric", "MetricData"),
        }
    }
}

impl<'c> Item<'c> {
    pub(super) fn new(common: &'c Common, kind: Kind, time: SystemTime) -> Self {
        let data = Map::from_iter([("ver".to_owned(), json!(2))]);
        let (tags, properties, measurements) = (common.tags.clone(), Map::new(), Map::new());
        Self { common, kind, time, room: common.room, tags, data, properties, measurements }
    }

    /// Joins the item to a trace, and to the span it happened in.
    pub(super) fn within(&mut self, trace: TraceId, parent: SpanId) {
        if trace != TraceId::INVALID {
            self.tags.insert("ai.operation.id".to_owned(), trace.to_string().into());
        }
        if parent != SpanId::INVALID {
            self.tags.insert("ai.operation.parentId".to_owned(), parent.to_string().into());
        }
    }

    /// Names the operation: what the process was asked to do.
    pub(super) fn operation(&mut self, name: &str) {
        if !name.is_empty() {
            let name = self.room.text(name, NAME);
            self.tags.insert("ai.operation.name".to_owned(), name.into());
        }
    }

    /// A field of the data; numbers, booleans, and texts that cannot be long.
    pub(super) fn put(&mut self, field: &'static str, value: impl Into<Value>) {
        self.data.insert(field.to_owned(), value.into());
    }

    /// A field of the data that holds a text of at most `limit`.
    pub(super) fn text(&mut self, field: &'static str, value: &str, limit: usize) {
        let value = self.cut(value, limit);
        self.put(field, value);
    }

    /// `text` as far as its limit and the item's room allow, for a field within a field.
    pub(super) fn cut(&mut self, text: &str, limit: usize) -> String {
        self.room.text(text, limit).to_owned()
    }

    /// As [`cut`](Self::cut), leaving room for so many bytes of what comes after it.
    pub(super) fn cut_leaving(&mut self, bytes: usize, text: &str, limit: usize) -> String {
        let text = self.room.without(bytes).text(text, limit);
        self.cut(text, limit)
    }

    /// A property, unless it has one of that name. What an item has no more room for is left out.
    pub(super) fn property(&mut self, key: &str, value: &str) {
        // Two pairs of quotes, a colon and a comma.
        if !self.fits(key, 6) || self.properties.contains_key(text::cut(key, KEY)) {
            return;
        }
        let key = self.room.text(key, KEY);
        let value = self.room.text(value, VALUE);
        self.properties.insert(key.to_owned(), value.into());
    }

    /// A measurement, unless it has one of that name. A number that JSON does not know becomes a property.
    pub(super) fn measurement(&mut self, key: &str, value: f64) {
        if !value.is_finite() {
            return self.property(key, &value.to_string());
        }
        // Quotes, a colon, a comma, and no number is longer than 24 characters.
        if self.fits(key, 28) && !self.measurements.contains_key(text::cut(key, KEY)) {
            let key = self.room.text(key, KEY);
            self.measurements.insert(key.to_owned(), value.into());
        }
    }

    /// Takes the room for what stands around a key and its value, if the key fits too.
    fn fits(&mut self, key: &str, around: usize) -> bool {
        let mut trial = self.room;
        let fits = !key.is_empty() && trial.take(around) && trial.text(key, KEY) == text::cut(key, KEY);
        fits && self.room.take(around)
    }

    /// The item as a line of JSON, without the line's end.
    pub(super) fn into_line(mut self) -> String {
        if let Some(environment) = &self.common.environment {
            // Room is reserved for it in every item.
            self.properties.entry("environment").or_insert_with(|| environment.clone());
        }
        let (name, base_type) = self.kind.names();
        self.data.insert("properties".to_owned(), self.properties.into());
        if !matches!(self.kind, Kind::Metric) {
            self.data.insert("measurements".to_owned(), self.measurements.into());
        }
        let envelope = json!({
            "name": format!("Microsoft.ApplicationInsights.{name}"),
            "time": text::moment(self.time),
            "iKey": self.common.key,
            "tags": self.tags,
            "data": { "baseType": base_type, "baseData": self.data },
        });
        envelope.to_string()
    }
}

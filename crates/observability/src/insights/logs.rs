//! Log records as messages, events and exceptions.

use std::{borrow::Cow, time::SystemTime};

use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry_sdk::logs::SdkLogRecord;

use super::{
    attributes::{any_number, any_text},
    exception::{self, Exception},
    item::{Common, EVENT_NAME, Item, Kind, MESSAGE},
};

/// The attribute that makes a log record an event of that name, as in Microsoft's OpenTelemetry exporters.
pub const EVENT: &str = crate::telemetry::custom::EVENT;

/// The item of a log record.
pub(super) fn line(common: &Common, record: &SdkLogRecord) -> String {
    let find = |name| record.attributes_iter().find(|(key, _)| key.as_str() == name);
    let text = |name| find(name).map(|(_, value)| any_text(value)).filter(|text| !text.is_empty());
    let severe = record.severity_number().is_some_and(|severity| severity >= Severity::Error);
    let item = if let Some(name) = text(EVENT) {
        event(common, record, &name)
    } else if severe && (text(exception::TYPE).is_some() || text(exception::MESSAGE).is_some()) {
        let (kind, stack) = (text(exception::TYPE), text(exception::STACK));
        let message = text(exception::MESSAGE).or_else(|| body(record));
        failure(common, record, &Exception { kind, message, stack })
    } else {
        message(common, record)
    };
    item.into_line()
}

fn event<'c>(common: &'c Common, record: &SdkLogRecord, name: &str) -> Item<'c> {
    let mut item = begin(common, Kind::Event, record);
    item.text("name", name, EVENT_NAME);
    for (key, value) in record.attributes_iter().filter(|(key, _)| key.as_str() != EVENT) {
        match any_number(value) {
            Some(number) => item.measurement(key.as_str(), number),
            None => item.property(key.as_str(), &any_text(value)),
        }
    }
    end(&mut item, record);
    if let Some(body) = body(record) {
        item.property("message", &body);
    }
    item
}

fn failure<'c>(common: &'c Common, record: &SdkLogRecord, what: &Exception<'_>) -> Item<'c> {
    let mut item = begin(common, Kind::Exception, record);
    item.put("severityLevel", severity(record));
    what.put(&mut item);
    properties(&mut item, record, exception::is_field);
    if let Some(body) = body(record).filter(|body| what.message.as_ref() != Some(body)) {
        item.property("message", &body);
    }
    item
}

fn message<'c>(common: &'c Common, record: &SdkLogRecord) -> Item<'c> {
    let mut item = begin(common, Kind::Message, record);
    // A message must not be empty.
    let text = body(record).or(record.event_name().map(Cow::Borrowed)).unwrap_or("n/a".into());
    item.text("message", &text, MESSAGE);
    item.put("severityLevel", severity(record));
    properties(&mut item, record, |_| false);
    item
}

fn begin<'c>(common: &'c Common, kind: Kind, record: &SdkLogRecord) -> Item<'c> {
    let time = record.timestamp().or(record.observed_timestamp()).unwrap_or_else(SystemTime::now);
    let mut item = Item::new(common, kind, time);
    if let Some(context) = record.trace_context() {
        item.within(context.trace_id, context.span_id);
    }
    item.operation(common.operation.as_deref().unwrap_or_default());
    item
}

fn properties(item: &mut Item<'_>, record: &SdkLogRecord, told: fn(&str) -> bool) {
    for (key, value) in record.attributes_iter().filter(|(key, _)| !told(key.as_str())) {
        item.property(key.as_str(), &any_text(value));
    }
    end(item, record);
}

/// Where the record is from.
fn end(item: &mut Item<'_>, record: &SdkLogRecord) {
    if let Some(target) = record.target() {
        item.property("logger_name", target);
    }
}

fn body(record: &SdkLogRecord) -> Option<Cow<'_, str>> {
    let body: Option<&AnyValue> = record.body();
    body.map(any_text).filter(|text| !text.is_empty())
}

/// Verbose, information, warning, error, critical: 0 to 4 on the wire.
fn severity(record: &SdkLogRecord) -> u8 {
    match record.severity_number() {
        Some(severity) if severity >= Severity::Fatal => 4,
        Some(severity) if severity >= Severity::Error => 3,
        Some(severity) if severity >= Severity::Warn => 2,
        Some(severity) if severity < Severity::Info => 0,
        _ => 1,
    }
}

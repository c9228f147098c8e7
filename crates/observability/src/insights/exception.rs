//! An exception, from an event of a span or from a log record.

use std::borrow::Cow;

use serde_json::json;

use super::item::{self, Item};

/// The names of OpenTelemetry's
/// [attributes of exceptions](https://opentelemetry.io/docs/specs/semconv/registry/attributes/exception/).
pub(super) const TYPE: &str = "exception.type";
pub(super) const MESSAGE: &str = "exception.message";
pub(super) const STACK: &str = "exception.stacktrace";

/// Bytes that a message leaves for the stack, however long it is.
const LEAST_STACK: usize = 8 * 1024;

/// What is known of an exception.
pub(super) struct Exception<'a> {
    pub(super) kind: Option<Cow<'a, str>>,
    pub(super) message: Option<Cow<'a, str>>,
    pub(super) stack: Option<Cow<'a, str>>,
}

/// Whether an attribute is told by the fields of an exception.
pub(super) fn is_field(key: &str) -> bool {
    [TYPE, MESSAGE, STACK].contains(&key)
}

impl Exception<'_> {
    /// Writes it into `item`. Message and stack must not be empty: what is not known is said by what is.
    pub(super) fn put(&self, item: &mut Item<'_>) {
        let kind = self.kind.as_deref().unwrap_or("Exception");
        let message = self.message.as_deref().unwrap_or(kind);
        let kind = item.cut(kind, item::NAME);
        let message = item.cut_leaving(LEAST_STACK, message, item::MESSAGE);
        let stack = match &self.stack {
            Some(stack) => item.cut(stack, item::MESSAGE),
            None => item.cut(&kind, item::NAME),
        };
        let exception = json!({
            "typeName": kind,
            "message": message,
            "hasFullStack": self.stack.is_some(),
            "stack": stack,
        });
        item.put("exceptions", json!([exception]));
    }
}

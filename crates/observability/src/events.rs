//! Every `tracing` span and event of this crate: what those who embed it have it tell.

use std::{error::Error, fmt::Display};

use tracing::{Span, field};

use crate::track::{Causes, Properties};

/// Something happened, by the name that it is counted by.
pub(crate) fn tracked(name: &'static str, properties: Properties<'_>) {
    tracing::info!(name: "track.event", event = name, selvedge.properties = properties.told(), "Event {name}");
}

/// Something was measured.
pub(crate) fn measured(name: &'static str, value: f64, properties: Properties<'_>) {
    tracing::debug!(
        name: "track.metric",
        metric = name,
        value,
        selvedge.properties = properties.told(),
        "Metric {name}: {value}"
    );
}

/// Something went wrong.
pub(crate) fn raised(kind: &str, error: &Causes<'_, impl Error + ?Sized>, properties: Properties<'_>) {
    tracing::error!(
        name: "track.exception",
        { exception.type = kind, exception.message = %error, selvedge.properties = properties.told() },
        "Exception: {error}"
    );
}

/// An operation of a program that embeds this crate, by its own name. `error.type` is the type of the error that it failed with, or
/// `broken_off`.
pub(crate) fn operation(name: &'static str) -> Span {
    tracing::info_span!(
        "operation",
        otel.name = name,
        selvedge.properties = field::Empty,
        error.type = field::Empty,
    )
}

/// Tells the span of an operation more of it.
pub(crate) fn operation_has(span: &Span, properties: impl Display) {
    span.record("selvedge.properties", field::display(properties));
}

/// Tells it that it failed.
pub(crate) fn operation_failed(span: &Span, kind: &str) {
    span.record("error.type", kind);
}

//! The exporter to Application Insights, seen from the wire.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod any_text;
mod client;
mod forms;
mod mapping;
mod schema;
mod statuses;
mod telemetry;
mod upload;

//! What arrives at a collector and at Application Insights, seen from there.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod capture;
mod grpc;
mod pace;
mod probe;
#[path = "../insights/schema.rs"]
mod schema;
mod track;

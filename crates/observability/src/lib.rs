//! What a run says of itself to people and programs, and what it must never say.

pub mod health;
pub mod redact;
pub mod telemetry;

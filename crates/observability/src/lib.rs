//! What a run says of itself to people and programs, and what it must never say.

pub mod audit;
pub mod health;
#[cfg(feature = "insights")]
pub mod insights;
pub mod redact;
pub mod telemetry;
mod timestamp;

pub use timestamp::timestamp;

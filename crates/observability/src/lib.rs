//! What a run says of itself to people and programs, and what it must never say.

pub mod audit;
mod events;
pub mod health;
#[cfg(feature = "insights")]
pub mod insights;
pub mod redact;
pub mod telemetry;
mod timestamp;
pub mod track;

pub use timestamp::timestamp;
pub use track::{track_event, track_exception, track_metric, track_operation};

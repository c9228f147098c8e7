//! The program `selvedge`, as a library: what `main` runs, and the stack of layers, so that benchmarks measure the very one.

mod args;
mod audit;
mod ci;
mod clients;
mod commands;
mod events;
mod exit;
mod fenced;
mod flags;
mod identity;
mod logging;
mod output;
mod place;
mod query;
mod redaction;
mod render;
mod report;
mod run;
mod secrets;
mod settings;
mod signal;
pub mod stack;
mod stack_config;
mod subject;
mod telemetry;
mod text;

pub use run::run;

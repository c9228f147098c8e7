//! One file per command. Each takes what was resolved and returns an exit code.

pub(crate) mod audit;
pub(crate) mod completions;
mod confirm;
pub(crate) mod deploy;
pub(crate) mod doctor;
pub(crate) mod drift;
#[cfg(feature = "emulator")]
pub(crate) mod emulator;
pub(crate) mod explain;
mod find;
pub(crate) mod flags;
pub(crate) mod folders;
pub(crate) mod git;
pub(crate) mod health;
pub(crate) mod items;
pub(crate) mod lock;
pub(crate) mod man;
pub(crate) mod onboard;
pub(crate) mod plan;
pub(crate) mod promote;
pub(crate) mod schema;
pub(crate) mod secrets;
pub(crate) mod serve;
mod tell;
mod transact;
pub(crate) mod transactions;
pub(crate) mod workspaces;

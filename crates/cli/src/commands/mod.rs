//! One file per command. Each takes what was resolved and returns an exit code.

pub(crate) mod deploy;
#[cfg(feature = "emulator")]
pub(crate) mod emulator;
pub(crate) mod export;
pub(crate) mod flags;
pub(crate) mod gc;
pub(crate) mod lock;
pub(crate) mod plan;
pub(crate) mod recheck;
pub(crate) mod sweep;
pub(crate) mod transactions;

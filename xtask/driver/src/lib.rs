//! The servers that tasks and tests talk to, each a process of its own: the emulator and Azurite. Whoever holds one of these stops
//! it by dropping it; where the holder itself is killed, the server sees the end of its standard input and stops by itself.

mod azurite;
mod emulator;
pub mod http;
mod process;

pub use azurite::{Azurite, KEY};
pub use emulator::{Emulator, Options, Request};
pub use process::Process;

use std::time::{Duration, Instant};

use anyhow::ensure;

/// How long anything may take that takes milliseconds.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Looks until it is so.
///
/// # Errors
/// It cannot be looked at, or is not so within [`PATIENCE`].
pub fn until(what: &str, mut is_so: impl FnMut() -> anyhow::Result<bool>) -> anyhow::Result<()> {
    let started = Instant::now();
    while !is_so()? {
        ensure!(started.elapsed() < PATIENCE, "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(())
}

//! What shared state waits on, so that `loom` can put its own in its place and try every interleaving.
//!
//! `cargo xtask loom` builds the crate with `--cfg selvedge_loom`. It is a cfg of our own, since tokio takes `loom` for
//! itself. `Arc` stays that of the standard library: what matters about drops here takes a lock, and loom sees that.

#[cfg(selvedge_loom)]
mod semaphore;

#[cfg(selvedge_loom)]
pub(crate) use semaphore::{OwnedSemaphorePermit, Semaphore};
#[cfg(not(selvedge_loom))]
pub(crate) use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use std::sync::PoisonError;

#[cfg(selvedge_loom)]
use loom::sync as imp;
#[cfg(not(selvedge_loom))]
use std::sync as imp;

/// A mutex that is held for a few instructions, never across an await.
#[derive(Debug)]
pub(crate) struct Mutex<T>(imp::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(imp::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> imp::MutexGuard<'_, T> {
        // States are replaced whole, so even after a panic elsewhere it is a state that was meant.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs three threads of a model, this one among them: loom tries far fewer interleavings than with a fourth that
/// only waits.
#[cfg(test)]
#[cfg(selvedge_loom)]
pub(crate) fn together<A: 'static, B: 'static, C>(
    a: impl FnOnce() -> A + 'static,
    b: impl FnOnce() -> B + 'static,
    c: impl FnOnce() -> C,
) -> (A, B, C) {
    let (a, b) = (loom::thread::spawn(a), loom::thread::spawn(b));
    let c = c();
    (a.join().unwrap(), b.join().unwrap(), c)
}

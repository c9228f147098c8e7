//! The lock under all shared state, so that `loom` can put its own in its place and try every interleaving.

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

//! A place to stop a process at, between a record of the journal and what is done on the strength of it: for crash tests.

use std::sync::OnceLock;

/// Where an append stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Point {
    /// The record is about to be written.
    Before,
    /// It is durable.
    After,
}

type Hook = Box<dyn Fn(u64, Point) + Send + Sync>;

static HOOK: OnceLock<Hook> = OnceLock::new();

/// Calls `hook` before and after each append of this process, with the record's number. A hook that does not return stops
/// the process there. Only the first one is installed.
pub fn install(hook: impl Fn(u64, Point) + Send + Sync + 'static) {
    drop(HOOK.set(Box::new(hook)));
}

pub(super) fn reached(seq: u64, point: Point) {
    if let Some(hook) = HOOK.get() {
        hook(seq, point);
    }
}

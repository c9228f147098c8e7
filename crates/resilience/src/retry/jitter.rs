//! Where chance comes from.

use crate::sync::Mutex;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use std::sync::Arc;

/// Numbers between 0 and 1: anybody's, or the same ones in each run.
#[derive(Clone, Debug)]
pub(super) enum Jitter {
    Thread,
    Seeded(Arc<Mutex<StdRng>>),
}

impl Jitter {
    pub(super) fn seeded(seed: u64) -> Self {
        Self::Seeded(Arc::new(Mutex::new(StdRng::seed_from_u64(seed))))
    }

    pub(super) fn draw(&self) -> f64 {
        match self {
            Self::Thread => rand::random(),
            Self::Seeded(rng) => rng.lock().random(),
        }
    }
}

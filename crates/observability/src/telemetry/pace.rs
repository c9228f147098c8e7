//! How many calls are told in a second.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Lets so many through in each second, and counts the others.
#[derive(Debug)]
pub(super) struct Pace {
    since: Instant,
    per_second: u64,
    /// The second, and in its lower half how many came in it.
    now: AtomicU64,
    held_back: AtomicU64,
}

const HALF: u32 = 32;

impl Pace {
    pub(super) fn new(per_second: u32) -> Self {
        let per_second = u64::from(per_second);
        Self { since: Instant::now(), per_second, now: AtomicU64::new(0), held_back: AtomicU64::new(0) }
    }

    pub(super) fn lets_through(&self, at: Instant) -> bool {
        let second = at.saturating_duration_since(self.since).as_secs() & u64::from(u32::MAX);
        let mut now = self.now.load(Ordering::Relaxed);
        loop {
            let came = if now >> HALF == second { now & u64::from(u32::MAX) } else { 0 };
            if came >= self.per_second {
                self.held_back.fetch_add(1, Ordering::Relaxed);
                return false;
            }
            let next = second << HALF | (came + 1);
            match self.now.compare_exchange_weak(now, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(other) => now = other,
            }
        }
    }

    /// How many were held back so far.
    pub(super) fn held_back(&self) -> u64 {
        self.held_back.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn each_second_has_so_many() {
        let pace = Pace::new(3);
        for second in [0, 1, 5] {
            let at = pace.since + Duration::from_secs(second);
            let through = (0..10).filter(|_| pace.lets_through(at)).count();
            assert_eq!(through, 3, "{second}");
        }
        assert_eq!(pace.held_back(), 21);
        assert!(!Pace::new(0).lets_through(Instant::now()));
    }
}

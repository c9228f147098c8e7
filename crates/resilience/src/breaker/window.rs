//! The last calls, as bits.

use super::Trip;

/// How the last calls ended, newest in the lowest bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Window {
    failed: u128,
    calls: u32,
    /// Failures since the last success.
    in_a_row: u32,
}

impl Window {
    /// The most calls that are looked back at.
    const MOST: u32 = u128::BITS;

    #[must_use]
    pub(super) fn push(self, failed: bool) -> Self {
        Self {
            failed: self.failed << 1 | u128::from(failed),
            calls: Self::MOST.min(self.calls + 1),
            in_a_row: if failed { self.in_a_row.saturating_add(1) } else { 0 },
        }
    }

    /// Whether what is seen opens the breaker.
    pub(super) fn trips(self, trip: Trip) -> bool {
        match trip {
            Trip::Consecutive { failures } => self.in_a_row >= failures,
            Trip::FailureRate { ratio, window, min_calls, failures: in_a_row } => {
                let calls = self.calls.min(window);
                let failures = self.failures(window);
                self.in_a_row >= in_a_row
                    || calls >= min_calls && f64::from(failures) >= ratio * f64::from(calls)
            }
        }
    }

    /// Calls among the last `window`, and how many of them failed.
    pub(super) fn counts(self, window: u32) -> (u32, u32) {
        (self.calls.min(window), self.failures(window))
    }

    fn failures(self, window: u32) -> u32 {
        // Bits of calls that were not made yet are zero.
        (self.failed << (Self::MOST - window.clamp(1, Self::MOST))).count_ones()
    }
}

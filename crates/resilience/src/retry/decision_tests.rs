//! How long a pause is: tables of values, and the bounds that hold for all of them.

use super::{RetryConfig, delay, pause};
use crate::Outcome;
use proptest::prelude::*;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

/// 2 s, doubled up to 60 s; half of that again at random.
fn config() -> RetryConfig {
    RetryConfig { base_delay: 2 * SECOND, max_delay: 60 * SECOND, jitter: 0.5, ..RetryConfig::guide() }
}

#[test]
fn a_short_wait_is_believed_once_and_of_who_throttles_only() {
    let throttled = |retry_after| Outcome::Throttled { retry_after };
    let busy = |retry_after| Outcome::Busy { retry_after };
    let transient = |retry_after| Outcome::Transient { retry_after };
    // The wait that is asked for, and the pause without jitter and with all of it, after one attempt and after two.
    for (wait, first, second) in [
        (None, [2000, 3000], [4000, 6000]),
        (Some(0), [2000, 3000], [4000, 6000]),
        (Some(1), [2000, 3000], [4000, 6000]),
        (Some(200), [2000, 3000], [4000, 6000]),
        (Some(1999), [2000, 3000], [4000, 6000]),
        (Some(2000), [2000, 3000], [4000, 6000]),
        // Jitter is a part of the own pause, not of what was asked for.
        (Some(3000), [3000, 4000], [4000, 6000]),
        (Some(42_000), [42_000, 43_000], [42_000, 44_000]),
        (Some(90_000), [90_000, 91_000], [90_000, 92_000]),
    ] {
        let retry_after = wait.map(|wait| wait * MS);
        let believed = match wait {
            Some(1) => [1.0, 1.5],
            Some(200) => [200.0, 300.0],
            Some(1999) => [1999.0, 2998.5],
            _ => first.map(f64::from),
        };
        for (attempts, outcome, expected) in [
            (1, throttled(retry_after), believed),
            (1, busy(retry_after), first.map(f64::from)),
            (1, transient(retry_after), first.map(f64::from)),
            (2, throttled(retry_after), second.map(f64::from)),
            (2, busy(retry_after), second.map(f64::from)),
            (2, transient(retry_after), second.map(f64::from)),
        ] {
            for (spread, expected) in [0.0, 1.0].into_iter().zip(expected) {
                let pause = pause(attempts, &config(), outcome, spread);
                let off = (pause.as_secs_f64() - expected / 1e3).abs();
                assert!(off < 1e-6, "{attempts}, {outcome:?}, {spread}: {pause:?}, not {expected} ms");
            }
        }
    }
}

#[test]
fn a_pause_doubles_up_to_the_longest_and_stays_there() {
    let doubled = [2_u64, 4, 8, 16, 32];
    for attempts in 1..=40_u32 {
        let expected = doubled.get(attempts as usize - 1).copied().unwrap_or(60) * 1000;
        for (spread, expected) in [(0.0, expected), (0.5, expected * 5 / 4), (1.0, expected * 3 / 2)] {
            let pause = delay(attempts, &config(), None, spread);
            assert_eq!(pause, Duration::from_millis(expected), "{attempts}, {spread}");
            let raised = delay(attempts, &config(), Some(90 * SECOND), 0.0);
            assert_eq!(raised, 90 * SECOND, "{attempts}");
        }
    }
}

#[test]
fn chance_beyond_its_bounds_is_taken_as_the_bound() {
    for attempts in [1, 3, 40] {
        let at = |spread| delay(attempts, &config(), None, spread);
        assert_eq!(at(2.0), at(1.0), "{attempts}");
        assert_eq!(at(-1.0), at(0.0), "{attempts}");
        assert!(at(0.0) < at(1.0), "{attempts}");
    }
}

proptest! {
    #[test]
    fn a_pause_keeps_its_bounds(
        attempts in 1_u32..=u32::MAX,
        base in 0_u64..100_000,
        longer in 0_u64..100_000,
        floor in proptest::option::of(0_u64..1_000_000),
        jitter in 0.0..=1.0_f64,
        spread in 0.0..=1.0_f64,
    ) {
        let config = RetryConfig {
            base_delay: Duration::from_millis(base),
            max_delay: Duration::from_millis(base + longer),
            jitter,
            ..RetryConfig::default()
        };
        let floor = floor.map(Duration::from_millis);
        let pause = delay(attempts, &config, floor, spread);
        let least = config.base_delay.max(floor.unwrap_or_default());
        let most = config.max_delay.max(floor.unwrap_or_default()) + config.max_delay;
        prop_assert!(least <= pause && pause <= most, "{least:?} <= {pause:?} <= {most:?}");
        // Jitter upward only, and later attempts never sooner.
        prop_assert!(delay(attempts, &config, floor, 0.0) <= pause);
        prop_assert!(pause <= delay(attempts.saturating_add(1), &config, floor, spread));
    }
}

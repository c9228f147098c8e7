//! From settings and flags to the configuration of the stack.

use std::time::Duration;

use selvedge_resilience::breaker::{BreakerConfig, Trip};
use selvedge_resilience::gate::GateConfig;
use selvedge_resilience::retry::{BudgetConfig, RetryConfig};

use crate::flags::Flags;
use crate::settings::{self, Http, Settings, TripKind};
use crate::stack::StackConfig;

/// Which layers the flags ask for, and how they are set.
pub(crate) fn stack_config(settings: &Settings, flags: &Flags) -> StackConfig {
    StackConfig {
        call_deadline: settings.http.call_deadline,
        retry: flags.retry.on.then(|| retry_config(&settings.retry)),
        breaker: flags.circuit_breaker.on.then(|| breaker_config(&settings.breaker, &settings.http)),
        gate: GateConfig {
            max_concurrency: settings.throttle.max_concurrency,
            pause: settings.throttle.pause,
        },
        attempt_timeout: settings.http.attempt_timeout,
        spans: flags.telemetry.on,
    }
}

fn retry_config(retry: &settings::Retry) -> RetryConfig {
    RetryConfig {
        max_attempts: retry.max_attempts,
        base_delay: retry.base_delay,
        max_delay: retry.max_delay,
        jitter: retry.jitter,
        budget: BudgetConfig {
            capacity: retry.budget_capacity,
            per_success: retry.budget_per_success,
            per_second: retry.budget_per_second,
        },
    }
}

fn breaker_config(breaker: &settings::Breaker, http: &Http) -> BreakerConfig {
    let trip = match breaker.trip {
        TripKind::Consecutive => Trip::Consecutive { failures: breaker.failure_threshold },
        TripKind::FailureRate => Trip::FailureRate {
            ratio: breaker.failure_ratio,
            window: breaker.window,
            min_calls: breaker.min_calls,
            failures: breaker.failure_threshold,
        },
    };
    BreakerConfig {
        trip,
        open_for: breaker.open_for,
        max_open_for: breaker.max_open_for.unwrap_or(breaker.open_for),
        success_threshold: breaker.success_threshold,
        half_open_permits: breaker.half_open_permits,
        probe_expiry: breaker.probe_expiry.unwrap_or_else(|| probe_expiry(http)),
    }
}

/// Longer than any attempt, as far as a breaker takes it.
fn probe_expiry(http: &Http) -> Duration {
    let attempt = http.attempt_timeout.saturating_add(Duration::from_secs(30));
    BreakerConfig::guide().probe_expiry.max(attempt).min(Duration::from_secs(24 * 60 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{Environment, Profile};

    /// Settings and flags of a project without any file, with these variables.
    fn config(variables: &[(&str, &str)]) -> (Settings, StackConfig) {
        let root = tempfile::tempdir().unwrap();
        let environment = Environment::of(variables, &[]);
        let flags = Flags::parse(&environment).unwrap();
        let settings = settings::load(root.path(), &environment, &[], flags.stage.profile()).unwrap();
        let config = stack_config(&settings, &flags);
        (settings, config)
    }

    const RETRY: (&str, &str) = ("FEATURE_USE_RETRY_LOGIC", "true");
    const BREAKER: (&str, &str) = ("FEATURE_USE_CIRCUIT_BREAKER", "true");
    const TARGET: (&str, &str) = ("HARDENING_STAGE", "target");

    #[test]
    fn the_shipped_profiles_are_those_of_the_layers() {
        let guide = (Profile::Guide, RetryConfig::guide(), BreakerConfig::guide());
        let robust = (Profile::Robust, RetryConfig::robust(), BreakerConfig::robust());
        let named = |name| ("SELVEDGE_RESILIENCE__PROFILE", name);
        let cases: [(&[(&str, &str)], _); 6] = [
            (&[], &guide),
            (&[("HARDENING_STAGE", "intermediate")], &guide),
            (&[TARGET], &robust),
            (&[TARGET, named("auto")], &robust),
            (&[TARGET, named("guide")], &guide),
            (&[named("robust")], &robust),
        ];
        for (variables, (profile, retry, breaker)) in cases {
            let (settings, config) = self::config(&[variables, &[RETRY, BREAKER]].concat());
            assert_eq!(settings.resilience.profile, *profile, "{variables:?}");
            assert_eq!(config.retry.as_ref(), Some(retry), "{variables:?}");
            assert_eq!(config.breaker.as_ref(), Some(breaker), "{variables:?}");
            assert_eq!(config.gate, GateConfig::default());
        }
    }

    #[test]
    fn a_layer_is_there_where_its_flag_is_on() {
        let layers = |variables: &[_]| {
            let (_, config) = config(variables);
            (config.retry.is_some(), config.breaker.is_some())
        };
        assert_eq!(layers(&[]), (false, false));
        assert_eq!(layers(&[RETRY]), (true, false));
        assert_eq!(layers(&[BREAKER]), (false, true));
        assert_eq!(layers(&[RETRY, BREAKER]), (true, true));
    }

    #[test]
    fn every_value_reaches_its_layer() {
        let (_, config) = config(&[
            RETRY,
            BREAKER,
            ("FABRIC_API_MAX_RETRIES", "4"),
            ("SELVEDGE_RETRY__BASE_DELAY", "1s"),
            ("SELVEDGE_RETRY__MAX_DELAY", "8s"),
            ("SELVEDGE_RETRY__JITTER", "1"),
            ("SELVEDGE_RETRY__BUDGET_CAPACITY", "7"),
            ("SELVEDGE_RETRY__BUDGET_PER_SUCCESS", "0.2"),
            ("SELVEDGE_RETRY__BUDGET_PER_SECOND", "3"),
            ("SELVEDGE_BREAKER__TRIP", "failure-rate"),
            ("SELVEDGE_BREAKER__FAILURE_RATIO", ".25"),
            ("SELVEDGE_BREAKER__WINDOW", "64"),
            ("SELVEDGE_BREAKER__MIN_CALLS", "16"),
            ("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "9"),
            ("SELVEDGE_BREAKER__OPEN_FOR", "5m"),
            ("SELVEDGE_BREAKER__MAX_OPEN_FOR", "1h"),
            ("SELVEDGE_BREAKER__SUCCESS_THRESHOLD", "5"),
            ("SELVEDGE_BREAKER__HALF_OPEN_PERMITS", "6"),
            ("SELVEDGE_BREAKER__PROBE_EXPIRY", "70s"),
            ("SELVEDGE_THROTTLE__MAX_CONCURRENCY", "3"),
            ("SELVEDGE_THROTTLE__PAUSE", "250ms"),
            ("SELVEDGE_HTTP__CALL_DEADLINE", "90s"),
            ("HTTP_READ_TIMEOUT", "60"),
        ]);
        let seconds = Duration::from_secs;
        let retry = RetryConfig {
            max_attempts: 4,
            base_delay: seconds(1),
            max_delay: seconds(8),
            jitter: 1.0,
            budget: BudgetConfig { capacity: 7, per_success: 0.2, per_second: 3.0 },
        };
        let breaker = BreakerConfig {
            trip: Trip::FailureRate { ratio: 0.25, window: 64, min_calls: 16, failures: 9 },
            open_for: seconds(300),
            max_open_for: seconds(3600),
            success_threshold: 5,
            half_open_permits: 6,
            probe_expiry: seconds(70),
        };
        let gate = GateConfig { max_concurrency: 3, pause: Duration::from_millis(250) };
        assert_eq!((config.retry, config.breaker, config.gate), (Some(retry), Some(breaker), gate));
        assert_eq!((config.call_deadline, config.attempt_timeout), (seconds(90), seconds(60)));
    }

    #[test]
    fn what_was_set_before_there_were_profiles_still_works() {
        let (_, config) = config(&[
            BREAKER,
            ("SELVEDGE_BREAKER__FAILURE_THRESHOLD", "2"),
            ("SELVEDGE_BREAKER__OPEN_FOR", "10m"),
            ("HTTP_READ_TIMEOUT", "300"),
        ]);
        let breaker = config.breaker.unwrap();
        assert_eq!(breaker.trip, Trip::Consecutive { failures: 2 });
        assert_eq!(breaker.max_open_for, Duration::from_secs(600), "as long as open_for");
        assert!(breaker.probe_expiry > config.attempt_timeout, "{breaker:?}");
    }
}

//! Precedence of the layers, and what is said when one is wrong.

use std::fs;

use super::*;
use crate::ci::Choice;

type Variable<'a> = (&'a str, &'a str);

/// Loads with `toml` as selvedge.toml, and variables of the environment and of `.env`.
fn with(toml: &str, process: &[Variable<'_>], file: &[Variable<'_>]) -> anyhow::Result<Settings> {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("selvedge.toml"), toml).unwrap();
    load(root.path(), &Environment::of(process, file), &[], Profile::Guide)
}

#[track_caller]
fn error(result: anyhow::Result<Settings>) -> String {
    format!("{:#}", result.unwrap_err())
}

#[test]
fn the_shipped_defaults_hold_without_any_file() {
    let root = tempfile::tempdir().unwrap();
    let settings = load(root.path(), &Environment::default(), &[], Profile::Guide).unwrap();
    assert_eq!(settings.fabric.base_url, "https://api.fabric.microsoft.com/v1");
    assert_eq!(settings.entra.tenant_id, None);
    assert_eq!(settings.retry.max_attempts, 3);
    assert_eq!(settings.polling.mode, PollingMode::Adaptive);
    assert_eq!(settings.polling.first_poll, Duration::from_millis(500));
    assert_eq!(settings.rollback.journal_dir, PathBuf::from(".selvedge/transactions"));
}

#[test]
fn each_layer_wins_over_those_beneath() {
    let toml = "[http]\nattempt_timeout = \"1s\"\n";
    let predecessor = ("HTTP_READ_TIMEOUT", "3");
    let own = ("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "4s");
    let cases: [(&str, &[Variable<'_>], &[Variable<'_>], u64); 7] = [
        ("", &[], &[], 30),
        (toml, &[], &[], 1),
        (toml, &[], &[predecessor], 3),
        (toml, &[], &[predecessor, own], 4),
        (toml, &[("HTTP_READ_TIMEOUT", "5")], &[predecessor, own], 5),
        (toml, &[("HTTP_READ_TIMEOUT", "5"), ("SELVEDGE_HTTP__ATTEMPT_TIMEOUT", "6")], &[], 6),
        (toml, &[("HTTP_READ_TIMEOUT", "")], &[], 1),
    ];
    for (toml, process, file, seconds) in cases {
        let settings = with(toml, process, file).unwrap();
        assert_eq!(settings.http.attempt_timeout, Duration::from_secs(seconds), "{process:?} {file:?}");
        assert_eq!(settings.http.connect_timeout, Duration::from_secs(10), "neighbours keep their value");
    }

    let root = tempfile::tempdir().unwrap();
    let typed = CommandLine { option: "--verbose", key: "log.level", value: "debug".into() };
    let environment = Environment::of(&[("LOG_LEVEL", "error"), ("RUST_LOG", "warn")], &[]);
    assert_eq!(
        load(root.path(), &environment, &[], Profile::Guide).unwrap().log.level.as_deref(),
        Some("warn")
    );
    assert_eq!(
        load(root.path(), &environment, &[typed], Profile::Guide).unwrap().log.level.as_deref(),
        Some("debug")
    );
}

#[test]
fn every_variable_reaches_its_key() {
    let variables = [
        ("AZURE_TENANT_ID", "007"),
        ("AZURE_CLIENT_ID", "1e5"),
        ("AZURE_LOGIN_BASE_URL", "http://127.0.0.1:1"),
        ("FABRIC_API_BASE_URL", "http://127.0.0.1:2/v1"),
        ("FABRIC_API_SCOPE", "a"),
        ("FABRIC_API_MAX_RETRIES", "5"),
        ("GRAPH_API_BASE_URL", "http://127.0.0.1:3/v1.0"),
        ("GRAPH_API_SCOPE", "b"),
        ("HTTP_CONNECT_TIMEOUT", "7"),
        ("LOG_LEVEL", "WARNING"),
        ("LOG_FORMAT", "json"),
        ("ENVIRONMENT", "production"),
    ];
    let settings = with("", &variables, &[]).unwrap();
    assert_eq!(settings.entra.tenant_id.as_deref(), Some("007"), "an id of digits stays text");
    assert_eq!(settings.entra.client_id.as_deref(), Some("1e5"));
    assert_eq!(settings.entra.authority, "http://127.0.0.1:1");
    assert_eq!(
        (settings.fabric.base_url.as_str(), settings.fabric.scope.as_str()),
        ("http://127.0.0.1:2/v1", "a")
    );
    assert_eq!(
        (settings.graph.base_url.as_str(), settings.graph.scope.as_str()),
        ("http://127.0.0.1:3/v1.0", "b")
    );
    assert_eq!(settings.retry.max_attempts, 5);
    assert_eq!(settings.http.connect_timeout, Duration::from_secs(7));
    assert_eq!(
        settings.log,
        Log { level: Some("WARNING".into()), format: LogFormat::Json, ci: Choice::Auto }
    );
    assert_eq!(settings.environment, "production");
}

/// Other programs of a job read them, too.
#[test]
fn a_variable_of_opentelemetrys_that_makes_no_sense_here_counts_as_not_set() {
    for (name, value, said) in [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "expected one of: http/protobuf, grpc"),
        ("OTEL_METRICS_EXPORTER", "prometheus", "expected one of: otlp, none"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "expected one of: "),
        ("OTEL_SDK_DISABLED", "perhaps", "expected"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "abc", "expected a number of milliseconds"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "60s", "expected a number of milliseconds"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317", "expected http://host:port"),
    ] {
        let environment = Environment::of(&[(name, value)], &[("OTEL_SERVICE_NAME", "ours")]);
        let left_out = left_out(&environment);
        assert!(left_out.len() == 1 && left_out[0].starts_with(name), "{left_out:?}");
        assert!(left_out[0].contains(said) && !left_out[0].contains(value), "{left_out:?}");
        let settings = with("", &[(name, value)], &[("OTEL_SERVICE_NAME", "ours")]).unwrap();
        assert_eq!(settings, with("", &[], &[("OTEL_SERVICE_NAME", "ours")]).unwrap(), "{name}");
        // Under our own name it is meant for us.
        let (_, key) = layers::VARIABLES.iter().find(|(variable, _)| *variable == name).unwrap();
        let own = format!("SELVEDGE_{}", key.replace('.', "__").to_uppercase());
        let own = with("", &[(&own, value)], &[]);
        assert!(own.is_err() || name == "OTEL_METRIC_EXPORT_INTERVAL", "{name}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_key_and_source() {
    let cases: [(&str, &[Variable<'_>], &str); 16] = [
        (
            "[retry]\nmax_attempt = 5",
            &[],
            "retry.max_attempt, set by selvedge.toml: unknown key; did you mean `max_attempts`?",
        ),
        ("[retri]\nmax_attempts = 5", &[], "retri, set by selvedge.toml: unknown key; did you mean `retry`?"),
        (
            "[http]\nproxy = 5",
            &[],
            "http.proxy, set by selvedge.toml: unknown key; known here: connect_timeout, ",
        ),
        (
            "[entra]\nclient_secret = \"TOPSECRET\"",
            &[],
            "entra.client_secret, set by selvedge.toml: unknown key; secrets are read from the environment or .env alone",
        ),
        (
            "[http]\nconnect_timeout = [1]",
            &[],
            "http.connect_timeout, set by selvedge.toml: expected a duration",
        ),
        (
            "[fabric]\nscope = 5",
            &[],
            "fabric.scope, set by selvedge.toml: found an integer, expected a string",
        ),
        ("retry = 5", &[], "retry, set by selvedge.toml: found an integer, expected a section"),
        ("[log]\nlevel = \"TOPSECRET", &[], "parse selvedge.toml: line 2: "),
        (
            "",
            &[("SELVEDGE_RETRY__MAX_ATTEMPTS", "TOPSECRET")],
            "retry.max_attempts, set by SELVEDGE_RETRY__MAX_ATTEMPTS (environment): found text, expected a whole number",
        ),
        (
            "",
            &[("SELVEDGE_RETRY__MAX", "5")],
            "retry.max, set by SELVEDGE_RETRY__MAX (environment): unknown key",
        ),
        (
            "",
            &[("HTTP_READ_TIMEOUT", "TOPSECRET")],
            "http.attempt_timeout, set by HTTP_READ_TIMEOUT (environment): expected a duration such as",
        ),
        (
            "",
            &[("LOG_FORMAT", "TOPSECRET")],
            "log.format, set by LOG_FORMAT (environment): expected one of: text, json",
        ),
        (
            "",
            &[("FABRIC_API_BASE_URL", "http://TOPSECRET.example/v1")],
            "fabric.base_url, set by FABRIC_API_BASE_URL (environment): must be https",
        ),
        (
            "[resilience]\nprofile = \"TOPSECRET\"",
            &[],
            "resilience.profile, set by selvedge.toml: expected one of: auto, guide, robust",
        ),
        (
            "",
            &[("SELVEDGE_BREAKER__FAILURE_RATIO", "TOPSECRET")],
            "breaker.failure_ratio, set by SELVEDGE_BREAKER__FAILURE_RATIO (environment): found text, expected a number",
        ),
        (
            "[retry]\nmax_attempts = 0\nmax_delay = 0",
            &[],
            "retry.max_attempts, set by selvedge.toml: must be at least 1\nretry.max_delay, set by selvedge.toml: must not",
        ),
    ];
    for (toml, process, expected) in cases {
        let error = error(with(toml, process, &[]));
        assert!(error.starts_with(expected), "{toml}{process:?}\n{error}");
        assert!(!error.contains("TOPSECRET"), "{error}");
    }
    let error = error(with("", &[], &[("HTTP_READ_TIMEOUT", "soon")]));
    assert!(error.starts_with("http.attempt_timeout, set by HTTP_READ_TIMEOUT (.env): "), "{error}");
}

#[test]
fn an_explicit_value_beats_the_profile_whatever_sets_it() {
    let robust = "[resilience]\nprofile = \"robust\"\n";
    let toml = format!("{robust}[retry]\nmax_attempts = 9\n");
    let cases: [(&str, &[Variable<'_>], &[Variable<'_>], u32); 5] = [
        (robust, &[], &[], 6),
        (&toml, &[], &[], 9),
        (robust, &[], &[("SELVEDGE_RETRY__MAX_ATTEMPTS", "8")], 8),
        (robust, &[("FABRIC_API_MAX_RETRIES", "7")], &[("SELVEDGE_RETRY__MAX_ATTEMPTS", "8")], 7),
        (robust, &[("SELVEDGE_RESILIENCE__PROFILE", "guide")], &[], 3),
    ];
    for (toml, process, file, max_attempts) in cases {
        let settings = with(toml, process, file).unwrap();
        assert_eq!(settings.retry.max_attempts, max_attempts, "{toml} {process:?} {file:?}");
        assert!(settings.resilience.profile != Profile::Auto);
    }
    let settings = with(&toml, &[], &[]).unwrap();
    assert_eq!(settings.retry.base_delay, Duration::from_millis(500), "the neighbours are the profile's");
    assert_eq!(
        settings.http.connect_timeout,
        Duration::from_secs(10),
        "and what it leaves alone, the defaults"
    );
}

#[test]
fn fractions_are_numbers_where_fractions_belong() {
    for (text, ratio) in [("0.5", 0.5), ("1", 1.0), (" .25 ", 0.25), ("1e-2", 0.01)] {
        let settings = with("", &[("SELVEDGE_BREAKER__FAILURE_RATIO", text)], &[]).unwrap();
        assert!((settings.breaker.failure_ratio - ratio).abs() < f64::EPSILON, "{text}");
    }
    let settings = with("[retry]\njitter = 1", &[], &[]).unwrap();
    assert!((settings.retry.jitter - 1.0).abs() < f64::EPSILON);
    let error = error(with("", &[("SELVEDGE_RETRY__MAX_ATTEMPTS", "2.5")], &[]));
    assert!(error.ends_with("found text, expected a whole number"), "{error}");
}

#[test]
fn values_out_of_range_are_refused_before_a_layer_has_to() {
    let cases: [(&str, &str); 26] = [
        ("http.call_deadline = 1", "must be more than 1s"),
        ("http.attempt_timeout = 600", "must be less than http.call_deadline"),
        ("retry.jitter = 1.1", "must be between 0 and 1"),
        ("retry.jitter = -0.1", "must be between 0 and 1"),
        ("retry.jitter = nan", "must be between 0 and 1"),
        ("retry.budget_capacity = 0", "must be at least 1"),
        ("retry.budget_per_success = 1001", "must be between 0 and 1000"),
        ("retry.budget_per_second = inf", "must be between 0 and 1000000"),
        ("retry.base_delay = 61", ""),
        ("breaker.failure_threshold = 0", "must be at least 1"),
        ("breaker.failure_ratio = 0", "must be more than 0 and at most 1"),
        ("breaker.failure_ratio = 1.01", "must be more than 0 and at most 1"),
        ("breaker.failure_ratio = nan", "must be more than 0 and at most 1"),
        ("breaker.window = 129", "must be between 1 and 128"),
        ("breaker.min_calls = 0", "must be between 1 and breaker.window"),
        ("breaker.min_calls = 101", "must be between 1 and breaker.window"),
        ("breaker.open_for = 0", "must be longer than zero"),
        ("breaker.open_for = 86401", "must be at most one day"),
        ("breaker.max_open_for = 59", "must not be less than breaker.open_for"),
        ("breaker.max_open_for = 86401", "must be at most one day"),
        ("breaker.probe_expiry = 30", "must be more than http.attempt_timeout"),
        ("breaker.probe_expiry = 86401", "must be at most one day"),
        ("throttle.max_concurrency = 0", "must be between 1 and 10000"),
        ("throttle.max_concurrency = 10001", "must be between 1 and 10000"),
        ("throttle.pause = 86401", "must be at most one day"),
        ("rollback.concurrency = 0", "must be at least 1"),
    ];
    for (toml, problem) in cases {
        let key = toml.split(' ').next().unwrap();
        let error = error(with(toml, &[], &[]));
        let expected = match problem {
            // It is the other of the two that was left as shipped.
            "" => "retry.max_delay, set by the shipped defaults: must not be less than".to_owned(),
            problem => format!("{key}, set by selvedge.toml: {problem}"),
        };
        assert!(error.starts_with(&expected), "{toml}\n{error}");
        assert!(!error.contains("an unknown source"), "{toml}\n{error}");
    }
    let toml = "resilience.profile = \"robust\"\nbreaker.open_for = \"10m\"";
    let expected = "breaker.max_open_for, set by the shipped profile `robust`: must not be less than";
    let error = error(with(toml, &[], &[]));
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn secrets_are_no_settings() {
    let secrets = SECRET_VARIABLES.map(|name| (name, "TOPSECRET"));
    let settings = with("", &secrets, &secrets).unwrap();
    assert!(!format!("{settings:?}").contains("TOPSECRET"));
}

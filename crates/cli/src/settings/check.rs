//! What the types of the settings do not say.

use std::time::Duration;

use tracing_subscriber::EnvFilter;
use url::Url;

use selvedge_resilience::deadline::LEAST;

use super::hosts::{self, Audience, Trusted};
use super::{Breaker, Http, Retry, Service, Settings, Throttle};
use crate::logging;
use crate::place::{Address, least_ttl};

/// A key, and what is wrong with it.
type Problem = (&'static str, String);

/// A record of the audit trail is longer than a quarter of this, rarely than all of it.
const LEAST_FILE: u64 = 4 * 1024;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Each problem; none quotes a value. `trusted` are the hosts that get tokens besides the services' own.
pub(super) fn problems(settings: &Settings, trusted: &Trusted) -> Vec<Problem> {
    let Settings { http, retry, breaker, throttle, polling, rollback, telemetry, audit, log, .. } = settings;
    let mut problems = of_hosts(settings, trusted);
    for (key, count) in [
        ("retry.max_attempts", retry.max_attempts),
        ("retry.budget_capacity", retry.budget_capacity),
        ("breaker.failure_threshold", breaker.failure_threshold),
        ("breaker.success_threshold", breaker.success_threshold),
        ("breaker.half_open_permits", breaker.half_open_permits),
        ("rollback.absent_reads", rollback.absent_reads),
        ("rollback.concurrency", rollback.concurrency),
    ] {
        if count == 0 {
            problems.push((key, "must be at least 1".to_owned()));
        }
    }
    for (key, duration) in [
        ("http.connect_timeout", http.connect_timeout),
        ("http.attempt_timeout", http.attempt_timeout),
        ("breaker.open_for", breaker.open_for),
        ("polling.first_poll", polling.first_poll),
        ("polling.deadline", polling.deadline),
        ("telemetry.otlp_timeout", telemetry.otlp_timeout),
        ("telemetry.metric_interval", telemetry.metric_interval),
    ] {
        if duration == Duration::ZERO {
            problems.push((key, "must be longer than zero".to_owned()));
        }
    }
    for (key, url) in [
        ("telemetry.otlp_endpoint", &telemetry.otlp_endpoint),
        ("telemetry.traces_endpoint", &telemetry.traces_endpoint),
        ("telemetry.metrics_endpoint", &telemetry.metrics_endpoint),
        ("telemetry.logs_endpoint", &telemetry.logs_endpoint),
    ] {
        if url.as_ref().is_some_and(|url| !is_collector(url)) {
            problems.push((key, "expected http://host:port or https://host:port, without a user".to_owned()));
        }
    }
    if http.call_deadline <= LEAST {
        problems
            .push(("http.call_deadline", "must be more than 1s, the least time for an attempt".to_owned()));
    }
    if http.attempt_timeout >= http.call_deadline {
        let problem = "must be less than http.call_deadline, or no attempt is seen to hang";
        problems.push(("http.attempt_timeout", problem.to_owned()));
    }
    problems.extend(of_retry(retry).chain(of_breaker(breaker, http)).chain(of_throttle(throttle)));
    if rollback.journal_dir.as_os_str().is_empty() {
        problems.push(("rollback.journal_dir", "must not be empty".to_owned()));
    }
    match rollback.journal.as_deref().map(Address::parse) {
        None | Some(Ok(None)) => {}
        Some(Err(problem)) => problems.push(("rollback.journal", problem.to_owned())),
        Some(Ok(Some(_))) if rollback.lease_ttl < least_ttl(http.attempt_timeout) => {
            let problem =
                "must be 10s more than http.attempt_timeout at least, or its owner could begin nothing";
            problems.push(("rollback.lease_ttl", problem.to_owned()));
        }
        Some(Ok(Some(_))) => {}
    }
    if audit.max_size < LEAST_FILE {
        problems.push(("audit.max_size", "must be at least 4KiB".to_owned()));
    }
    if let Some(level) = &log.level
        && !is_filter(&logging::directives(level))
    {
        let expected = "expected error, warn, info, debug, trace, off or filter directives";
        problems.push(("log.level", expected.to_owned()));
    }
    problems
}

/// What would send a token to somebody whom it is not for.
fn of_hosts(
    Settings { fabric, graph, entra, secrets, rollback, .. }: &Settings,
    trusted: &Trusted,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut hold = |key, result: Result<Url, String>| match result {
        Ok(url) => Some(url),
        Err(problem) => {
            problems.push((key, problem));
            None
        }
    };
    let base = |text, audience: &Audience| {
        let url = base_url(text)?;
        trusted.admits(&url, audience).map(|()| url)
    };
    for (url_key, scope_key, Service { base_url, scope }, audience) in [
        ("fabric.base_url", "fabric.scope", fabric, &hosts::FABRIC),
        ("graph.base_url", "graph.scope", graph, &hosts::GRAPH),
    ] {
        if let Some(url) = hold(url_key, base(base_url, audience)) {
            hold(scope_key, trusted.admits_scope(&url, scope, audience).map(|()| url));
        }
    }
    hold("entra.authority", base(&entra.authority, &hosts::ENTRA));
    // Without an audience the vault's client knows Azure's hosts alone.
    if let (Some(url), Some(audience)) = (&secrets.vault_url, &secrets.audience)
        && let Some(url) = hold("secrets.vault_url", base(url, &hosts::KEY_VAULT))
    {
        hold("secrets.audience", trusted.admits_scope(&url, audience, &hosts::KEY_VAULT).map(|()| url));
    }
    let journal = rollback.journal.as_deref().and_then(|journal| Address::parse(journal).ok().flatten());
    if let Some(journal) = journal {
        hold("rollback.journal", base(&journal.origin(), &hosts::STORAGE));
    }
    problems
}

fn of_retry(retry: &Retry) -> impl Iterator<Item = Problem> {
    collect([
        (retry.max_delay >= retry.base_delay, "retry.max_delay", "must not be less than retry.base_delay"),
        // A number that is none is in no range.
        ((0.0..=1.0).contains(&retry.jitter), "retry.jitter", "must be between 0 and 1"),
        (
            (0.0..=1e3).contains(&retry.budget_per_success),
            "retry.budget_per_success",
            "must be between 0 and 1000",
        ),
        (
            (0.0..=1e6).contains(&retry.budget_per_second),
            "retry.budget_per_second",
            "must be between 0 and 1000000",
        ),
    ])
}

fn of_breaker(breaker: &Breaker, http: &Http) -> impl Iterator<Item = Problem> {
    let Breaker { failure_ratio, window, min_calls, open_for, max_open_for, probe_expiry, .. } = breaker;
    collect([
        (
            *failure_ratio > 0.0 && *failure_ratio <= 1.0,
            "breaker.failure_ratio",
            "must be more than 0 and at most 1",
        ),
        ((1..=128).contains(window), "breaker.window", "must be between 1 and 128"),
        ((1..=*window).contains(min_calls), "breaker.min_calls", "must be between 1 and breaker.window"),
        (*open_for <= DAY, "breaker.open_for", "must be at most one day"),
        // Left out it is as long as open_for, and what is wrong is that.
        (
            max_open_for.is_none_or(|most| most >= *open_for),
            "breaker.max_open_for",
            "must not be less than breaker.open_for",
        ),
        (max_open_for.is_none_or(|most| most <= DAY), "breaker.max_open_for", "must be at most one day"),
        (
            probe_expiry.is_none_or(|expiry| expiry > http.attempt_timeout),
            "breaker.probe_expiry",
            "must be more than http.attempt_timeout",
        ),
        (probe_expiry.is_none_or(|expiry| expiry <= DAY), "breaker.probe_expiry", "must be at most one day"),
    ])
}

fn of_throttle(throttle: &Throttle) -> impl Iterator<Item = Problem> {
    let concurrency = (1..=10_000).contains(&throttle.max_concurrency);
    collect([
        (concurrency, "throttle.max_concurrency", "must be between 1 and 10000"),
        (throttle.pause <= DAY, "throttle.pause", "must be at most one day"),
    ])
}

/// What does not hold.
fn collect<const N: usize>(rules: [(bool, &'static str, &'static str); N]) -> impl Iterator<Item = Problem> {
    rules.into_iter().filter(|(holds, ..)| !holds).map(|(_, key, problem)| (key, problem.to_owned()))
}

/// A lone word that is no level would be taken for the name of a module, and everything else would fall silent.
fn is_filter(directives: &str) -> bool {
    let lone_word = directives.chars().all(char::is_alphanumeric);
    let level = matches!(directives, "error" | "warn" | "off");
    EnvFilter::try_new(directives).is_ok() && (level || !lone_word)
}

/// A collector often stands in the same network, without TLS. No token goes there.
fn is_collector(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    })
}

/// A token goes to this URL: plain http is for this machine only, and what could make one host look like another
/// is refused.
fn base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "not a URL; expected https://host/path")?;
    let Some(host) = url.host() else {
        return Err("a URL without a host; expected https://host/path".to_owned());
    };
    let problem = match url.scheme() {
        _ if !url.username().is_empty() || url.password().is_some() => "must not name a user before the host",
        _ if url.query().is_some() || url.fragment().is_some() => "must not have a query or a fragment",
        "https" => return Ok(url),
        "http" if hosts::is_loopback(&host) => return Ok(url),
        "http" => "must be https; http is allowed to this machine only",
        _ => "must be an https URL",
    };
    Err(problem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_levels() {
        for (level, fine) in [
            ("INFO", true),
            ("WARNING", true),
            ("Trace", true),
            ("off", true),
            ("selvedge_rollback=debug,warn", true),
            ("verbose", false),
            ("20", false),
            ("selvedge=loud", false),
        ] {
            assert_eq!(is_filter(&logging::directives(level)), fine, "{level}");
        }
    }

    #[test]
    fn base_urls() {
        for (url, fine) in [
            ("https://api.fabric.microsoft.com/v1", true),
            ("http://127.0.0.1:7333/v1", true),
            ("http://localhost:7333", true),
            ("http://[::1]:7333/v1", true),
            ("http://api.fabric.microsoft.com/v1", false),
            ("http://127.0.0.1.evil.example/v1", false),
            ("https://api.fabric.microsoft.com@evil.example/v1", false),
            ("https://api.fabric.microsoft.com/v1?x=1", false),
            ("file:///etc/passwd", false),
            ("api.fabric.microsoft.com", false),
            ("", false),
        ] {
            assert_eq!(base_url(url).is_ok(), fine, "{url}");
        }
    }
}

//! What the types of the settings do not say.

use std::time::Duration;

use tracing_subscriber::EnvFilter;
use url::{Host, Url};

use super::Settings;
use crate::logging;

/// Each problem as (key, what is wrong); no problem quotes a value.
pub(super) fn problems(settings: &Settings) -> Vec<(&'static str, String)> {
    let Settings { fabric, graph, entra, http, retry, breaker, polling, rollback, log, .. } = settings;
    let mut problems = Vec::new();
    for (key, url) in [
        ("fabric.base_url", &fabric.base_url),
        ("graph.base_url", &graph.base_url),
        ("entra.authority", &entra.authority),
    ] {
        if let Err(problem) = base_url(url) {
            problems.push((key, problem.to_owned()));
        }
    }
    for (key, count) in [
        ("retry.max_attempts", retry.max_attempts),
        ("breaker.failure_threshold", breaker.failure_threshold),
        ("breaker.success_threshold", breaker.success_threshold),
        ("breaker.half_open_permits", breaker.half_open_permits),
        ("rollback.absent_reads", rollback.absent_reads),
    ] {
        if count == 0 {
            problems.push((key, "must be at least 1".to_owned()));
        }
    }
    for (key, duration) in [
        ("http.connect_timeout", http.connect_timeout),
        ("http.attempt_timeout", http.attempt_timeout),
        ("http.call_deadline", http.call_deadline),
        ("breaker.open_for", breaker.open_for),
        ("polling.first_poll", polling.first_poll),
        ("polling.deadline", polling.deadline),
    ] {
        if duration == Duration::ZERO {
            problems.push((key, "must be longer than zero".to_owned()));
        }
    }
    if retry.max_delay < retry.base_delay {
        problems.push(("retry.max_delay", "must not be less than retry.base_delay".to_owned()));
    }
    if rollback.journal_dir.as_os_str().is_empty() {
        problems.push(("rollback.journal_dir", "must not be empty".to_owned()));
    }
    if let Some(level) = &log.level
        && !is_filter(&logging::directives(level))
    {
        let expected = "expected error, warn, info, debug, trace, off or filter directives";
        problems.push(("log.level", expected.to_owned()));
    }
    problems
}

/// A lone word that is no level would be taken for the name of a module, and everything else would fall silent.
fn is_filter(directives: &str) -> bool {
    let lone_word = directives.chars().all(char::is_alphanumeric);
    let level = matches!(directives, "error" | "warn" | "off");
    EnvFilter::try_new(directives).is_ok() && (level || !lone_word)
}

/// A token goes to this URL: plain http is for this machine only, and what could make one host look like another
/// is refused.
fn base_url(text: &str) -> Result<(), &'static str> {
    let url = Url::parse(text).map_err(|_| "not a URL; expected https://host/path")?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return Err("a URL without a host; expected https://host/path"),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not name a user before the host");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not have a query or a fragment");
    }
    match url.scheme() {
        "https" => Ok(()),
        "http" if loopback => Ok(()),
        "http" => Err("must be https; http is allowed to this machine only"),
        _ => Err("must be an https URL"),
    }
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

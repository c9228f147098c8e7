//! Faults on demand: what goes wrong, for which requests, how often; and their one-line syntax.

use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::pattern::{ParsePatternError, Pattern};

/// Something that goes wrong with matching requests.
///
/// Written as `PATTERN=ACTION[,skip=N][,times=N][,retry-after=VALUE]`:
///
/// ```
/// use selvedge_fabric_emulator::{Action, Fault, RetryAfter};
/// let fault: Fault = "POST */items=429,retry-after=2,times=1".parse()?;
/// assert_eq!(fault.times, Some(1));
/// assert_eq!(fault.action, Action::Status { status: 429, retry_after: Some(RetryAfter::Seconds(2)) });
/// for line in ["POST */roleAssignments=503", "GET *=latency:200ms", "POST */items=reset-before,times=1",
///     "POST */items=reset-after", "POST */items=effect+429", "DELETE */items/*=500,skip=1",
///     "POST */items=operation-fails"] {
///     line.parse::<Fault>()?;
/// }
/// # Ok::<(), selvedge_fabric_emulator::ParseFaultError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub pattern: Pattern,
    /// How many matching requests pass unharmed first.
    pub skip: u32,
    /// How many requests are hit after that; `None` is all.
    pub times: Option<u32>,
    /// What happens to them.
    pub action: Action,
}

/// What happens to a request that a fault hits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Answers with this status and the service's error body; nothing else happens.
    Status {
        /// HTTP status.
        status: u16,
        /// The `Retry-After` header, if there is to be one.
        retry_after: Option<RetryAfter>,
    },
    /// The request takes effect, and the answer is this status all the same.
    EffectThenStatus {
        /// HTTP status.
        status: u16,
        /// The `Retry-After` header, if there is to be one.
        retry_after: Option<RetryAfter>,
    },
    /// The connection is reset; nothing happened.
    ResetBefore,
    /// The request takes effect, then the connection is reset without an answer.
    ResetAfter,
    /// The request waits this long before anything happens; other faults apply after the wait.
    Latency(Duration),
    /// The request is answered with 202 and its operation, or the run of the job, ends `Failed`, leaving nothing
    /// behind. Hits only requests that may be long-running, and those that run a job.
    OperationFails,
}

/// A `Retry-After` header as it is put on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// Delay in seconds.
    Seconds(u32),
    /// Verbatim: an HTTP date, or garbage.
    Text(String),
}

impl std::fmt::Display for RetryAfter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Seconds(seconds) => seconds.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The text is no fault; says what is wrong and shows one that is right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} in the fault `{text}`, for example `POST */items=429,retry-after=2,times=1`")]
pub struct ParseFaultError {
    text: String,
    what: String,
    source: Option<ParsePatternError>,
}

impl FromStr for Fault {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what: String| ParseFaultError { text: text.to_owned(), what, source: None };
        let (pattern, rest) = text.split_once('=').ok_or_else(|| wrong("no `=ACTION`".to_owned()))?;
        let pattern = pattern.parse().map_err(|source| ParseFaultError {
            text: text.to_owned(),
            what: "no usable pattern".to_owned(),
            source: Some(source),
        })?;
        let mut parts = rest.split(',');
        let action = parts.next().unwrap_or_default().trim();
        let mut action = parse_action(action).map_err(wrong)?;
        let (mut skip, mut times) = (0, None);
        for (name, value) in options(parts).map_err(wrong)? {
            let number = || value.parse().map_err(|_| wrong(format!("`{name}` is not a number")));
            match name.as_str() {
                "skip" => skip = number()?,
                "times" => times = Some(number()?),
                "retry-after" => {
                    let (Action::Status { retry_after, .. } | Action::EffectThenStatus { retry_after, .. }) =
                        &mut action
                    else {
                        return Err(wrong("`retry-after` without a status".to_owned()));
                    };
                    *retry_after = Some(
                        value.parse().map_or_else(|_| RetryAfter::Text(value.clone()), RetryAfter::Seconds),
                    );
                }
                _ => return Err(wrong(format!("unknown option `{name}`"))),
            }
        }
        Ok(Self { pattern, skip, times, action })
    }
}

/// A piece without `=` belongs to the option before it: HTTP dates hold a comma.
fn options<'a>(pieces: impl Iterator<Item = &'a str>) -> Result<Vec<(String, String)>, String> {
    let mut options: Vec<(String, String)> = Vec::new();
    for piece in pieces {
        match (piece.split_once('='), options.last_mut()) {
            (Some((name, value)), _) => options.push((name.trim().to_lowercase(), value.trim().to_owned())),
            (None, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (None, None) => return Err(format!("`{}` is no option", piece.trim())),
        }
    }
    Ok(options)
}

fn parse_action(text: &str) -> Result<Action, String> {
    let lower = text.to_lowercase();
    match lower.as_str() {
        "reset-before" => return Ok(Action::ResetBefore),
        "reset-after" => return Ok(Action::ResetAfter),
        "operation-fails" => return Ok(Action::OperationFails),
        _ => {}
    }
    if let Some(time) = lower.strip_prefix("latency:") {
        return parse_duration(time)
            .map(Action::Latency)
            .ok_or_else(|| format!("`{time}` is no latency such as `200ms` or `2s`"));
    }
    let (effect, status) = match lower.strip_prefix("effect+") {
        Some(status) => (true, status),
        None => (false, lower.as_str()),
    };
    let status = status.parse().ok().filter(|status| (400..600).contains(status));
    let status = status.ok_or_else(|| format!("unknown action `{text}`"))?;
    Ok(match effect {
        true => Action::EffectThenStatus { status, retry_after: None },
        false => Action::Status { status, retry_after: None },
    })
}

fn parse_duration(text: &str) -> Option<Duration> {
    match text.strip_suffix("ms") {
        Some(millis) => millis.parse().ok().map(Duration::from_millis),
        None => text.strip_suffix('s')?.parse().ok().map(Duration::from_secs),
    }
}

/// The faults in force, in the order they were injected.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Armed>>);

struct Armed {
    fault: Fault,
    seen: u32,
}

/// What the faults decided for one request.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) latency: Duration,
    pub(crate) action: Option<Action>,
}

impl Faults {
    pub(crate) fn inject(&self, fault: Fault) {
        self.list().push(Armed { fault, seen: 0 });
    }

    pub(crate) fn clear(&self) {
        self.list().clear();
    }

    /// Latencies add up; the first other fault that is due decides, and later ones do not count the request.
    pub(crate) fn decide(&self, method: &str, path: &str, may_be_long_running: bool) -> Verdict {
        let mut verdict = Verdict::default();
        for armed in self.list().iter_mut() {
            let Fault { pattern, skip, times, action } = &armed.fault;
            let applies = *action != Action::OperationFails || may_be_long_running;
            if !applies || !pattern.matches(method, path) {
                continue;
            }
            let nth = armed.seen;
            armed.seen = armed.seen.saturating_add(1);
            let due = nth >= *skip && times.is_none_or(|times| nth - skip < times);
            match action {
                _ if !due => {}
                Action::Latency(latency) => verdict.latency += *latency,
                action => {
                    verdict.action = Some(action.clone());
                    break;
                }
            }
        }
        verdict
    }

    fn list(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16, retry_after: Option<RetryAfter>) -> Action {
        Action::Status { status, retry_after }
    }

    #[test]
    fn reads_the_one_line_syntax() {
        let date = "Wed, 21 Oct 2026 07:28:00 GMT";
        let cases = [
            ("POST */roleAssignments=503", 0, None, status(503, None)),
            ("POST */items=429,retry-after=2,times=1", 0, Some(1), status(429, Some(RetryAfter::Seconds(2)))),
            (
                "GET *=503,retry-after=Wed, 21 Oct 2026 07:28:00 GMT,skip=3",
                3,
                None,
                status(503, Some(RetryAfter::Text(date.into()))),
            ),
            ("GET *=latency:200ms", 0, None, Action::Latency(Duration::from_millis(200))),
            ("GET *=latency:2s,times=2", 0, Some(2), Action::Latency(Duration::from_secs(2))),
            ("POST */items=reset-before,times=1", 0, Some(1), Action::ResetBefore),
            ("POST */items=reset-after", 0, None, Action::ResetAfter),
            ("POST */items=effect+429", 0, None, Action::EffectThenStatus { status: 429, retry_after: None }),
            ("DELETE */items/*=500,skip=1", 1, None, status(500, None)),
            ("POST */items=operation-fails", 0, None, Action::OperationFails),
        ];
        for (text, skip, times, action) in cases {
            let fault: Fault = text.parse().unwrap();
            assert_eq!((fault.skip, fault.times, fault.action), (skip, times, action), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let cases = [
            ("POST */items", "no `=ACTION`"),
            ("ITEMS=503", "no usable pattern"),
            ("POST */items=explode", "unknown action `explode`"),
            ("POST */items=200", "unknown action `200`"),
            ("POST */items=503,often=1", "unknown option `often`"),
            ("POST */items=503,times=x", "`times` is not a number"),
            ("POST */items=503,once", "`once` is no option"),
            ("POST */items=reset-after,retry-after=1", "`retry-after` without a status"),
            ("GET *=latency:soon", "`soon` is no latency"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.starts_with(expected) && error.contains("for example"), "{text}: {error}");
        }
    }

    #[test]
    fn counts_skips_and_times() {
        let faults = Faults::default();
        faults.inject("POST *=latency:1s".parse().unwrap());
        faults.inject("POST *=503,skip=1,times=2".parse().unwrap());
        faults.inject("POST *=operation-fails".parse().unwrap());
        let hit = Some(status(503, None));
        for expected in [None, hit.clone(), hit, None] {
            let verdict = faults.decide("POST", "/v1/x", false);
            assert_eq!(verdict, Verdict { latency: Duration::from_secs(1), action: expected });
        }
        assert_eq!(faults.decide("POST", "/v1/x", true).action, Some(Action::OperationFails));
        assert_eq!(faults.decide("GET", "/v1/x", true), Verdict::default());
    }
}

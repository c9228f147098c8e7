//! What an answer of ingestion means: a pure function, for the rules of each status.
//!
//! The statuses are those of the specification and of Microsoft's SDKs; 439 (too many requests over an extended time) is told by the
//! latter only.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{
    HeaderMap, Response,
    header::{DATE, HeaderName, LOCATION, RETRY_AFTER},
};
use serde_json::Value;
use url::Url;

/// How long nothing is sent after a throttled request that did not say how long.
const THROTTLED: Duration = Duration::from_secs(60);
/// How long nothing is sent while the key is not let in: somebody must change something first.
const NOT_LET_IN: Duration = Duration::from_secs(15 * 60);
/// How long nothing is sent, at least, after too many requests over an extended time: a quota is used up.
const USED_UP: Duration = Duration::from_secs(60 * 60);
/// The longest time that is waited, whatever is asked for. Quotas are a day's.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Statuses of single items that may be another when they are sent again.
const PASSING: &[u64] = &[408, 429, 439, 500, 503];

/// The domains of ingestion, by cloud: a redirect does not leave one for another.
const CLOUDS: &[&[&str]] = &[
    &["applicationinsights.azure.com", "services.visualstudio.com"],
    &["applicationinsights.azure.us"],
    &["applicationinsights.azure.cn"],
];

/// What was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent<'a> {
    /// Where to.
    pub(super) endpoint: &'a Url,
    /// How many items.
    pub(super) items: usize,
    /// Whether the body was compressed.
    pub(super) compressed: bool,
}

/// What becomes of the items that were sent, and of the next ones.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All were taken.
    Accepted,
    /// All were taken but those that are `refused` (so many) and those to send `again` (by their places).
    Partly { again: Vec<usize>, refused: usize, pause: Option<Duration> },
    /// None was taken, but may be at another time; nothing is sent until the pause is over.
    Later { pause: Option<Duration> },
    /// None was taken, and nothing is until the pause is over.
    Shut { pause: Duration },
    /// None was taken, and none will be.
    Refused,
    /// The compressed body was not understood: to be sent as it is. Unless `sure`, something else may have been the reason.
    Uncompressed { sure: bool },
    /// Ingestion is there.
    Elsewhere(Url),
}

/// Reads an answer. `now` is this machine's time, for answers that do not say theirs.
pub(super) fn judge(answer: &Response<Bytes>, sent: Sent<'_>, now: SystemTime) -> Verdict {
    let pause = retry_after(answer.headers(), now);
    match answer.status().as_u16() {
        206 => partly(answer.body(), sent.items, pause),
        200..=299 => Verdict::Accepted,
        307 | 308 => elsewhere(answer.headers(), sent.endpoint).map_or(Verdict::Refused, Verdict::Elsewhere),
        415 if sent.compressed => Verdict::Uncompressed { sure: true },
        400 if sent.compressed && !was_read(answer.body()) => Verdict::Uncompressed { sure: false },
        401 | 403 => Verdict::Shut { pause: pause.unwrap_or(NOT_LET_IN) },
        402 | 429 => Verdict::Later { pause: pause.or(Some(THROTTLED)) },
        408 => Verdict::Later { pause },
        439 => Verdict::Shut { pause: pause.unwrap_or_default().max(USED_UP) },
        _ if answer.status().is_server_error() => Verdict::Later { pause },
        _ => Verdict::Refused,
    }
}

/// Whether an answer tells of items: then the body was read, and they are what is wrong.
fn was_read(body: &[u8]) -> bool {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    answer["itemsReceived"].as_u64().is_some_and(|received| received > 0)
}

/// Of a body that cannot be read nothing is known, and nothing is sent twice.
fn partly(body: &[u8], items: usize, pause: Option<Duration>) -> Verdict {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let errors = answer["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut fates = vec![None; items];
    for error in errors {
        let place = error["index"].as_u64().and_then(|index| usize::try_from(index).ok());
        if let Some(fate) = place.and_then(|place| fates.get_mut(place)) {
            *fate = Some(error["statusCode"].as_u64().is_some_and(|status| PASSING.contains(&status)));
        }
    }
    let again = fates.iter().enumerate().filter(|(_, fate)| **fate == Some(true)).map(|(at, _)| at).collect();
    let refused = fates.iter().filter(|fate| **fate == Some(false)).count();
    Verdict::Partly { again, refused, pause }
}

/// How long to wait, in either of the [two forms](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3). A date is compared with the
/// answer's own: clocks differ.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |name: HeaderName| httpdate::parse_http_date(text(name)?).ok();
    let wait = match text(RETRY_AFTER)?.parse().ok() {
        Some(seconds) => Duration::from_secs(seconds),
        None => date(RETRY_AFTER)?.duration_since(date(DATE).unwrap_or(now)).unwrap_or_default(),
    };
    Some(wait.min(LONGEST))
}

/// The host of a redirect, if it is one of ingestion's and this cloud's. Of its address nothing else is used.
fn elsewhere(headers: &HeaderMap, endpoint: &Url) -> Option<Url> {
    let location = Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    let host = location.host_str()?;
    let plain = location.scheme() == "https"
        && location.port().is_none()
        && location.username().is_empty()
        && location.password().is_none();
    let same = match (cloud(host), endpoint.host_str().and_then(cloud)) {
        (Some(there), Some(here)) => there == here,
        (there, None) => there.is_some(),
        (None, Some(_)) => false,
    };
    if plain && same { Url::parse(&format!("https://{host}")).ok() } else { None }
}

fn cloud(host: &str) -> Option<usize> {
    let within = |domain: &&str| host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    CLOUDS.iter().position(|domains| domains.iter().any(within))
}

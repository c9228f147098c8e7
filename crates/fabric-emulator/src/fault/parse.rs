//! The one-line syntax of faults, read.

use std::str::FromStr;
use std::time::Duration;

use super::Fault;
use super::action::{Action, Effect, Ending, Substitute};
use super::edit::{Body, Casing, Edit, RetryAfter};
use crate::duration;
use crate::pattern::ParsePatternError;

/// The text is no fault; says what is wrong and shows one that is right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} in the fault `{text}`, for example `POST */items=429,retry-after=2,times=1`")]
pub struct ParseFaultError {
    text: String,
    what: String,
    source: Option<ParsePatternError>,
}

type Options = Vec<(String, String)>;

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
        let (name, mut options) = pieces(rest).map_err(wrong)?;
        let number =
            |name: &str, value: String| value.parse().map_err(|_| wrong(format!("`{name}` is not a number")));
        let skip = take(&mut options, "skip").map(|value| number("skip", value)).transpose()?;
        let times = take(&mut options, "times").map(|value| number("times", value)).transpose()?;
        let lasts = take(&mut options, "for").map(|value| time("for", &value)).transpose().map_err(wrong)?;
        let action = action(name, options).map_err(wrong)?;
        Ok(Self { pattern, skip: skip.unwrap_or(0), times, lasts, action })
    }
}

impl FromStr for Action {
    type Err = ParseFaultError;

    /// An action with its options, without a pattern: what the header `x-emulator-fault` holds.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what: String| ParseFaultError { text: text.to_owned(), what, source: None };
        let (name, options) = pieces(text).map_err(wrong)?;
        action(name, options).map_err(wrong)
    }
}

/// The action and its options. A piece without `=` belongs to the option before it: HTTP dates hold a comma.
fn pieces(text: &str) -> Result<(&str, Options), String> {
    let mut pieces = text.split(',');
    let action = pieces.next().unwrap_or_default().trim();
    let mut options = Options::new();
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
    Ok((action, options))
}

fn take(options: &mut Options, name: &str) -> Option<String> {
    let at = options.iter().position(|(option, _)| option == name)?;
    Some(options.remove(at).1)
}

fn action(text: &str, mut options: Options) -> Result<Action, String> {
    let (effect, rest) = effect(text)?;
    let (name, value) = match rest.split_once(':') {
        Some((name, value)) => (name.to_lowercase(), Some(value)),
        None => (rest.to_lowercase(), None),
    };
    let action = match (name.as_str(), value) {
        ("reset-before", None) if effect.is_none() => instead(effect, Substitute::Reset),
        ("reset-after", None) if effect.is_none() => instead(Some(Effect::Whole), Substitute::Reset),
        ("reset", None) => instead(effect, Substitute::Reset),
        ("redirect", Some(to)) if to.starts_with("http://") || to.starts_with("https://") => {
            instead(effect, Substitute::Redirect(to.trim_end_matches('/').to_owned()))
        }
        ("garbage", None) => instead(effect, Substitute::Garbage),
        ("silence", None) => instead(effect, Substitute::Silence),
        (status, None) if status.starts_with(|c: char| c.is_ascii_digit()) => {
            let status = status.parse().ok().filter(|status| (400..600).contains(status));
            let status = status.ok_or_else(|| unknown(text))?;
            let options = std::mem::take(&mut options);
            let edits = options.into_iter().map(|(name, value)| about_error(&name, &value));
            instead(effect, Substitute::Error { status, edits: edits.collect::<Result<_, _>>()? })
        }
        _ => match (ending(&name, value), effect) {
            (Some(_), Some(Effect::Late(_))) => {
                return Err("`late:` without an answer".to_owned());
            }
            (Some(ending), effect) => Action::Operation { effect: effect.unwrap_or(Effect::Nothing), ending },
            (None, Some(_)) => return Err(unknown(text)),
            (None, None) => plain(&name, value, &mut options, text)?,
        },
    };
    match options.first() {
        None => Ok(action),
        Some((name, _)) if EDITS_OF_ERRORS.contains(&name.as_str()) => {
            Err(format!("`{name}` without a status"))
        }
        Some((name, _)) => Err(format!("unknown option `{name}`")),
    }
}

fn instead(effect: Option<Effect>, answer: Substitute) -> Action {
    Action::Instead { effect: effect.unwrap_or(Effect::Nothing), answer }
}

fn unknown(text: &str) -> String {
    format!("unknown action `{text}`")
}

/// What stands before a `+`, and the rest. Dates in options hold a `+` too.
fn effect(text: &str) -> Result<(Option<Effect>, &str), String> {
    let Some((prefix, rest)) = text.split_once('+') else { return Ok((None, text)) };
    let effect = match prefix.to_lowercase().as_str() {
        "effect" => Effect::Whole,
        "partial" => Effect::Partial,
        prefix => match prefix.strip_prefix("late:") {
            Some(by) => Effect::Late(time("late", by)?),
            None => return Ok((None, text)),
        },
    };
    Ok((Some(effect), rest))
}

fn ending(name: &str, value: Option<&str>) -> Option<Ending> {
    Some(match (name, value) {
        ("operation-fails", None) => Ending::Fails,
        ("operation-hangs", None) => Ending::Hangs,
        ("operation-ends", Some(status)) if !status.is_empty() => Ending::Status(status.to_owned()),
        ("operation-no-result", None) => Ending::NoResult,
        ("operation-empty-result", None) => Ending::EmptyResult,
        _ => return None,
    })
}

/// The actions that say nothing about the effect.
fn plain(name: &str, value: Option<&str>, options: &mut Options, text: &str) -> Result<Action, String> {
    Ok(match (name, value) {
        ("as-operation", None) => Action::AsOperation,
        ("at-once", None) => Action::AtOnce,
        ("latency", Some(value)) => Action::Latency(time(name, value)?),
        ("throttle", Some(value)) => Action::Throttle(time(name, value)?),
        ("token-expired", None) => Action::TokenExpired,
        ("capacity-paused", None) => Action::Capacities { active: false },
        ("capacity-resumed", None) => Action::Capacities { active: true },
        ("lag", Some(value)) => Action::Lag(time(name, value)?),
        ("twice", None) => Action::Twice,
        ("continuation-rejected", None) => Action::ContinuationRejected,
        ("bandwidth", Some(value)) => Action::Bandwidth(number(name, value)?),
        ("cut", Some(value)) => {
            let reset = match take(options, "end").as_deref() {
                None | Some("close") => false,
                Some("reset") => true,
                Some(other) => return Err(format!("`{other}` is no `end`: `close` or `reset`")),
            };
            Action::Cut { after: number(name, value)?, reset }
        }
        ("content-length", Some(value)) => {
            Action::ContentLength(number(name, value.strip_prefix('+').unwrap_or(value))?)
        }
        _ => Action::Edit(match value {
            Some(value) if EDITS_OF_ERRORS.contains(&name) => about_error(name, value)?,
            value => edit(name, value).ok_or_else(|| unknown(text))?,
        }),
    })
}

fn edit(name: &str, value: Option<&str>) -> Option<Edit> {
    Some(match (name, value) {
        ("no-location", None) => Edit::NoLocation,
        ("foreign-location", None) => Edit::ForeignLocation,
        ("own-location", None) => Edit::OwnLocation,
        ("no-operation-id", None) => Edit::NoOperationId,
        ("empty-202", None) => Edit::EmptyAccepted,
        ("status", Some(status)) if !status.is_empty() => Edit::Status(status.to_owned()),
        ("casing", Some("lower")) => Edit::Casing(Casing::Lower),
        ("casing", Some("upper")) => Edit::Casing(Casing::Upper),
        ("unknown-fields", None) => Edit::UnknownFields,
        ("nulls", None) => Edit::Nulls,
        ("gzip-empty", None) => Edit::GzipEmpty,
        ("hide-service-principals", None) => Edit::HideServicePrincipals,
        ("foreign-continuation", None) => Edit::ForeignContinuation,
        ("challenge", Some(resource)) if !resource.is_empty() => Edit::Challenge(resource.to_owned()),
        ("overlapping-pages", None) => Edit::OverlappingPages,
        _ => return None,
    })
}

/// What can be said of an error with `NAME=VALUE`; of any answer with `NAME:VALUE`.
const EDITS_OF_ERRORS: [&str; 7] =
    ["code", "retriable", "retry-after", "retry-after-ms", "x-ms-retry-after-ms", "until", "body"];

fn about_error(name: &str, value: &str) -> Result<Edit, String> {
    Ok(match name {
        "code" => Edit::Code(value.to_owned()),
        "retriable" => Edit::Retriable(match value {
            "true" => Some(true),
            "false" => Some(false),
            "absent" => None,
            _ => return Err(format!("`{value}` is not `true`, `false` or `absent`")),
        }),
        "retry-after" => Edit::RetryAfter(retry_after(value)),
        "retry-after-ms" => Edit::RetryAfterMs(number(name, value)?),
        "x-ms-retry-after-ms" => Edit::XMsRetryAfterMs(number(name, value)?),
        "until" => Edit::Until(time(name, value)?),
        "body" => {
            let known = Body::ALL.into_iter().find(|body| body.name() == value);
            Edit::Body(known.ok_or_else(|| format!("unknown body `{value}`"))?)
        }
        _ => return Err(format!("unknown option `{name}`")),
    })
}

/// `date+30s` and `date-30s` are HTTP dates by the tenant's clock; whatever is no number either is sent as it stands.
fn retry_after(value: &str) -> RetryAfter {
    let date = || {
        let offset = value.strip_prefix("date")?;
        let seconds = |text| i64::try_from(duration::parse(text)?.as_secs()).ok();
        match offset.strip_prefix('-') {
            Some(past) => seconds(past).map(|seconds| -seconds),
            None => seconds(offset.strip_prefix('+')?),
        }
    };
    // Rust reads `+5` too, and that is not what was asked for.
    let digits = Some(value).filter(|value| !value.starts_with('+'));
    match (digits.and_then(|value| value.parse().ok()), date()) {
        (Some(seconds), _) => RetryAfter::Seconds(seconds),
        (_, Some(seconds)) => RetryAfter::Date(seconds),
        _ => RetryAfter::Text(value.to_owned()),
    }
}

fn time(name: &str, text: &str) -> Result<Duration, String> {
    duration::parse(text).ok_or_else(|| format!("`{text}` is no {name} such as `200ms` or `2s`"))
}

fn number<T: FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number for `{name}`"))
}

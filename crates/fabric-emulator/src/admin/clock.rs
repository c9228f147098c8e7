//! `/_emulator/clock`

use serde::Deserialize;
use serde_json::json;

use crate::clock::Clock;
use crate::duration;
use crate::service::BoxError;
use crate::wire::{Incoming, Reply, timestamp};

/// What to do with the clock. Everything asked for happens at once: freezing and resuming exclude each other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClockBody {
    #[serde(default)]
    freeze: bool,
    #[serde(default)]
    resume: bool,
    advance: Option<String>,
}

pub(super) fn show(clock: &Clock) -> Reply {
    Reply::json(200, json!({"now": format!("{}Z", timestamp(clock.now())), "frozen": clock.is_frozen()}))
}

pub(super) fn set(clock: &Clock, request: &Incoming) -> Result<Reply, BoxError> {
    let body: ClockBody = serde_json::from_slice(&request.body)?;
    if body.freeze && body.resume {
        return Err("a clock is either frozen or goes on".into());
    }
    let by = match &body.advance {
        Some(text) => duration::parse(text)
            .ok_or_else(|| format!("`{text}` is no duration such as `90s`, `10m` or `1h`"))?,
        None => std::time::Duration::ZERO,
    };
    if body.freeze {
        clock.freeze();
    }
    if body.resume {
        clock.resume();
    }
    clock.advance(by);
    Ok(show(clock))
}

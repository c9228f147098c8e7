//! `/_emulator/faults` and `/_emulator/chaos`

use http::header;
use serde::Deserialize;
use serde_json::json;

use crate::emulator::Shared;
use crate::fault::{Action, Chaos, Fault, ParseFaultError};
use crate::service::BoxError;
use crate::wire::{Incoming, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChaosBody {
    seed: u64,
    rate: Option<f64>,
    actions: Option<Vec<String>>,
}

pub(super) fn list(shared: &Shared) -> Reply {
    Reply::json(200, json!(shared.faults.all(shared.clock.now())))
}

pub(super) fn inject(shared: &Shared, request: &Incoming) -> Result<Reply, BoxError> {
    let text = std::str::from_utf8(&request.body)?;
    let lines: Vec<String> = match is_json(request) {
        true => serde_json::from_str(text)?,
        false => text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect(),
    };
    let faults = lines.iter().map(|line| line.parse::<Fault>()).collect::<Result<Vec<_>, _>>()?;
    faults.into_iter().for_each(|fault| shared.inject(fault));
    Ok(Reply::empty(204))
}

pub(super) fn start_chaos(shared: &Shared, request: &Incoming) -> Result<Reply, BoxError> {
    let chaos = match is_json(request) {
        true => read_chaos(serde_json::from_slice(&request.body)?)?,
        false => std::str::from_utf8(&request.body)?.trim().parse::<Chaos>()?,
    };
    shared.schedule(Some(chaos));
    Ok(Reply::empty(204))
}

fn read_chaos(body: ChaosBody) -> Result<Chaos, BoxError> {
    let usual = Chaos::new(body.seed);
    let actions = body
        .actions
        .map(|actions| {
            actions.iter().map(|action| action.parse::<Action>()).collect::<Result<Vec<_>, ParseFaultError>>()
        })
        .transpose()?;
    let rate = body.rate.unwrap_or(usual.rate);
    if !(0.0..=1.0).contains(&rate) {
        return Err(format!("the rate {rate} is not between 0 and 1").into());
    }
    Ok(Chaos { seed: body.seed, rate, actions: actions.unwrap_or(usual.actions) })
}

/// JSON says so, by its media type or by how it begins: curl calls everything a form.
fn is_json(request: &Incoming) -> bool {
    let kind = request.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/json"))
        || matches!(request.body.trim_ascii_start().first(), Some(b'{' | b'['))
}

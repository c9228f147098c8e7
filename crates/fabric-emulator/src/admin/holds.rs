//! `/_emulator/holds`

use serde::Deserialize;
use serde_json::json;

use crate::hold::{HoldId, HoldPoint, Holds, Whom};
use crate::service::BoxError;
use crate::wire::{Incoming, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HoldBody {
    pattern: Option<String>,
    name: Option<String>,
    point: HoldPoint,
    #[serde(default)]
    skip: u32,
}

pub(super) fn add(holds: &Holds, request: &Incoming) -> Result<Reply, BoxError> {
    let body: HoldBody = serde_json::from_slice(&request.body)?;
    let whom = match (body.pattern, body.name) {
        (Some(pattern), None) => Whom::Matching(pattern.parse()?),
        (None, Some(name)) => Whom::Asking(name),
        _ => return Err("a hold has either a `pattern` or a `name`".into()),
    };
    let id = holds.add(whom, body.point, body.skip);
    Ok(Reply::json(201, json!(holds.show(id))))
}

pub(super) fn list(holds: &Holds) -> Reply {
    Reply::json(200, json!(holds.all()))
}

pub(super) fn show(holds: &Holds, id: &str) -> Option<Reply> {
    Some(Reply::json(200, json!(holds.show(number(id)?)?)))
}

pub(super) fn release(holds: &Holds, id: &str) -> Option<Reply> {
    holds.release(number(id)?).then(|| Reply::empty(204))
}

fn number(id: &str) -> Option<HoldId> {
    id.parse().ok().map(HoldId)
}

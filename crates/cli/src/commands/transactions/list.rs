//! `selvedge transactions list`: every transaction, and how it stands.

use selvedge_rollback::describe;
use serde_json::json;

use super::report::{as_json, state_name};
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::run::App;
use crate::text::one_line;

pub(super) async fn run(app: &App, place: &Place) -> anyhow::Result<u8> {
    let mut found = place.journals.list::<Target>().await?;
    for found in &mut found {
        if let Ok(state) = &found.state {
            let open = !state.direction().has_ended();
            found.running |= open && place.is_running(&state.begin().subject, found.id).await?;
        }
    }
    if app.output != Format::Text {
        let rows: Vec<_> = found
            .iter()
            .map(|found| match &found.state {
                Ok(state) => as_json(app, state, found.running),
                Err(error) => json!({ "transaction": found.id.to_string(), "state": "unreadable",
                                      "reason": describe(error) }),
            })
            .collect();
        render::result(app.output, json!({ "transactions": rows }))?;
        return Ok(exit::DONE);
    }
    if found.is_empty() {
        output::line("There are no transactions.")?;
    }
    for found in found {
        let line = match &found.state {
            Ok(state) => {
                let (name, subject) = (state_name(state, found.running), &state.begin().subject);
                format!("{}  {name:<11}  {subject}", found.id)
            }
            Err(error) => format!("{}  unreadable   {}", found.id, describe(error)),
        };
        output::line(&one_line(&line))?;
    }
    Ok(exit::DONE)
}

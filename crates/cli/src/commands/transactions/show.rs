//! `selvedge transactions show`: one transaction, change by change.

use selvedge_rollback::TransactionId;

use super::report::{as_json, commands, state_name, step_name};
use super::unusable;
use crate::commands::deploy::target::Target;
use crate::exit;
use crate::output::{self, Format};
use crate::place::Place;
use crate::render;
use crate::run::App;
use crate::text::one_line;

pub(super) async fn run(app: &App, place: &Place, id: TransactionId) -> anyhow::Result<u8> {
    let state = place.journals.peek::<Target>(id).await.map_err(unusable)?;
    if app.output != Format::Text {
        render::result(app.output, as_json(app, &state, false))?;
        return Ok(exit::DONE);
    }
    let mut text = format!("transaction {id}: {}\n{}\n", state_name(&state, false), state.begin().subject);
    if let Some((_, reason)) = state.reason() {
        text.push_str(&format!("because: {}\n", one_line(reason)));
    }
    for (step, how) in state.steps() {
        let line = format!("  {:>3}  {:<10}  {}", step.id.to_string(), step_name(how), step.change);
        text.push_str(&one_line(&line));
        if let Some(reason) = how.reason() {
            text.push_str(&format!(": {}", one_line(reason)));
        }
        text.push('\n');
    }
    for command in commands(app, &state) {
        text.push_str(&format!("run `{command}`\n"));
    }
    output::line(text.trim_end())?;
    Ok(exit::DONE)
}

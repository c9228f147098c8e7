//! What a transaction's state says to people and programs.

use selvedge_rollback::{Direction, State, StepState};
use serde_json::{Value, json};

use crate::commands::deploy::target::Target;
use crate::run::App;

pub(super) fn as_json(app: &App, state: &State<Target>, running: bool) -> Value {
    let steps: Vec<_> = state
        .steps()
        .map(|(step, how)| {
            json!({ "step": step.id.number(), "change": step.change.to_string(), "state": step_name(how),
                    "reason": how.reason() })
        })
        .collect();
    json!({
        "transaction": state.begin().id.to_string(),
        "state": state_name(state, running),
        "subject": state.begin().subject,
        "context": state.begin().context,
        "reason": state.reason().map(|(_, reason)| reason),
        "steps": steps,
        "commands": if running { Vec::new() } else { commands(app, state) },
    })
}

pub(super) fn state_name(state: &State<Target>, running: bool) -> &'static str {
    match state.direction() {
        Direction::Committed => "committed",
        Direction::RolledBack => "rolled_back",
        Direction::RolledBackPartial => "rolled_back_partial",
        Direction::Abandoned => "abandoned",
        Direction::Forward | Direction::Back if running => "running",
        Direction::Forward => "interrupted",
        Direction::Back => "left",
    }
}

pub(super) fn step_name(state: &StepState) -> &'static str {
    match state {
        StepState::Planned => "planned",
        StepState::Open { .. } => "in_doubt",
        StepState::Done => "done",
        StepState::NotDone => "not_done",
        StepState::Foreign => "foreign",
        StepState::Undoing => "undoing",
        StepState::Undone => "undone",
        StepState::Kept { .. } => "kept",
        StepState::Stuck { .. } => "stuck",
        StepState::Skipped { .. } => "skipped",
    }
}

/// What brings it to an end.
pub(super) fn commands(app: &App, state: &State<Target>) -> Vec<String> {
    let id = state.begin().id;
    let past_pivot = state.steps().any(|(step, how)| how.remains() && !step.change.reversible());
    let verbs: &[&str] = match state.direction() {
        Direction::Forward if past_pivot => &["resume"],
        Direction::Forward => &["rollback", "resume"],
        Direction::Back => &["rollback"],
        _ => &[],
    };
    verbs.iter().map(|verb| app.transactions(verb, id)).collect()
}

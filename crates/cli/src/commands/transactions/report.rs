//! What a transaction's state says: one report, which the texts and the JSON both tell. docs/transaction.schema.json is its schema.

use std::collections::BTreeMap;

use selvedge_deployment::change::Change;
use selvedge_rollback::journal::{JournalError, Summary};
use selvedge_rollback::lease::Holder;
use selvedge_rollback::{
    Direction, Marker, Remaining, State, Step, StepState, Todo, TransactionId, describe,
};
use serde::Serialize;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::commands::deploy::apply::context;
use crate::commands::deploy::target::Target;
use crate::place::{Place, Running};
use crate::run::App;

/// How a transaction stands.
#[derive(Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) transaction: TransactionId,
    pub(crate) state: &'static str,
    /// Which way it still has to go.
    pub(super) direction: Option<&'static str>,
    /// Who has it in hand, or had it last, as far as its lease says.
    pub(super) owner: Option<Holder>,
    /// When its lease may be claimed at the latest, should its owner be gone.
    #[serde(with = "time::serde::rfc3339::option")]
    pub(super) lease_until: Option<OffsetDateTime>,
    /// For how long its owner has not renewed its lease, where it seems to be gone.
    pub(super) silent_seconds: Option<u64>,
    pub(crate) subject: Option<String>,
    context: BTreeMap<String, String>,
    pub(super) reason: Option<String>,
    pub(super) steps: Vec<StepReport>,
    /// What is there that a rollback would have taken away, or has left a trace.
    pub(crate) remaining: Vec<Left>,
    /// What brings it to its end.
    pub(crate) commands: Vec<String>,
}

/// How a step stands.
#[derive(Clone, Serialize)]
pub(super) struct StepReport {
    pub(super) step: u32,
    kind: &'static str,
    pub(super) change: String,
    name: Option<String>,
    pub(super) id: Option<String>,
    /// What became of the change.
    state: &'static str,
    /// What became of its undo, where one was begun.
    undo_state: Option<&'static str>,
    /// The marker, where what is there carries it.
    pub(super) marker: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) next_action: Option<&'static str>,
    /// Whether an operator may leave it.
    #[serde(skip)]
    pub(super) may_be_skipped: bool,
}

/// Something that is left.
#[derive(Clone, Serialize)]
pub(crate) struct Left {
    /// The step that made it. `None` for what no step of the plan is about.
    pub(crate) step: Option<u32>,
    pub(crate) change: String,
    /// Its id, where it is known.
    pub(crate) id: Option<String>,
    pub(crate) reason: String,
}

impl StepReport {
    /// One word for how it stands.
    pub(super) fn word(&self) -> &'static str {
        self.undo_state.unwrap_or(self.state)
    }
}

impl Report {
    /// Of what was found of a transaction.
    ///
    /// # Errors
    ///
    /// When its lease cannot be looked at.
    pub(crate) async fn read(app: &App, place: &Place, found: &Summary<Target>) -> anyhow::Result<Self> {
        Ok(match &found.state {
            Ok(state) if state.direction().has_ended() => Self::of(app, state, None),
            Ok(state) => Self::of(app, state, place.running(found).await?),
            Err(error) => Self::unreadable(found.id, error),
        })
    }

    /// Of a transaction that is `running`, or not. One whose owner seems to be gone is told as what it is to whoever takes it up.
    pub(crate) fn of(app: &App, state: &State<Target>, running: Option<Running>) -> Self {
        let begin = state.begin();
        let is_running = running.as_ref().is_some_and(|running| running.overdue.is_none());
        let Running { owner, expires_in, overdue } = running.unwrap_or_default();
        let left = if is_running { Vec::new() } else { left_of(state) };
        Self {
            transaction: begin.id,
            state: state_name(state.direction(), is_running),
            direction: match state.direction() {
                Direction::Forward => Some("forward"),
                Direction::Back => Some("back"),
                _ => None,
            },
            owner,
            lease_until: expires_in.map(|rest| OffsetDateTime::now_utc() + rest),
            silent_seconds: overdue.map(|silent| silent.as_secs()),
            subject: Some(begin.subject.clone()),
            context: context::shown(begin),
            reason: state.reason().map(|(_, reason)| reason.to_owned()),
            steps: state.steps().map(|(step, how)| step_of(state, step, how, &left, is_running)).collect(),
            remaining: left.iter().map(|left| told(state, left)).collect(),
            commands: if is_running { Vec::new() } else { commands(app, state) },
        }
    }

    /// Of one whose journal cannot be acted on.
    fn unreadable(transaction: TransactionId, error: &JournalError) -> Self {
        Self {
            transaction,
            state: "unreadable",
            direction: None,
            owner: None,
            lease_until: None,
            silent_seconds: None,
            subject: None,
            context: BTreeMap::new(),
            reason: Some(describe(error)),
            steps: Vec::new(),
            remaining: Vec::new(),
            commands: Vec::new(),
        }
    }

    /// Takes over what a verdict knows better than the journal: why something is left, and what else is.
    pub(crate) fn because(&mut self, remaining: &[Remaining], unaccounted: Vec<Left>) {
        for known in remaining {
            let step = known.step.number();
            match self.remaining.iter_mut().find(|left| left.step == Some(step)) {
                Some(left) => left.reason.clone_from(&known.reason),
                None => {
                    let (change, reason) = (known.change.clone(), known.reason.clone());
                    self.remaining.push(Left { step: Some(step), change, id: None, reason });
                }
            }
            let said = self.steps.iter_mut().find(|said| said.step == step);
            if let Some(said) = said.filter(|said| said.reason.is_some()) {
                said.reason = Some(known.reason.clone());
            }
        }
        self.remaining.extend(unaccounted);
        self.remaining.sort_by_key(|left| left.step);
    }

    /// One word for how a step stands.
    pub(crate) fn word_of(&self, step: u32) -> Option<&'static str> {
        self.steps.iter().find(|of| of.step == step).map(StepReport::word)
    }

    /// For programs.
    pub(crate) fn as_json(&self) -> Value {
        json!(self)
    }
}

/// What is left as things stand, and what left a trace.
fn left_of(state: &State<Target>) -> Vec<Remaining> {
    // What a deployment has made is not left: it is what was wanted.
    let mut left = if state.direction() == Direction::Committed { Vec::new() } else { state.remaining() };
    left.extend(state.traces());
    left.sort_by_key(|left| left.step);
    left
}

fn told(state: &State<Target>, left: &Remaining) -> Left {
    let id = state.begin().plan.get(left.step).and_then(|step| id_of(state, step));
    Left { step: Some(left.step.number()), change: left.change.clone(), id, reason: left.reason.clone() }
}

fn id_of(state: &State<Target>, step: &Step<Change>) -> Option<String> {
    step.change.id(state.receipts().get(&step.id))
}

fn step_of(
    state: &State<Target>,
    step: &Step<Change>,
    how: &StepState,
    left: &[Remaining],
    is_running: bool,
) -> StepReport {
    let (made, undone) = match how {
        StepState::Open { .. } if is_running => ("under_way", None),
        how => words(state, step, how, left),
    };
    let is_there = state.is_marked(step.id) && (*how == StepState::Done || how.is_left());
    // That it was made needs no reason.
    let is_plain = *how == StepState::Done && state.direction() != Direction::Back;
    let known = left.iter().find(|left| left.step == step.id && !is_plain);
    let reason = match how {
        StepState::Foreign => Some("something that is not ours stands in its place".to_owned()),
        _ => known.map(|left| left.reason.clone()),
    };
    StepReport {
        step: step.id.number(),
        kind: step.change.kind(),
        change: step.change.to_string(),
        name: step.change.name(),
        id: id_of(state, step),
        state: made,
        undo_state: undone,
        marker: is_there.then(|| Marker { transaction: state.begin().id, step: step.id }.to_string()),
        reason,
        next_action: if is_running { None } else { next_action(state, step, how) },
        may_be_skipped: state.direction() == Direction::Back && how.may_be_skipped(),
    }
}

/// What became of the change, and of its undo.
fn words(
    state: &State<Target>,
    step: &Step<Change>,
    how: &StepState,
    left: &[Remaining],
) -> (&'static str, Option<&'static str>) {
    // What an operator has left may never have been made, as far as anybody knows.
    let known = state.receipts().contains_key(&step.id);
    let made = if known { "done" } else { "in_doubt" };
    match how {
        StepState::Planned => ("planned", None),
        StepState::Open { .. } => ("in_doubt", None),
        StepState::Done => ("done", None),
        StepState::NotDone => ("not_done", None),
        StepState::Foreign => ("foreign", None),
        StepState::Undoing => (made, Some("undoing")),
        StepState::Undone if left.iter().any(|left| left.step == step.id) => (made, Some("recycled")),
        StepState::Undone => (made, Some("undone")),
        StepState::Kept { .. } => (made, Some("kept")),
        StepState::Stuck { .. } => (made, Some("stuck")),
        StepState::Skipped { .. } => (made, Some("skipped")),
    }
}

/// What is to be done about the step: by taking the transaction up, or by hand.
fn next_action(state: &State<Target>, step: &Step<Change>, how: &StepState) -> Option<&'static str> {
    let todo = match state.direction() {
        Direction::Forward => how.forward(),
        Direction::Back => how.backward(),
        Direction::Committed => return state.is_marked(step.id).then_some("unmark"),
        _ => return how.is_left().then_some("look_after"),
    };
    match todo {
        Todo::Nothing => None,
        Todo::Make => Some("make"),
        Todo::Settle => Some("find_out_and_make"),
        Todo::Undo => Some("undo"),
        Todo::SettleAndUndo => Some("find_out_and_undo"),
    }
}

pub(super) fn state_name(direction: Direction, is_running: bool) -> &'static str {
    match direction {
        Direction::Committed => "committed",
        Direction::RolledBack => "rolled_back",
        Direction::RolledBackPartial => "rolled_back_partial",
        Direction::Abandoned => "abandoned",
        Direction::Forward | Direction::Back if is_running => "running",
        Direction::Forward => "interrupted",
        Direction::Back => "left",
    }
}

/// What brings it to its end. Nothing takes back what has ended.
fn commands(app: &App, state: &State<Target>) -> Vec<String> {
    let id = state.begin().id;
    let past_pivot = state.steps().any(|(step, how)| how.remains() && !step.change.reversible());
    let verbs: &[&str] = match state.direction() {
        Direction::Forward if past_pivot => &["resume"],
        Direction::Forward => &["rollback", "resume"],
        Direction::Back => &["rollback"],
        // Its markers are still to be taken off.
        Direction::Committed if state.has_markers() => &["resume"],
        _ => &[],
    };
    verbs.iter().map(|verb| app.transactions(verb, id)).collect()
}

//! The records of one deployment, or of one that is taken up.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use selvedge_deployment::change::{Change, Receipt};
use selvedge_observability::audit::{About, EventType, Outcome, Record};
use selvedge_rollback::record::Begin;
use selvedge_rollback::{
    Cause, Direction, Error, Plan, Receipts, Remaining, State, Step, StepId, StepState, TransactionId,
    Unfinished, Verdict, View, describe,
};
use serde_json::{Map, Value, json};

use super::change::{Facts, made};
use super::{Audit, members};
use crate::commands::deploy::account::Accounted;
use crate::commands::deploy::apply::context;
use crate::commands::deploy::target::Target;
use crate::run::App;

/// Writes what happens in one deployment to the trail.
pub(crate) struct Trail<'a> {
    audit: &'a Audit,
    about: About,
    /// That of the transaction, or one of its own.
    pub(super) deployment: String,
    product: Option<String>,
    /// Who asked for it, as the system says that runs us.
    triggered_by: Option<String>,
    started: Instant,
    /// What the transaction's journal says, once there is one.
    pub(super) view: OnceLock<View<Target>>,
    /// What the steps gave back, where there is no transaction.
    receipts: Mutex<Receipts<Receipt>>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    /// That it begins.
    has_begun: bool,
    /// What was last told of each step.
    steps: BTreeMap<StepId, Outcome>,
}

impl<'a> Trail<'a> {
    /// Of a deployment that is about to begin.
    pub(crate) fn new(
        audit: &'a Audit,
        app: &App,
        (product, environment): (Option<&str>, Option<&str>),
        transaction: Option<TransactionId>,
        principal: Option<String>,
    ) -> Self {
        let transaction = transaction.map(|id| id.to_string());
        let deployment = transaction.clone().unwrap_or_else(|| uuid::Uuid::now_v7().to_string());
        let principal = principal.or_else(|| app.settings.entra.client_id.clone());
        let actors = ["GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "USER", "USERNAME"];
        let actor = actors.into_iter().find_map(|name| app.environment.set(name));
        Self {
            audit,
            about: About { transaction, principal, environment: environment.map(str::to_owned) },
            deployment,
            product: product.map(str::to_owned),
            triggered_by: actor.map(str::to_owned),
            started: Instant::now(),
            view: OnceLock::new(),
            receipts: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// Of one whose journal says what it is.
    pub(crate) fn of_journal(
        audit: &'a Audit,
        app: &App,
        begin: &Begin<Change>,
        principal: Option<String>,
    ) -> Self {
        let said = |key: &str| begin.context.get(key).map(String::as_str).filter(|said| !said.is_empty());
        let what = (said(context::PRODUCT), said(context::ENVIRONMENT));
        Self::new(audit, app, what, Some(begin.id), principal)
    }

    /// It begins: nothing was sent yet.
    ///
    /// # Errors
    ///
    /// Where that must be in the trail and cannot be.
    pub(crate) fn begin(&self, plan: &Plan<Change>) -> anyhow::Result<()> {
        let fields = json!({
            "deployment_id": self.deployment,
            "product_id": self.product,
            "triggered_by": self.triggered_by,
            "changes_planned": plan.len(),
        });
        self.first(EventType::DeploymentStarted, fields)
    }

    /// An operator goes on with it, by that command.
    ///
    /// # Errors
    ///
    /// As [`Trail::begin`].
    pub(crate) fn take_up(&self, state: &State<Target>, command: &str) -> anyhow::Result<()> {
        // What is known by now is told once more when that changes.
        let known = state.steps().filter_map(|(step, how)| match how {
            StepState::Open { .. } => Some((step.id, Outcome::InDoubt)),
            StepState::Kept { .. } => Some((step.id, Outcome::Kept)),
            _ => None,
        });
        self.told().steps = known.collect();
        let fields = json!({ "deployment_id": self.deployment, "command": command });
        self.first(EventType::TransactionTakenUp, fields)
    }

    fn first(&self, event: EventType, fields: Value) -> anyhow::Result<()> {
        self.audit.begin(&self.record(event, Outcome::Started, None, fields))?;
        self.told().has_begun = true;
        Ok(())
    }

    /// What the journal says can be looked at from now on.
    pub(crate) fn look_at(&self, view: View<Target>) {
        drop(self.view.set(view));
    }

    /// Where the receipts of what is made without a transaction are kept.
    pub(crate) fn receipts(&self) -> &Mutex<Receipts<Receipt>> {
        &self.receipts
    }

    /// What the steps gave back, where there was no transaction.
    pub(crate) fn into_receipts(self) -> Receipts<Receipt> {
        self.receipts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operator leaves what the step made.
    pub(crate) fn skipped(&self, step: StepId, reason: &str) {
        let step = self.view.get().and_then(|view| view.read(|state| state.begin().plan.get(step).cloned()));
        if let Some(step) = step {
            self.not_made(EventType::UndoSkipped, Outcome::Skipped, &step, reason);
        }
    }

    /// A step whose change was not made, or not taken back, and why.
    pub(super) fn not_made(&self, event: EventType, outcome: Outcome, step: &Step<Change>, why: &str) {
        let (intended, mut fields) = self.with_facts(step, made);
        fields["intended_event"] = intended.name().into();
        fields["error_message"] = why.into();
        self.of_step(event, outcome, step, fields);
    }

    pub(super) fn of_step(&self, event: EventType, outcome: Outcome, step: &Step<Change>, mut fields: Value) {
        fields["change"] = step.change.to_string().into();
        fields["deployment_id"] = self.deployment.as_str().into();
        self.told().steps.insert(step.id, outcome);
        self.write(event, outcome, Some(step.id), fields);
    }

    /// Nothing was sent: it could not be begun after all.
    pub(crate) fn not_begun(&self, error: &anyhow::Error) {
        if self.told().has_begun {
            self.failed(Outcome::Failed, &format!("{error:#}"));
        }
    }

    /// How a plan without a transaction ended.
    pub(crate) fn ended_plainly(&self, plan: &Plan<Change>, ended: Result<(), &Unfinished>) {
        let Err(unfinished) = ended else { return self.completed(plan) };
        let in_doubt = unfinished.in_doubt.and_then(|step| plan.get(step));
        if let Some(step) = in_doubt.filter(|step| self.last(step.id) != Some(Outcome::InDoubt)) {
            let why = "it is not known whether it was made";
            self.not_made(EventType::ChangeInDoubt, Outcome::InDoubt, step, why);
        }
        let is_left = in_doubt.is_some() || !unfinished.made.is_empty();
        let outcome = if is_left { Outcome::Left } else { Outcome::Failed };
        self.failed(outcome, &unfinished.cause.reason);
    }

    /// How a transaction ended, or why it could not.
    pub(crate) fn ended(&self, plan: &Plan<Change>, ended: Result<&Accounted, &Error>) {
        self.settle();
        let accounted = match ended {
            Ok(accounted) => accounted,
            Err(error) => return self.failed(Outcome::Open, &describe(error)),
        };
        let deployment = || json!({ "deployment_id": self.deployment });
        match &accounted.verdict {
            Verdict::Committed => self.completed(plan),
            Verdict::RolledBack { cause, .. } => {
                self.write(EventType::RollbackCompleted, Outcome::RolledBack, None, deployment());
                self.failed(Outcome::RolledBack, &cause.reason);
            }
            // Past the pivot there is no way back.
            Verdict::Left { cause, direction: Direction::Forward, .. } => {
                self.failed(Outcome::Open, &cause.reason);
            }
            Verdict::Left { cause, remaining, .. } => {
                let mut fields = deployment();
                let other = accounted.unaccounted.iter();
                let other = other.map(|left| json!({ "change": left.change, "reason": left.reason }));
                fields["remaining"] = told(remaining).chain(other).collect();
                self.write(EventType::RollbackFailed, Outcome::Left, None, fields);
                self.failed(Outcome::Left, &cause.reason);
            }
        }
    }

    /// Markers that an earlier process had left on what is committed were to be taken off, where it `had` left any.
    pub(crate) fn unmarked_since(&self, had: bool) {
        let are_left = self.view.get().is_some_and(|view| view.read(State::has_markers));
        if !had {
            return;
        }
        let outcome = if are_left { Outcome::Failed } else { Outcome::Done };
        let fields = json!({ "deployment_id": self.deployment });
        self.write(EventType::MarkersRemoved, outcome, None, fields);
    }

    /// An operator has ended it where it stood.
    pub(crate) fn abandoned(&self, cause: &Cause, remaining: &[Remaining]) {
        let fields = json!({
            "deployment_id": self.deployment,
            "reason": cause.reason,
            "remaining": told(remaining).collect::<Value>(),
        });
        self.write(EventType::TransactionAbandoned, Outcome::Abandoned, None, fields);
    }

    /// Tells of each step what the journal knows and no event told.
    fn settle(&self) {
        let Some(view) = self.view.get() else { return };
        let steps: Vec<_> =
            view.read(|state| state.steps().map(|(step, how)| (step.clone(), how.clone())).collect());
        for (step, how) in steps {
            use Outcome::{Foreign, Halted, InDoubt, Kept, NotDone, UndoFailed};
            let last = self.last(step.id);
            let was_open = matches!(last, Some(InDoubt | Halted));
            match how {
                StepState::Planned | StepState::NotDone if was_open => {
                    self.not_made(EventType::ChangeNotMade, NotDone, &step, "read back as not done");
                }
                StepState::Foreign if was_open => {
                    let why = "something that is not ours stands in its place";
                    self.not_made(EventType::ChangeNotMade, Foreign, &step, why);
                }
                StepState::Open { .. } if !matches!(last, Some(InDoubt | UndoFailed)) => {
                    let why = "it is not known whether it was made";
                    self.not_made(EventType::ChangeInDoubt, InDoubt, &step, why);
                }
                StepState::Kept { reason } if last != Some(Kept) => {
                    self.not_made(EventType::UndoKept, Kept, &step, &reason);
                }
                StepState::Undoing if last != Some(UndoFailed) => {
                    self.not_made(EventType::UndoFailed, UndoFailed, &step, "its undo was not finished");
                }
                _ => {}
            }
        }
    }

    fn completed(&self, plan: &Plan<Change>) {
        let is_item = |step: &&Step<Change>| {
            matches!(step.change, Change::CreateItem { .. } | Change::UpdateDefinition { .. })
        };
        let fields = json!({
            "deployment_id": self.deployment,
            "duration_seconds": seconds(self.started.elapsed()),
            "items_deployed": plan.steps().iter().filter(is_item).count(),
        });
        self.write(EventType::DeploymentCompleted, Outcome::Done, None, fields);
    }

    fn failed(&self, outcome: Outcome, why: &str) {
        let fields = json!({
            "deployment_id": self.deployment,
            "error_message": why,
            "duration_seconds": seconds(self.started.elapsed()),
        });
        self.write(EventType::DeploymentFailed, outcome, None, fields);
    }

    /// What `tell` says of the step's change with all that is known of it now.
    pub(super) fn with_facts(
        &self,
        step: &Step<Change>,
        tell: impl FnOnce(&Change, &Facts<'_>) -> (EventType, Value),
    ) -> (EventType, Value) {
        let (product, id) = (self.product.as_deref(), step.id);
        match self.view.get() {
            Some(view) => view.read(|state| {
                let (receipts, undo) = (state.receipts(), state.undo(id));
                tell(&step.change, &Facts { receipts, step: id, undo, product })
            }),
            None => {
                let receipts = &self.receipts.lock().unwrap_or_else(PoisonError::into_inner);
                tell(&step.change, &Facts { receipts, step: id, undo: None, product })
            }
        }
    }

    pub(super) fn state_of(&self, step: StepId) -> Option<StepState> {
        self.view.get()?.read(|state| state.step(step).cloned())
    }

    fn last(&self, step: StepId) -> Option<Outcome> {
        self.told().steps.get(&step).copied()
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self, event: EventType, outcome: Outcome, step: Option<StepId>, fields: Value) {
        self.audit.write(&self.record(event, outcome, step, fields));
    }

    fn record(&self, event: EventType, outcome: Outcome, step: Option<StepId>, fields: Value) -> Record<'_> {
        let fields: Map<String, Value> = members(fields);
        Record { event, outcome, step: step.map(StepId::number), about: &self.about, fields }
    }
}

fn told(remaining: &[Remaining]) -> impl Iterator<Item = Value> {
    remaining
        .iter()
        .map(|left| json!({ "step": left.step.number(), "change": left.change, "reason": left.reason }))
}

/// To the millisecond.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}

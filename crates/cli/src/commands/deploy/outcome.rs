//! Says how a plan ended: a verdict on stdout, the cause on stderr, an exit code.

use std::time::Duration;

use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_rollback::{Cause, Direction, Plan, Remaining, StepId, TransactionId, Unfinished, Verdict};
use serde_json::{Value, json};

use super::Applied;
use crate::output::Format;
use crate::render::{self, seconds};
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;
use crate::{exit, output};

/// How a plan ended, and what of.
pub(crate) struct Outcome<'a> {
    pub(crate) applied: Applied,
    pub(crate) plan: &'a Plan<Change>,
    pub(crate) elapsed: Duration,
    /// What is deployed where.
    pub(crate) what: Value,
}

/// The same, sorted out for telling.
struct Told {
    verdict: &'static str,
    headline: String,
    transaction: Option<TransactionId>,
    left: Vec<Remaining>,
    command: Option<String>,
    cause: Option<Cause>,
    code: u8,
}

impl Outcome<'_> {
    /// Prints the verdict.
    ///
    /// # Errors
    ///
    /// The cause, where the plan was not carried out.
    pub(crate) fn finish(self, app: &App) -> anyhow::Result<u8> {
        let Self { applied, plan, elapsed, what } = self;
        let mut told = match applied {
            Applied::Transaction { id, verdict, interrupted } => {
                of_transaction(app, id, verdict, interrupted, plan, elapsed)
            }
            Applied::Plain(Ok(())) => Told {
                verdict: "deployed",
                headline: format!("Deployed: {} in {}", counted(plan.len()), seconds(elapsed)),
                transaction: None,
                left: Vec::new(),
                command: None,
                cause: None,
                code: exit::DONE,
            },
            Applied::Plain(Err(unfinished)) => of_unfinished(unfinished, plan),
        };
        if app.local {
            // What is left goes with the emulator, and so does the journal.
            told.command = None;
        }
        print(app, &told, plan, &what);
        let Some(cause) = told.cause else {
            return Ok(told.code);
        };
        let mut with = ExitWith::new(told.code, failed_step(plan, cause.step));
        if let Some(command) = told.command {
            with = with.help(format!("run `{command}`"));
        }
        Err(match cause.error {
            Some(error) => anyhow::Error::from_boxed(error).context(with),
            None => anyhow!(cause.reason).context(with),
        })
    }
}

fn failed_step(plan: &Plan<Change>, step: Option<StepId>) -> String {
    match step.and_then(|step| plan.get(step)) {
        Some(step) => step.change.to_string(),
        None => "deploy".to_owned(),
    }
}

fn of_transaction(
    app: &App,
    id: TransactionId,
    verdict: Verdict,
    interrupted: bool,
    plan: &Plan<Change>,
    elapsed: Duration,
) -> Told {
    let transaction = Some(id);
    match verdict {
        Verdict::Committed => Told {
            verdict: "committed",
            headline: format!("Committed: {} in {}, transaction {id}", counted(plan.len()), seconds(elapsed)),
            transaction,
            left: Vec::new(),
            command: None,
            cause: None,
            code: exit::DONE,
        },
        Verdict::RolledBack { cause, traces } => Told {
            verdict: "rolled_back",
            headline: match traces.len() {
                0 => format!("RolledBack: nothing is left of transaction {id}"),
                some => format!("RolledBack: {} of transaction {id} left a trace", counted(some)),
            },
            transaction,
            left: traces,
            command: None,
            cause: Some(cause),
            code: if interrupted { exit::INTERRUPTED } else { exit::FAILED },
        },
        Verdict::Left { cause, direction, remaining } => Told {
            verdict: "left",
            headline: format!("Left: {} of transaction {id}", counted(remaining.len())),
            transaction,
            left: remaining,
            command: match direction {
                Direction::Forward => Some(app.transactions("resume", id)),
                Direction::Back => Some(app.transactions("rollback", id)),
                // What was kept is somebody else's: no command takes it back.
                _ => None,
            },
            cause: Some(cause),
            code: exit::LEFT,
        },
    }
}

/// Without a transaction, what was made stays.
fn of_unfinished(unfinished: Unfinished, plan: &Plan<Change>) -> Told {
    let Unfinished { cause, made, in_doubt } = unfinished;
    let told = |step: StepId, reason: &str| {
        plan.get(step).map(|step| Remaining {
            step: step.id,
            change: step.change.to_string(),
            reason: reason.to_owned(),
        })
    };
    let left: Vec<_> = made
        .into_iter()
        .filter_map(|step| told(step, "made"))
        .chain(in_doubt.and_then(|step| told(step, "it is not known whether it was made")))
        .collect();
    let code = if left.is_empty() { exit::FAILED } else { exit::LEFT };
    let headline = if left.is_empty() {
        "Failed: nothing was made".to_owned()
    } else {
        format!("Failed: {} of {} stay, because FEATURE_USE_ROLLBACK is off", counted(left.len()), plan.len())
    };
    Told { verdict: "failed", headline, transaction: None, left, command: None, cause: Some(cause), code }
}

fn counted(changes: usize) -> String {
    if changes == 1 { "1 change".to_owned() } else { format!("{changes} changes") }
}

fn print(app: &App, told: &Told, plan: &Plan<Change>, what: &Value) {
    let printed = match app.output {
        Format::Text => {
            let mut text = told.headline.clone();
            for left in &told.left {
                text.push_str(&format!("\n  {}: {}", one_line(&left.change), one_line(&left.reason)));
            }
            output::line(&text)
        }
        format => {
            let changes: Vec<_> = plan
                .steps()
                .iter()
                .map(|step| json!({ "step": step.id.number(), "change": step.change.to_string() }))
                .collect();
            let left: Vec<_> = told
                .left
                .iter()
                .map(|left| json!({ "step": left.step.number(), "change": left.change, "reason": left.reason }))
                .collect();
            let cause = told
                .cause
                .as_ref()
                .map(|cause| json!({ "step": cause.step.map(StepId::number), "reason": cause.reason }));
            render::result(
                format,
                json!({
                    "verdict": told.verdict,
                    "deployment": what,
                    "transaction": told.transaction.map(|id| id.to_string()),
                    "changes": changes,
                    "left": left,
                    "cause": cause,
                    "commands": told.command.iter().collect::<Vec<_>>(),
                }),
            )
        }
    };
    // What was done is done, and the exit code says how it ended, whether or not the verdict could be written.
    if let Err(error) = printed
        && !error.is::<output::ReaderGone>()
    {
        tracing::error!("the verdict could not be written: {error:#}");
    }
}

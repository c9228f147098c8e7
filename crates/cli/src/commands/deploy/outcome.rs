//! Says how a plan ended: a verdict on stdout, the cause on stderr, an exit code.

use std::time::Duration;

use anyhow::anyhow;
use selvedge_deployment::change::Change;
use selvedge_rollback::journal::JournalError;
use selvedge_rollback::{
    Cause, Direction, Error, Plan, StepId, TransactionId, Unfinished, Verdict, describe,
};
use serde_json::{Value, json};

use super::account::Accounted;
use super::{How, apply};
use crate::commands::transactions::{Left, Report, named};
use crate::output::Format;
use crate::render::{self, seconds};
use crate::report::ExitWith;
use crate::run::App;
use crate::text::{counted, one_line};
use crate::{ci, exit, output};

/// How a plan ended, and what of.
pub(crate) struct Outcome<'a> {
    pub(crate) how: How,
    pub(crate) plan: &'a Plan<Change>,
    pub(crate) elapsed: Duration,
    /// What is deployed where.
    pub(crate) what: Value,
    pub(crate) asked: Asked,
}

/// What the operator asked for.
pub(crate) enum Asked {
    Deploy,
    /// What a command does, in its words. It tells itself what came of it where all was done.
    Command(String),
    /// The same, where it is one of several things that the command does: it tells itself what came of each.
    Part(String),
    /// To go on with a transaction.
    GoOn {
        /// How an error says that: `resume`, `roll back`, `abandon`.
        verb: &'static str,
        /// Whether it had ended before.
        had_ended: bool,
    },
}

impl Asked {
    /// As an error says what was tried.
    fn words(&self, id: Option<TransactionId>) -> String {
        match (self, id) {
            (Self::GoOn { verb, .. }, Some(id)) => format!("{verb} transaction {id}"),
            (Self::Command(words) | Self::Part(words), _) => words.clone(),
            _ => "deploy".to_owned(),
        }
    }
}

/// The same, sorted out for telling.
struct Told {
    verdict: &'static str,
    headline: String,
    /// Of a transaction.
    report: Option<Box<Report>>,
    left: Vec<Left>,
    /// What stopped the plan, and at which step.
    cause: Option<(Option<StepId>, String)>,
    failure: Option<Failure>,
    code: u8,
}

/// What is said on stderr.
struct Failure {
    tried: String,
    why: anyhow::Error,
}

impl Outcome<'_> {
    /// Prints the verdict.
    ///
    /// # Errors
    ///
    /// The cause, where the plan was not carried out.
    pub(crate) fn finish(self, app: &App) -> anyhow::Result<u8> {
        let Self { how, plan, elapsed, what, asked } = self;
        let mut told = match how {
            How::Transaction { ended: Ok(accounted), interrupted, report } => {
                of_transaction(report, accounted, interrupted, plan, elapsed, &asked)
            }
            How::Transaction { ended: Err(error), report, .. } => {
                if !is_anothers(&error) && !matches!(asked, Asked::Part(_)) {
                    print(app, &of_open(report.clone(), &error), plan, &what);
                }
                return Err(apply::unfinished(app, error, &report));
            }
            How::Plain(Ok(())) => Told {
                verdict: "deployed",
                headline: format!("Deployed: {} in {}", counted(plan.len(), "change"), seconds(elapsed)),
                report: None,
                left: Vec::new(),
                cause: None,
                failure: None,
                code: exit::DONE,
            },
            How::Plain(Err(unfinished)) => of_unfinished(unfinished, plan, &asked),
        };
        if let Some(report) = told.report.as_mut().filter(|_| app.local) {
            // What is left goes with the emulator, and so does the journal.
            report.commands.clear();
        }
        match asked {
            Asked::Command(_) if told.code == exit::DONE => app.job.tell(of_job(&told, plan, &what)),
            Asked::Part(_) => {}
            _ => print(app, &told, plan, &what),
        }
        let Some(Failure { tried, why }) = told.failure else {
            return Ok(told.code);
        };
        let mut with = ExitWith::new(told.code, tried);
        if let Some(help) = told.report.filter(|_| !app.local).and_then(|report| report.help()) {
            with = with.help(help);
        }
        Err(why.context(with))
    }
}

impl Failure {
    fn of(cause: Cause, plan: &Plan<Change>, asked: String) -> Self {
        let tried = match cause.step.and_then(|step| plan.get(step)) {
            Some(step) => step.change.to_string(),
            None => asked,
        };
        let why = cause.error.map_or_else(|| anyhow!(cause.reason), anyhow::Error::from_boxed);
        Self { tried, why }
    }
}

fn of_transaction(
    mut report: Box<Report>,
    accounted: Accounted,
    interrupted: bool,
    plan: &Plan<Change>,
    elapsed: Duration,
    asked: &Asked,
) -> Told {
    let id = report.transaction;
    let Accounted { verdict, unaccounted } = accounted;
    if let Verdict::Left { remaining, .. } = &verdict {
        report.because(remaining, unaccounted);
    }
    let left = report.remaining.clone();
    let of = |what: &str| format!("{what}: {} of transaction {id}", counted(left.len(), "change"));
    let (verdict, headline, cause, code) = match verdict {
        Verdict::Committed => {
            let (made, elapsed) = (counted(plan.len(), "change"), seconds(elapsed));
            let headline = format!("Committed: {made} in {elapsed}, transaction {id}");
            ("committed", headline, None, exit::DONE)
        }
        Verdict::RolledBack { cause, .. } => {
            let headline = match left.len() {
                0 => format!("RolledBack: nothing is left of transaction {id}"),
                _ => format!("{} left a trace", of("RolledBack")),
            };
            ("rolled_back", headline, Some(cause), if interrupted { exit::INTERRUPTED } else { exit::FAILED })
        }
        Verdict::Left { cause, direction: Direction::Abandoned, .. } => {
            let headline = match left.len() {
                0 => format!("Abandoned: nothing is left of transaction {id}"),
                _ => format!("{} left where they are", of("Abandoned")),
            };
            ("abandoned", headline, Some(cause), exit::LEFT)
        }
        Verdict::Left { cause, .. } => ("left", of("Left"), Some(cause), exit::LEFT),
    };
    let told = cause.as_ref().map(|cause| (cause.step, cause.reason.clone()));
    let failure = cause.map(|cause| match (verdict, cause.step) {
        _ if matches!(asked, Asked::GoOn { had_ended: true, .. }) => Failure {
            tried: asked.words(Some(id)),
            why: anyhow!("it was {}: {}", report.state_words(), cause.reason),
        },
        // No change has failed: what was decided could not be carried out.
        ("left", None) => Failure {
            tried: format!("take back transaction {id}: {}", cause.reason),
            why: anyhow!("not everything could be taken back"),
        },
        _ => Failure::of(cause, plan, asked.words(Some(id))),
    });
    Told { verdict, headline, left, report: Some(report), cause: told, failure, code }
}

/// Whether another process may have changed how the transaction stands.
fn is_anothers(error: &Error) -> bool {
    matches!(
        error,
        Error::Ended
            | Error::NotSkippable(_)
            | Error::Journal(JournalError::Superseded { .. } | JournalError::Fenced)
    )
}

/// It could not go on, and is open.
fn of_open(report: Box<Report>, error: &Error) -> Told {
    let (id, left) = (report.transaction, report.remaining.clone());
    let headline = format!("Left: {} of transaction {id}, which is open", counted(left.len(), "change"));
    let cause = Some((None, describe(error)));
    Told { verdict: "left", headline, left, report: Some(report), cause, failure: None, code: exit::LEFT }
}

/// Without a transaction, what was made stays.
fn of_unfinished(unfinished: Unfinished, plan: &Plan<Change>, asked: &Asked) -> Told {
    let Unfinished { cause, made, in_doubt } = unfinished;
    let told = |step: StepId, reason: &str| {
        plan.get(step).map(|step| Left {
            step: Some(step.id.number()),
            change: step.change.to_string(),
            id: None,
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
        format!(
            "Failed: {} of {} stay, because FEATURE_USE_ROLLBACK is off",
            counted(left.len(), "change"),
            plan.len()
        )
    };
    let told = Some((cause.step, cause.reason.clone()));
    let failure = Some(Failure::of(cause, plan, asked.words(None)));
    Told { verdict: "failed", headline, report: None, left, cause: told, failure, code }
}

fn print(app: &App, told: &Told, plan: &Plan<Change>, what: &Value) {
    app.job.tell(of_job(told, plan, what));
    let printed = match app.output {
        Format::Text => {
            let mut text = told.headline.clone();
            for left in &told.left {
                let what = named(&left.change, left.id.as_deref());
                text.push_str(&format!("\n  {}: {}", one_line(&what), one_line(&left.reason)));
            }
            output::line(&text)
        }
        format => render::result(format, document(told, plan, what)),
    };
    // What was done is done, and the exit code says how it ended, whether or not the verdict could be written.
    if let Err(error) = printed
        && !error.is::<output::ReaderGone>()
    {
        tracing::error!("the verdict could not be written: {error:#}");
    }
}

/// The same, for the page of a job.
fn of_job(told: &Told, plan: &Plan<Change>, what: &Value) -> ci::Told {
    let report = told.report.as_ref();
    let state = |step: u32| match report {
        Some(report) => report.word_of(step).unwrap_or("planned"),
        None if told.verdict == "deployed" => "done",
        None if told.left.iter().any(|left| left.step == Some(step)) => "left",
        None => "not_done",
    };
    let rows = plan.steps().iter().map(|step| {
        let number = step.id.number();
        ci::Row { step: number, change: step.change.to_string(), state: state(number) }
    });
    let left = told.left.iter();
    ci::Told {
        verdict: told.verdict,
        headline: told.headline.clone(),
        about: what.clone(),
        transaction: report.map(|report| report.transaction.to_string()),
        changes: rows.collect(),
        left: left.map(|left| (named(&left.change, left.id.as_deref()), left.reason.clone())).collect(),
        commands: report.map(|report| report.commands.clone()).unwrap_or_default(),
    }
}

/// The verdict, and with it the report of the transaction.
fn document(told: &Told, plan: &Plan<Change>, what: &Value) -> Value {
    let changes: Vec<_> = plan
        .steps()
        .iter()
        .map(|step| json!({ "step": step.id.number(), "change": step.change.to_string() }))
        .collect();
    let cause = told
        .cause
        .as_ref()
        .map(|(step, reason)| json!({ "step": step.map(StepId::number), "reason": reason }));
    let report = match &told.report {
        Some(report) => report.as_json(),
        None => json!({ "transaction": null, "commands": [] }),
    };
    let parts = [
        json!({ "verdict": told.verdict, "deployment": what }),
        report,
        json!({ "changes": changes, "left": told.left, "cause": cause }),
    ];
    Value::Object(parts.into_iter().filter_map(|part| part.as_object().cloned()).flatten().collect())
}

//! The last check of a rollback: whether the workspace holds what it held before.
//!
//! Each undo was verified by itself. This finds what none of them knows of. It costs one list of the workspace's items for each
//! rollback, and none for a commit; where something differs the list is read again, for lists lag.

use std::time::Duration;

use selvedge_deployment::change::Change;
use selvedge_deployment::inventory::{Appeared, Difference, Held, Inventory};
use selvedge_deployment::target::TargetError;
use selvedge_fabric_client::Client;
use selvedge_rollback::record::Begin;
use selvedge_rollback::{Direction, Error, Plan, StepId, Verdict, describe};

use super::apply::context;
use crate::commands::transactions::Left;
use crate::render::Progress;
use crate::run::App;

/// How long the check may take. What it finds out is no reason to hold a rollback up for longer.
const AT_MOST: Duration = Duration::from_secs(60);

/// How a transaction ended, and what the workspace has to say to that.
pub(crate) struct Accounted {
    pub(crate) verdict: Verdict,
    /// What is there, or is gone, and no undo has to do with it.
    pub(crate) unaccounted: Vec<Left>,
}

impl From<Verdict> for Accounted {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, unaccounted: Vec::new() }
    }
}

/// What the journal says that the workspace held; `None` where it was not there.
pub(crate) fn recorded(begin: &Begin<Change>) -> Option<Inventory> {
    let text = begin.context.get(context::INVENTORY)?;
    serde_json::from_str(text)
        .inspect_err(|error| tracing::warn!(%error, "What the workspace held cannot be read in the journal"))
        .ok()
}

/// Compares the workspace with what it held `before`, where the transaction has been taken back. What the service has left beside ours,
/// and what of others is gone, makes of a whole rollback one that leaves something; what others have made is only told. Nothing is
/// removed.
///
/// # Errors
///
/// What `ended` the transaction early.
pub(crate) async fn account(
    app: &App,
    client: &Client,
    before: Option<&Inventory>,
    plan: &Plan<Change>,
    ended: Result<Verdict, Error>,
    progress: &Progress,
) -> Result<Accounted, Error> {
    let verdict = ended?;
    let left: Vec<_> = match &verdict {
        Verdict::RolledBack { .. } => Vec::new(),
        Verdict::Left { direction: Direction::RolledBackPartial, remaining, .. } => {
            remaining.iter().map(|left| left.step).collect()
        }
        _ => return Ok(verdict.into()),
    };
    let Some(before) = before else { return Ok(verdict.into()) };
    let compared = compare(app, client, before, plan, &left);
    let difference = match tokio::time::timeout(AT_MOST, compared).await {
        Ok(Ok(difference)) => difference,
        Ok(Err(error)) => {
            not_compared(progress, &describe(&error));
            return Ok(verdict.into());
        }
        Err(_) => {
            not_compared(progress, "it could not be read in time");
            return Ok(verdict.into());
        }
    };
    for theirs in difference.appeared.iter().filter(|item| item.beside.is_none()) {
        progress.note(&format!(
            "{} was not there before, is not known to be ours, and is left alone",
            named(theirs)
        ));
    }
    if !difference.is_ours() {
        return Ok(verdict.into());
    }
    let verdict = match verdict {
        Verdict::RolledBack { cause, traces } => {
            Verdict::Left { cause, direction: Direction::RolledBack, remaining: traces }
        }
        verdict => verdict,
    };
    Ok(Accounted { verdict, unaccounted: unaccounted(difference) })
}

fn not_compared(progress: &Progress, why: &str) {
    tracing::warn!(why, "What the workspace holds was not compared with what it held before");
    progress.note(&format!("what the workspace holds was not compared with what it held before: {why}"));
}

/// What differs, read as often as something has to be read that should not be there.
async fn compare(
    app: &App,
    client: &Client,
    before: &Inventory,
    plan: &Plan<Change>,
    left: &[StepId],
) -> Result<Difference, TargetError> {
    let mut reads = 1;
    loop {
        let now = Inventory::read(client, before.workspace).await?;
        let difference = before.compare(&now, plan, left);
        if reads >= app.settings.rollback.absent_reads || difference == Difference::default() {
            return Ok(difference);
        }
        tokio::time::sleep(app.settings.rollback.consistency_delay).await;
        reads += 1;
    }
}

fn unaccounted(difference: Difference) -> Vec<Left> {
    let Difference { appeared, gone } = difference;
    let beside = appeared.into_iter().filter_map(|item| {
        let Appeared { id, held: Held { kind, name }, beside } = item;
        let step = beside?;
        let reason = format!("made beside what step {step} made, and still there; nothing removes it");
        let (step, id) = (Some(step.number()), Some(id.to_string()));
        Some(Left { step, change: format!("{kind} {name}"), id, reason })
    });
    let gone = gone.into_iter().map(|Held { kind, name }| Left {
        step: None,
        change: format!("{kind} {name}"),
        id: None,
        reason: "was there before and is gone; no change of this deployment removes it".to_owned(),
    });
    beside.chain(gone).collect()
}

fn named(item: &Appeared) -> String {
    let Appeared { id, held: Held { kind, name }, .. } = item;
    format!("{kind} {name} ({id})")
}

//! Other transactions on the workspaces that a plan is about: open ones, and those that have ended since they were read.

use std::collections::BTreeSet;

use anyhow::{Context as _, anyhow};
use selvedge_rollback::journal::{Ended, Summary};
use selvedge_rollback::lease::Holder;
use selvedge_rollback::{Direction, State, TransactionId};

use super::apply::no_journal;
use super::target::Target;
use crate::commands::transactions::Report;
use crate::place::{Place, Running};
use crate::report::ExitWith;
use crate::run::App;
use crate::{exit, subject};

/// An open transaction on the same workspace has to be ended first: two would undo each other's changes.
///
/// Says which journals are kept no longer: those of what committed so long ago, and has no marker left.
///
/// # Errors
///
/// When there is one, or the journals cannot be listed.
pub(crate) async fn refuse_if_open(app: &App, place: &Place, subject: &str) -> anyhow::Result<Vec<Ended>> {
    let mut due = Vec::new();
    let kept = app.settings.rollback.retention;
    for found in place.journals.list_unless_ended::<Target>(kept).await.with_context(no_journal)? {
        due.extend(kept_no_longer(app, &found));
        let is_ours = |state: &State<Target>| subject::overlap(&state.begin().subject, subject);
        if found.state.as_ref().is_ok_and(|state| state.direction().has_ended() || !is_ours(state)) {
            continue;
        }
        let running = place.running(&found).await?;
        let id = found.id;
        let choices = match found.state {
            Ok(state) => Report::of(app, &state, None).choices(app),
            // It may be of an open transaction on this very workspace.
            Err(error) => {
                let help = "look into it, and move it away if what it was about is settled";
                let with = ExitWith::new(exit::LOCKED, "see which transactions are open").help(help);
                return Err(anyhow::Error::from(error).context(with));
            }
        };
        let (problem, help) = if let Some(Running { owner, overdue: None, .. }) = running {
            let owner = owner.map(|owner| {
                let Holder { host, pid, .. } = &owner;
                format!(", in process {pid} on {host} for {} s", owner.age().as_secs())
            });
            let problem = anyhow!("transaction {id} is running{}", owner.unwrap_or_default());
            let rollback = app.transactions("rollback", id);
            let gone = if place.is_shared {
                format!("; if its process is gone, run `{rollback}`, which waits until its lease has run out")
            } else {
                String::new()
            };
            (problem, format!("wait for it to end{gone}"))
        } else {
            let silent = running.and_then(|gone| Some((gone.owner?, gone.overdue?.as_secs())));
            let silent = silent.map(|(Holder { host, pid, .. }, silent)| {
                format!(": process {pid} on {host} has not renewed its lease for {silent} s")
            });
            let problem =
                anyhow!("transaction {id} was interrupted and is open{}", silent.unwrap_or_default());
            (problem, choices.unwrap_or_default())
        };
        return Err(
            problem.context(ExitWith::new(exit::LOCKED, "begin a transaction on this workspace").help(help))
        );
    }
    Ok(due)
}

/// The transactions that have begun by now.
///
/// # Errors
///
/// When the journals cannot be listed.
pub(crate) async fn begun(place: &Place) -> anyhow::Result<BTreeSet<TransactionId>> {
    Ok(place.journals.ids().await.with_context(no_journal)?.into_iter().collect())
}

/// Whoever wrote to the workspace since it was read has changed what the plan was made for.
pub(super) async fn refuse_if_stale(
    place: &Place,
    subject: &str,
    before: &BTreeSet<TransactionId>,
) -> anyhow::Result<()> {
    for id in begun(place).await?.difference(before) {
        let found = place.journals.summary::<Target>(*id).await;
        if found.state.is_ok_and(|state| subject::overlap(&state.begin().subject, subject)) {
            let problem = anyhow!("transaction {id} has written to this workspace since the plan was made");
            let with = ExitWith::new(exit::LOCKED, "begin a transaction on this workspace");
            return Err(problem.context(with.help("run the deployment again: it plans anew")));
        }
    }
    Ok(())
}

/// Of what committed so long ago, and has no marker left.
fn kept_no_longer(app: &App, found: &Summary<Target>) -> Option<Ended> {
    let (ended, state) = (found.ended()?, found.state.as_ref().ok()?);
    let is_old = ended.age() >= app.settings.rollback.retention;
    (is_old && ended.direction() == Direction::Committed && !state.has_markers()).then_some(ended)
}

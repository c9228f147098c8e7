//! Asks before something is overwritten.

use std::io::Write as _;

use anyhow::{Context as _, anyhow};
use selvedge_deployment::change::Change;
use selvedge_rollback::Plan;

use crate::commands::confirm::{self, No};
use crate::output;
use crate::report::ExitWith;
use crate::run::App;
use crate::text::one_line;

/// Asks whether what `plan` overwrites may be overwritten, where it overwrites anything.
///
/// # Errors
///
/// When the answer is not yes, or there is nobody to ask.
pub(crate) fn overwrites(app: &App, plan: &Plan<Change>) -> anyhow::Result<()> {
    let overwritten: Vec<_> =
        plan.steps().iter().filter(|step| step.change.overwrites()).map(|step| &step.change).collect();
    if overwritten.is_empty() || app.yes {
        return Ok(());
    }
    let mut stderr = output::stderr();
    let mut tell = || -> std::io::Result<()> {
        writeln!(stderr, "What is there will be overwritten:")?;
        overwritten.iter().try_for_each(|change| writeln!(stderr, "  ~ {}", one_line(&change.to_string())))
    };
    tell().context("ask for confirmation")?;
    let Some(no) = confirm::ask("Continue?").context("ask for confirmation")? else {
        return Ok(());
    };
    let help = match no {
        No::Answered => "nothing was changed",
        No::Nobody => "add --yes to overwrite without being asked",
    };
    Err(anyhow!("{no}").context(ExitWith::usage("confirm the plan").help(help)))
}

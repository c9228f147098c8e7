//! Asks before something is overwritten.

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Context as _, anyhow};
use selvedge_deployment::change::Change;
use selvedge_rollback::Plan;

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
    let question = || -> std::io::Result<String> {
        writeln!(stderr, "What is there will be overwritten:")?;
        for change in &overwritten {
            writeln!(stderr, "  ~ {}", one_line(&change.to_string()))?;
        }
        if !std::io::stdin().is_terminal() {
            return Ok(String::new());
        }
        write!(stderr, "Continue? Only `yes` is a yes: ")?;
        stderr.flush()?;
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer)?;
        Ok(answer)
    };
    let answer = { question }().context("ask for confirmation")?;
    if answer.trim() == "yes" {
        return Ok(());
    }
    let (problem, help) = if std::io::stdin().is_terminal() {
        (anyhow!("the answer was not `yes`"), "nothing was changed")
    } else {
        (anyhow!("there is no terminal to ask on"), "add --yes to overwrite without being asked")
    };
    Err(problem.context(ExitWith::usage("confirm the plan").help(help)))
}

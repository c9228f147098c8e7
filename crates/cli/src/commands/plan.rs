//! `selvedge plan`: what a deployment would change.

use std::path::PathBuf;

use selvedge_deployment::change::Change;
use selvedge_deployment::summary::Summary;
use serde_json::json;

use super::deploy::open;
use super::deploy::planned::PlanFile;
use super::deploy::prepare::{Prepared, prepare};
use crate::args::PlanArgs;
use crate::ci::{Row, Told};
use crate::exit;
use crate::output::{self, Format};
use crate::render::{self, PartDiff, Progress};
use crate::run::App;
use crate::text::one_line;

/// Plans and shows it.
///
/// # Errors
///
/// Whatever stands in the way of a plan.
pub(crate) async fn run(app: &App, args: &PlanArgs, config: PathBuf) -> anyhow::Result<u8> {
    let progress = Progress::new(app);
    let prepared = prepare(app, &args.selection, config.clone(), false, &progress).await?;
    // Where one is open, the plan also shows the markers that it left.
    if let Some((place, _)) = &prepared.place
        && let Err(open) = open::refuse_if_open(app, place, &prepared.subject(app)).await
    {
        progress.note(&format!("{open:#}"));
    }
    drop(progress);
    if let Some(out) = &args.out {
        PlanFile::of(app, &args.selection, &prepared, &config)?.write(out)?;
    }
    let pending = args.detailed_exitcode && !prepared.planned.plan.is_empty();
    output::coded(show(app, &prepared, args.diff), if pending { exit::PENDING } else { exit::DONE })
}

/// Prints the plan as the result.
///
/// # Errors
///
/// When stdout cannot be written.
pub(crate) fn show(app: &App, prepared: &Prepared, with_parts: bool) -> anyhow::Result<()> {
    let plan = &prepared.planned.plan;
    let summary = Summary::of(plan).to_string();
    let planned = plan.steps().iter();
    let planned =
        planned.map(|step| Row { step: step.id.number(), change: step.change.to_string(), state: "planned" });
    app.job.tell(Told {
        verdict: "planned",
        headline: summary.clone(),
        about: prepared.what(),
        transaction: None,
        changes: planned.collect(),
        left: Vec::new(),
        commands: Vec::new(),
    });
    match app.output {
        Format::Text => {
            let mut text = String::new();
            for step in plan.steps() {
                text.push_str(&format!("  {} {}\n", sign(&step.change), one_line(&step.change.to_string())));
                for part in parts(prepared, &step.change).iter().filter(|_| with_parts) {
                    text.push_str(&part.text("      "));
                }
            }
            output::line(&(text + &summary))
        }
        format => {
            let changes: Vec<_> = plan
                .steps()
                .iter()
                .map(|step| {
                    let mut change = json!({
                        "step": step.id.number(),
                        "change": step.change.to_string(),
                        "overwrites": step.change.overwrites(),
                        "reversible": step.change.reversible(),
                    });
                    if with_parts {
                        let parts = parts(prepared, &step.change);
                        change["parts"] = parts.iter().map(PartDiff::as_json).collect();
                    }
                    change
                })
                .collect();
            let read = prepared.clients.is_some();
            render::result(
                format,
                json!({
                    "verdict": "planned",
                    "deployment": prepared.what(),
                    "compared_with": if read { "live" } else { "empty" },
                    "summary": summary,
                    "changes": changes,
                }),
            )
        }
    }
}

/// What a change overwrites of an item's content, part by part.
fn parts(prepared: &Prepared, change: &Change) -> Vec<PartDiff> {
    let Change::UpdateDefinition { item, definition, .. } = change else { return Vec::new() };
    let live = prepared.live.items.iter().find(|live| live.id == *item);
    live.and_then(|live| live.definition.as_ref())
        .map_or_else(Vec::new, |live| PartDiff::all(live, definition))
}

/// `+` makes, `~` overwrites, `!` cannot be undone.
fn sign(change: &Change) -> char {
    match change {
        change if !change.reversible() => '!',
        change if change.overwrites() => '~',
        _ => '+',
    }
}
